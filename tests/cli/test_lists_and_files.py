"""Lists, exports that come back in clean, and imports from the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.cli.conftest import Lineside

AS = ("--as", "planner")


@pytest.fixture
def orders(shop: Path, done: Lineside) -> Path:
    """Three orders, one of them begun."""
    for number, customer, quantity in (
        ("WO-1", "Brandt", 60),
        ("WO-2", "Okafor", 6),
        ("WO-3", "Brandt", 250),
    ):
        words = (f"number={number}", "product=00123", f"quantity={quantity}", f"customer={customer}")
        done("do", "create_work_order", *AS, *words, "line=Line 2", "lot==1+1", "priority=2")
    done("do", "advance_work_order", *AS, "order_id=WO-2")
    return shop


def workbook(path: Path, *rows: tuple[str | int, ...]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def numbers(answer_rows: list[dict[str, object]]) -> list[object]:
    return [row["number"] for row in answer_rows]


def test_a_list_is_filtered_sorted_and_cut(orders: Path, done: Lineside) -> None:
    def listed(*words: str) -> list[object]:
        return numbers(done("list", "work-orders", "--json", *words).json)

    assert listed("--where", "status=in_progress") == ["WO-2"]
    assert listed("--where", "customer=brandt qty>100") == ["WO-3"]
    assert listed("--sort", "-quantity") == ["WO-3", "WO-1", "WO-2"]
    assert listed("--sort", "quantity", "--limit", "1") == ["WO-2"]
    assert listed("--where", "order=WO-1") == ["WO-1"]
    assert listed("--where", "nothing-like-this") == []
    table = done("list", "work-orders", "--sort", "number").out.splitlines()
    assert table[0].split()[:2] == ["Order", "Product"]
    assert len(table) == 4
    assert done("list", "issues").out == "No issues match.\n"


@pytest.mark.parametrize(
    "entity",
    "work-orders stages issues inspections equipment alarms maintenance users audit imports".split(),
)
def test_every_list_answers(orders: Path, done: Lineside, entity: str) -> None:
    assert isinstance(done("list", entity, "--json").json, list)
    assert done("list", entity).out


def test_a_wrong_list_column_or_value_is_named(
    orders: Path, refused: Callable[..., str], misused: Callable[..., str]
) -> None:
    assert "there are work-orders, stages" in refused("list", "cows")
    assert "no column colour" in refused("list", "work-orders", "--sort", "colour")
    assert "no column colour" in refused("list", "work-orders", "--where", "qty>1 colour=red")
    assert "write one of planned, in_progress" in refused("list", "work-orders", "--where", "status=silly")
    assert "--limit" in misused("list", "work-orders", "--limit", "0")


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("entity", ["work-orders", "maintenance"])
def test_what_was_exported_comes_in_again_without_an_error_or_a_change(
    orders: Path, done: Lineside, tmp_path: Path, entity: str, kind: str
) -> None:
    done("do", "plan_maintenance", *AS, "title=Change the oil", "priority=high")
    done("do", "plan_maintenance", *AS, "title=Look at the belt", "equipment=CONV-1")
    file = tmp_path / f"out.{kind}"
    rows = done("export", entity, file, "--json").json["rows"]
    assert rows == (3 if entity == "work-orders" else 2)
    plan = done("import", file, "--into", entity, "--dry-run", *AS, "--json").json
    assert plan["errors"] == []
    assert plan["counts"] == {"create": 0, "change": 0, "same": rows, "skip": 0, "error": 0}


def test_an_export_that_cannot_be_written_leaves_nothing(
    orders: Path, refused: Callable[..., str], tmp_path: Path
) -> None:
    for name in ("no/folder.xlsx", "no/folder.csv"):
        assert "could not be written" in refused("export", "work-orders", tmp_path / name)
    assert "neither .xlsx nor .csv" in refused("export", "work-orders", tmp_path / "out.pdf")
    (tmp_path / "taken.xlsx").mkdir()
    assert "could not be written" in refused("export", "work-orders", tmp_path / "taken.xlsx")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "home", "taken.xlsx"]


def test_an_import_is_checked_applied_and_taken_back(shop: Path, done: Lineside, tmp_path: Path) -> None:
    file = workbook(
        tmp_path / "plan.xlsx",
        ("Auftrag", "Artikel", "Menge", "Kunde"),
        ("P-1", "RAIL", 5, "Brandt"),
        ("P-2", "TANK", 7, "Okafor"),
    )
    checked = done("import", file, "--dry-run", *AS, "--json").json
    assert checked["counts"]["create"] == 2
    assert checked["fields"] == {
        "Auftrag": "number",
        "Artikel": "product",
        "Menge": "quantity",
        "Kunde": "customer",
    }
    assert done("list", "work-orders", "--json").json == []
    run = done("import", file, *AS, "--save-template", "weekly", "--json").json["run"]
    assert numbers(done("list", "work-orders", "--sort", "number", "--json").json) == ["P-1", "P-2"]
    again = done("import", file, *AS, "--template", "weekly", "--json").json
    assert again["counts"]["same"] == 2
    done("import", "undo", run, *AS)
    assert done("list", "work-orders", "--json").json == []


def test_an_import_with_errors_says_each_cell_and_changes_nothing(
    shop: Path, done: Lineside, lineside: Lineside, tmp_path: Path
) -> None:
    file = workbook(
        tmp_path / "plan.xlsx",
        ("Order", "Product", "Quantity"),
        ("P-1", "RAIL", 5),
        ("P-2", "TANK", "many"),
        ("P-3", "TANK", -1),
    )
    answer = lineside("import", file, *AS)
    assert answer.code == 1
    assert answer.err == (
        "2 cells have errors, so nothing was imported; fix the file or leave those rows out with --skip-errors.\n"
    )
    assert "Sheet!C3: " in answer.out
    assert "Sheet!C4: " in answer.out
    assert done("list", "work-orders", "--json").json == []
    assert done("list", "imports", "--json").json == []
    assert lineside("import", file, "--dry-run").code == 0
    kept = done("import", file, "--skip-errors", *AS, "--json").json
    assert [error["cell"] for error in kept["errors"]] == ["C3", "C4"]
    assert numbers(done("list", "work-orders", "--json").json) == ["P-1"]


def test_a_person_can_say_where_the_table_is_and_what_its_columns_mean(
    shop: Path, done: Lineside, tmp_path: Path
) -> None:
    file = workbook(tmp_path / "odd.xlsx", ("Plan", "", ""), ("Xyz", "Thing", "Qty"), ("P-1", "RAIL", 5))
    words = ("--into", "work-orders", "--sheet", "Sheet", "--header-row", "2", "--map", "Xyz=number")
    plan = done("import", file, *words, "--map", "Thing=product", "--dry-run", "--json").json
    assert (plan["counts"]["create"], plan["header_row"]) == (1, 2)


def test_wrong_choices_and_wrong_files_get_one_sentence(
    shop: Path, refused: Callable[..., str], misused: Callable[..., str], tmp_path: Path
) -> None:
    good = workbook(tmp_path / "good.xlsx", ("Order", "Product", "Quantity"), ("P-1", "RAIL", 5))
    assert "there are work-orders, maintenance" in refused("import", good, "--into", "cows")
    assert "no sheet “cows”" in refused("import", good, "--sheet", "cows")
    assert "below the last row" in refused("import", good, "--header-row", "99")
    assert "no column “cows”" in refused("import", good, "--map", "cows=number")
    assert "cows" in refused("import", good, "--map", "Order=cows")
    assert "no saved mapping “cows”" in refused("import", good, "--template", "cows")
    assert "no import cows" in refused("import", "undo", "cows")
    assert "may not import workbooks" in refused("import", good, "--as", "operator")
    assert "name=value" in misused("import", good, "--map", "cows")
    assert "Give one file" in misused("import", good, good)
    (tmp_path / "empty.xlsx").touch()
    (tmp_path / "noise.xlsx").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "locked.xlsx").write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"E\0n\0c\0r\0y\0p\0t\0e\0d\0" * 300
    )
    (tmp_path / "half.xlsx").write_bytes(good.read_bytes()[:2000])
    (tmp_path / "words.csv").write_text("only some words\n")
    for name in ("missing.xlsx", "empty.xlsx", "noise.xlsx", "locked.xlsx", "half.xlsx", "words.csv", "data"):
        assert refused("import", tmp_path / name).endswith(".")
