"""How the curve of a signal is drawn: as a line, in steps with the names of its states, or as a band of texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.plant import Tag
from app.domain.samples import Value
from ui.widgets.chart_series import Kind

MOST_IN_ONE = 6
_ON_OFF = {0: "off", 1: "on"}


@dataclass(frozen=True)
class CurveKind:
    """`states` names whole numbers; a `spread` of values is meant to be averaged only for lines."""

    kind: Kind
    states: Mapping[int, str] = field(default_factory=dict)


LINE = CurveKind("line")


def kind_of(tag: Tag, value: Value) -> CurveKind:
    """What the plant says of a signal, else what its newest value is (None: nothing is known)."""
    if isinstance(value, str):
        return CurveKind("texts")
    if tag.states:
        return CurveKind("steps", dict(tag.states))
    if isinstance(value, bool):
        return CurveKind("steps", _ON_OFF)
    return CurveKind("steps") if tag.discrete else LINE


def groups(
    tags: Sequence[Tag],
    kinds: Callable[[Tag], CurveKind],
    *,
    multiples: bool = False,
    order: Sequence[str] = (),
) -> dict[str, list[Tag]]:
    """Signals by chart: one for each unit, each set of states and all texts, with no more curves than colours.

    Charts stand in the order of the first signal of each, those named in `order` before the others. `multiples`
    gives every signal a chart of its own.
    """
    by_key: dict[str, list[Tag]] = {}
    for tag in tags:
        by_key.setdefault(tag.name if multiples else _key(tag, kinds(tag)), []).append(tag)
    found: dict[str, list[Tag]] = {}
    for key, members in by_key.items():
        for first in range(0, len(members), MOST_IN_ONE):
            part = key if first == 0 else f"{key}/{first // MOST_IN_ONE + 1}"
            found[part] = members[first : first + MOST_IN_ONE]
    ranks = {key: number for number, key in enumerate(order)}
    return {key: found[key] for key in sorted(found, key=lambda key: ranks.get(key, len(ranks)))}


def crowded(found: Mapping[str, Sequence[Tag]]) -> str | None:
    """The unit of which there are more curves than fit into one chart."""
    return next((members[0].unit or "one kind" for key, members in found.items() if key.endswith("/2")), None)


def _key(tag: Tag, kind: CurveKind) -> str:
    if kind.kind == "texts":
        return "texts"
    if kind.states:
        return "states " + ", ".join(kind.states.values())
    return f"{tag.unit} steps" if kind.kind == "steps" else tag.unit
