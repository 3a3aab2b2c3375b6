"""`lineside join`, `lineside sync`, `lineside audit verify`: this computer as a station of a shared server."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

from app.domain.errors import Refused, WorldFault
from ui.cli.progress import ProgressLine
from ui.cli.session import folder, house, say

if TYPE_CHECKING:
    from app.plant import House
    from app.sync.auditing import SharedHistory

audit = typer.Typer(no_args_is_help=True)
NOT_RUNNING = "the sync process does not run"


def join(
    line: str = typer.Argument(
        "-", metavar="JOINLINE", help="As `server add-station` printed it; - reads it from standard input."
    ),
) -> None:
    """Make this data folder a station of a shared server and fetch all that is there. Ctrl+C leaves it as it was."""
    text = sys.stdin.readline() if line == "-" else line
    stop = Event()

    def cancel(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = signal.signal(signal.SIGINT, cancel)
    try:
        with house() as opened, ProgressLine() as shown:
            report = opened.join(text, shown.show, stop.is_set)
    finally:
        signal.signal(signal.SIGINT, before)
    facts = {
        "station": report.station,
        "server": report.server,
        "rows": report.rows,
        "brought": report.brought,
        "warning": report.warning or None,
    }
    rows = f"{report.rows:,} rows came from the server. " if report.rows else ""
    say(
        facts,
        f"{report.sentence}\n{rows}{report.kept_where}\n"
        "`lineside sync` keeps them up to date; so does the window.",
    )


def leave(
    anyway: bool = typer.Option(False, "--anyway", help="Also while something was not sent."),
) -> None:
    """Forget the server on this computer; the data stays, to be read. Close Lineside first."""
    from app.sync.leaving import leave as forget

    with house() as opened:
        station = forget(opened.folder, opened.store, anyway=anyway)
    say(
        {"station": station},
        f"This computer is station {station} no more; what is here can be read. `lineside server remove-station "
        f"{station}` takes its right to connect away; a new line for {station} brings the folder back.",
    )


def sync(
    once: bool = typer.Option(False, "--once", help="One round, then stop."),
    status: bool = typer.Option(False, "--status", help="Say how sharing goes and what waits to be sent."),
    parent: int = typer.Option(0, "--parent", hidden=True),
) -> None:
    """Send what was done here and fetch what others did, until stopped; the window does the same by itself."""
    if status:
        _show_status()
        return
    if once:
        _one_round()
        return
    from app.sync.process import run_service

    raise typer.Exit(run_service(folder(), parent=parent))


def _show_status() -> None:
    from app.store.queries.conflicts import open_conflicts
    from app.store.queries.unsent import left_behind, unconfirmed
    from app.store.sharing import joined_station
    from app.sync.alive import is_alive
    from app.sync.membership import address_of
    from app.sync.passwords import waiting_passwords
    from app.sync.status import PAUSED, read_status

    with house() as opened, opened.store.reader() as session:
        station = joined_station(session)
        photos = len(left_behind(session, limit=0).photos)
        waiting, passwords = unconfirmed(session)[0], waiting_passwords(session)
        conflicts = open_conflicts(session)
    if station is None:
        kept = _counted(waiting, "change is", "changes are")
        say({"server": None, "waiting": waiting}, f"No server is joined. {kept} kept here.")
        return
    address, told = address_of(folder()), read_status(folder())
    alive = told is not None and is_alive(told, datetime.now(UTC))
    state = told.state if told is not None and (alive or told.state == PAUSED) else NOT_RUNNING
    facts: dict[str, Any] = {
        "server": None if address is None else address.url,
        "station": station,
        "state": state,
        "since": None if told is None else told.since,
        "waiting": waiting,
        "passwords": passwords,
        "photos": photos,
        "photos_problem": (told.photos_problem or None) if told is not None and alive else None,
        "conflicts": conflicts,
        "last_error": None if told is None else told.last_error or None,
    }
    say(facts, "\n".join(_status_words(facts)))


def _status_words(facts: dict[str, Any]) -> list[str]:
    words = [f"Station {facts['station']}: {facts['state']}."]
    nothing_waits = "All changes are sent." if facts["photos"] else "Everything is sent."
    waits = _counted(facts["waiting"], "change waits", "changes wait")
    words.append(f"{waits} to be sent." if facts["waiting"] else nothing_waits)
    if facts["passwords"]:
        notes = _counted(facts["passwords"], "new password waits", "new passwords wait")
        words.append(f"{notes} to be sent.")
    if facts["photos"]:
        photos = _counted(facts["photos"], "photo or file waits", "photos and files wait")
        words.append(f"{photos} to be sent.")
    if facts["photos_problem"]:
        words.append(facts["photos_problem"])
    if facts["conflicts"]:
        words.append(_conflict_words(facts["conflicts"]))
    return words + ([facts["last_error"]] if facts["last_error"] else [])


def _conflict_words(count: int) -> str:
    return f"{_counted(count, 'conflict is', 'conflicts are')} open; `lineside list conflicts` shows them."


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _one_round() -> None:
    from app.store.queries.conflicts import open_conflicts
    from app.sync.once import sync_once

    with house() as opened:
        if opened.station is None:
            raise Refused(
                "No server is joined, so there is nobody to send to; `lineside join` joins one, "
                "`lineside sync --status` says what waits."
            )
        done = sync_once(opened.folder, opened.store)
        with opened.store.reader() as session:
            conflicts = open_conflicts(session)
    facts = {
        "sent": done.answered,
        "fetched": done.pulled,
        "all_anew": done.baseline,
        "conflicts": conflicts,
        "note": done.note or None,
    }
    anew = " Everything was fetched anew." if done.baseline else ""
    told = (done.note, _conflict_words(conflicts) if conflicts else "")
    more = "".join(f" {words}" for words in told if words)
    sent = _counted(done.answered, "change", "changes")
    say(facts, f"{sent} sent, {done.pulled:,} fetched.{anew}{more}")


@audit.command("verify")
def verify_audit(
    local: bool = typer.Option(False, "--local", help="Only what is kept here; the server is not asked."),
) -> None:
    """Check that no line of the audit trail, and no entry of the shared history, was changed, removed or put in."""
    from app.store.journal import first_broken_line

    with house() as opened:
        with opened.store.reader() as session:
            broken = first_broken_line(session)
        if broken is not None:
            raise Refused(f"The audit trail is broken from line {broken} on.")
        if local or opened.station is None:
            say({"broken": None}, "The audit trail is whole.")
            return
        _verify_shared(opened)


def _verify_shared(opened: House) -> None:
    from app.sync.auditing import verify_shared

    try:
        shared = verify_shared(opened.folder, opened.store)
    except WorldFault as fault:
        raise WorldFault(f"The audit trail kept here is whole; of the server's: {fault.sentence}") from fault
    say(
        {
            "broken": None,
            "entries": shared.entries,
            "seen": shared.seen,
            "own": shared.own,
            "others": shared.others,
        },
        f"The audit trail is whole, here and on the server ({shared.entries:,} entries, of which this station saw "
        f"{shared.seen:,}). Of those made here {shared.own:,} are still kept as they were signed, and stand there "
        f"unchanged.{_other_history(shared)}",
    )


def _other_history(shared: SharedHistory) -> str:
    if not shared.others:
        return ""
    often = "once" if shared.others == 1 else f"{shared.others:,} times"
    return (
        f" Before, this station saw another history {often}: the server was restored, or its history was written anew. "
        "`lineside list audit --where follow_history` says when, and up to which entry."
    )
