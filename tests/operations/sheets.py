"""Workbooks that look like those that workshops send, made by code."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from app.store.workbooks import write_workbook

ORDER_HEADERS = (
    "Auftragsnummer",
    "Artikelnummer",
    "Menge",
    "Priorität",
    "Liefertermin",
    "Status",
    "Bemerkung",
)


def order_book(folder: Path, rows: Sequence[Sequence[object]], name: str = "Auftraege.xlsx") -> Path:
    """A German order list; see ORDER_HEADERS."""
    path = folder / name
    write_workbook(path, [("Plan", ORDER_HEADERS, rows)])
    return path


def order_row(number: int, **values: object) -> list[object]:
    """One good row; `values` by header replace its cells."""
    row: dict[str, object] = {
        "Auftragsnummer": f"F-{number:03d}",
        "Artikelnummer": f"RAHMEN-{number % 3}",
        "Menge": number * 10,
        "Priorität": "hoch",
        "Liefertermin": f"{number % 28 + 1:02d}.05.2026",
        "Status": "geplant",
        "Bemerkung": "",
    }
    return list((row | values).values())


def service_book(folder: Path) -> Path:
    """Two pivot sheets before the data, no product and no quantity by name, empty technicians."""
    path = folder / "service.xlsx"
    pivot = [("WA",), ("Row Labels", "Sum of Cost"), ("North", 12.5), ("Grand Total", 12.5)]
    headers = ("WO", "District", "LeadTech", "Service", "Rush", "ReqDate", "WorkDate", "Techs", "Payment")
    rows = [
        (
            f"A{100 + n:05d}",
            "North",
            "Burton" if n % 2 else "",
            "Assess",
            "Yes" if n % 5 == 0 else "No",
            f"2026-04-{n % 27 + 1:02d}",
            f"2026-05-{n % 27 + 1:02d}",
            1 + n % 2,
            "Account",
        )
        for n in range(40)
    ]
    write_workbook(
        path,
        [("Pivot 1", ("Filter",), pivot), ("Pivot 2", ("Filter",), pivot), ("WorkOrders", headers, rows)],
    )
    return path


def polish_book(folder: Path) -> Path:
    """Polish headers, priorities by number, a legend below the table."""
    path = folder / "zlecenia.xlsx"
    headers = ("Numer_zlecenia", "Nazwa_produktu", "Ilosc", "Linia", "Priorytet", "Termin", "Opis")
    rows: list[tuple[object, ...]] = [
        (f"ZL-{n:03d}", f"Panel {n}", 250.0, "L1", n % 5 + 1, f"2026-05-{n + 1:02d}", "Seria")
        for n in range(10)
    ]
    rows += [("",) * 7, ("--- LEGENDA ---",), ("Priorytet", "Opcjonalne. Liczba 1-5 (1=niski, 5=najwyzszy).")]
    write_workbook(path, [("Zlecenia", headers, rows)])
    return path


def maintenance_csv(folder: Path) -> Path:
    """Day/month dates, quoted commas, people's names, no numbers."""
    path = folder / "maintenance_work_orders.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "Title",
                "Description",
                "Priority",
                "Status",
                "Due Date",
                "Asset Name",
                "Assigned To",
                "Archived",
            ]
        )
        for n in range(15):
            writer.writerow(
                [
                    f"Check mast {n}",
                    "Climb, look, note",
                    "HIGH",
                    "Open",
                    f"{13 + n}/03/2026",
                    f"M-{n}",
                    "Ana Lee",
                    "No",
                ]
            )
    return path
