"""What people do about alarms: written down in order, in plain words, for alarms that there are, by those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.domain.alarms.verbs import Verb
from app.domain.errors import Denied, Refused
from app.domain.people import Role
from app.domain.plant import Connection, Equipment, Limits, Plant, Tag
from app.operations.alarms import (
    acknowledge_alarm,
    acknowledge_alarms,
    reset_alarm,
    return_alarm_to_service,
    shelve_alarm,
    take_alarm_out_of_service,
    unshelve_alarm,
)
from app.operations.change import Intent
from app.operations.plant import apply_plant
from app.store.queries.arrivals import Arrivals
from app.store.tables import AlarmAction
from tests.operations.shop import Shop

TAG = Tag("OVEN-2/temperature", "OVEN-2", "plc", "hr:0", limits=Limits(hi=225))
PLANT = Plant((Equipment("OVEN-2", "Oven 2"),), (Connection("plc", "modbus-tcp", "tcp://10.0.0.9"),), (TAG,))
KEY = TAG.name
RECORD = "01980000-0000-7000-8000-000000000001"


@pytest.fixture
def plant(shop: Shop) -> Shop:
    shop.do(apply_plant(plant=PLANT))
    return shop


def acts(shop: Shop) -> list[AlarmAction]:
    with shop.house.store.reader() as session:
        return [act for _, act in Arrivals(AlarmAction).news(session, ())]


def test_an_acknowledgement_is_written_down_with_its_comment_and_named_in_words(plant: Shop) -> None:
    outcome = plant.do(acknowledge_alarm(alarm=KEY, comment=" door was open "), Role.OPERATOR)
    assert outcome.label == "Acknowledged Oven 2 temperature (limit alarm)"
    assert not outcome.undoable
    (act,) = acts(plant)
    assert (act.alarm, act.action, act.comment, act.at) == (KEY, Verb.ACKNOWLEDGE, "door was open", plant.now)


def test_many_alarms_are_acknowledged_at_once_each_only_once(plant: Shop) -> None:
    keys = [KEY, f"{KEY}!comm", KEY, "system!disk-full"]
    outcome = plant.do(acknowledge_alarms(alarms=keys, comment="all seen"))
    assert (outcome.result, outcome.label) == (3, "Acknowledged 3 alarms")
    assert [act.alarm for act in acts(plant)] == [KEY, f"{KEY}!comm", "system!disk-full"]
    assert {act.comment for act in acts(plant)} == {"all seen"}
    with pytest.raises(Refused, match="Nothing waits"):
        plant.do(acknowledge_alarms(alarms=[]))


def test_a_shelf_has_a_reason_an_end_and_may_be_for_once(plant: Shop) -> None:
    label = plant.do(shelve_alarm(alarm=KEY, minutes=30, reason="probe is moved")).label
    assert label == "Shelved Oven 2 temperature (limit alarm) for 30 min"
    plant.do(shelve_alarm(alarm=KEY, minutes=30, reason="probe is moved", one_shot=True))
    timed, once = acts(plant)
    assert (timed.action, once.action) == (Verb.SHELVE, Verb.SHELVE_ONCE)
    assert timed.until == plant.now + timedelta(minutes=30)
    for minutes in (0, 481):
        with pytest.raises(Refused, match="1 to 480"):
            plant.do(shelve_alarm(alarm=KEY, minutes=minutes, reason="x"))
    with pytest.raises(Refused, match=r"no alarm .*!rate"):
        plant.do(shelve_alarm(alarm=f"{KEY}!rate", minutes=5, reason="x"))
    with pytest.raises(Refused, match=r"no alarm .*!rate"):
        plant.do(take_alarm_out_of_service(alarm=f"{KEY}!rate", reason="x"))
    with pytest.raises(Refused, match="reason"):
        plant.do(shelve_alarm(alarm=KEY, minutes=5, reason=" "))


def test_out_of_service_keeps_the_number_of_the_permit(plant: Shop) -> None:
    out = plant.do(take_alarm_out_of_service(alarm=KEY, reason="new sensor", permit="P-17"))
    assert out.label == "Took Oven 2 temperature (limit alarm) out of service"
    plant.do(return_alarm_to_service(alarm=KEY))
    plant.do(reset_alarm(alarm=KEY))
    plant.do(unshelve_alarm(alarm=KEY))
    done = acts(plant)
    assert [act.action for act in done] == [Verb.TAKE_OUT, Verb.PUT_BACK, Verb.RESET, Verb.UNSHELVE]
    assert (done[0].permit, done[0].comment) == ("P-17", "new sensor")


@pytest.mark.parametrize(
    "intent",
    [
        lambda: shelve_alarm(alarm=KEY, minutes=5, reason="x"),
        lambda: take_alarm_out_of_service(alarm=KEY, reason="x"),
        lambda: return_alarm_to_service(alarm=KEY),
    ],
)
def test_an_operator_may_acknowledge_but_put_no_alarm_aside(
    plant: Shop, intent: Callable[[], Intent[object]]
) -> None:
    with pytest.raises(Denied):
        plant.do(intent(), Role.OPERATOR)
    plant.do(reset_alarm(alarm=KEY), Role.OPERATOR)


def test_what_never_was_an_alarm_is_refused_and_a_removed_one_can_still_be_seen(plant: Shop) -> None:
    with pytest.raises(Refused, match="no alarm cow"):
        plant.do(acknowledge_alarm(alarm="cow"))
    with pytest.raises(Refused, match="no alarm cow"):
        plant.do(acknowledge_alarms(alarms=[KEY, "cow"]))
    plant.do(apply_plant(plant=Plant()))
    assert plant.do(acknowledge_alarm(alarm=f"{KEY}!comm")).label == (
        "Acknowledged OVEN-2 temperature (communication alarm)"
    )
    assert plant.do(acknowledge_alarm(alarm=RECORD)).label == f"Acknowledged alarm {RECORD}"
    with pytest.raises(Refused, match="any more"):
        plant.do(shelve_alarm(alarm=KEY, minutes=5, reason="x"))
