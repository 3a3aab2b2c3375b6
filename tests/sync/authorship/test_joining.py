"""Joining a real server: what is brought, what is fetched, what is refused, and that a failure leaves nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from app.domain.errors import Refused, WorldFault
from app.plant import opened_house
from app.store.tables import Outbox, PasswordNote, UserAccount, WorkOrder
from app.sync.join_line import join_line
from app.sync.membership import (
    AUTHORITY_NAME,
    FILE_NAME,
    Address,
    address_of,
    keep_address,
    keep_secrets,
    secrets_of,
    station_address,
)
from app.sync.process import run_service
from app.sync.sole import sole_engine
from tests.sync.authorship.workshop import (
    ADMIN,
    HALL,
    OFFICE,
    OPERATOR,
    PLANNER,
    Place,
    furnish,
    joined,
    never,
    one_round,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sync.conftest import ServerDatabase


def refused(folder: Path, line: str) -> str:
    """The sentence with which joining is refused; the folder is then what it was."""
    with opened_house(folder) as house:
        with pytest.raises((Refused, WorldFault)) as told:
            house.join(line, silent, never)
        assert house.station is None
        assert address_of(folder) is None
        assert (
            not (folder / "secrets.toml").exists() or "@server" not in (folder / "secrets.toml").read_text()
        )
        with house.store.reader() as session:
            assert {entry.mac for entry in session.query(Outbox)} <= {""}
            assert {entry.state for entry in session.query(Outbox)} <= {"pending"}
    return told.value.sentence


def test_a_workshop_brings_its_orders_and_its_people_with_their_passwords(office: Place, hall: Place) -> None:
    assert {row.name for row in hall.rows(UserAccount)} == {ADMIN, PLANNER, OPERATOR}
    assert [row.number for row in hall.rows(WorkOrder)] == ["A-WO-000001"]
    assert office.rows(PasswordNote) == []
    assert {entry.state for entry in office.rows(Outbox)} == {"done"}
    for place in (office, hall):
        assert place.log_in(PLANNER).actor.name == PLANNER
        place.order(PLANNER)
        place.sync()
    office.sync()
    assert {row.number for row in office.rows(WorkOrder)} == {
        "A-WO-000001",
        f"{OFFICE}-WO-000001",
        f"{HALL}-WO-000001",
    }
    assert office.verdicts()[-1] == ("done", "applied")


def test_a_station_that_brought_its_data_signs_for_nobody_any_more(
    server: ServerDatabase, office: Place
) -> None:
    with server.connect() as connection:
        told = connection.execute("SELECT name, may_bring FROM sync.station").fetchall()
    assert dict(told) == {OFFICE: False, HALL: False}


def test_a_folder_with_data_joins_only_a_station_that_may_bring_it(
    server: ServerDatabase, tmp_path: Path
) -> None:
    furnish(tmp_path)
    sentence = refused(tmp_path, server.add_station("03"))
    assert "There is data in this folder already (4 changes)" in sentence
    assert "`lineside server add-station 03 --bring-data`" in sentence


def test_an_empty_folder_does_not_join_a_server_on_which_nobody_could_log_in(
    server: ServerDatabase, tmp_path: Path
) -> None:
    assert "Nobody has an account on this server yet" in refused(tmp_path, server.add_station("03"))


def test_wrong_servers_and_lines_are_refused_in_words(
    server: ServerDatabase, office: Place, tmp_path: Path, free_port: int
) -> None:
    server.add_station("03")
    url, key = server.station_url("03"), server.stations["03"].secrets.station_key
    port = server.postgres.port
    nobody = str(join_line("03", url.replace(f":{port}/", f":{free_port}/"), key))
    assert refused(tmp_path, nobody) == "Nobody answers at the address of the server."
    other = str(join_line("03", url.replace(server.name, "template1"), key))
    assert "no server of Lineside" in refused(tmp_path, other) or "may not use" in refused(tmp_path, other)
    assert "calls it 03" in refused(tmp_path, str(join_line("04", url, key)))
    old = str(server.stations["03"])
    server.add_station("03")
    assert "counts no more" in refused(tmp_path, old)
    assert "add-station 03" in refused(tmp_path, old)


def test_what_a_joining_left_that_was_killed_is_taken_away_before_anything_is_sent(
    server: ServerDatabase, tmp_path: Path
) -> None:
    server.add_station("03")
    line = server.stations["03"]
    address = Address("03", line.url, "a place in the keyring")
    with opened_house(tmp_path):
        pass
    keep_address(tmp_path, address)
    keep_secrets(tmp_path, address, line.secrets)
    (tmp_path / "sync-staging.sqlite").touch()
    with pytest.raises(Refused, match="No server is joined"):
        run_service(tmp_path)
    assert address_of(tmp_path) is None
    assert not (tmp_path / "sync-staging.sqlite").exists()
    with pytest.raises(Refused, match="does not have the password"):
        secrets_of(tmp_path, address)


def test_cancelling_leaves_the_folder_as_it_was_and_joining_again_brings_everything(
    server: ServerDatabase, tmp_path: Path
) -> None:
    furnish(tmp_path)
    line = server.add_station("01", bring_data=True)
    with opened_house(tmp_path) as house:
        with pytest.raises(Refused, match="cancelled"):
            house.join(line, silent, after(2))
        assert (house.station, address_of(tmp_path)) == (None, None)
        report = house.join(line, silent, never)
        assert report.brought == 4
    with server.connect() as connection:
        log = connection.execute("SELECT body::jsonb->>'operation' FROM sync.log ORDER BY seq").fetchall()
    assert [row[0] for row in log] == ["create_first_admin", "add_user", "add_user", "create_work_order"]


_JOIN_AND_DIE = """
import os, sys
from pathlib import Path
from app.plant import open_house

def die(what, done, total):
    if what == sys.argv[3]:
        os._exit(9)

open_house(Path(sys.argv[1])).join(sys.argv[2], die, lambda: False)
"""


@pytest.mark.parametrize("moment", ["Signing what is here", "Fetching work orders", "Saving"])
def test_a_computer_that_dies_while_it_brings_its_data_loses_nothing(
    server: ServerDatabase, tmp_path: Path, moment: str
) -> None:
    furnish(tmp_path)
    line = server.add_station("01", bring_data=True)
    died = subprocess.run([sys.executable, "-c", _JOIN_AND_DIE, str(tmp_path), line, moment], check=False)
    assert died.returncode == 9
    with opened_house(tmp_path) as house:
        house.join(line, silent, never)
        one_round(house, server.station_url("01"))
        place = Place(house, server.station_url("01"))
        assert place.verdicts() == [("done", "applied")] * 4
        place.log_in(ADMIN)
        assert len(place.rows(WorkOrder)) == 1
    with server.connect() as connection:
        log = connection.execute("SELECT body::jsonb->>'operation' FROM sync.log ORDER BY seq").fetchall()
        brings = connection.execute("SELECT may_bring FROM sync.station").fetchall()
    assert [row[0] for row in log] == ["create_first_admin", "add_user", "add_user", "create_work_order"]
    assert brings == [(False,)]


def test_what_a_joining_signed_that_was_cut_off_is_signed_anew(
    server: ServerDatabase, tmp_path: Path
) -> None:
    furnish(tmp_path)
    line = server.add_station("01", bring_data=True)
    with opened_house(tmp_path) as house:
        house.store.submit(lambda session: session.execute(update(Outbox).values(mac="00"))).result()
        house.join(line, silent, never)
        assert Place(house, "").verdicts() == [("done", "applied")] * 4


def test_a_line_that_does_not_work_takes_nothing_from_a_station_that_shares(
    server: ServerDatabase, office: Place, free_port: int
) -> None:
    authority = office.house.folder / AUTHORITY_NAME
    authority.write_text("the certificate of before")
    before = (office.house.folder / FILE_NAME).read_text()
    bad = server.station_url(OFFICE).replace(f":{server.postgres.port}/", f":{free_port}/")
    with pytest.raises(WorldFault):
        office.house.join(str(join_line(OFFICE, bad, "ab" * 32)), silent, never)
    assert authority.read_text() == "the certificate of before"
    assert (office.house.folder / FILE_NAME).read_text() == before


def test_nobody_joins_while_another_process_syncs_the_folder(server: ServerDatabase, tmp_path: Path) -> None:
    furnish(tmp_path)
    line = server.add_station("01", bring_data=True)
    with opened_house(tmp_path) as house, sole_engine(tmp_path), pytest.raises(Refused):
        house.join(line, silent, never)
    assert address_of(tmp_path) is None


def after(times: int) -> Callable[[], bool]:
    """A person who changes their mind when asked for the `times`-th time."""
    asked = iter(range(1, 1000))
    return lambda: next(asked) >= times


def test_joining_again_renews_the_secrets_and_another_station_is_refused(
    server: ServerDatabase, office: Place, tmp_path: Path
) -> None:
    with joined(tmp_path / "store", server.add_station("02"), server.station_url("02")) as place:
        line = server.add_station("02")
        assert place.house.join(line, silent, never).rows == 0
        place.url = server.station_url("02")
        place.log_in(ADMIN)
        place.order()
        place.sync()
        assert place.verdicts()[-1] == ("done", "applied")
        with pytest.raises(Refused, match="This data folder is station 02 already"):
            place.house.join(server.add_station("03"), silent, never)


def test_a_station_that_was_in_use_elsewhere_is_told_so(
    server: ServerDatabase, office: Place, hall: Place, tmp_path: Path
) -> None:
    hall.log_in(ADMIN)
    hall.order()
    hall.sync()
    line = replace(server.stations[HALL], url=station_address(hall.house.folder).url)
    with joined(tmp_path / "new", str(line), hall.url) as new:
        assert new.report is not None
        assert f"Another data folder was station {HALL} before" in new.report.warning
        new.log_in(ADMIN)
        new.order()
        new.sync()
        assert {row.number for row in new.rows(WorkOrder)} >= {f"{HALL}-WO-000001", f"{HALL}-WO-000002"}
