"""Which values the axis of a chart spans: what is in view with its band and near limits, without jerking while live."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ui.widgets.chart_marks import LimitLine
from ui.widgets.chart_series import Series

_STILL_FILLS = 0.6


def fitted(
    shown: Sequence[Series],
    band: tuple[float, float] | None,
    limits: Sequence[LimitLine],
    label_share: float,
    kept: tuple[float, float] | None,
) -> tuple[float, float]:
    """Lowest and highest value of the axis.

    `label_share` is the part of the height that the name of the topmost limit takes; `kept` is the present axis,
    which stays as long as everything fits into it and fills most of it.
    """
    spans = [span for series in shown if (span := _span(series)) is not None]
    if band is not None:
        spans.append(band)
    low = min((span[0] for span in spans), default=0.0)
    high = max((span[1] for span in spans), default=1.0)
    room = (high - low) * 0.35
    near = [line.value for line in limits if low - room <= line.value <= high + room]
    low, high = min([low, *near]), max([high, *near])
    if (
        kept is not None
        and kept[0] <= low
        and high <= kept[1]
        and high - low > _STILL_FILLS * (kept[1] - kept[0])
    ):
        return kept
    margin = (high - low) * 0.08 or max(abs(high) * 0.05, 0.5)
    above = max(margin, (high - low) * label_share / (1.0 - label_share)) if high in near else margin
    return low - margin, high + above


def _span(series: Series) -> tuple[float, float] | None:
    if series.states and series.kind == "steps":
        return float(min(series.states)), float(max(series.states))
    spans = []
    for columns in (series.seen, series.compared_seen):
        known = np.isfinite(columns.lo) if columns is not None else np.zeros(0, np.bool_)
        if columns is not None and known.any():
            spans.append((float(columns.lo[known].min()), float(columns.hi[known].max())))
    return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None
