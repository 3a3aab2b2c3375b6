"""`lineside server …`: making and looking after the shared server, as an owner of its database."""

from __future__ import annotations

from dataclasses import replace

import typer

from ui.cli.files_key import asked_files_key
from ui.cli.progress import ProgressLine
from ui.cli.session import SESSION, plain, say, say_rows

commands = typer.Typer(no_args_is_help=True)
_VARIABLE = "LINESIDE_SERVER_URL"
_URL_HELP = f"postgresql://OWNER:PASSWORD@HOST/DATABASE, as an owner of the database; {_VARIABLE} otherwise."
_URL = typer.Argument(..., envvar=_VARIABLE, help=_URL_HELP, show_envvar=False)
_URL_OPTION = typer.Option(..., "--url", envvar=_VARIABLE, help=_URL_HELP, show_envvar=False)
_NAME = typer.Argument(..., help="One to six letters A–Z and digits; it opens the numbers made there.")
_STATION_TITLES = {
    "name": "Station",
    "last_seen": "Heard last",
    "entries": "Entries",
    "parked": "Conflicts",
    "disabled": "Shut out",
    "may_bring": "May bring",
    "program": "Program",
}


@commands.command()
def init(
    url: str = _URL,
    prefix: str | None = typer.Option(
        None, "--prefix", help="Opens the names of the roles; the name of the database otherwise."
    ),
) -> None:
    """Make an empty database a server of Lineside: roles, tables, functions and rules."""
    from app.sync.server import creation
    from app.sync.server.address import ServerAddress

    with ProgressLine() as shown:
        creation.init(url, prefix, shown.say)
    address = ServerAddress(url)
    say(
        {"server": address.shown, "tls": address.tls},
        f"{address.shown} is a server of Lineside now. {address.tls_sentence}\n"
        "Next: lineside server add-station NAME --bring-data, for the computer that has data or makes the first "
        "administrator; then one add-station for each other computer.",
    )


@commands.command()
def upgrade(url: str = _URL) -> None:
    """Bring the server to this program's tables and functions; stations go on working."""
    from app.sync.server import creation
    from app.sync.server.address import ServerAddress

    with ProgressLine() as shown:
        left = creation.upgrade(url, shown.say)
    done = f"{ServerAddress(url).shown} is up to date."
    say({"server": ServerAddress(url).shown, "left_to_do": left}, "\n".join([done, *left]))


@commands.command("add-station")
def add(
    name: str = _NAME,
    url: str = _URL_OPTION,
    bring_data: bool = typer.Option(
        False, "--bring-data", help="The station may bring what was done in its data folder before, once."
    ),
    files_key: bool = typer.Option(
        False, "--files-key", help="Ask for a key of the S3 store of photos and files, to go into the line."
    ),
) -> None:
    """Make a station and print what to paste there; one that is there gets a new password, the old line is worthless.

    What people signed at a station that is there counts on. Shut it out first (remove-station) when its computer was
    stolen: then nothing counts any more that was signed there and not sent.
    """
    from app.sync.server.stations import add_station, station_exists

    key = asked_files_key() if files_key else None
    known = station_exists(url, name)
    line = replace(add_station(url, name, bring_data), files_key=key)
    done = (
        "has a new password; its old line is worthless, and its computer has to join again"
        if known
        else "is made"
    )
    facts = {"station": line.station, "join_line": str(line), "bring_data": bring_data, "known": known}
    say(
        facts,
        f"Station {line.station} {done}. At that computer type the next line, or paste its last word into "
        "“Join a server…” at the first start. It holds a password: show it to nobody else.\n\n"
        f"lineside join {line}\n",
    )


@commands.command("remove-station")
def remove(name: str = _NAME, url: str = _URL_OPTION) -> None:
    """Let a station in no more. What it sent stays; one that never sent anything is forgotten."""
    from app.domain.errors import NotFound, Refused
    from app.sync.server.stations import disable_station, remove_station

    try:
        remove_station(url, name)
    except NotFound:
        raise
    except Refused:  # its work names it
        disable_station(url, name)
        say({"station": name, "forgotten": False}, f"Station {name} is let in no more; what it sent stays.")
    else:
        say({"station": name, "forgotten": True}, f"Station {name} is gone; it never sent anything.")


@commands.command("keep-samples")
def keep_samples(
    url: str = _URL,
    days: int | None = typer.Option(
        None, "--days", min=0, help="For so many days from now on; 0 keeps them for ever."
    ),
) -> None:
    """Drop samples that are older than this server keeps them, whole months at once; all are kept otherwise."""
    from app.sync.server.readings import clean_readings

    found = clean_readings(url) if days is None else clean_readings(url, days)
    words = (
        "Samples are kept for ever."
        if found.dropped_until is None
        else f"Samples are kept for {found.keep_days:,} days; whole months before {found.dropped_until:%Y-%m-%d} went."
    )
    say(found, words)


@commands.command("fresh-login")
def fresh_login(
    table: str = typer.Argument(..., help="Such as inspection_result."),
    hours: int = typer.Option(..., "--hours", min=0, help="How old the login may be; 0 demands nothing."),
    url: str = _URL_OPTION,
) -> None:
    """Demand that whoever writes to a table logged in lately, with the server; else the change becomes a conflict."""
    from app.sync.server.freshness import set_fresh_hours

    found = set_fresh_hours(url, table, hours)
    lines = [f"{name}: a login of the last {most:,} hours" for name, most in sorted(found.items())]
    say(found, "\n".join(lines) or "Any login will do.")


@commands.command()
def files(
    url: str = _URL,
    store: str | None = typer.Option(
        None,
        "--store",
        help="Where new ones go: s3://, az://, gs://, file://…; `database` for the database itself.",
    ),
    largest: int | None = typer.Option(None, "--largest-mb", min=1, help="The largest file, in megabytes."),
    quota: int | None = typer.Option(None, "--quota-gb", min=1, help="What one station may send in all."),
    clean: bool = typer.Option(False, "--clean", help="Remove what nothing has spoken of for 30 days."),
) -> None:
    """Say how many photos and files lie where; have new ones put elsewhere, limit them, clean up."""
    from app.sync.server import blob_store

    if store is not None:
        blob_store.set_store(url, "" if store == "database" else store)
    if largest is not None or quota is not None:
        blob_store.set_quota(
            url,
            largest=None if largest is None else largest * 1024**2,
            station_quota=None if quota is None else quota * 1024**3,
        )
    removed = blob_store.clean_blobs(url) if clean else None
    found = blob_store.blob_figures(url)
    words = (
        f"{found.files:,} photos and files, {found.bytes / 1e6:,.1f} MB; {found.unfinished:,} are on their way. "
        f"New ones go to {found.store_url or 'the database'}."
    )
    if removed is not None:
        words += f"\n{removed.files:,} that nothing spoke of were removed, {removed.bytes / 1e6:,.1f} MB."
    if blob_store.in_clear(found.store_url):
        words += "\nPhotos travel unencrypted between the stations and this store."
    say(plain(found) | {"removed": None if removed is None else removed.files}, words)


@commands.command()
def status(
    url: str = _URL,
    verify: bool = typer.Option(
        True, "--verify/--no-verify", help="Whether the whole history is recomputed."
    ),
) -> None:
    """Say how the server is: versions, stations and when they were heard last, sizes, whether the history holds."""
    from app.sync.server import status as server_status
    from app.sync.server.address import ServerAddress

    found = server_status.status(url, verify)
    if SESSION.as_json:
        say(found, "")
        raise typer.Exit(0 if found.broken is None else 1)
    older = f" (this program has {found.newest}: `lineside server upgrade`)"
    newer = f" (newer than this program, which has {found.newest}: update it)"
    old = "" if found.revision == found.newest else older if found.revision < found.newest else newer
    whole = (
        "not looked at" if not verify else "whole" if found.broken is None else f"broken at {found.broken}"
    )
    say(
        None,
        f"{ServerAddress(url).shown}: PostgreSQL {found.postgresql}, tables {found.revision}{old}, "
        f"{found.size / 1e6:,.1f} MB, {'encrypted' if found.encrypted else 'not encrypted'}.\n"
        f"{found.seq:,} entries, history {whole}; {found.parked:,} conflicts are open."
        + (
            f"\n{found.sitters:,} sessions of stations held up the others and were ended."
            if found.sitters
            else ""
        ),
    )
    rows = [plain(each) | {"last_seen": each.last_seen} for each in found.stations]
    say_rows(rows, _STATION_TITLES, "No stations yet; `lineside server add-station NAME` makes one.")
    if found.broken is not None:
        raise typer.Exit(1)
