"""`lineside list`, `export` and `do`: every list and every operation by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.domain.errors import Refused
from ui.cli.session import SESSION, actor, house, say, say_rows

if TYPE_CHECKING:
    from app.plant import House
    from app.store.queries.listing import ListReader

_WHERE = typer.Option("", "--where", help='As in the filter line: "status=in_progress due<fri".')
_SORT = typer.Option("", "--sort", help="Column to sort by; -COLUMN for descending.")
_DEFAULT_LIMIT = 50
_CONDITION = re.compile(r"(?:^|\s)([A-Za-z_][\w-]*)(?:[<>]=?|!?=)")
_FILE_KINDS = (".xlsx", ".csv")


def _reader(opened: House, entity: str, where: str, sort: str) -> ListReader:
    from app.store.queries.listing import ListReader, ListRequest
    from app.store.queries.lists import listing_of

    listing = listing_of(entity)
    for name in _CONDITION.findall(where):
        known = listing.aliases.get(name.casefold(), name.casefold().replace("-", "_"))
        listing.column(known)  # a wrong name would be searched for as a word, and a script would find nothing
    descending = sort.startswith("-") if sort else None
    request = ListRequest(where, sort.lstrip("-"), descending)
    return ListReader(listing, request, opened.door.clock())


def list_entity(
    entity: str,
    where: str = _WHERE,
    sort: str = _SORT,
    limit: int = typer.Option(_DEFAULT_LIMIT, "--limit", min=1, help="At most this many rows."),
) -> None:
    """Show a list: work-orders, stages, issues, inspections, equipment, alarms, maintenance, users, conflicts, …"""
    if entity == "alarms":
        from ui.cli.alarms import show_alarms

        show_alarms(active=False, limit=limit)
        return
    with house() as opened:
        reader = _reader(opened, entity, where, sort)
        with opened.store.reader() as session:
            rows = reader.window(session, 0, limit)
    listing = reader.listing
    titles = {column.key: column.title for column in listing.columns if column.shown or SESSION.as_json}
    say_rows([row.values for row in rows], titles, f"No {listing.title.lower()} match.")


def export(entity: str, file: Path, where: str = _WHERE, sort: str = _SORT) -> None:
    """Write a list to FILE (.xlsx or .csv), in a form that imports again without errors."""
    from threading import Event

    from app.store.queries.exporting import ExportColumn, export_list, export_tags

    if file.suffix.lower() not in _FILE_KINDS:
        raise Refused(
            f"{file.name} is neither {' nor '.join(_FILE_KINDS)}; a list is written as one of them."
        )
    if entity == "tags":
        with house() as opened:
            rows = export_tags(opened.store, file)
        say({"file": str(file), "rows": rows}, f"Wrote {rows:,} tags to {file}.")
        return
    with house() as opened:
        reader = _reader(opened, entity, where, sort)
        columns = [ExportColumn(c.key, c.title) for c in reader.listing.columns if c.shown]
        rows = export_list(opened.store, reader, columns, file, _silent, Event())
    say({"file": str(file), "rows": rows}, f"Wrote {rows:,} rows to {file}.")


def _silent(_done: int, _total: int) -> None:
    return None


def do(
    operation: str | None = typer.Argument(None, help="Name of the operation; see --list."),
    values: list[str] | None = typer.Argument(None, metavar="key=value…"),
    acting: str | None = typer.Option(None, "--as", help="In whose name."),
    show_list: bool = typer.Option(False, "--list", help="Name all operations."),
) -> None:
    """Perform any operation by name, through the same door, permissions and audit as a click."""
    from app.operations.catalogue import OPERATIONS
    from ui.cli import arguments

    if show_list or operation is None:
        rows = [arguments.describe(known) for known in OPERATIONS.values()]
        say_rows(rows, {"name": "Operation", "parameters": "Parameters", "does": "What it does"}, "")
        return
    known = OPERATIONS.get(operation.replace("-", "_"))
    if known is None:
        raise typer.BadParameter(f"There is no operation {operation}; `lineside do --list` names them all.")
    given = arguments.split(values or [])
    if acting is None:
        raise typer.BadParameter("Say in whose name: --as USER.")
    with house() as opened:
        intent = arguments.bind(known, given, opened.store)
        outcome = opened.door.perform(intent, actor(opened, acting))
    _tell(outcome.label, outcome.result, str(outcome.change_id))


def _tell(label: str, result: Any, change_id: str) -> None:
    shown = "" if result is None else f" ({result})"
    say({"done": label, "result": result, "change_id": change_id}, f"{label}{shown}")
