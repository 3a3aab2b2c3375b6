"""What people left behind in the demo's workshop today: notes on curves, a saved view, alarms that are put aside."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from app.demo.past_alarms import past_alarms
from app.demo.past_signals import past_samples
from app.demo.workshop import PEOPLE, DemoFacts
from app.domain.people import Role
from app.domain.plant import Plant
from app.operations.alarms import shelve_alarm, take_alarm_out_of_service
from app.operations.notes import write_note
from app.operations.saved_views import save_view
from app.plant import House
from app.store.history import FILE_NAME, HistoryWriter

VIEW = "Line 1 at a glance"
_ROUNDS = frozenset({Role.SUPERVISOR, Role.TECHNICIAN, Role.OPERATOR})


def remember(folder: Path, plant: Plant, now: datetime) -> int:
    """Write signals of some hours and alarms of two weeks into the history; returns the number of samples."""
    samples = list(past_samples(now))
    people = [name for name, role in PEOPLE if role in _ROUNDS]
    with HistoryWriter(folder / FILE_NAME, epoch=0) as history:
        return history.write(samples, past_alarms(plant, samples, people, now))


def leave_traces(house: House, facts: DemoFacts) -> None:
    """Through the door, as the people of the demo would: everything here is of today."""
    door = house.door
    now, supervisor, technician = door.clock(), facts.supervisor, facts.technician
    for minutes, tag, text in (
        (38, "CNC-2/vibration", "New spindle bearing is in"),
        (9, "CNC-2/vibration", "Louder than after the last change, Tom looks at it"),
        (6, "IMM-1/temperature", "Cooling water was shut for the filter"),
    ):
        note = write_note(
            at=now - timedelta(minutes=minutes), text=text, tag=tag, equipment=tag.split("/")[0]
        )
        door.perform(note, technician)
    content = {
        "tags": ["CNC-2/vibration", "IMM-1/temperature", "CONV-1/speed"],
        "span": 3600.0,
        "events": [],
    }
    door.perform(save_view(place="charts", name=VIEW, content=content, shared=True), supervisor)
    shelf = shelve_alarm(
        alarm="QCS-1/light", minutes=120, reason="The lamp is changed at the end of the shift"
    )
    door.perform(shelf, supervisor)
    out = take_alarm_out_of_service(
        alarm="ROB-3/axis_load", reason="Sensor cable is replaced on Monday", permit="W-2219"
    )
    door.perform(out, technician)
