"""What a board shows: columns and cards, as plain immutable values."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BoardCard:
    """One card. Texts are ready to be shown; `key` names it across refreshes.

    progress is (done, total) or None. `blocked_reason` says what holds the work up, `disabled_reason`
    why this person may not move it. `priority` 1 to 4 puts an alarm shape on the card.
    """

    key: str
    title: str
    subtitle: str = ""
    progress: tuple[float, float] | None = None
    due_text: str = ""
    slip_text: str = ""
    late: bool = False
    owner: str = ""
    badges: tuple[str, ...] = ()
    blocked_reason: str | None = None
    priority: int | None = None
    disabled_reason: str | None = None
    time_in_stage: str = ""

    def described(self) -> str:
        """The card in one sentence, for screen readers and tooltips."""
        done = f"{self.progress[0]:g} of {self.progress[1]:g} done" if self.progress else ""
        parts = [
            self.title,
            self.subtitle,
            done,
            f"due {self.due_text}" if self.due_text else "",
            f"{'late ' if self.late else ''}{self.slip_text}".strip(),
            f"owner {self.owner}" if self.owner else "",
            f"in this stage for {self.time_in_stage}" if self.time_in_stage else "",
            f"blocked: {self.blocked_reason}" if self.blocked_reason else "",
            f"cannot be moved: {self.disabled_reason}" if self.disabled_reason else "",
            *self.badges,
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class BoardColumn:
    """One stage with its cards in order; `wip_limit` is outlined when exceeded, never enforced here.

    `total` counts the cards where not all of them are in `cards`.
    """

    key: str
    title: str
    wip_limit: int | None = None
    cards: list[BoardCard] = field(default_factory=list)
    total: int | None = None

    @property
    def count(self) -> int:
        return len(self.cards) if self.total is None else self.total

    @property
    def over_limit(self) -> bool:
        return self.wip_limit is not None and self.count > self.wip_limit

    def count_text(self) -> str:
        """ "6", "6/8" or "9/8 ⚠ over"."""
        if self.wip_limit is None:
            return f"{self.count:,}"
        return f"{self.count}/{self.wip_limit}{' ⚠ over' if self.over_limit else ''}"
