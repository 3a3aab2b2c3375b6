"""`lineside collect` and `lineside collector …`: the headless collector, and how the running one is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from ui.cli.session import SESSION, folder, plain, say, say_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.domain.machine_news import LinkStatus
    from app.live.messages import LinkFigures

commands = typer.Typer(no_args_is_help=True)

TITLES = {
    "connection": "Connection",
    "state": "State",
    "values_per_second": "Values/s",
    "poll_ms": "Answer ms",
    "slowest_ms": "Slowest ms",
    "requests": "Requests",
    "failures": "Failed",
    "reconnects": "Reconnects",
    "overflows": "Overflows",
    "interval_seconds": "Slower than wished, s",
    "last_good": "Last good value",
    "sentence": "",
}


def collect(
    seconds: float | None = typer.Option(None, "--seconds", help="Stop after this time."),
    parent: int = typer.Option(0, "--parent", hidden=True),
    with_parent: bool = typer.Option(False, "--with-parent", hidden=True),
) -> None:
    """Collect from all configured machines without a window, until stopped; then say what was done."""
    from app.__main__ import Wish, collect_with_logs

    figures = collect_with_logs(folder(), Wish(seconds, parent, with_parent))
    if not parent:
        _show([row_of(each, None) for each in figures])


@commands.command()
def status() -> None:
    """Say how the running collector is: what waits for the disk, and every connection with its figures."""
    from app.live.asking import collector_report
    from app.live.messages import LinkFigures

    report = collector_report(folder())
    rows = [
        row_of(report.figures.get(name, LinkFigures(name)), link)
        for name, link in sorted(report.links.items())
    ]
    if SESSION.as_json:
        facts = {
            "started_at": report.started_at,
            "waiting_samples": report.waiting_samples,
            "given_up": report.given_up,
            "trouble": report.trouble,
        }
        say({**facts, "connections": rows}, "")
        return
    since = report.started_at.astimezone().strftime("%Y-%m-%d %H:%M") if report.started_at else "?"
    lost = f", {report.given_up:,} were given up" if report.given_up else ""
    say(None, f"Collecting since {since}; {report.waiting_samples:,} values wait for the disk{lost}.")
    if report.trouble:
        say(None, report.trouble)
    _show(rows)


def row_of(figures: LinkFigures, link: LinkStatus | None) -> dict[str, Any]:
    """One connection as a line of a table, and as an object of JSON."""
    row: dict[str, Any] = {name: getattr(figures, name) for name in figures.__struct_fields__}
    row["poll_ms"] = round(figures.poll_seconds * 1000, 1)
    row["slowest_ms"] = round(figures.slowest_seconds * 1000, 1)
    row["error_rate"] = round(figures.failures / figures.requests, 4) if figures.requests else 0.0
    if link is not None:
        row |= {name: plain(getattr(link, name)) for name in ("state", "sentence", "outages", "attempts")}
        row["since"] = link.since
    return row


def _show(rows: Iterable[dict[str, Any]]) -> None:
    if SESSION.as_json:
        say(list(rows), "")
        return
    rows = list(rows)
    with_state = any("state" in row for row in rows)
    titles = {k: t for k, t in TITLES.items() if with_state or k not in ("state", "sentence")}
    say_rows(rows, titles, "No connections.")
