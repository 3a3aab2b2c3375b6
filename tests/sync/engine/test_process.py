"""The sync process as it runs on a computer: started beside a program, again after a kill, ended with it."""

from __future__ import annotations

import os
import signal

from app.operations.notes import write_note
from app.sync.child import SyncChild
from app.sync.status import ONLINE
from app.sync.waking import Pauses
from tests.sync.engine.test_service import status, until
from tests.sync.harness import START, World


def test_a_killed_sync_process_is_followed_by_another_and_nothing_is_lost(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    child = SyncChild(one.folder, pauses=Pauses(first=0.05, longest=0.1), look=0.05)
    child.start()
    try:
        until(lambda: status(one).state == ONLINE, "on line")
        first = child.pid
        assert first is not None
        note = one.do(write_note(at=START, text="before the kill")).result
        os.kill(first, signal.SIGKILL)
        later = one.do(write_note(at=START, text="after the kill")).result
        until(lambda: one.states() == ["done", "done"], "both are confirmed")
        assert child.pid != first
    finally:
        child.stop()
    assert status(one).pid == 0
    two.sync()
    assert two.row("note", note) is not None
    assert two.row("note", later) is not None
    world.settle()
    world.check()


def test_a_folder_that_shares_nothing_needs_no_sync_process(world: World) -> None:
    one = world.station("01", joined=False)
    child = SyncChild(one.folder, look=0.01)
    child.start()
    until(child._thread.is_alive, "it looks")
    child.stop()
    assert child.pid is None
    assert not (one.folder / "sync.json").exists()
