"""Photos and files through the door: added, removed, undone, and where their bytes are said to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.domain.attachments import AttachmentState, check_name, state_of
from app.domain.errors import Denied, NotFound, Refused
from app.domain.people import THE_PLANT, Actor, Role
from app.operations.attachments import attach_file, remove_attachment
from app.operations.maintenance import plan_maintenance
from app.operations.orders import create_work_order
from app.operations.undo import undo
from app.plant import House
from app.store.queries.attachments import (
    AttachedFile,
    attached_files,
    blobs_to_send,
    known_blobs,
    listed_blobs,
    removable_blobs,
)
from app.store.tables import Attachment, Blob, Meta, SharedChange

SHA = "ab" * 32


@pytest.fixture
def order(house: House, admin: Actor) -> UUID:
    return house.door.perform(create_work_order(product="FRAME-M", quantity=5), admin).result


def attach(house: House, actor: Actor, order: UUID, **values: Any) -> Any:
    given = {
        "owner": "work_order",
        "owner_id": order,
        "name": "weld.jpg",
        "sha256": SHA,
        "size": 10,
        **values,
    }
    return house.door.perform(attach_file(**given), actor)


def shown(house: House, order: UUID, *here: str) -> list[AttachedFile]:
    with house.store.reader() as session:
        return attached_files(session, "work_order", order, here.__contains__)


def test_an_added_photo_is_listed_with_who_and_when(house: House, admin: Actor, order: UUID) -> None:
    outcome = attach(house, admin, order, mime="image/jpeg", thumbnail="AAEC")
    (file,) = shown(house, order, SHA)
    assert (file.id, file.name, file.author, file.thumbnail) == (outcome.result, "weld.jpg", "Ada", b"\0\1\2")
    assert file.state is AttachmentState.KEPT
    assert outcome.label.startswith("Added weld.jpg to A-WO-")


def test_undo_takes_an_added_photo_away_and_brings_a_removed_one_back(
    house: House, admin: Actor, order: UUID
) -> None:
    added = attach(house, admin, order)
    house.door.perform(undo(change_id=added.change_id), admin)
    assert shown(house, order) == []
    again = attach(house, admin, order)
    removed = house.door.perform(remove_attachment(attachment_id=again.result), admin)
    assert shown(house, order) == []
    house.door.perform(undo(change_id=removed.change_id), admin)
    assert [file.id for file in shown(house, order)] == [again.result]


def test_that_the_server_stored_it_does_not_stand_in_the_way_of_an_undo(
    house: House, admin: Actor, order: UUID
) -> None:
    added = attach(house, admin, order)
    _say_stored(house, added.result)
    house.door.perform(undo(change_id=added.change_id), admin)
    assert shown(house, order) == []


def _say_stored(house: House, attachment_id: UUID) -> None:
    def write(session: Any) -> None:
        row = session.get_one(Attachment, attachment_id)
        row.stored, row.version = True, row.version + 1

    house.store.submit(write).result()


def test_others_photos_are_removed_by_a_supervisor_and_not_by_an_operator(
    house: House, admin: Actor, person: Callable[[Role], Actor], order: UUID
) -> None:
    operator, other, supervisor = (person(role) for role in (Role.OPERATOR, Role.OPERATOR, Role.SUPERVISOR))
    first = attach(house, operator, order).result
    with pytest.raises(Denied):
        house.door.perform(remove_attachment(attachment_id=first), other)
    house.door.perform(remove_attachment(attachment_id=first), operator)
    second = attach(house, operator, order).result
    house.door.perform(remove_attachment(attachment_id=second), supervisor)
    assert shown(house, order) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"owner": "user_account"}, "owner"),
        ({"sha256": "../../etc/passwd"}, "sha256"),
        ({"sha256": "AB" * 32}, "sha256"),
        ({"size": 0}, "size"),
        ({"size": 60 * 1024 * 1024}, "size"),
        ({"size": 30 * 1024 * 1024, "mime": "image/png"}, "size"),
        ({"name": "run.bat"}, "name"),
        ({"name": " .. "}, "name"),
        ({"thumbnail": "no base64!"}, "thumbnail"),
        ({"thumbnail": "AAAA" * 6000}, "thumbnail"),
    ],
)
def test_what_cannot_be_attached_is_refused_at_its_field(
    house: House, admin: Actor, order: UUID, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        attach(house, admin, order, **wrong)
    assert refusal.value.field == field


def test_a_row_that_is_not_there_takes_no_photo(house: House, admin: Actor) -> None:
    with pytest.raises(NotFound, match="work order"):
        attach(house, admin, UUID(int=7))


def test_maintenance_takes_photos_too(house: House, admin: Actor) -> None:
    job = house.door.perform(plan_maintenance(title="Grease"), admin).result
    attach(house, admin, job, owner="maintenance_order")
    with house.store.reader() as session:
        assert len(attached_files(session, "maintenance_order", job, set().__contains__)) == 1


def test_bytes_go_to_the_server_once_and_may_leave_only_when_every_row_is_stored(
    house: House, admin: Actor, order: UUID
) -> None:
    first, second = attach(house, admin, order).result, attach(house, admin, order).result
    with house.store.reader() as session:
        assert [blob.sha256 for blob in blobs_to_send(session)] == [SHA]
        assert removable_blobs(session) == frozenset()
        assert known_blobs(session) == {SHA}
        assert listed_blobs(session).sizes == {SHA: 10}
        assert listed_blobs(session).waiting == {SHA}
    _say_stored(house, first)
    with house.store.reader() as session:
        assert removable_blobs(session) == frozenset()
    _say_stored(house, second)
    with house.store.reader() as session:
        assert removable_blobs(session) == frozenset(), "what was added here was not sent from here yet"
    house.store.submit(lambda session: session.execute(update(Blob).values(sent=True))).result()
    with house.store.reader() as session:
        assert removable_blobs(session) == {SHA}
        assert blobs_to_send(session) == []


def test_a_removed_photo_is_not_sent(house: House, admin: Actor, order: UUID) -> None:
    house.door.perform(remove_attachment(attachment_id=attach(house, admin, order).result), admin)
    with house.store.reader() as session:
        assert blobs_to_send(session) == []


def test_a_photo_of_another_station_says_where_it_is(house: House, admin: Actor, order: UUID) -> None:
    at = datetime(2026, 4, 12, 10, 0, 0, 123456, UTC)

    def write(session: Any) -> None:
        session.add(Meta(key="sync.station", value="08"))
        session.add(
            Attachment(
                id=UUID(int=1), owner="work_order", owner_id=order, name="a.jpg", mime="image/jpeg", size=3,
                sha256=SHA, at=at, author="Bo",
            )
        )  # fmt: skip
        session.add(
            SharedChange(
                seq=1, at=at, said_at=at, station="07", actor="Bo", operation="attach_file", label="",
                verdict="applied",
            )
        )  # fmt: skip

    house.store.submit(write).result()
    (file,) = shown(house, order)
    assert (file.state, file.station) == (AttachmentState.ELSEWHERE, "07")
    _say_stored(house, file.id)
    assert shown(house, order)[0].state is AttachmentState.REMOTE


def test_every_state_follows_from_three_facts() -> None:
    assert state_of(shared=True, here=True, stored=False) is AttachmentState.WAITING
    assert state_of(shared=True, here=True, stored=True) is AttachmentState.SENT
    assert state_of(shared=False, here=False, stored=False) is AttachmentState.LOST


@given(st.text(max_size=300))
def test_a_name_is_tidy_short_and_without_folder_or_refused(name: str) -> None:
    try:
        tidy = check_name(name)
    except Refused:
        return
    assert 0 < len(tidy) <= 120
    assert tidy.isprintable()
    assert not set(tidy) & {"/", "\\"}
    assert check_name(tidy) == tidy


def test_the_plant_itself_may_attach(house: House, admin: Actor, order: UUID) -> None:
    assert attach(house, THE_PLANT, order).result
