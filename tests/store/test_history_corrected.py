"""Corrections laid over the history: curves agree with corrected samples, what was measured stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.corrections import Correction, CorrectionKind
from app.domain.samples import Quality
from app.store.history import HistoryReader, HistoryWriter, Keeping, curves, sealing
from tests.chance import examples
from tests.store.test_history_sealing import LATER, SOON, T0, at, moment, seal_all

CORRECTION = st.builds(
    lambda start, length, kind, amount: Correction(
        "M/x",
        moment(start),
        moment(start + length),
        kind,
        None if kind is CorrectionKind.EXCLUDE else amount,
    ),
    st.integers(0, 100),
    st.integers(1, 60),
    st.sampled_from(CorrectionKind),
    st.sampled_from([-2.0, 0.5, 3.0]),
)
SERIES = st.lists(
    st.tuples(st.integers(0, 150), st.integers(-50, 50), st.sampled_from([Quality.GOOD, Quality.BAD])),
    min_size=1,
    max_size=60,
)


@given(SERIES, st.lists(CORRECTION, max_size=3), st.booleans(), st.integers(1, 30))
@examples(50)
def test_a_corrected_curve_agrees_with_the_corrected_samples(
    tmp_path_factory: pytest.TempPathFactory,
    series: list[tuple[int, int, int]],
    corrections: list[Correction],
    sealed: bool,
    pixels: int,
) -> None:
    path = tmp_path_factory.mktemp("corrected") / "history.sqlite"
    with HistoryWriter(path, keeping=SOON) as writer, HistoryReader(path) as reader:
        writer.write([at(s, float(v), q) for s, v, q in series])
        if sealed:
            seal_all(writer)
        samples = reader.samples("M/x", T0, moment(200), corrections=corrections)
        curve = reader.buckets("M/x", T0, moment(200), pixels, corrections)
        assert [s.value for s in reader.samples("M/x", T0, LATER)] == [
            float(v) for _, v, _ in sorted(series, key=lambda row: row[0])
        ]
    good = [s.value for s in samples if s.good and isinstance(s.value, float)]
    assert np.isclose(curve.good_fraction @ curve.count, len(good))
    touched = any(c.start <= s.source_time < c.end for s in samples for c in corrections)
    assert bool(curve.corrected.any()) == touched
    if good:
        seen = curve.good_fraction > 0
        assert (np.nanmin(curve.min), np.nanmax(curve.max)) == (min(good), max(good))
        assert np.isclose((curve.mean * curve.count * curve.good_fraction)[seen].sum(), sum(good), atol=1e-6)


def test_corrections_reach_into_whole_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "EXACT", 1000)
    monkeypatch.setattr(sealing, "MOST", 2000)
    path = tmp_path / "history.sqlite"
    with (
        HistoryWriter(path, keeping=Keeping(seal_after=timedelta(0))) as writer,
        HistoryReader(path) as reader,
    ):
        writer.write([at(s, 20.0 + s % 2) for s in range(36_000)])
        seal_all(writer)
        doubled = Correction("M/x", moment(10_000), moment(20_000), CorrectionKind.FACTOR, -2.0)
        curve = reader.buckets("M/x", T0, moment(36_000), 36, [doubled])
    assert (curve.min.min(), curve.max.max(), curve.count.sum()) == (-42.0, 21.0, 36_000)
    assert curve.corrected.tolist() == [10 <= n < 20 for n in range(36)]
    np.testing.assert_allclose(curve.mean, [-41.0 if 10 <= n < 20 else 20.5 for n in range(36)], rtol=1e-4)
