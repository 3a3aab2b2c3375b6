"""`lineside alarms journal` and `load`: what happened to alarms, and how much they ask of people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ui.cli.session import SESSION, folder, house, parse_moment, plain, say, say_rows

if TYPE_CHECKING:
    from app.domain.alarm_load import AlarmLoad
    from app.domain.plant import Plant

_JOURNAL = {
    "at": "Time",
    "event": "Event",
    "alarm": "Alarm",
    "limit": "Limit",
    "value": "Value",
    "actor": "Who",
    "reason": "Reason",
}
_FIGURES = {
    "average_per_window": ("On average in ten minutes", "{:.2f}"),
    "average_per_day": ("On average a day", "{:.1f}"),
    "peak_window": ("Most in ten minutes", "{:.0f}"),
    "peak_hour": ("Most in an hour", "{:.0f}"),
    "flood_share": ("Time in flood", "{:.1%}"),
    "busy_window_share": ("Ten minutes with more than ten", "{:.1%}"),
    "top_share": ("Share of the ten worst", "{:.0%}"),
    "chattering": ("Chattering (3 in a minute)", "{:.0f}"),
    "fleeting": ("Gone within ten seconds", "{:.0f}"),
    "standing_per_day": ("Stood for more than a day, a day", "{:.1f}"),
}


def known_plant() -> Plant:
    """The plant as configured, for the names of machines."""
    from app.store.queries.plant import read_plant

    with house() as opened, opened.store.reader() as session:
        return read_plant(session)


def journal(
    start: str | None = typer.Option(None, "--from", help="Time, or -8h; the last day otherwise."),
    end: str | None = typer.Option(None, "--to", help="Time; now otherwise."),
    search: str = typer.Option(
        "", "--search", help="Words that occur in tag, machine, person, reason or event."
    ),
    event: list[str] | None = typer.Option(
        None, "--event", help="raised, acknowledged, shelved …; may be repeated."
    ),
    priority: int | None = typer.Option(None, "--priority", min=1),
    limit: int = typer.Option(200, "--limit", min=1, help="At most this many lines; a file gets all."),
    export: Path | None = typer.Option(
        None, "--export", help="Write all lines to this file (.csv or .xlsx)."
    ),
) -> None:
    """Show what happened to alarms, newest first, or write it to a file."""
    from app.domain.alarms import Event, Kind, alarm_state_words, alarm_words, split_key
    from app.domain.errors import Refused
    from app.store.history import FILE_NAME, HistoryReader
    from app.store.history.alarm_journal import JournalQuery
    from app.store.history.journal_export import write_journal

    known = {one.value: one for one in Event}
    for word in event or ():
        if word not in known:
            raise Refused(f"There is no event {word}; there are {', '.join(known)}.", field="event")
    now, plant = datetime.now(UTC), known_plant()
    query = JournalQuery(
        start=parse_moment(start, now - timedelta(days=1)),
        end=parse_moment(end, now + timedelta(minutes=1)),
        search=search,
        events=[known[word] for word in event or ()],
        priority=priority,
        plant=plant,
    )
    with HistoryReader(folder() / FILE_NAME) as reader:
        if export is not None:
            count = write_journal(export, reader.journal_lines(query), plant)
            say({"file": str(export), "lines": count}, f"Wrote {count:,} lines to {export}.")
            return
        lines = reader.journal_page(query, limit)
    rows = [
        {
            "at": line.at,
            "event": line.event,
            "alarm": alarm_words(line.key, plant),
            "limit": line.limit,
            "value": (
                alarm_state_words(line.key, line.value, plant)
                if not SESSION.as_json and split_key(line.key)[1] is Kind.DIGITAL and line.value is not None
                else line.value
            ),
            "actor": line.actor,
            "reason": line.reason,
        }
        for line in lines
    ]
    say_rows(rows, _JOURNAL, "Nothing happened to alarms in that time.")


def load(days: float = typer.Option(7, "--days", min=0.01, help="How many days back.")) -> None:
    """Say how much the alarms asked of people, beside what the guidelines recommend."""
    from app.store.history import FILE_NAME, HistoryReader

    end = datetime.now(UTC)
    with HistoryReader(folder() / FILE_NAME) as reader:
        found = reader.alarm_load(end - timedelta(days=days), end)
    say(plain(found), "\n".join(_report(found, known_plant())))


def _report(found: AlarmLoad, plant: Plant) -> list[str]:
    from app.domain.alarm_load import MIX_TARGET, TARGETS
    from app.domain.alarms import alarm_words

    start, end = found.start.astimezone(), found.end.astimezone()
    lines = [f"{found.count:,} alarms from {start:%d %b %H:%M} to {end:%d %b %H:%M}"]
    for name, (title, form) in _FIGURES.items():
        target = TARGETS[name]
        mark = "!" if found.exceeds(name) else " "
        value, goal = form.format(getattr(found, name)), form.format(target.amount)
        lines.append(f"{mark} {title:<34}{value:>9}   at most {goal} ({target.source})")
    for priority, share in found.mix.items():
        lines.append(f"  Priority {priority:<25}{share:>9.0%}   about {MIX_TARGET[priority]:.0%} (EEMUA 191)")
    for source in found.top:
        lines.append(f"  {source.count:>6,} × {alarm_words(source.key, plant)} ({source.share:.0%})")
    return lines
