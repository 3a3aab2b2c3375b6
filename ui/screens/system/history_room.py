"""How much room the history of measured values takes, and how long there is room for more."""

from __future__ import annotations

from dataclasses import dataclass

from app.store.history import HistoryStats
from ui.models.wording import NONE

_MANY_DAYS = 5 * 365


@dataclass(frozen=True)
class HistoryRoom:
    """What the history holds, and how many bytes the disk has left."""

    stats: HistoryStats
    free: int

    @property
    def days_left(self) -> float | None:
        """Days until the disk is full if the history grows on as in the last days; None while it does not grow."""
        return self.free / self.stats.bytes_per_day if self.stats.bytes_per_day > 0 else None


def room_words(room: HistoryRoom) -> dict[str, str]:
    """The facts in words."""
    stats = room.stats
    sealed = f", sealed {stats.bytes_per_sealed_sample:.2f} bytes" if stats.chunks else ""
    since = f" since {stats.oldest.astimezone():%d %b %Y}" if stats.oldest is not None else ""
    return {
        "Values": f"{stats.samples:,} of {stats.tags:,} signals{since}",
        "File": megabytes(stats.bytes),
        "A value takes": f"{stats.bytes_per_sample:.1f} bytes{sealed}" if stats.samples else NONE,
        "Grows by": f"{megabytes(round(stats.bytes_per_day))} a day" if stats.bytes_per_day else NONE,
        "Free on the disk": f"{room.free / 1e9:,.1f} GB, {_days(room.days_left)}",
    }


def _days(days: float | None) -> str:
    if days is None:
        return "nothing is written"
    if days > _MANY_DAYS:
        return f"enough for {days / 365:,.0f} years"
    return f"enough for {days:,.0f} days"


def megabytes(size: int | None) -> str:
    """A size for people."""
    return NONE if size is None else f"{size / 1e6:,.1f} MB"
