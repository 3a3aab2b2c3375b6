"""The planner's workbook of the demo: German headers below a title, local dates, decimals with a comma."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

_HEADERS = ("Auftrag", "Artikel", "Bezeichnung", "Menge", "Priorität", "Kunde", "Liefertermin", "Bemerkung")
_LINES = (
    ("FRAME-M", "Rahmen M", 40, "hoch", "Brandt Pumps", 9, ""),
    ("RAIL-S", "Führungsschiene S", 120, "mittel", "Nordhafen", 12, "Teillieferung möglich"),
    ("TANK-80", "Behälter 80 l", 6, "dringend", "Okafor Rail", 6, "Dichtheit prüfen"),
    ("COVER-12", "Deckel 12", 250, "niedrig", "Hall 3 stock", 21, ""),
    ("HINGE-K2", "Scharnier K2", 500, "mittel", "Kowalski i Syn", 15, ""),
    ("HOUSING-A", "Getriebegehäuse A", 12, "hoch", "Atelier Moreau", 10, "Zeichnung Rev. C"),
)


def write_plan_workbook(path: Path, now: datetime) -> int:
    """Write a workbook of orders due in the weeks after `now`; returns the number of orders."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Plan"
    sheet.append([f"Produktionsplan KW {now:%V}"])
    sheet.append([])
    sheet.append(list(_HEADERS))
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    number = 0
    for week in range(4):
        for product, name, quantity, priority, customer, days, note in _LINES:
            number += 1
            due = (today + timedelta(days=days + 7 * week)).strftime("%d.%m.%Y")
            sheet.append([f"P-{number:04d}", product, name, quantity, priority, customer, due, note])
    book.save(path)
    return number
