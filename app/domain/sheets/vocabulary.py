"""The words for statuses and priorities in the languages that workshop files come in."""

from __future__ import annotations

from app.domain.sheets.fields import Choice

# Word lists read better in rows than one to a line.
# fmt: off
ORDER_STATUS = (
    Choice("planned", "Planned", (
        "open", "new", "scheduled", "released", "not started", "to do", "todo", "created", "pending",
        "waiting", "queued",
        "draft", "approved", "requested",
        "geplant", "offen", "neu", "freigegeben", "eröffnet", "angelegt", "wartend",
        "zaplanowane", "zaplanowany", "planowane", "planowany", "nowe", "nowy", "otwarte", "otwarty",
        "oczekuje",
        "do zrobienia", "oczekujące",
        "planifié", "planifiée", "ouvert", "ouverte", "nouveau", "à faire", "en attente", "prévu", "lancé",
        "planificado", "planificada", "abierto", "abierta", "nuevo", "pendiente", "pianificato", "aperto",
        "nuovo",
        "plánováno", "naplánováno", "otevřeno", "nové",
    )),
    Choice("in_progress", "In progress", (
        "started", "running", "active", "wip", "working", "ongoing", "in work", "in process", "in production",
        "assigned", "in bearbeitung", "in arbeit", "laufend", "läuft", "begonnen", "gestartet", "in produktion",
        "w toku", "w trakcie", "w realizacji", "rozpoczęte", "rozpoczęty", "w produkcji", "realizowane",
        "en cours", "démarré", "commencé", "en production", "en curso", "en proceso", "iniciado", "en progreso",
        "in corso", "avviato", "in lavorazione", "probíhá", "zahájeno", "rozpracováno", "ve výrobě",
    )),
    Choice("blocked", "Blocked", (
        "on hold", "hold", "paused", "stopped", "suspended", "gesperrt", "blockiert", "angehalten", "pausiert",
        "wstrzymane", "wstrzymany", "zablokowane", "zablokowany", "en pause", "bloqué", "bloquée", "suspendu",
        "bloqueado", "en espera", "detenido", "bloccato", "sospeso", "pozastaveno", "blokováno",
    )),
    Choice("done", "Done", (
        "complete", "completed", "finished", "closed", "ready", "delivered", "shipped", "resolved",
        "fertig", "erledigt", "abgeschlossen", "beendet", "geliefert", "geschlossen",
        "zakończone", "zakończony", "gotowe", "wykonane", "wykonany", "zamknięte", "zrealizowane",
        "terminé", "terminée", "fini", "achevé", "clôturé", "fermé", "livré", "terminado", "completado",
        "cerrado",
        "finalizado", "completato", "finito", "chiuso", "terminato", "dokončeno", "hotovo", "uzavřeno",
    )),
    Choice("cancelled", "Cancelled", (
        "canceled", "void", "rejected", "deleted", "storniert", "abgebrochen", "abgesagt",
        "anulowane", "anulowany", "odwołane", "annulé", "annulée", "cancelado", "anulado", "annullato",
        "zrušeno",
    )),
)

MAINTENANCE_STATUS = (
    Choice("scheduled", "Scheduled", ("planned", *ORDER_STATUS[0].synonyms)),
    Choice("in_progress", "In progress", ORDER_STATUS[1].synonyms),
    Choice("on_hold", "On hold", ("blocked", *ORDER_STATUS[2].synonyms)),
    Choice("completed", "Completed", ("done", *ORDER_STATUS[3].synonyms)),
)

_LOW = (
    "low", "minor", "gering", "niedrig", "tief", "niski", "niska", "niskie", "faible", "basse", "bas",
    "baja", "bajo",
    "bassa", "basso", "nízká", "nízký", "c", "p4",
)
_MEDIUM = (
    "medium", "normal", "mid", "moderate", "standard", "regular", "no", "mittel", "średni", "średnia",
    "średnie",
    "normalny", "normalna", "zwykły", "moyen", "moyenne", "normale", "media", "medio", "střední",
    "normální", "nein",
    "nie", "non", "b", "p3",
)
_HIGH = (
    "high", "major", "important", "hoch", "wysoki", "wysoka", "wysokie", "ważne", "pilny", "pilna",
    "haute", "haut",
    "élevé", "élevée", "alta", "alto", "vysoká", "vysoký", "eilig", "a", "p2",
)
_CRITICAL = (
    "critical", "urgent", "rush", "express", "emergency", "immediate", "highest", "very high", "asap",
    "top", "yes", "x",
    "true", "kritisch", "dringend", "sehr hoch", "sofort", "höchste", "eilt", "ja",
    "krytyczny", "krytyczna", "pilne", "ekspres", "bardzo wysoki", "najwyższy", "tak",
    "critique", "urgente", "très haute", "oui", "crítica", "crítico", "muy alta", "sí",
    "critica", "critico", "molto alta", "kritická", "kritický", "urgentní", "naléhavé", "ano", "p1",
)

ORDER_PRIORITY = (
    Choice("5", "lowest", ("very low", "sehr niedrig", "bardzo niski", "najniższy", "très basse",
    "trivial", "p5")),
    Choice("4", "low", _LOW),
    Choice("3", "normal", _MEDIUM),
    Choice("2", "high", _HIGH),
    Choice("1", "urgent", _CRITICAL),
)

MAINTENANCE_PRIORITY = (
    Choice("low", "low", ("lowest", "very low", "trivial", *_LOW)),
    Choice("medium", "medium", _MEDIUM),
    Choice("high", "high", _HIGH),
    Choice("critical", "critical", _CRITICAL),
)

MAINTENANCE_KIND = (
    Choice("preventive", "Preventive", (
        "preventive maintenance", "planned", "scheduled", "routine", "pm", "vorbeugend", "wartung", "präventiv",
        "prewencyjne", "prewencyjny", "profilaktyka", "przegląd", "préventif", "préventive", "preventivo",
        "preventivní",
    )),
    Choice("corrective", "Corrective", (
        "corrective maintenance", "repair", "breakdown", "cm", "reparatur", "instandsetzung", "korrektiv",
        "naprawa",
        "korygujące", "correctif", "corrective", "réparation", "correctivo", "correttivo", "oprava",
    )),
    Choice("emergency", "Emergency", (
        "emergency repair", "emergency maintenance", "notfall", "awaria", "awaryjne", "urgence", "emergencia",
        "emergenza", "havárie",
    )),
)
