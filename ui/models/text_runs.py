"""What signals of text said when: stored runs with the live end joined on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.domain.samples import Sample, is_bad
from ui.bridge.live import LiveDesk
from ui.widgets.chart_series import TextRun

_MOST = 5000


def runs(samples: Sequence[Sample], until: float) -> list[TextRun]:
    """Samples as stretches of equal text; a bad one is a stretch without text. The last one holds `until`."""
    found: list[TextRun] = []
    for sample in samples:
        text = "" if is_bad(sample.quality) or sample.value is None else str(sample.value)
        start = sample.source_time.timestamp()
        if found and found[-1].text == text:
            continue
        if found:
            found[-1] = TextRun(found[-1].start, start, found[-1].text)
        found.append(TextRun(start, start, text))
    if found:
        found[-1] = TextRun(found[-1].start, max(until, found[-1].start), found[-1].text)
    return found


class TextSource(QObject):
    """Reads texts off the GUI thread; `loaded` names the tag whose runs are better now."""

    loaded = Signal(str)

    def __init__(self, live: LiveDesk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._samples: dict[str, list[Sample]] = {}
        self._spans: dict[str, tuple[float, float]] = {}

    def want(self, tag: str, start: float, end: float) -> None:
        """See to it that the texts from `start` to `end` are there; those that come in live are kept anyway."""
        known = self._spans.get(tag)
        if (
            known is not None
            and known[0] <= start
            and min(end, self._live.now().timestamp()) <= known[1] + 10.0
        ):
            return
        margin = (end - start) * 0.5
        first, last = start - margin, end + margin
        self._spans[tag] = (first, last)
        self._live.desk.tasks.run(
            partial(self._read, tag, first, last), partial(self._take, tag), owner=self, key=f"texts {tag}"
        )

    def _read(self, tag: str, first: float, last: float) -> list[Sample]:
        start, end = (datetime.fromtimestamp(moment, UTC) for moment in (first, last))
        before = self._live.all_history.before(tag, start)
        found = self._live.all_history.samples(tag, start, end, _MOST)
        return found if before is None else [before, *found]

    def _take(self, tag: str, samples: list[Sample]) -> None:
        self._samples[tag] = samples
        self.loaded.emit(tag)

    def forget(self, tag: str) -> None:
        self._samples.pop(tag, None)
        self._spans.pop(tag, None)

    def runs(self, tag: str) -> list[TextRun]:
        """Stored and live texts up to now."""
        samples, latest = self._samples.setdefault(tag, []), self._live.latest(tag)
        if latest is not None and (not samples or samples[-1].source_time < latest.source_time):
            samples.append(latest)
            del samples[:-_MOST]
        plant_tag = self._live.plant.tag(tag)
        confirmed = self._live.confirmed(plant_tag) if plant_tag is not None else None
        newest = samples[-1].source_time.timestamp() if samples else 0.0
        return runs(samples, max(newest, confirmed.timestamp() if confirmed is not None else newest))
