"""The list of signals that somebody keeps of a machine, as a workbook: one row a tag."""

from __future__ import annotations

from app.domain.sheets.fields import FieldSpec, ImportTarget
from app.domain.sheets.wording import squashed

# Word lists read better in rows than one to a line.
# fmt: off
TAGS = ImportTarget(
    key="tags", title="Tags of machines", one="tag", many="tags", identity="name",
    content=("equipment", "address"),
    file_words=("tags", "signals", "signale", "signaux", "sygnaly", "messstellen", "plc", "sps", "opc", "modbus"),
    decoys=frozenset(map(squashed, ("comment", "kommentar", "remark", "data type", "datentyp", "typ danych"))),
    fields=(
        FieldSpec("name", "Tag", "identifier", {
            "en": ("tag", "tag name", "signal", "signal name", "variable", "point", "point name", "name"),
            "de": ("tag", "signal", "signalname", "variable", "messstelle", "bezeichner", "name"),
            "pl": ("tag", "sygnał", "zmienna", "punkt", "nazwa", "nazwa sygnału"),
            "fr": ("tag", "signal", "variable", "point", "nom", "nom du signal"),
        }, required=True, expected="the name of a tag, like OVEN-2/temperature"),
        FieldSpec("equipment", "Machine", "identifier", {
            "en": ("machine", "machine code", "equipment", "asset", "unit no", "station"),
            "de": ("maschine", "anlage", "maschinennummer", "gerät", "station"),
            "pl": ("maszyna", "urządzenie", "kod maszyny", "stanowisko"),
            "fr": ("machine", "équipement", "code machine", "poste"),
        }, required=True, expected="the code of a machine"),
        FieldSpec("connection", "Connection", "identifier", {
            "en": ("connection", "plc", "controller", "device", "server", "link"),
            "de": ("verbindung", "steuerung", "sps", "server"),
            "pl": ("połączenie", "sterownik", "serwer"), "fr": ("connexion", "automate", "serveur"),
        }, required=True, expected="the name of a connection"),
        FieldSpec("address", "Address", "text", {
            "en": ("address", "node", "node id", "nodeid", "register", "topic", "opc address", "modbus address"),
            "de": ("adresse", "knoten", "node id", "register", "topic"),
            "pl": ("adres", "rejestr", "węzeł", "temat"), "fr": ("adresse", "registre", "nœud", "topic"),
        }, required=True, expected="an address as the connection's protocol writes it"),
        FieldSpec("unit", "Unit", "text", {
            "en": ("unit", "units", "eu", "engineering unit", "uom"), "de": ("einheit", "maßeinheit"),
            "pl": ("jednostka", "jm"), "fr": ("unité", "unité de mesure"),
        }),
        FieldSpec("label", "Label", "text", {
            "en": ("label", "description", "display name", "title"), "de": ("beschreibung", "anzeigename"),
            "pl": ("opis", "etykieta"), "fr": ("description", "libellé"),
        }),
        FieldSpec("scan", "Scan", "text", {
            "en": ("scan", "scan rate", "interval", "cycle", "period", "sampling"),
            "de": ("abtastung", "takt", "intervall", "abtastrate"), "pl": ("skan", "okres", "interwał"),
            "fr": ("scrutation", "période", "intervalle"),
        }, expected="a time such as 1s, 250ms or 1m, or a number of seconds"),
        *(
            FieldSpec(key, title, "decimal", words)
            for key, title, words in (
                ("raw_lo", "Raw low", {"en": ("raw low", "raw lo", "raw min"), "de": ("rohwert min", "roh min"),
                                       "pl": ("surowa min",), "fr": ("brut min",)}),
                ("raw_hi", "Raw high", {"en": ("raw high", "raw hi", "raw max"), "de": ("rohwert max", "roh max"),
                                        "pl": ("surowa max",), "fr": ("brut max",)}),
                ("eu_lo", "Unit low", {"en": ("eu low", "eu lo", "eu min", "range low", "range min"),
                                       "de": ("bereich von", "messbereich min"), "pl": ("zakres od",),
                                       "fr": ("échelle min",)}),
                ("eu_hi", "Unit high", {"en": ("eu high", "eu hi", "eu max", "range high", "range max"),
                                        "de": ("bereich bis", "messbereich max"), "pl": ("zakres do",),
                                        "fr": ("échelle max",)}),
                ("hihi", "HiHi", {"en": ("hihi", "hi hi", "high high", "alarm high"),
                                  "de": ("alarm hoch", "alarm max"), "pl": ("alarm wysoki",),
                                  "fr": ("alarme haute", "très haut")}),
                ("hi", "Hi", {"en": ("hi", "high", "high limit", "warning high", "upper limit"),
                              "de": ("warnung hoch", "obergrenze", "grenze oben"),
                              "pl": ("górny limit", "ostrzeżenie górne"), "fr": ("haut", "limite haute")}),
                ("lo", "Lo", {"en": ("lo", "low", "low limit", "warning low", "lower limit"),
                              "de": ("warnung tief", "untergrenze", "grenze unten"),
                              "pl": ("dolny limit", "ostrzeżenie dolne"), "fr": ("bas", "limite basse")}),
                ("lolo", "LoLo", {"en": ("lolo", "lo lo", "low low", "alarm low"),
                                  "de": ("alarm tief", "alarm min"), "pl": ("alarm niski",),
                                  "fr": ("alarme basse", "très bas")}),
            )
        ),
        FieldSpec("deadband", "Deadband", "text", {
            "en": ("deadband", "dead band"), "de": ("totband",), "pl": ("strefa martwa",), "fr": ("bande morte",),
        }, expected="a number, or a share like 1%"),
        FieldSpec("priority", "Alarm priority", "integer", {
            "en": ("alarm priority", "priority"), "de": ("alarmpriorität", "priorität"),
            "pl": ("priorytet alarmu", "priorytet"), "fr": ("priorité d'alarme", "priorité"),
        }, positive=True, expected="a whole number from 1, the most urgent, to 4"),
        FieldSpec("on_delay", "On delay", "decimal", {
            "en": ("on delay", "delay"), "de": ("verzögerung", "einschaltverzögerung"),
            "pl": ("opóźnienie",), "fr": ("temporisation",),
        }, minimum=0, expected="a number of seconds"),
        FieldSpec("hysteresis", "Hysteresis", "decimal", {
            "en": ("hysteresis",), "de": ("hysterese",), "pl": ("histereza",), "fr": ("hystérésis",),
        }, minimum=0),
        FieldSpec("consequence", "Consequence", "text", {
            "en": ("consequence", "meaning"), "de": ("folge", "bedeutung"), "pl": ("skutek",),
            "fr": ("conséquence",),
        }),
        FieldSpec("response", "Response", "text", {
            "en": ("response", "what to do", "action"), "de": ("maßnahme", "reaktion"), "pl": ("reakcja",),
            "fr": ("réaction", "que faire"),
        }),
    ),
)
# fmt: on
