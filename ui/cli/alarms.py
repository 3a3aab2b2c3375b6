"""`lineside alarms …`: the alarm list, and what people do about alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from app.domain.errors import Refused
from ui.cli import alarm_reports
from ui.cli.session import SESSION, actor, folder, house, say, say_rows

if TYPE_CHECKING:
    from pathlib import Path

    from app.domain.plant import Plant
    from app.domain.samples import Value
    from app.operations.change import Intent
    from app.store.history import AlarmRecord

commands = typer.Typer(invoke_without_command=True)
commands.command("journal")(alarm_reports.journal)
commands.command("load")(alarm_reports.load)
_AS = typer.Option(None, "--as", help="In whose name; this computer's user otherwise.")
_ALARM = typer.Argument(
    help="Id of an alarm, as `lineside alarms` shows it, or its key, such as IMM-1/temperature."
)
_COMMENT = typer.Option("", "--comment", help="What was found or done.")
_REASON = typer.Option(..., "--reason", help="Why.")
_TITLES = {
    "id": "Alarm",
    "priority": "Priority",
    "state": "State",
    "what": "What",
    "tag": "Tag",
    "limit": "Limit",
    "value": "Value",
    "since": "Since",
    "cleared": "Cleared",
    "acknowledged_by": "Acknowledged by",
}
_FOR_SCRIPTS = {"key": "Key", "comment": "Comment", "reason": "Reason", "permit": "Permit"}


def show_alarms(*, active: bool, limit: int) -> None:
    """Print the newest alarms."""
    from app.domain.alarms import alarm_words
    from app.store.history import FILE_NAME, HistoryReader

    with HistoryReader(folder() / FILE_NAME) as reader:
        found = reader.alarms(active_only=active, limit=limit)
    plant = alarm_reports.known_plant() if found else None
    rows = [
        {
            "id": a.id,
            "key": a.key,
            "priority": a.priority,
            "state": a.phase.value,
            "what": alarm_words(a, plant) if plant is not None else a.key,
            "tag": a.tag,
            "limit": a.limit.name.lower() if a.limit else a.kind.value,
            "value": _value(a, plant),
            "since": a.raised_at,
            "cleared": a.returned_at,
            "acknowledged_by": a.acked_by,
            "comment": a.comment,
            "reason": a.aside_reason,
            "permit": a.permit,
        }
        for a in found
    ]
    titles = _TITLES | _FOR_SCRIPTS if SESSION.as_json else _TITLES
    say_rows(rows, titles, _none(folder()) if active else "No alarms yet.")


def _none(data: Path) -> str:
    """Without a collector nobody would notice an alarm, so none can be ruled out."""
    from app.live.attaching import running_collector
    from app.store.processes import process_lives

    known = running_collector(data)
    if known is None or not process_lives(known.pid):
        return "No active alarms are known of, but no collector is running: nobody is watching."
    return "No active alarms."


def _value(record: AlarmRecord, plant: Plant | None) -> Value:
    """The value as kept for scripts; for people a state by its name."""
    from app.domain.alarms import Kind, alarm_state_words

    if SESSION.as_json or plant is None or record.kind is not Kind.DIGITAL or record.value is None:
        return record.value
    return alarm_state_words(record.key, record.value, plant)


@commands.callback()
def alarms(
    context: typer.Context,
    active: bool = typer.Option(False, "--active", help="Only those that still want something of somebody."),
    limit: int = typer.Option(50, "--limit", min=1),
) -> None:
    """Show the alarm list, newest first."""
    if context.invoked_subcommand is None:
        show_alarms(active=active, limit=limit)


def _key_of(alarm: str) -> str:
    """The key of the alarm that a record's id stands for; anything else is taken for a key."""
    from app.store.history import FILE_NAME, HistoryReader

    with HistoryReader(folder() / FILE_NAME) as reader:
        record = reader.alarm(alarm)
    return alarm if record is None else record.key


def _do(intent: Intent[Any], acting: str | None, done: dict[str, Any]) -> None:
    """Perform it; the collector applies it at once, or when it runs again."""
    with house() as opened:
        outcome = opened.door.perform(intent, actor(opened, acting))
    say(done, f"{outcome.label}.")


def _require_latching(key: str) -> None:
    """Refuse to reset what goes by itself; one that latched before its settings were changed still may."""
    from app.domain.alarms import alarm_words, rule_of
    from app.store.history import FILE_NAME, HistoryReader

    plant = alarm_reports.known_plant()
    rule = rule_of(plant, key)
    if rule is None or rule.latching:
        return
    with HistoryReader(folder() / FILE_NAME) as reader:
        latched = any(a.key == key and a.phase.latched for a in reader.alarms(active_only=True))
    if not latched:
        raise Refused(
            f"{alarm_words(key, plant)} does not latch: once it is gone and acknowledged, it needs no reset.",
            field="alarm",
        )


@commands.command()
def ack(alarm: str = _ALARM, comment: str = _COMMENT, acting: str | None = _AS) -> None:
    """Acknowledge an alarm; the collector applies it at once, or when it runs again."""
    from app.operations.alarms import acknowledge_alarm

    _do(acknowledge_alarm(alarm=_key_of(alarm), comment=comment), acting, {"acknowledged": alarm})


@commands.command()
def reset(alarm: str = _ALARM, acting: str | None = _AS) -> None:
    """Reset a latched alarm whose condition is gone and that was acknowledged."""
    from app.operations.alarms import reset_alarm

    key = _key_of(alarm)
    _require_latching(key)
    _do(reset_alarm(alarm=key), acting, {"reset": alarm})


@commands.command()
def shelve(
    alarm: str = _ALARM,
    minutes: int = typer.Option(..., "--minutes"),
    reason: str = _REASON,
    once: bool = typer.Option(False, "--once", help="Only until it returns to normal, if that is sooner."),
    acting: str | None = _AS,
) -> None:
    """Silence an alarm for some minutes."""
    from app.operations.alarms import shelve_alarm

    intent = shelve_alarm(alarm=_key_of(alarm), minutes=minutes, reason=reason, one_shot=once)
    _do(intent, acting, {"shelved": alarm, "minutes": minutes})


@commands.command()
def unshelve(alarm: str = _ALARM, acting: str | None = _AS) -> None:
    """Let a shelved alarm sound again."""
    from app.operations.alarms import unshelve_alarm

    _do(unshelve_alarm(alarm=_key_of(alarm)), acting, {"unshelved": alarm})


@commands.command("out-of-service")
def out_of_service(
    alarm: str = _ALARM,
    reason: str = _REASON,
    permit: str = typer.Option("", "--permit", help="Number of the work permit."),
    acting: str | None = _AS,
) -> None:
    """Take an alarm out of service until it is returned."""
    from app.operations.alarms import take_alarm_out_of_service

    intent = take_alarm_out_of_service(alarm=_key_of(alarm), reason=reason, permit=permit)
    _do(intent, acting, {"out_of_service": alarm})


@commands.command("return")
def return_to_service(alarm: str = _ALARM, acting: str | None = _AS) -> None:
    """Return an alarm to service."""
    from app.operations.alarms import return_alarm_to_service

    _do(return_alarm_to_service(alarm=_key_of(alarm)), acting, {"returned": alarm})
