"""How the words of a command line are understood: options anywhere, keys and values typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import LinesideError, Refused
from app.domain.stages import StageStatus
from app.operations import (
    alarms,
    attachments,
    change,
    conflicts,
    corrections,
    imports,
    inspections,
    issues,
    machine_passwords,
    machines,
    maintenance,
    notes,
    orders,
    people,
    plant,
    saved_views,
)
from app.operations import stages as stage_operations
from app.operations import undo as undoing
from app.operations.catalogue import OPERATIONS
from app.operations.imports import save_import_template
from app.operations.orders import create_work_order
from app.plant import House, open_house
from tests.cli.conftest import Lineside
from ui.cli.arguments import bind, describe, split
from ui.cli.root import hoisted
from ui.cli.session import parse_moment, plain

ANYWHERE = st.lists(st.text(min_size=1).filter(lambda word: not word.startswith("--")), max_size=6)
VALUE = st.text(min_size=1).filter(lambda word: not word.startswith("--"))


@given(words=ANYWHERE, value=VALUE, at=st.integers(0, 6), flag_at=st.integers(0, 8), equals=st.booleans())
def test_the_two_options_may_stand_anywhere_and_the_rest_keeps_its_order(
    words: list[str], value: str, at: int, flag_at: int, equals: bool
) -> None:
    option = [f"--data-dir={value}"] if equals else ["--data-dir", value]
    mixed: list[Any] = [*words]
    mixed.insert(min(at, len(mixed)), option)
    mixed.insert(min(flag_at, len(mixed)), ["--json"])
    flat = [part for word in mixed for part in (word if isinstance(word, list) else [word])]
    front = [*option, "--json"] if mixed.index(option) < mixed.index(["--json"]) else ["--json", *option]
    assert hoisted(flat) == front + words
    assert hoisted(hoisted(flat)) == hoisted(flat)


@given(before=ANYWHERE, after=st.lists(st.text()))
def test_what_follows_two_dashes_is_left_alone(before: list[str], after: list[str]) -> None:
    assert hoisted([*before, "--", *after]) == [*before, "--", *after]


@given(words=st.lists(st.sampled_from(["version", "--json", "do", "x=1"]), max_size=5))
def test_a_folder_option_without_its_folder_never_swallows_a_command(words: list[str]) -> None:
    flags = ["--json"] * words.count("--json")
    assert hoisted([*words, "--data-dir"]) == [*flags, "--data-dir"]


@given(
    pairs=st.dictionaries(
        st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.text(max_size=20), max_size=5
    )
)
def test_keys_and_values_survive_the_command_line(pairs: dict[str, str]) -> None:
    assert split([f"{key}={value}" for key, value in pairs.items()]) == pairs


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON | st.datetimes(timezones=st.just(UTC)) | st.uuids() | st.sets(st.integers(), max_size=3))
def test_whatever_is_answered_can_be_written_as_json(value: object) -> None:
    json.loads(json.dumps(plain(value), allow_nan=False))


def test_times_are_iso_local_or_counted_from_now() -> None:
    now = datetime.now(UTC)
    assert parse_moment(None, now) is now
    assert parse_moment("2026-04-12T14:00+02:00", now) == datetime(2026, 4, 12, 12, tzinfo=UTC)
    assert 899 < (datetime.now(UTC) - parse_moment("-15m", now)).total_seconds() < 910
    with pytest.raises(Refused, match="no time"):
        parse_moment("yesterday", now)
    with pytest.raises(Refused, match="no time"):
        parse_moment("", now)


def test_every_operation_is_offered_by_name(done: Lineside, lineside: Lineside) -> None:
    modules = (
        alarms,
        attachments,
        conflicts,
        corrections,
        imports,
        inspections,
        issues,
        machine_passwords,
        machines,
        maintenance,
        saved_views,
        notes,
        orders,
        people,
        plant,
        stage_operations,
        undoing,
    )
    written = {
        name
        for module in modules
        for name, thing in vars(module).items()
        if isinstance(thing, change.Operation) and thing.function.__module__ == module.__name__
    }
    assert written == set(OPERATIONS)
    listed = done("do", "--list", "--json").json
    assert {row["name"] for row in listed} == written
    assert all(row["does"].endswith(".") for row in listed)
    assert {row["name"] for row in done("do", "--json").json} == written
    assert "create_work_order" in done("do", "--list").out


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_says_which_key_is_missing_or_unknown(
    name: str, data_dir: Path, misused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.operations.shop import open_shop

    with open_shop(data_dir):
        pass
    assert describe(OPERATIONS[name])["name"] == name
    assert misused("do", name, "--as", "admin", "colour=red").startswith(
        f"Invalid value: {name} has no colour; it takes"
    )
    needs = [word for word in describe(OPERATIONS[name])["parameters"].split() if not word.startswith("[")]
    if needs:
        assert misused("do", name, "--as", "admin") == f"Invalid value: {name} needs {', '.join(needs)} too."


@pytest.fixture
def house(shop: Path) -> Any:
    opened = open_house(shop)
    yield opened
    opened.close()


def test_texts_become_numbers_times_choices_and_lists(house: House, tmp_path: Path) -> None:
    words = {"product": "007", "quantity": "60", "planned_end": "2026-04-12T14:00+02:00", "planned_start": ""}
    values = bind(create_work_order, words, house.store).arguments
    assert values == {
        "product": "007",
        "quantity": 60,
        "planned_end": datetime(2026, 4, 12, 12, tzinfo=UTC),
        "planned_start": None,
    }
    move = bind(OPERATIONS["move_stage"], {"stage_id": str(UUID(int=7)), "to": "in_progress"}, house.store)
    assert move.arguments == {"stage_id": UUID(int=7), "to": StageStatus.IN_PROGRESS}
    kept = {"name": "x", "target": "work-orders", "headers": '{"Auftrag": "number"}'}
    assert bind(save_import_template, kept, house.store).arguments["headers"] == {"Auftrag": "number"}
    file = tmp_path / "note.txt"
    file.write_text("zażółć", encoding="utf-8")
    assert bind(create_work_order, {**words, "note": f"@{file}"}, house.store).arguments["note"] == "zażółć"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("create_work_order", {"product": "X", "quantity": "many"}),
        ("create_work_order", {"product": "X", "quantity": "1.5"}),
        ("create_work_order", {"product": "X", "quantity": "1", "planned_end": "soon"}),
        ("create_work_order", {"product": "X", "quantity": "1", "note": "@/no/such/file"}),
        ("edit_work_orders", {"ids": "NO-SUCH-ORDER"}),
        ("move_stage", {"stage_id": "WO-1/Cut", "to": "done"}),
        ("move_stage", {"stage_id": str(UUID(int=7)), "to": "nowhere"}),
        ("log_inspection", {"stage_id": str(UUID(int=7)), "items": "not json"}),
        ("log_inspection", {"stage_id": str(UUID(int=7)), "items": '[{"kind": "taste", "name": "salt"}]'}),
        ("set_route", {"product": "X", "steps": "7"}),
        ("set_maintenance", {"equipment": "X", "in_maintenance": "perhaps"}),
        ("save_import_template", {"name": "x", "target": "work-orders", "headers": "nothing"}),
        ("apply_plant", {"plant": "equipment: {"}),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(
    house: House, name: str, words: dict[str, str]
) -> None:
    with pytest.raises(LinesideError) as refusal:
        bind(OPERATIONS[name], words, house.store)
    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence


@given(
    words=st.dictionaries(
        st.sampled_from(["product", "quantity", "planned_end", "priority", "note"]), st.text()
    )
)
def test_no_text_whatever_breaks_the_conversion(words: dict[str, str]) -> None:
    """Only usage errors and refusals come out; no store is asked for these keys."""
    import contextlib

    import typer

    class Nothing:
        @staticmethod
        def reader() -> Any:
            return contextlib.nullcontext()

    store: Any = Nothing()
    with contextlib.suppress(LinesideError, typer.BadParameter):
        bind(create_work_order, words, store)
