"""The range of time that linked charts share, with its way back, and the cursors that stand in all of them."""

from __future__ import annotations

import time

from PySide6.QtCore import QElapsedTimer, QObject, Signal

SHORTEST = 1e-3
LONGEST = 40 * 366 * 86400.0
_ONE_GESTURE_MS = 400


class TimeWindow(QObject):
    """A running or a standing range; times are epoch seconds (UTC).

    Running, it ends now and begins `span` seconds ago or at `anchor`. Any zoom or pan makes it stand; `go_live` lets
    it run again. `changed(by_user)` whenever the range is another one, `follow_changed` when it begins to run or
    stand, `marked` when a cursor or the crosshair moved.
    """

    changed = Signal(bool)
    follow_changed = Signal(bool)
    marked = Signal()

    def __init__(self, span: float = 900.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.now = time.time()
        self.span = span
        self.anchor: float | None = None
        self.following = True
        self.frozen_at = self.now
        self.cursors: dict[str, float] = {}
        self.crosshair: float | None = None
        self._standing = (self.now - span, self.now)
        self._history: list[tuple[float, float] | None] = []
        self._since_gesture = QElapsedTimer()

    def range(self) -> tuple[float, float]:
        """First and last moment on show."""
        if not self.following:
            return self._standing
        start = self.now - self.span if self.anchor is None else min(self.anchor, self.now - 1.0)
        return start, self.now

    # -- moving --------------------------------------------------------------------------------------

    def set_now(self, now: float) -> None:
        """Time goes on, also without data; a standing range stays where it is."""
        if now != self.now:
            self.now = now
            if self.following:
                self.changed.emit(False)

    def show(self, start: float, end: float, *, by_user: bool = False) -> None:
        """Stand still on a range; a person's step can be taken back."""
        if by_user:
            self._remember()
        start, end = _within_reason(start, end)
        was_following, known = self.following, self.range()
        if was_following:
            self.following, self.frozen_at = False, self.now
        self._standing = (start, end)
        if was_following:
            self.follow_changed.emit(False)
        if known != self._standing:
            self.changed.emit(by_user)

    def freeze(self) -> None:
        """Stand still where it is."""
        if self.following:
            self._remember()
            self.show(*self.range())

    def run(self, span: float | None = None, *, anchor: float | None = None) -> None:
        """Run with the newest moment: the last `span` seconds, or everything since `anchor`."""
        if span is not None:
            self.span, self.anchor = span, None
        if anchor is not None:
            self.anchor = anchor
        self._history.clear()
        self._follow()

    def _follow(self) -> None:
        if not self.following:
            self.following = True
            self.follow_changed.emit(True)
        self.changed.emit(True)

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Show `factor` times as long: while running up to now, else around a moment (the middle)."""
        start, end = self.range()
        if self.following and around is None:
            self.span, self.anchor = min((end - start) * factor, LONGEST), None
            self.changed.emit(True)
            return
        middle = (start + end) / 2 if around is None else around
        self.show(middle - (middle - start) * factor, middle + (end - middle) * factor, by_user=True)

    def pan(self, seconds: float) -> None:
        """Move by so much time, later when positive."""
        start, end = self.range()
        self.show(start + seconds, end + seconds, by_user=True)

    def back(self) -> None:
        """Take the last zoom or pan back; before the first one it ran."""
        if not self._history:
            if not self.following:
                self._follow()
            return
        earlier = self._history.pop()
        self._since_gesture.invalidate()
        if earlier is None:
            self._follow()
        else:
            self.show(*earlier)
            self.changed.emit(True)

    @property
    def steps(self) -> int:
        """How many zooms and pans can be taken back."""
        return len(self._history)

    def _remember(self) -> None:
        """Keep the range from before this gesture; one burst of the wheel or one drag is one step."""
        fresh = not self._since_gesture.isValid() or self._since_gesture.elapsed() > _ONE_GESTURE_MS
        self._since_gesture.start()
        if fresh or (self.following and not self._history):
            self._history.append(None if self.following else self._standing)

    def end_gesture(self) -> None:
        """The next zoom or pan is a step of its own."""
        self._since_gesture.invalidate()

    # -- marks ---------------------------------------------------------------------------------------

    def set_cursor(self, name: str, moment: float | None) -> None:
        """Place measuring cursor "A" or "B"; None takes it away."""
        if moment is None:
            self.cursors.pop(name, None)
        else:
            self.cursors[name] = moment
        self.marked.emit()

    def clear_cursors(self) -> None:
        self.cursors.clear()
        self.marked.emit()

    def set_crosshair(self, moment: float | None) -> None:
        """Put the crosshair at a moment in all linked charts, or take it away."""
        if moment != self.crosshair:
            self.crosshair = moment
            self.marked.emit()

    def between(self) -> tuple[float, float] | None:
        """The stretch between the two cursors, earlier first; None while there are not two."""
        if len(self.cursors) < 2 or self.cursors["A"] == self.cursors["B"]:
            return None
        return min(self.cursors.values()), max(self.cursors.values())


def _within_reason(start: float, end: float) -> tuple[float, float]:
    """A range that is neither empty nor longer than what can be a time."""
    middle, length = (start + end) / 2, min(max(end - start, SHORTEST), LONGEST)
    return (start, end) if length == end - start else (middle - length / 2, middle + length / 2)
