"""A workshop for the tests of the machine screens: the demo plant, with samples and alarms put in by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from app.domain.alarms import Kind, Limit, Phase, Urgency
from app.domain.machine_news import LinkState, LinkStatus
from app.domain.plant import Plant
from app.domain.samples import Quality, Sample, Value
from app.drivers.simulator.machines import MACHINES
from app.drivers.simulator.model import simulated_plant
from app.live.feed import FeedStatus
from app.store.history import AlarmRecord
from app.sync.machines.live_values import doubted
from ui.bridge.live import LiveDesk


def demo_plant() -> Plant:
    """The demo plant, as if its servers listened somewhere."""
    return simulated_plant(4840, 5020)


def sample(tag: str, value: Value, when: datetime | None = None, quality: int = Quality.GOOD) -> Sample:
    moment = when or datetime.now(UTC)
    return Sample(tag, moment, moment, value, quality)


def alarm(
    tag: str,
    *,
    phase: Phase = Phase.UNACK,
    limit: Limit = Limit.HIHI,
    value: float = 2.61,
    priority: int = 2,
    occurrence: int = 1,
    ago: float = 60.0,
    kind: Kind = Kind.VALUE,
    **more: object,
) -> AlarmRecord:
    """One raising of the alarm of a tag, `ago` seconds old."""
    critical = limit in (Limit.HIHI, Limit.LOLO)
    return AlarmRecord(
        id=f"{tag}#{occurrence}",
        key=tag if kind is Kind.VALUE else f"{tag}!comm",
        tag=tag,
        kind=kind,
        occurrence=occurrence,
        priority=priority,
        urgency=Urgency.CRITICAL if critical else Urgency.WARNING,
        limit=limit,
        value=value,
        phase=phase,
        raised_at=datetime.now(UTC) - timedelta(seconds=ago),
        **more,  # type: ignore[arg-type]  # the remaining fields of the record, by name
    )


def connect(live: LiveDesk) -> None:
    """As if the collector had just welcomed this window and all machines answered."""
    live._on_status(FeedStatus(True, "Live."))
    for connection in live.plant.connections:
        link(live, connection.name, LinkState.ONLINE, "Connected.")


def link(live: LiveDesk, connection: str, state: LinkState, sentence: str, **more: Any) -> None:
    live._values.heard_at = datetime.now(UTC)
    more = {"since": datetime.now(UTC), **more}
    live.take_link(LinkStatus(connection, state, sentence, **more))


def station_falls_silent(live: LiveDesk, connection: str, station: str, minutes: float) -> None:
    """As a collector tells it that another station, which drives a machine, was last heard so long ago."""
    since = datetime.now(UTC) - timedelta(minutes=minutes)
    sentence = f"Station {station} is not heard; it reads this machine."
    link(live, connection, LinkState.OFFLINE, sentence, since=since, station=station, heard=False)
    known = (live.latest(tag.name) for tag in live.plant.tags_of(connection))
    live.take_samples([doubted(sample) for sample in known if sample is not None])


def run_machines(live: LiveDesk, seconds: int = 600, silent: frozenset[str] = frozenset()) -> None:
    """Let the demo machines live for some minutes up to now; `silent` ones were lost a minute ago."""
    now = datetime.now(UTC)
    for machine in MACHINES:
        noise = Random(machine.code)
        for step in range(seconds):
            moment = now - timedelta(seconds=seconds - step)
            lost = machine.code in silent and step > seconds - 60
            if lost and step > seconds - 59:
                break
            values = machine.behaviour(float(step), noise)
            live.take_samples(
                sample(f"{machine.code}/{name}", None, moment, Quality.BAD_NO_COMMUNICATION)
                if lost
                else sample(f"{machine.code}/{name}", value, moment)
                for name, value in values.items()
            )
