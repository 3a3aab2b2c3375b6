"""`lineside history …`: stored samples, their curves, files of them, and how much there is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.domain.errors import Refused
from ui.cli.session import folder, parse_moment, plain, say, say_rows

if TYPE_CHECKING:
    from app.domain.corrections import Correction
    from app.store.history import HistoryStats, ReadableHistory

commands = typer.Typer(no_args_is_help=True)

_FROM = typer.Option(None, "--from", help="Time, or -15m; the last hour otherwise.")
_TO = typer.Option(None, "--to", help="Time; now otherwise.")
_RAW = typer.Option(False, "--raw", help="As measured, without corrections.")
_STEP_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@commands.command("read")
def read_history(
    tag: str,
    start: str | None = _FROM,
    end: str | None = _TO,
    pixels: int | None = typer.Option(
        None, "--pixels", min=1, help="That many min/max buckets instead of samples."
    ),
    raw: bool = _RAW,
) -> None:
    """Show the stored samples of a tag, or buckets of them, with corrections laid over.

    What another station collected is read from the shared server.
    """
    from app.domain.samples import describe_quality

    since, until = _times(start, end)
    laid_over = () if raw else _corrections([tag], since, until)[tag]
    with _all_history() as reader:
        if pixels is not None:
            _show_buckets(reader.buckets(tag, since, until, pixels, laid_over))
            return
        samples = reader.samples(tag, since, until, corrections=laid_over)
    rows = [
        {"time": s.source_time, "value": s.value, "quality": describe_quality(s.quality)} for s in samples
    ]
    say_rows(
        rows, {"time": "Time", "value": "Value", "quality": "Quality"}, f"No samples of {tag} in that time."
    )


@contextmanager
def _all_history() -> Iterator[ReadableHistory]:
    """The history of this folder, and where there is a main store that shares a server, that of the others."""
    from app.store.history import FILE_NAME, HistoryReader
    from app.store.read_only import ReadOnlyStore
    from app.store.sessions import STORE_NAME
    from app.sync.machines.shared_history import SharedHistory

    with ExitStack() as stack:
        local = stack.enter_context(HistoryReader(folder() / FILE_NAME))
        if not (folder() / STORE_NAME).exists():
            yield local
            return
        store = ReadOnlyStore(folder())
        stack.callback(store.close)
        shared = SharedHistory(local, folder(), store.reader)
        stack.callback(shared.close)
        yield shared


def _times(start: str | None, end: str | None) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return parse_moment(start, now - timedelta(hours=1)), parse_moment(end, now)


def _corrections(tags: Sequence[str], start: datetime, end: datetime) -> dict[str, Sequence[Correction]]:
    """The corrections of each tag; none where there is no main store beside the history."""
    from app.store.queries.corrections import corrections_of
    from app.store.read_only import ReadOnlyStore
    from app.store.sessions import STORE_NAME

    if not (folder() / STORE_NAME).exists():
        return dict.fromkeys(tags, ())
    store = ReadOnlyStore(folder())
    try:
        with store.reader() as session:
            return {tag: corrections_of(session, tag, start, end) for tag in tags}
    finally:
        store.close()


def _show_buckets(buckets: Any) -> None:
    columns = ("t", "min", "max", "mean", "count", "good_fraction")
    rows = [
        dict(zip(columns, (datetime.fromtimestamp(values[0] / 1e6, UTC), *values[1:]), strict=True))
        for values in zip(*(getattr(buckets, column).tolist() for column in columns), strict=True)
    ]
    titles = {
        "t": "Start",
        "min": "Min",
        "max": "Max",
        "mean": "Mean",
        "count": "Samples",
        "good_fraction": "Good",
    }
    say_rows(rows, titles, "No samples in that time.")


@commands.command("export")
def export(
    file: Path,
    tags: list[str] = typer.Option(..., "--tag", help="A tag; may be given several times."),
    start: str | None = _FROM,
    end: str | None = _TO,
    step: str | None = typer.Option(
        None, "--step", help="Means of 10s, 1m, 1h … side by side instead of samples."
    ),
    raw: bool = _RAW,
) -> None:
    """Write stored samples into a .csv, .xlsx or .parquet file; those of other stations come from the server."""
    from app.store.history.export import Signal, export_history

    since, until = _times(start, end)
    laid_over = {} if raw else _corrections(tags, since, until)
    units = _units()
    with _all_history() as reader:
        for tag in tags:
            if tag not in units and reader.before(tag, datetime.now(UTC)) is None:
                raise Refused(f"There are no samples of {tag}.")
        signals = [Signal(tag, units.get(tag, "")) for tag in tags]
        rows = export_history(reader, signals, since, until, file, step=_seconds(step), corrections=laid_over)
    say({"file": str(file), "rows": rows}, f"Wrote {rows:,} rows to {file}.")


def _units() -> dict[str, str]:
    from sqlalchemy import select

    from app.store.read_only import ReadOnlyStore
    from app.store.sessions import STORE_NAME
    from app.store.tables import Tag

    if not (folder() / STORE_NAME).exists():
        return {}
    store = ReadOnlyStore(folder())
    try:
        with store.reader() as session:
            found = session.execute(select(Tag.name, Tag.unit).where(~Tag.deleted)).all()
            return {str(name): str(unit) for name, unit in found}
    finally:
        store.close()


def _seconds(step: str | None) -> float | None:
    if step is None:
        return None
    number, unit = step[:-1], step[-1:]
    if unit not in _STEP_UNITS or not number.replace(".", "", 1).isdigit():
        raise Refused(f"“{step}” is no step; write 10s, 1m, 1h or 1d, for example.")
    return float(number) * _STEP_UNITS[unit]


@commands.command("stats")
def stats() -> None:
    """Say how many samples are kept, how many bytes each takes, and for how long the disk will do."""
    import shutil

    from app.store.history import FILE_NAME, HistoryReader

    with HistoryReader(folder() / FILE_NAME) as reader:
        found = reader.stats()
    free = shutil.disk_usage(folder()).free if folder().exists() else 0
    days = free / found.bytes_per_day if found.bytes_per_day else None
    figures = {
        "bytes_per_sample": found.bytes_per_sample,
        "bytes_per_sealed_sample": found.bytes_per_sealed_sample,
        "bytes_per_row": found.bytes_per_row,
        "disk_free": free,
        "disk_days_left": days,
    }
    say({**figures, **plain(found)}, "\n".join(_sentences(found, days)))


def _sentences(found: HistoryStats, days: float | None) -> list[str]:
    lines = [
        f"{found.samples:,} samples of {found.tags:,} tags, {found.bytes_per_sample:.1f} bytes a sample."
    ]
    sealed = found.samples - found.rows
    if sealed:
        lines.append(
            f"{sealed:,} are sealed in {found.chunks:,} chunks of {found.bytes_per_sealed_sample:.2f} bytes a sample; "
            f"{found.rows:,} are fresh."
        )
    if found.oldest is not None and found.newest is not None:
        first, last = (t.astimezone().strftime("%Y-%m-%d %H:%M") for t in (found.oldest, found.newest))
        lines.append(f"The oldest is of {first}, the newest of {last}.")
    if found.reduced:
        lines.append(f"Of {found.reduced:,} older samples the lowest, highest and mean values are kept.")
    if days is not None:
        lines.append(
            f"The file grows by {found.bytes_per_day / 1e6:,.1f} MB a day; the disk lasts {days:,.0f} days."
        )
    return lines
