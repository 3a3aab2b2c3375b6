"""The two lists that a workshop brings as workbooks: work orders and maintenance orders."""

from __future__ import annotations

from app.domain.sheets.fields import FieldSpec, ImportTarget
from app.domain.sheets.vocabulary import (
    MAINTENANCE_KIND,
    MAINTENANCE_PRIORITY,
    MAINTENANCE_STATUS,
    ORDER_PRIORITY,
    ORDER_STATUS,
)
from app.domain.sheets.wording import squashed

_STATUS_WORDS = {
    "en": ("status", "state", "order status", "progress"), "de": ("status", "zustand", "auftragsstatus", "stand"),
    "pl": ("status", "stan", "status zlecenia"), "fr": ("statut", "état", "etat", "avancement"),
    "es": ("estado", "situación"), "it": ("stato",), "cs": ("stav",),
}
_PRIORITY_WORDS = {
    "en": ("priority", "prio", "urgency", "rush", "severity"), "de": ("priorität", "prio", "dringlichkeit", "eilauftrag"),
    "pl": ("priorytet", "pilność"), "fr": ("priorité", "urgence"), "es": ("prioridad", "urgencia"),
    "it": ("priorità", "urgenza"), "cs": ("priorita", "naléhavost"),
}
_DUE_WORDS = {
    "en": ("due", "due date", "deadline", "due on", "due by", "planned end", "end", "end date", "finish", "finish date",
           "delivery date", "delivery", "required date", "required by", "need by", "ship date", "planned finish",
           "target date", "completion date", "work date", "promised date", "end time", "scheduled end"),
    "de": ("termin", "liefertermin", "fällig", "fällig am", "fälligkeit", "fälligkeitsdatum", "ende", "endtermin",
           "enddatum", "lieferdatum", "geplantes ende", "plan ende", "endtermin geplant", "wunschtermin", "fertig bis"),
    "pl": ("termin", "termin realizacji", "data zakończenia", "koniec", "planowany koniec", "termin wykonania",
           "data dostawy", "termin dostawy", "do kiedy", "termin zakończenia"),
    "fr": ("échéance", "date d'échéance", "date limite", "fin", "date de fin", "fin prévue", "livraison",
           "date de livraison", "délai", "date fin prévue", "date livraison", "fin planifiée", "pour le"),
    "es": ("vencimiento", "fecha de vencimiento", "fecha límite", "fecha de entrega", "entrega", "fecha fin", "fin",
           "fecha de fin", "fin previsto"),
    "it": ("scadenza", "data di scadenza", "data consegna", "data di consegna", "consegna", "fine", "data fine"),
    "cs": ("termín", "termín dodání", "konec", "datum dodání", "datum ukončení", "do data"),
}
_DESCRIPTION_WORDS = {
    "en": ("description", "note", "notes", "comment", "comments", "remark", "remarks", "details", "instructions"),
    "de": ("beschreibung", "bemerkung", "bemerkungen", "notiz", "notizen", "anmerkung", "kommentar", "hinweis"),
    "pl": ("opis", "uwagi", "notatki", "komentarz", "uwaga", "notatka"),
    "fr": ("remarque", "remarques", "commentaire", "commentaires", "observations", "note", "notes", "détails"),
    "es": ("descripción", "nota", "notas", "observaciones", "comentarios", "comentario"),
    "it": ("descrizione", "note", "nota", "osservazioni", "commenti"), "cs": ("popis", "poznámka", "poznámky"),
}
_ASSIGNEE_WORDS = {
    "en": ("assignee", "assigned to", "assigned", "technician", "lead tech", "lead technician", "operator", "worker",
           "responsible", "owner", "person", "employee", "mechanic", "responsible person", "engineer"),
    "de": ("bearbeiter", "zuständig", "verantwortlich", "verantwortlicher", "mitarbeiter", "techniker", "monteur",
           "zugewiesen an", "werker", "zuständiger"),
    "pl": ("wykonawca", "przypisane do", "pracownik", "odpowiedzialny", "technik", "operator", "osoba odpowiedzialna",
           "przypisany"),
    "fr": ("responsable", "assigné à", "affecté à", "technicien", "opérateur", "intervenant", "attribué à"),
    "es": ("responsable", "asignado a", "asignado", "técnico", "operario", "encargado"),
    "it": ("responsabile", "assegnato a", "tecnico", "operatore", "addetto"),
    "cs": ("odpovědný", "přiřazeno", "technik", "pracovník", "řešitel"),
}

WORK_ORDERS = ImportTarget(
    key="work-orders", title="Work orders", one="work order", many="work orders", identity="number",
    content=("product", "customer", "lot", "planned_start", "planned_end", "description"),
    stand_ins={"product": "product_name"}, ordered=(("planned_start", "planned_end"),),
    file_words=("order", "auftrag", "auftraege", "zlecenia", "zlecenie", "commande", "ordres", "ordenes", "ordini",
                "zakazky", "production"),
    decoys=frozenset(map(squashed, (
        "product type", "typ produktu", "produkttyp", "type de produit", "order type", "auftragsart", "req day",
        "work day", "unit", "einheit", "jednostka", "unité", "stage", "operation", "customer order", "quantity done",
        "good quantity", "scrap quantity", "completed by", "created by", "team name", "completed on",
    ))),
    fields=(
        FieldSpec("number", "Order number", "identifier", {
            "en": ("number", "no", "order", "order no", "order id", "id", "wo", "wo no", "wo number", "wo id",
                   "work order", "work order no", "work order number", "work order id", "job", "job no", "job number",
                   "job id", "production order", "order ref", "reference", "ref", "document no", "po number", "mo"),
            "de": ("auftrag", "auftragsnummer", "auftragsnr", "auftrags nr", "auftrag nr", "nummer", "nr",
                   "fertigungsauftrag", "fa nr", "fa nummer", "fa", "produktionsauftrag", "belegnummer", "werkauftrag",
                   "bestellnummer", "auftrags-id"),
            "pl": ("numer", "numer zlecenia", "nr zlecenia", "zlecenie", "nr", "id zlecenia", "numer zamówienia",
                   "nr zamówienia", "zamówienie"),
            "fr": ("numéro", "n°", "numéro d'ordre", "ordre de fabrication", "n° of", "of", "numéro of", "commande",
                   "n° commande", "numéro de commande", "n° d'ordre", "référence of", "ordre", "no ordre", "n° ordre"),
            "es": ("número", "orden", "número de orden", "n° orden", "orden de trabajo", "ot", "nº de orden",
                   "orden de producción", "pedido"),
            "it": ("numero", "ordine", "numero ordine", "ordine di lavoro", "n° ordine", "commessa", "odl",
                   "ordine di produzione"),
            "cs": ("číslo", "zakázka", "číslo zakázky", "výrobní příkaz", "č zakázky", "číslo objednávky"),
        }),
        FieldSpec("product", "Product", "text", {
            "en": ("product", "product code", "product no", "product number", "product id", "item", "item no",
                   "item code", "item number", "part", "part no", "part number", "article", "article no", "sku",
                   "material", "material no", "material number", "model", "assembly"),
            "de": ("produkt", "artikel", "artikelnummer", "artikelnr", "artikel nr", "teil", "teilenummer", "teilenr",
                   "materialnummer", "sachnummer", "produktnummer", "produktcode", "erzeugnis", "bauteil", "material nr"),
            "pl": ("produkt", "kod produktu", "wyrób", "artykuł", "indeks", "detal", "nr części", "kod wyrobu",
                   "numer produktu", "towar", "część"),
            "fr": ("produit", "code produit", "article", "code article", "référence", "pièce", "référence produit",
                   "réf article", "réf produit", "référence article"),
            "es": ("producto", "código de producto", "artículo", "pieza", "referencia", "código"),
            "it": ("prodotto", "codice prodotto", "articolo", "codice articolo", "pezzo", "codice"),
            "cs": ("výrobek", "produkt", "kód výrobku", "díl", "položka", "kód produktu", "číslo dílu"),
        }, required=True, expected="a product code or name",
            weak=("service", "title", "task", "job description", "work", "subject", "name", "bezeichnung", "titel",
                  "leistung", "nazwa", "tytuł", "usługa", "titre", "désignation", "prestation", "servicio", "servizio",
                  "equipment", "asset name", "asset", "description", "opis", "beschreibung", "descripción")),
        FieldSpec("product_name", "Product name", "text", {
            "en": ("product name", "item name", "product description", "item description", "part name",
                   "article name", "part description", "material description"),
            "de": ("produktname", "artikelbezeichnung", "produktbezeichnung", "materialbezeichnung", "bezeichnung",
                   "benennung", "artikelname", "teilebezeichnung", "materialkurztext"),
            "pl": ("nazwa produktu", "nazwa wyrobu", "nazwa artykułu", "nazwa detalu", "nazwa towaru"),
            "fr": ("nom du produit", "nom produit", "désignation", "libellé", "désignation article", "libellé article"),
            "es": ("nombre del producto", "denominación"), "it": ("nome prodotto", "denominazione"),
            "cs": ("název výrobku", "název produktu", "název"),
        }),
        FieldSpec("quantity", "Quantity", "integer", {
            "en": ("quantity", "qty", "amount", "pcs", "pieces", "count", "units", "planned quantity", "order quantity",
                   "ordered", "lot size", "batch size", "target quantity", "quantity planned", "qty ordered"),
            "de": ("menge", "anzahl", "stück", "stückzahl", "stk", "sollmenge", "auftragsmenge", "losgröße",
                   "bestellmenge", "planmenge"),
            "pl": ("ilość", "szt", "sztuk", "liczba", "liczba sztuk", "ilość planowana", "ilość zamówiona", "sztuki"),
            "fr": ("quantité", "qté", "qte", "nombre", "nb", "nb pièces", "nombre de pièces", "quantité prévue",
                   "quantité commandée", "pièces"),
            "es": ("cantidad", "cant", "unidades", "piezas"), "it": ("quantità", "qta", "qtà", "pezzi", "numero pezzi"),
            "cs": ("množství", "počet", "ks", "kusů", "počet kusů"),
        }, required=True, default="1", positive=True),
        FieldSpec("priority", "Priority", "choice", _PRIORITY_WORDS, choices=ORDER_PRIORITY,
                  levels=("5", "4", "3", "2", "1"),
                  expected="a number from 1 to 5, or a word such as low, normal, high or urgent"),
        FieldSpec("customer", "Customer", "text", {
            "en": ("customer", "client", "customer name", "client name", "buyer", "account", "sold to", "company"),
            "de": ("kunde", "kundenname", "auftraggeber", "besteller", "firma", "kunden"),
            "pl": ("klient", "odbiorca", "kontrahent", "zamawiający", "nazwa klienta"),
            "fr": ("client", "nom du client", "nom client", "donneur d'ordre"), "es": ("cliente", "nombre del cliente"),
            "it": ("cliente", "nome cliente"), "cs": ("zákazník", "odběratel"),
        }),
        FieldSpec("lot", "Lot", "identifier", {
            "en": ("lot", "lot no", "lot number", "batch", "batch no", "batch number", "charge no"),
            "de": ("los", "losnummer", "charge", "chargennummer", "chargen nr", "los nr"),
            "pl": ("partia", "numer partii", "nr partii", "seria"), "fr": ("lot", "numéro de lot", "n° lot", "n° de lot"),
            "es": ("lote", "número de lote"), "it": ("lotto", "numero lotto"), "cs": ("šarže", "číslo šarže", "dávka"),
        }),
        FieldSpec("planned_start", "Planned start", "datetime", {
            "en": ("start", "start date", "planned start", "begin", "scheduled start", "start time", "release date",
                   "from", "req date", "request date", "requested date", "order date", "date", "date created",
                   "created", "production date", "plan date"),
            "de": ("start", "beginn", "starttermin", "startdatum", "geplanter start", "plan start", "anfang",
                   "beginn geplant", "auftragsdatum", "bestelldatum", "geplanter beginn", "datum"),
            "pl": ("start", "początek", "data rozpoczęcia", "rozpoczęcie", "planowany start", "planowane rozpoczęcie",
                   "data zlecenia", "data", "termin rozpoczęcia"),
            "fr": ("début", "date de début", "début prévu", "date début", "démarrage", "date de commande",
                   "date de lancement", "date début prévue", "lancement", "début planifié", "date"),
            "es": ("inicio", "fecha de inicio", "fecha inicio", "comienzo", "fecha"),
            "it": ("inizio", "data inizio", "data di inizio", "data"),
            "cs": ("začátek", "datum zahájení", "zahájení", "datum"),
        }),
        FieldSpec("planned_end", "Planned end", "datetime", _DUE_WORDS, ends_day=True),
        FieldSpec("status", "Status", "choice", _STATUS_WORDS, choices=ORDER_STATUS),
        FieldSpec("description", "Description", "text", _DESCRIPTION_WORDS),
        FieldSpec("area", "Line or area", "text", {
            "en": ("line", "area", "production line", "work center", "work centre", "workcenter", "cell", "department",
                   "district", "location", "location name", "hall", "site", "region", "resource"),
            "de": ("linie", "bereich", "halle", "arbeitsplatz", "abteilung", "fertigungslinie", "produktionslinie",
                   "standort", "kostenstelle"),
            "pl": ("linia", "linia produkcyjna", "wydział", "hala", "gniazdo", "obszar", "stanowisko"),
            "fr": ("ligne", "ligne de production", "atelier", "secteur", "zone", "poste", "emplacement"),
            "es": ("línea", "línea de producción", "área", "taller", "zona", "sección"),
            "it": ("linea", "linea di produzione", "reparto", "area", "zona"), "cs": ("linka", "oblast", "pracoviště"),
        }),
        FieldSpec("assignee", "Assigned to", "person", _ASSIGNEE_WORDS),
    ),
)

MAINTENANCE = ImportTarget(
    key="maintenance", title="Maintenance", one="maintenance order", many="maintenance orders", identity="number",
    content=("title", "equipment", "created"),
    file_words=("maintenance", "wartung", "instandhaltung", "konserwacja", "utrzymanie", "entretien", "mantenimiento",
                "manutenzione", "udrzba", "cmms"),
    decoys=frozenset(map(squashed, (
        "completed by", "created by", "team name", "primary user", "location name", "order type", "archived",
        "requires signature", "contractors", "requested by",
    ))),
    fields=(
        FieldSpec("number", "Number", "identifier", {
            "en": ("number", "no", "id", "order no", "order number", "work order no", "work order id", "ticket",
                   "ticket no", "ref", "maintenance no", "work order number", "wo number"),
            "de": ("nummer", "nr", "auftragsnummer", "wartungsnummer", "auftragsnr", "auftrags nr", "meldung"),
            "pl": ("numer", "nr", "numer zlecenia", "nr zlecenia", "numer zgłoszenia", "nr zgłoszenia"),
            "fr": ("numéro", "n°", "n° intervention", "numéro d'intervention", "n° bt", "bon de travail", "n° ot"),
            "es": ("número", "orden de trabajo", "nº", "ot"), "it": ("numero", "ordine di lavoro", "n°"),
            "cs": ("číslo", "číslo zakázky"),
        }),
        FieldSpec("title", "Title", "text", {
            "en": ("title", "task", "subject", "summary", "work", "job", "name", "maintenance task", "activity",
                   "work description", "short description"),
            "de": ("titel", "aufgabe", "tätigkeit", "betreff", "maßnahme", "bezeichnung", "wartungsaufgabe", "kurztext",
                   "arbeit"),
            "pl": ("tytuł", "zadanie", "nazwa", "czynność", "temat", "nazwa zadania"),
            "fr": ("titre", "tâche", "intervention", "objet", "intitulé", "travaux", "opération"),
            "es": ("título", "tarea", "asunto", "actividad", "trabajo"),
            "it": ("titolo", "attività", "oggetto", "intervento"), "cs": ("název", "úkol", "činnost", "předmět"),
        }, required=True, expected="a title",
            weak=("description", "problem", "fault", "service", "beschreibung", "opis", "usterka", "descripción",
                  "descrizione", "popis", "problème", "störung", "category", "service type")),
        FieldSpec("description", "Description", "text", _DESCRIPTION_WORDS | {
            "more": ("problem", "fault", "störung", "usterka", "problème", "symptom", "panne")}),
        FieldSpec("priority", "Priority", "choice", _PRIORITY_WORDS, choices=MAINTENANCE_PRIORITY,
                  levels=("low", "medium", "high", "critical")),
        FieldSpec("status", "Status", "choice", _STATUS_WORDS, choices=MAINTENANCE_STATUS),
        FieldSpec("due", "Due", "datetime", _DUE_WORDS | {"more": ("scheduled for", "scheduled date", "geplant am",
                  "planned date", "data planowana", "date prévue", "next due", "scheduled", "plandatum")}, ends_day=True),
        FieldSpec("equipment", "Equipment", "text", {
            "en": ("equipment", "asset", "asset name", "machine", "equipment name", "machine name", "device", "tool",
                   "equipment id", "asset id", "equipment code", "machine no", "asset code", "equipment no", "asset tag"),
            "de": ("maschine", "anlage", "gerät", "equipment", "betriebsmittel", "maschinennummer", "anlagennummer",
                   "aggregat", "objekt", "maschinen nr"),
            "pl": ("maszyna", "urządzenie", "sprzęt", "obiekt", "nazwa maszyny", "nr maszyny"),
            "fr": ("machine", "équipement", "appareil", "installation", "code machine"),
            "es": ("equipo", "máquina", "activo"), "it": ("macchina", "attrezzatura", "impianto"),
            "cs": ("stroj", "zařízení"),
        }),
        FieldSpec("assignee", "Assigned to", "person", _ASSIGNEE_WORDS),
        FieldSpec("estimated_hours", "Estimated hours", "decimal", {
            "en": ("estimated hours", "estimated duration", "duration", "hours", "estimate", "planned hours",
                   "labor hours", "labour hours", "time estimate", "est hours", "effort"),
            "de": ("dauer", "stunden", "geschätzte dauer", "aufwand", "geplante stunden", "dauer h", "std", "zeitaufwand"),
            "pl": ("czas", "godziny", "szacowany czas", "czas trwania", "liczba godzin", "planowany czas"),
            "fr": ("durée", "heures", "durée estimée", "durée prévue", "temps estimé", "heures estimées", "temps prévu"),
            "es": ("duración", "horas", "horas estimadas", "duración estimada"),
            "it": ("durata", "ore", "ore stimate", "durata stimata"), "cs": ("doba", "hodiny", "odhad hodin", "trvání"),
        }, minimum=0),
        FieldSpec("kind", "Kind", "choice", {
            "en": ("kind", "type", "category", "maintenance type", "work type", "maintenance kind"),
            "de": ("art", "typ", "kategorie", "wartungsart", "instandhaltungsart"),
            "pl": ("rodzaj", "typ", "kategoria", "rodzaj konserwacji"),
            "fr": ("type", "catégorie", "nature", "type de maintenance", "type d'intervention"),
            "es": ("tipo", "categoría"), "it": ("tipo", "categoria"), "cs": ("typ", "druh", "kategorie"),
        }, choices=MAINTENANCE_KIND, lenient=True),
        FieldSpec("created", "Created", "datetime", {
            "en": ("created", "date created", "created on", "created at", "creation date", "reported", "report date",
                   "requested on", "date reported", "request date", "opened", "date opened", "req date", "date"),
            "de": ("erstellt", "erstellt am", "angelegt am", "erstelldatum", "gemeldet am", "meldedatum", "datum"),
            "pl": ("utworzono", "data utworzenia", "data zgłoszenia", "zgłoszono", "data"),
            "fr": ("créé", "créé le", "date de création", "date de demande", "signalé le", "date"),
            "es": ("creado", "fecha de creación", "fecha"), "it": ("creato", "data creazione", "data"),
            "cs": ("vytvořeno", "datum vytvoření", "datum"),
        }),
        FieldSpec("completed", "Completed", "datetime", {
            "en": ("completed", "completed on", "completed at", "date completed", "finished on", "closed on", "closed",
                   "actual end", "done on", "closed date"),
            "de": ("abgeschlossen am", "erledigt am", "fertig am", "fertiggestellt am", "abgeschlossen", "erledigt"),
            "pl": ("zakończono", "data wykonania", "wykonano", "data zamknięcia", "ukończono"),
            "fr": ("terminé le", "date de clôture", "clôturé le", "réalisé le", "date de réalisation", "fait le"),
            "es": ("completado", "fecha de cierre", "terminado el"), "it": ("completato il", "chiuso il", "data chiusura"),
            "cs": ("dokončeno", "datum dokončení"),
        }, ends_day=True),
        FieldSpec("feedback", "Feedback", "text", {
            "en": ("feedback", "result", "resolution", "work done", "outcome", "action taken", "findings", "solution"),
            "de": ("rückmeldung", "ergebnis", "lösung", "befund", "durchgeführte arbeiten"),
            "pl": ("wynik", "rozwiązanie", "informacja zwrotna", "wykonane prace"),
            "fr": ("retour", "résultat", "solution", "compte rendu", "travaux effectués"),
            "es": ("resultado", "solución"), "it": ("esito", "risultato", "soluzione"), "cs": ("výsledek", "řešení"),
        }),
    ),
)

TARGETS = (WORK_ORDERS, MAINTENANCE)


def target_of(key: str) -> ImportTarget:
    """The target of that key; KeyError when there is none."""
    for target in TARGETS:
        if target.key == key:
            return target
    raise KeyError(key)
