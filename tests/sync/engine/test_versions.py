"""Programs of different versions on one server: nothing is corrupted, nobody is kept from handing in their work."""

from __future__ import annotations

from psycopg.types.json import Jsonb

from app.operations.notes import write_note
from app.operations.orders import create_work_order, edit_work_orders
from app.sync.comparing import compare
from app.sync.round import Skew
from tests.sync.harness import START, World


def _server_schema(world: World, schema: int, at_least: int = 1) -> None:
    with world.server.connect() as connection:
        connection.execute("UPDATE sync.server SET schema=%s, min_schema=%s", (schema, at_least))


def _by_the_server(world: World, *statements: str, rows: list[dict[str, object]]) -> None:
    """Change rows on the server and tell of it in the log, as a newer program's entry would."""
    with world.server.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())
        connection.execute("SELECT sync._log_own('later', 'Later', %s)", (Jsonb(rows),))


def test_columns_and_tables_of_a_later_version_are_passed_over(world: World) -> None:
    one = world.station("01")
    order = one.do(create_work_order(product="FRAME-M", quantity=60)).result
    one.sync()
    _by_the_server(
        world,
        "ALTER TABLE lineside.work_order ADD colour text",
        f"UPDATE lineside.work_order SET colour='red', note='painted', version=2 WHERE id='{order}'",
        rows=[
            {
                "e": "work_order",
                "id": str(order),
                "k": "u",
                "v": 2,
                "set": {"colour": "red", "note": "painted"},
            },
            {"e": "paint", "id": str(order), "k": "c", "v": 1, "set": {"name": "red"}},
        ],
    )
    one.sync()
    row = one.row("work_order", order)
    assert row is not None
    assert row["note"] == "painted"
    assert "colour" not in row
    one.do(edit_work_orders(ids=[order], customer="Acme"))
    world.settle()
    world.check()
    with world.server.connect() as connection:
        found = connection.execute("SELECT colour, customer FROM lineside.work_order WHERE id=%s", (order,))
        assert found.fetchone() == ("red", "Acme")


def test_a_choice_of_a_later_version_leaves_the_row_as_it_was_last_understood(world: World) -> None:
    one = world.station("01")
    order = one.do(create_work_order(product="FRAME-M", quantity=60)).result
    one.sync()
    before = one.row("work_order", order)
    change = {"status": "quarantined", "note": "see status"}
    _by_the_server(
        world,
        f"UPDATE lineside.work_order SET status='quarantined', note='see status', version=2 WHERE id='{order}'",
        rows=[{"e": "work_order", "id": str(order), "k": "u", "v": 2, "set": change}],
    )
    one.sync()
    assert one.row("work_order", order) == before
    assert compare(one.engine, one.server), "it is set aside, not lost"
    fresh = world.station("02")
    assert fresh.row("work_order", order) is None
    assert compare(fresh.engine, fresh.server)
    _by_the_server(
        world,
        f"UPDATE lineside.work_order SET status='planned', version=3 WHERE id='{order}'",
        rows=[{"e": "work_order", "id": str(order), "k": "u", "v": 3, "set": {"status": "planned"}}],
    )
    world.settle()
    world.check()
    assert not one.ask("SELECT 1 FROM shadow")


def test_a_program_that_is_too_old_still_hands_in_its_work(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    two.do(write_note(at=START, text="of a newer program"))
    two.sync()
    one.do(write_note(at=START, text="of an old program"))
    _server_schema(world, 3, at_least=2)
    done = one.sync()
    assert (done.answered, done.pulled) == (1, 0)
    assert one.states() == ["acknowledged"]
    assert not Skew.between(1, one.server.hello()).may_pull
    assert "too old" in Skew.between(1, one.server.hello()).sentence
    _server_schema(world, 1)
    world.settle()
    world.check()


def test_a_program_newer_than_the_server_reads_and_keeps_its_own_changes(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    note = two.do(write_note(at=START, text="theirs")).result
    two.sync()
    mine = one.do(write_note(at=START, text="mine")).result
    _server_schema(world, 0)
    one.sync()
    assert one.row("note", note) is not None
    assert one.states() == ["pending"]
    _server_schema(world, 1)
    world.settle()
    assert two.row("note", mine) is not None
    world.check()


def test_after_an_upgrade_of_the_program_all_rows_are_fetched_anew(world: World) -> None:
    one = world.station("01")
    one.do(write_note(at=START, text="before"))
    one.sync()
    one.schema = 2
    _server_schema(world, 2)
    one.restart()
    one.do(write_note(at=START, text="an entry of the old format goes through"))
    done = one.sync()
    assert done.baseline
    assert not one.sync().baseline
    world.check()
