"""Samples that wait for a disk which refuses them: bounded, counted, and marked where some are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.samples import Quality, Sample
from app.live.backlog import Backlog

T0 = datetime(2026, 3, 4, tzinfo=UTC)


def sample(tag: str, second: int) -> Sample:
    at = T0 + timedelta(seconds=second)
    return Sample(tag, at, at, float(second), Quality.GOOD)


@given(
    tags=st.lists(st.sampled_from("abc"), max_size=120),
    cuts=st.lists(st.integers(1, 30), max_size=8),
)
def test_what_is_lost_is_counted_and_has_one_mark_a_tag_where_it_began(
    tags: list[str], cuts: list[int]
) -> None:
    backlog = Backlog(most=20)
    offered = [sample(tag, i) for i, tag in enumerate(tags)]
    waiting = iter(offered)
    for cut in cuts:  # the disk refuses batch after batch
        backlog.add(s for _, s in zip(range(cut), waiting, strict=False))
        backlog.give_back(backlog.take())
        assert len(backlog) <= 20
    backlog.add(waiting)
    batch = backlog.take()
    marks = {s.tag: s for s in batch if s.quality == Quality.BAD_DATA_LOST}
    stored = [s for s in batch if s.quality != Quality.BAD_DATA_LOST]
    lost = [s for s in offered if s not in stored]
    assert backlog.given_up == len(lost)
    assert len(batch) == len(stored) + len(marks)
    assert marks.keys() == {s.tag for s in lost}
    for tag, mark in marks.items():
        assert mark.source_time == min(s.source_time for s in lost if s.tag == tag)
    assert {s.tag: s for s in stored} == {s.tag: s for s in offered}  # the newest of each tag is never lost
    assert not backlog.take()
