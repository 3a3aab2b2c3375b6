"""`lineside alarms …`: the alarm list, acknowledging and shelving."""

from __future__ import annotations

import typer

from app.domain.errors import NotFound
from ui.cli.session import actor, folder, house, say, say_rows

commands = typer.Typer(invoke_without_command=True)
_AS = typer.Option(None, "--as", help="In whose name; this computer's user otherwise.")


def show_alarms(*, active: bool, limit: int) -> None:
    """Print the newest alarms."""
    from app.store.history import FILE_NAME, HistoryReader

    with HistoryReader(folder() / FILE_NAME) as reader:
        found = reader.alarms(active_only=active, limit=limit)
    rows = [
        {
            "id": a.id,
            "priority": a.priority,
            "state": a.phase.value,
            "tag": a.tag,
            "limit": a.limit.name.lower() if a.limit else a.kind.value,
            "value": a.value,
            "since": a.raised_at,
            "cleared": a.returned_at,
            "acknowledged_by": a.acked_by,
        }
        for a in found
    ]
    titles = {
        "id": "Alarm",
        "priority": "Priority",
        "state": "State",
        "tag": "Tag",
        "limit": "Limit",
        "value": "Value",
        "since": "Since",
        "cleared": "Cleared",
        "acknowledged_by": "Acknowledged by",
    }
    say_rows(rows, titles, "No active alarms." if active else "No alarms yet.")


@commands.callback()
def alarms(
    context: typer.Context,
    active: bool = typer.Option(False, "--active", help="Only those that are active or not acknowledged."),
    limit: int = typer.Option(50, "--limit", min=1),
) -> None:
    """Show the alarm list, newest first."""
    if context.invoked_subcommand is None:
        show_alarms(active=active, limit=limit)


def _known(alarm: str) -> str:
    from app.store.history import FILE_NAME, HistoryReader

    with HistoryReader(folder() / FILE_NAME) as reader:
        if not any(str(known.id) == alarm for known in reader.alarms(active_only=False, limit=100_000)):
            raise NotFound(f"There is no alarm {alarm}; `lineside alarms` shows all.")
    return alarm


@commands.command()
def ack(alarm: str, comment: str = typer.Option("", "--comment"), acting: str | None = _AS) -> None:
    """Acknowledge an alarm; the collector applies it at once, or when it runs again."""
    from app.operations.alarms import acknowledge_alarm

    with house() as opened:
        intent = acknowledge_alarm(alarm=_known(alarm), comment=comment)
        opened.door.perform(intent, actor(opened, acting))
    say({"acknowledged": alarm}, f"Acknowledged {alarm}.")


@commands.command()
def shelve(
    alarm: str,
    minutes: int = typer.Option(..., "--minutes"),
    reason: str = typer.Option(..., "--reason"),
    acting: str | None = _AS,
) -> None:
    """Silence an alarm for some minutes."""
    from app.operations.alarms import shelve_alarm

    with house() as opened:
        intent = shelve_alarm(alarm=_known(alarm), minutes=minutes, reason=reason)
        opened.door.perform(intent, actor(opened, acting))
    say({"shelved": alarm, "minutes": minutes}, f"Shelved {alarm} for {minutes} minutes.")
