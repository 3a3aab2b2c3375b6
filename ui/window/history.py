"""Where this window was before: Back leads there, with what was shown."""

from __future__ import annotations

from dataclasses import dataclass

_KEPT = 50


@dataclass(frozen=True)
class Visit:
    """One place and the argument it was opened with."""

    place: str
    argument: object = None


class Trail:
    """A stack of visits; coming to where one already is makes no new step."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []

    def visit(self, visit: Visit) -> None:
        if not self._visits or self._visits[-1] != visit:
            self._visits.append(visit)
            del self._visits[:-_KEPT]

    def back(self) -> Visit | None:
        """The visit before the present one, which becomes the present one; None at the start."""
        if len(self._visits) < 2:
            return None
        self._visits.pop()
        return self._visits[-1]

    @property
    def now(self) -> Visit | None:
        return self._visits[-1] if self._visits else None
