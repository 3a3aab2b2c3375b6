"""What the doctor says of a computer that shares a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.finding import Finding
from app.operations.notes import write_note
from app.sync.alive import SILENT_AFTER, is_alive
from app.sync.check_up import check_up
from app.sync.membership import forget_address, keep_address, station_address
from app.sync.status import ONLINE, SyncStatus, write_status
from tests.sync.harness import START, SyncedStation, World


def found(station: SyncedStation) -> dict[str, Finding]:
    return {finding.subject: finding for finding in check_up(station.folder)}


def test_a_station_that_is_well_is_told_so(world: World) -> None:
    one = world.station("01")
    write_status(one.folder, SyncStatus(state=ONLINE, pid=1, written_at=datetime.now(UTC)))
    findings = found(one)
    assert list(findings) == ["Server", "Encryption", "Clock", "Unsent", "Conflicts", "Sync process"]
    assert [finding for finding in findings.values() if not finding.well or finding.advice] == []
    assert findings["Sync process"].seen == "runs, online"


def test_what_is_wrong_with_sharing_is_named(world: World, free_port: int) -> None:
    one = world.station("01")
    world.now = START  # long ago
    one.do(write_note(at=START, text="unsent"))
    address = station_address(one.folder)
    port = world.server.postgres.port
    keep_address(one.folder, replace(address, url=address.url.replace(f":{port}/", f":{free_port}/")))
    findings = found(one)
    assert findings["Server"].seen == "Nobody answers at the address of the server."
    assert findings["Unsent"].seen.startswith("1 changes, the oldest of 2026-04-15")
    assert not any(findings[subject].well for subject in ("Server", "Unsent", "Sync process"))
    forget_address(one.folder)
    assert "server.toml is missing" in found(one)["Server"].seen


def test_a_folder_that_shares_nothing_has_no_findings_of_sharing(world: World) -> None:
    assert check_up(world.station("01", joined=False).folder) == []


@pytest.mark.parametrize(
    ("pid", "age", "alive"),
    [
        (1, timedelta(0), True),
        (0, timedelta(0), False),
        (1, SILENT_AFTER * 2, False),
        (2**22 + 1, timedelta(0), False),
    ],
)
def test_a_process_is_alive_while_it_exists_and_writes(pid: int, age: timedelta, alive: bool) -> None:
    assert is_alive(SyncStatus(pid=pid, written_at=START - age), START) is alive
    assert not is_alive(SyncStatus(pid=1), START)
