"""Foreign files are read with their types kept, or refused in one sentence."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
import zipfile
from concurrent.futures import CancelledError
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook as NewWorkbook

from app.domain.errors import Refused
from app.domain.sheets.cells import CellFault
from app.domain.sheets.targets import MAINTENANCE, WORK_ORDERS
from app.store.workbooks import ReadLimits, is_importable, read_in_worker, read_workbook, write_workbook
from tests.domain.sheets.workshop_sheets import planned


def _csv(folder: Path, content: bytes) -> Path:
    path = folder / "orders.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_a_german_csv_is_read_in_every_encoding_and_with_every_delimiter(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    lines = [
        ["Auftragsnr", "Artikel", "Menge", "Kunde", "Bemerkung"],
        ["00123", "Gehäuse", "1.250", "Müller & Söhne", f'"Größe{delimiter} Farbe"'],
        ["00124", "Träger", "80", "Groß GmbH", ""],
    ]
    path = _csv(tmp_path, "\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    rows = read_workbook(path).sheets[0].rows
    assert rows[1] == ["00123", "Gehäuse", "1.250", "Müller & Söhne", f"Größe{delimiter} Farbe"]
    plan = planned(read_workbook(path), WORK_ORDERS)
    assert plan.errors == ()
    assert plan.rows[0].values["quantity"] == 1250


def test_polish_czech_and_french_single_byte_files_are_told_apart(tmp_path: Path) -> None:
    for text, encoding in (
        ("numer;wyrób;ilość\n1;ściągacz łożysk żółty;5\n2;ćwiartka;3", "cp1250"),
        ("číslo;výrobek;množství\n1;kůň příliš žluťoučký;5", "cp1250"),
        ("numéro;désignation;qté\n1;pièce forgée à côté, œuvre;5", "cp1252"),
        ("Nr;Artikel;Menge\n1;Größe übergroß;5", "cp1252"),
    ):
        rows = read_workbook(_csv(tmp_path, text.encode(encoding))).sheets[0].rows
        assert [list(row) for row in rows] == [line.split(";") for line in text.split("\n")], encoding


def test_a_line_that_names_the_delimiter_is_obeyed_and_quoted_line_breaks_are_kept(tmp_path: Path) -> None:
    rows = read_workbook(_csv(tmp_path, b'sep=|\r\na|b\r\n"one\ntwo"|3\r\n')).sheets[0].rows
    assert rows == [["a", "b"], ["one\ntwo", "3"]]


def _awkward_workbook(path: Path) -> None:
    book = NewWorkbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Order", "Code", "Qty", "Due", "Formula", "Broken", "Done"],
        ["00123", 7, 250.0, date(2026, 3, 1), "=1+1", 0, True],
    ):
        sheet.append(row)
    sheet["B2"].number_format = "00000"
    sheet["F2"].value = "#N/A"
    sheet["F2"].data_type = "e"
    sheet.merge_cells("I1:J1")
    book.save(path)


def test_cells_keep_their_type_and_their_zeros(tmp_path: Path) -> None:
    path = tmp_path / "awkward.xlsx"
    _awkward_workbook(path)
    book = read_workbook(path)
    assert book.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    order, code, quantity, due, formula, broken, done = book.sheets[0].rows[1][:7]
    assert (order, code, quantity, due, done) == ("00123", "00007", 250.0, date(2026, 3, 1), True)
    assert isinstance(formula, CellFault)
    assert "without a stored result" in formula.sentence
    assert isinstance(broken, CellFault)
    assert broken.text == "#N/A"
    assert book.sheets[0].merged == ((0, 8, 0, 9),)


def test_what_lineside_writes_it_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    moment = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
    write_workbook(
        path,
        [
            (
                "Orders: all",
                ["Number", "Note", "Qty", "At"],
                [["00123", "=1+1", 4, moment], [None, "+x", 2.5, date(2026, 3, 2)]],
            )
        ],
    )
    sheet = read_workbook(path).sheets[0]
    assert sheet.name == "Orders- all"
    assert sheet.rows[1] == ["00123", "=1+1", 4.0, moment.astimezone().replace(tzinfo=None)]
    assert sheet.rows[2][:3] == ["", "+x", 2.5]
    assert sheet.rows[2][3] == date(2026, 3, 2)
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))


def _refusal(path: Path, limits: ReadLimits | None = None) -> str:
    with pytest.raises(Refused) as caught:
        read_workbook(path, limits=limits or ReadLimits())
    assert caught.value.sentence.count("\n") == 0
    return caught.value.sentence


def test_files_that_are_no_tables_are_refused_in_one_sentence(tmp_path: Path) -> None:
    good = tmp_path / "good.xlsx"
    _awkward_workbook(good)
    cases = {
        "empty.xlsx": (b"", "is empty"),
        "blank.csv": (b"\r\n \r\n", "is empty"),
        "cut.xlsx": (good.read_bytes()[:2000], "damaged"),
        "other.zip.xlsx": (b"PK\x05\x06" + bytes(18), "does not fit its name"),
        "noise.xlsx": (bytes(range(256)) * 9, "does not fit its name"),
        "noise.csv": (bytes(range(256)) * 9, "neither a workbook nor a CSV"),
        "letter.csv": (b"%PDF-1.7 ...", "neither a workbook nor a CSV"),
        "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        "locked.xlsx": (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le") + bytes(500),
            "password",
        ),
    }  # fmt: skip
    for name, (content, words) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert words in _refusal(path), name
    assert "no file" in _refusal(tmp_path / "missing.xlsx")
    assert "folder" in _refusal(tmp_path)


def test_files_that_are_too_large_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    good = tmp_path / "good.xlsx"
    _awkward_workbook(good)
    assert "MB" in _refusal(good, ReadLimits(file_bytes=100))
    assert "larger than" in _refusal(good, ReadLimits(columns=3))
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 60 * 2**20)
    assert "unpacks to" in _refusal(bomb)
    rows = _csv(tmp_path, b"a,b\n" * 40)
    assert "larger than" in _refusal(rows, ReadLimits(rows=30))


def test_a_lone_value_in_the_last_cell_of_a_sheet_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    book = NewWorkbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "Order"
    sheet["XFD1048576"] = "far"
    book.save(path)
    assert "XFD1048576" in _refusal(path)


def test_a_worker_reads_while_the_caller_is_free_and_hands_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "awkward.xlsx"
    _awkward_workbook(path)
    assert read_in_worker(path).result(60) == read_workbook(path)
    with pytest.raises(Refused, match="no file"):
        read_in_worker(tmp_path / "missing.xlsx").result(60)


def test_a_cancelled_read_ends_its_process_and_its_thread(tmp_path: Path) -> None:
    path = tmp_path / "awkward.xlsx"
    _awkward_workbook(path)
    job = read_in_worker(path)
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(30)
    assert not multiprocessing.active_children()
    assert all(thread.name != "workbook-reader" for thread in threading.enumerate())


def test_names_of_tables_are_known_and_lock_files_are_none() -> None:
    assert is_importable(Path("Plan.XLSX"))
    assert not is_importable(Path("~$Plan.xlsx"))
    assert not is_importable(Path("Plan.pdf"))


def _write_services(path: Path) -> None:
    """Two pivots, then service orders with formulas, errors, an unnamed technician and sums below the table."""
    book = NewWorkbook()
    pivot = book.active
    assert pivot is not None
    pivot.title = "countofservices"
    for line in (
        [],
        ["Count of services"],
        ["Technicians", "Assess", "Deliver", "Grand Total"],
        ["Khan", 3, 4, 7],
        ["Grand Total", 3, 4, 7],
    ):
        pivot.append(line)
    data = book.create_sheet("Orders")
    data.append(
        ["WO", "District", "LeadTech", "Service", "Rush", "ReqDate", "WorkDate", "Techs", "TotalCost"]
    )
    for row in range(50):
        tech = 0 if row == 2 else "Khan"
        data.append([f"A{row:05}", "North", tech, "Assess", "Yes" if row % 9 == 0 else None, date(2020, 9, 1),
                     date(2020, 9, 15), 2, f"=H{row + 2}*2"])  # fmt: skip
    data.append([])
    data.append([None] * 8 + ["=SUM(I2:I51)"])
    book.save(path)


def test_service_orders_behind_pivot_sheets_reach_a_plan_without_errors(tmp_path: Path) -> None:
    path = tmp_path / "services.xlsx"
    _write_services(path)
    plan = planned(read_workbook(path))
    assert (plan.target, plan.mapping.sheet, plan.errors) == (WORK_ORDERS, "Orders", ())
    assert plan.counts["create"] == 50
    assert {question.key for question in plan.questions} == {"missing:product", "missing:quantity"}
    again = planned(read_workbook(path), existing={row.identity: row.values for row in plan.rows})
    assert again.counts["same"] == 50


def test_polish_orders_with_a_legend_below_reach_a_plan_without_errors(tmp_path: Path) -> None:
    path = tmp_path / "zlecenia.xlsx"
    headers = [
        "Numer_zlecenia",
        "Nazwa_produktu",
        "Ilosc",
        "Linia",
        "Typ_produktu",
        "Priorytet",
        "Termin",
        "Opis",
    ]
    rows: list[list[object]] = [
        ["ZL-1", "Panel Boczny", 250.0, "L1", "PANEL", 3.0, "2026-03-10", "Seria"],
        ["ZL-2", "Pokrywa", 100.0, "L2", "POKRYWA", 5.0, "2026-03-05", "Priorytet ekspres"],
        ["ZL-3", "Rama", 60.0, "", "RAMA", 1.0, "", "Brak terminu"],
        [],
        ["--- LEGENDA ---"],
        ["Numer_zlecenia", "Wymagane. Unikalny numer zlecenia."],
        ["Priorytet", "Opcjonalne. Liczba 1-5 (1=niski, 5=najwyzszy)."],
    ]
    write_workbook(path, [("Zlecenia", headers, rows)])
    plan = planned(read_workbook(path))
    assert (plan.target, plan.errors) == (WORK_ORDERS, ())
    assert [row.values["priority"] for row in plan.rows] == [3, 1, 5]
    assert [row.values["quantity"] for row in plan.rows] == [250, 100, 60]
    assert [question.key for question in plan.questions] == ["levels:priority"]


def test_maintenance_orders_without_numbers_reach_a_plan_for_either_list(tmp_path: Path) -> None:
    content = (
        "ID,Title,Status,Priority,Description,Due Date,Estimated Duration,Category,Assigned To,"
        "Asset Name,Completed On,Date created\n"
        ',Core router,On Hold,High,"Update, review",08/08/2025,4,Network Maintenance,Hermes N,'
        "Router-1,01/08/2025 05:00,01/08/2025 00:00\n"
        ",Disk,Complete,Urgent,Replace,13/08/2025,2,Emergency Repair,Athena S,Server-1,"
        "12/08/2025 09:00,12/08/2025 08:00\n"
    )
    book = read_workbook(_csv(tmp_path, content.encode()))
    plan = planned(book)
    assert (plan.target, plan.errors) == (MAINTENANCE, ())
    assert plan.rows[1].values["kind"] == "emergency"
    assert "kind" not in plan.rows[0].values
    forced = planned(book, WORK_ORDERS)
    assert forced.errors == ()
    assert [row.values["product"] for row in forced.rows] == ["Core router", "Disk"]


def test_a_workbook_that_cannot_take_its_name_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").mkdir()
    with pytest.raises(Refused, match=r"“plan\.xlsx” could not be written"):
        write_workbook(tmp_path / "plan.xlsx", [("Plan", ["Order"], [["WO-1"]])])
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".part")] == []
