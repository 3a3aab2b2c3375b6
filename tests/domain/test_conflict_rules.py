"""What a station says before the server does: whether a person may settle with a value, and whether it can be one."""

from __future__ import annotations

from uuid import uuid4

from app.domain.conflicts import illegal_step, missing_right
from app.domain.people import Actor, Permission, Role
from app.domain.sharing import Allowed, Sharing

OWN = Sharing(create=(), change={"text": (Allowed(Permission.WRITE_NOTES, own="author"),)})
MOVES = Sharing(
    create=(), moves={"status": {("a", "b"): (), ("b", "c"): (Permission.IMPORT,), ("c", "a"): ()}}
)
ANN = Actor(uuid4(), "Ann", Role.OPERATOR)
PAT = Actor(uuid4(), "Pat", Role.PLANNER)


def test_an_own_row_is_one_that_names_the_person_or_holds_their_id() -> None:
    assert missing_right(OWN, ANN, "text", {"author": "Ann"}) is None
    assert missing_right(OWN, ANN, "text", {"author": ANN.user_id}) is None
    for other in ("Bob", uuid4(), None):
        refusal = missing_right(OWN, ANN, "text", {"author": other})
        assert refusal == "Only the person whose it is may change this."


def test_a_step_that_takes_a_permission_is_none_for_others() -> None:
    assert illegal_step(MOVES, PAT, "status", "b", "c", taking_back=False) is None
    refusal = illegal_step(MOVES, ANN, "status", "b", "c", taking_back=False)
    assert refusal is not None
    assert "may not import workbooks" in refusal
    assert illegal_step(MOVES, PAT, "status", "c", "b", taking_back=True) is None
    assert "may not" in (illegal_step(MOVES, ANN, "status", "c", "b", taking_back=True) or "")


def test_the_ways_on_are_those_that_the_person_can_go() -> None:
    assert "can become c" in (illegal_step(MOVES, PAT, "status", "b", "a", taking_back=False) or "")
    assert "nothing follows" in (illegal_step(MOVES, ANN, "status", "b", "a", taking_back=False) or "")
