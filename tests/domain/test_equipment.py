"""State and health of a machine: explained, and never better than what is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alarms import Phase, Urgency
from app.domain.equipment import EquipmentState, TagView, equipment_state, health
from app.domain.plant import Limits
from app.domain.samples import Quality

NOW = datetime(2026, 3, 4, tzinfo=UTC)
VIBRATION = Limits(hihi=2.5, hi=2.0)


def view(value: float | None = 1.0, quality: int | None = Quality.GOOD, **more: object) -> TagView:
    return TagView("CNC-2/vibration", "", "mm/s", value, quality, NOW, VIBRATION, **more)  # type: ignore[arg-type]  # a few fields


@pytest.mark.parametrize(
    ("views", "state"),
    [
        ([], EquipmentState.UNKNOWN),
        ([view(None, None)], EquipmentState.UNKNOWN),
        ([view(None, Quality.BAD_WAITING_FOR_INITIAL_DATA)], EquipmentState.UNKNOWN),
        ([view(None, Quality.BAD_NO_COMMUNICATION)], EquipmentState.OFFLINE),
        ([view()], EquipmentState.OPERATIONAL),
        ([view(), view(None, Quality.BAD_SENSOR_FAILURE)], EquipmentState.WARNING),
        ([view(2.2, phase=Phase.UNACK, urgency=Urgency.WARNING)], EquipmentState.WARNING),
        ([view(2.6, phase=Phase.ACKED, urgency=Urgency.CRITICAL)], EquipmentState.CRITICAL),
        ([view(2.6, phase=Phase.SHELVED, urgency=Urgency.CRITICAL)], EquipmentState.OPERATIONAL),
        ([view(1.0, phase=Phase.RTN_UNACK, urgency=Urgency.CRITICAL)], EquipmentState.OPERATIONAL),
        ([view(quality=Quality.UNCERTAIN_NO_COMMUNICATION_LAST_USABLE)], EquipmentState.UNKNOWN),
        ([view(quality=Quality.UNCERTAIN_INITIAL)], EquipmentState.UNKNOWN),
        ([view(vouched=False)], EquipmentState.UNKNOWN),
        ([view(None, Quality.BAD_NO_COMMUNICATION, vouched=False)], EquipmentState.UNKNOWN),
        ([view(2.6, phase=Phase.UNACK, urgency=Urgency.CRITICAL, vouched=False)], EquipmentState.UNKNOWN),
        ([view(), view(vouched=False)], EquipmentState.WARNING),
        ([view(), view(quality=Quality.UNCERTAIN_LAST_USABLE)], EquipmentState.OPERATIONAL),
    ],
)
def test_the_state_of_a_machine_follows_from_its_tags(views: list[TagView], state: EquipmentState) -> None:
    assert equipment_state(views) is state
    assert equipment_state(views, in_maintenance=True) is EquipmentState.MAINTENANCE


@pytest.mark.parametrize(
    ("tag", "score", "sentence"),
    [
        (view(1.0), 100, "All values are within their limits."),
        (view(2.3), 80, "Vibration 2.3 mm/s is above its warning limit 2."),
        (view(2.5), 60, "Vibration 2.5 mm/s is above its critical limit 2.5."),
        (view(1.96), 95, "Vibration 1.96 mm/s is close to its warning limit 2."),
        (view(None, None), None, "Nothing is known about this machine: no values arrive."),
        (
            view(None, Quality.BAD_DEVICE_FAILURE),
            None,
            "Nothing is known about this machine: no values arrive.",
        ),
        (
            view(1.0, Quality.UNCERTAIN_SENSOR_NOT_ACCURATE),
            92,
            "Vibration is uncertain: the sensor is not accurate.",
        ),
        (
            view(1.0, Quality.UNCERTAIN_LAST_USABLE),
            None,
            "Nothing is known about this machine: no values arrive.",
        ),
        (view(1.0, vouched=False), None, "Nothing is known about this machine: no values arrive."),
        (
            view(1.0, phase=Phase.RTN_UNACK),
            95,
            "Vibration 1 mm/s is back in range; its alarm is not acknowledged yet.",
        ),
    ],
)
def test_a_score_comes_with_its_reason(tag: TagView, score: int | None, sentence: str) -> None:
    found = health([tag], NOW)
    assert (found.score, found.sentence) == (score, sentence)


def test_a_value_that_was_not_heard_for_long_costs_points() -> None:
    found = health([view()], NOW + timedelta(minutes=40))
    assert found.losses[0].sentence == "Vibration has not changed or been heard for 40 minutes."


_VIEWS = st.lists(
    st.builds(
        view,
        st.floats(0, 5),
        st.sampled_from([None, 0, 0x40000000, 0x408F0000, 0x40900000, 0x80310000, 0x80320000]),
        phase=st.sampled_from(Phase),
        urgency=st.sampled_from(Urgency),
        vouched=st.booleans(),
    ),
    max_size=9,
)


@given(_VIEWS)
def test_every_lost_point_is_explained(views: list[TagView]) -> None:
    found = health(views, NOW)
    if found.score is None:
        assert not any(v.vouched and v.quality in (0, 0x40000000) for v in views)
    else:
        assert found.score == max(0, 100 - sum(loss.points for loss in found.losses))
        assert all(loss.sentence.endswith(".") and loss.points > 0 for loss in found.losses)


@given(_VIEWS)
def test_a_machine_of_which_nobody_knows_anything_now_is_never_said_to_run(views: list[TagView]) -> None:
    state, found = equipment_state(views), health(views, NOW)
    if not any(v.vouched and v.quality in (0, 0x40000000) for v in views):
        assert state in (EquipmentState.UNKNOWN, EquipmentState.OFFLINE)
        assert found.score is None
    if not any(v.vouched for v in views):
        assert state is EquipmentState.UNKNOWN
