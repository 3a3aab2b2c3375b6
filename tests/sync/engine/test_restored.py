"""Backups that were put back, on either side, and copies of data folders."""

from __future__ import annotations

from app.operations.notes import edit_note, write_note
from app.operations.orders import create_work_order, edit_work_orders
from app.store.queries.secrets_place import secrets_place
from app.sync.failpoints import Failpoint
from app.sync.membership import secrets_of, station_address
from app.upkeep.backup import create_backup, restore_backup
from tests.sync.harness import START, SyncedStation, World


def _texts(station: SyncedStation) -> list[str]:
    return sorted(row["text"] for row in station.rows()["note"].values() if not row["deleted"])


def test_what_a_restored_server_lost_is_offered_again(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="before"))
    world.settle()
    backup = world.backup()
    note = one.do(write_note(at=START, text="after")).result
    one.do(edit_note(note_id=note, text="after, changed"))
    two.do(write_note(at=START, text="two after"))
    world.settle()
    one.do(write_note(at=START, text="not sent yet"))
    world.restore(backup)
    one.sync()
    assert _texts(one) == ["after, changed", "before", "not sent yet"]
    world.settle()
    assert _texts(one) == _texts(two) == ["after, changed", "before", "not sent yet", "two after"]
    world.check()


def test_what_a_restored_server_took_is_shown_also_before_its_history_was_followed(world: World) -> None:
    """Found by the proof: the number of the record was one that this station had seen, in the history before."""
    one, two = world.station("01"), world.station("02")
    world.settle()
    backup = world.backup()
    one.do(write_note(at=START, text="one"))
    world.settle()
    world.restore(backup)
    note = two.do(write_note(at=START, text="two")).result
    assert two.crash_at(Failpoint.PUSH_AFTER_LOCAL_ACK)
    assert two.row("note", note) is not None
    world.settle()
    assert _texts(one) == _texts(two) == ["one", "two"]
    world.check()


def test_a_server_restored_to_another_history_of_the_same_length_is_noticed(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    world.settle()
    backup = world.backup()
    one.do(write_note(at=START, text="one"))
    world.settle()
    world.restore(backup)
    two.do(write_note(at=START, text="two"))
    two.sync()
    assert len(world.log()) == one.cursor()
    world.settle()
    assert _texts(one) == _texts(two) == ["one", "two"]
    world.check()


def test_what_was_parked_may_be_applied_by_a_restored_server(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=60)).result
    world.settle()
    backup = world.backup()
    one.do(edit_work_orders(ids=[order], note="one"))
    two.do(edit_work_orders(ids=[order], note="two"))
    one.sync()
    two.sync()
    assert two.states() == ["parked"]
    world.restore(backup)
    two.sync()
    assert two.states() == ["done"]
    world.settle()
    assert (one.row("work_order", order) or {})["note"] == "two"
    world.check()


def test_a_data_folder_put_back_takes_a_new_identity_and_nothing_is_done_twice(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="sent before the copy"))
    one.sync()
    one.do(write_note(at=START, text="in the copy, not sent"))
    copy = one.copy()
    one.do(write_note(at=START, text="after the copy"))
    world.settle()
    one.roll_back(copy)
    one.do(write_note(at=START, text="on the old copy"))
    world.settle()
    assert _texts(one) == _texts(two)
    assert _texts(one) == sorted(
        ["sent before the copy", "in the copy, not sent", "after the copy", "on the old copy"]
    )
    assert len(one.ask("SELECT DISTINCT source FROM outbox")) == 2
    world.check()


def test_two_computers_with_copies_of_one_folder_both_get_through(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="both"))
    twin = world.clone(one, one.copy())
    one.do(write_note(at=START, text="first"))
    twin.do(write_note(at=START, text="second"))
    world.settle()
    assert _texts(one) == _texts(two) == _texts(twin) == ["both", "first", "second"]
    world.check()


def test_copies_of_one_folder_that_are_both_connected_already_get_through(world: World) -> None:
    """Counters are compared when a connection begins; after that only the server can tell the two apart."""
    one = world.station("01")
    one.do(write_note(at=START, text="before"))
    one.sync()
    twin = world.clone(one, one.copy())
    for computer in (one, twin):
        computer.sync()
    notes = [computer.do(write_note(at=START, text="after")).result for computer in (one, twin)]
    for computer in (one, twin):
        computer.sync(full=False)
    assert one.ask("SELECT value FROM meta WHERE key='source'") != twin.ask(
        "SELECT value FROM meta WHERE key='source'"
    )
    world.settle()
    world.check()
    assert {note.hex for note in notes} <= one.rows()["note"].keys()


def test_a_backup_holds_what_was_unsent_and_no_secret_and_goes_on_beside_the_old_computer(
    world: World,
) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="sent"))
    one.sync()
    one.do(write_note(at=START, text="unsent"))
    file = world.folder / "backup.sqlite"
    create_backup(one.folder, file)
    one.do(write_note(at=START, text="after the backup"))
    one.sync()
    restore_backup(world.folder / "new computer", file)
    secrets = secrets_of(one.folder, station_address(one.folder))
    assert secrets.password.encode() not in file.read_bytes()
    assert secrets.station_key.encode() not in file.read_bytes()
    assert not (world.folder / "new computer" / "server.toml").exists()
    twin = world.clone(one, world.folder / "new computer")
    twin.do(write_note(at=START, text="on the new one"))
    one.do(write_note(at=START, text="on the old one"))
    world.settle()
    everything = ["after the backup", "on the new one", "on the old one", "sent", "unsent"]
    assert _texts(one) == _texts(two) == _texts(twin) == everything
    world.check()


def test_what_a_copy_of_the_folder_put_under_our_numbers_after_a_restore_is_not_taken_for_ours(
    world: World,
) -> None:
    """Found by the proof: the numbers of both copies fitted, and the changes of one were never offered again."""
    one, two = world.station("01"), world.station("02")
    world.settle()
    backup = world.backup()
    one.do(write_note(at=START, text="in both"))
    twin = world.clone(one, one.copy())
    for text in ("of the twin", "of the twin too", "the last of the twin"):
        twin.do(write_note(at=START, text=text))
    twin.sync()
    world.restore(backup)
    one.do(write_note(at=START, text="of the first"))
    one.sync()
    twin.sync()
    world.settle()
    texts = sorted(["in both", "of the first", "of the twin", "of the twin too", "the last of the twin"])
    assert _texts(one) == _texts(two) == _texts(twin) == texts
    world.check()


def test_a_copy_that_is_ahead_under_our_numbers_after_a_restore_takes_nothing_away(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    world.settle()
    backup = world.backup()
    one.do(write_note(at=START, text="in both"))
    twin = world.clone(one, one.copy())
    twin.do(write_note(at=START, text="of the twin"))
    twin.sync()
    world.restore(backup)
    for text in ("of the first", "of the first too", "the last of the first"):
        one.do(write_note(at=START, text=text))
    one.sync()
    world.settle()
    assert "of the twin" in _texts(two)
    assert len(_texts(two)) == 5
    world.check()


def test_server_and_folder_restored_at_once(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_note(at=START, text="old"))
    world.settle()
    copy, backup = one.copy(), world.backup()
    one.do(write_note(at=START, text="lost with both"))
    two.do(write_note(at=START, text="two"))
    world.settle()
    one.roll_back(copy)
    world.restore(backup)
    one.do(write_note(at=START, text="new"))
    world.settle()
    assert _texts(one) == _texts(two) == ["new", "old", "two"]
    world.check()


def test_passwords_of_machines_are_found_under_a_new_identity(world: World) -> None:
    one = world.station("01")
    one.do(write_note(at=START, text="first"))
    with one.house.store.reader() as session:
        before = vars(secrets_place(one.folder, session))
    copy = one.copy()
    one.do(write_note(at=START, text="second"))
    one.sync()
    one.roll_back(copy)
    one.sync()
    with one.house.store.reader() as session:
        assert vars(secrets_place(one.folder, session)) == before
    world.settle()
    world.check()
