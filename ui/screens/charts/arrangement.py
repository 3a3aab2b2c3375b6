"""What a saved view of the charts holds, and how it is read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ui.models.compared import Comparison
from ui.screens.charts.comparing import as_content, from_content


@dataclass(frozen=True)
class Arrangement:
    """Signals, range of time (`span` running or since `since`, else `start` to `end`), order and axes of the charts."""

    tags: tuple[str, ...] = ()
    span: float = 900.0
    since: str = ""
    standing: tuple[float, float] | None = None
    multiples: bool = False
    order: tuple[str, ...] = ()
    values: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    comparison: Comparison | None = None
    events: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "tags": list(self.tags),
            "span": self.span,
            "since": self.since,
            "standing": list(self.standing) if self.standing is not None else None,
            "multiples": self.multiples,
            "order": list(self.order),
            "values": {key: list(pair) for key, pair in self.values.items()},
            "compare": as_content(self.comparison),
            "events": list(self.events),
        }


def arrangement_of(content: Mapping[str, Any]) -> Arrangement:
    """What `content` says; whatever it does not say, or says wrongly, is as for a new chart."""
    plain = Arrangement()
    return Arrangement(
        tags=tuple(str(tag) for tag in _list(content.get("tags"))),
        span=_number(content.get("span"), plain.span),
        since=str(content.get("since") or ""),
        standing=_pair(content.get("standing")),
        multiples=bool(content.get("multiples")),
        order=tuple(str(key) for key in _list(content.get("order"))),
        values={
            str(key): pair for key, value in _dict(content.get("values")).items() if (pair := _pair(value))
        },
        comparison=from_content(content.get("compare")),
        events=tuple(str(name) for name in _list(content.get("events"))),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[object, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise


def _pair(value: object) -> tuple[float, float] | None:
    numbers = [float(one) for one in _list(value) if isinstance(one, int | float)]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and numbers[0] < numbers[1] else None
