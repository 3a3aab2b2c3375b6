"""Where the plot of a chart lies on its widget, and which times and values it spans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QRectF

from ui.widgets.chart_trace import Floats

_FAR = 32_000.0  # px; beyond this the painter's own numbers overflow


@dataclass
class PlotFrame:
    """`box` in pixels of the widget; times in epoch seconds."""

    box: QRectF = field(default_factory=QRectF)
    t0: float = 0.0
    t1: float = 1.0
    y0: float = 0.0
    y1: float = 1.0

    def x(self, t: float) -> float:
        return self.box.left() + (t - self.t0) / max(self.t1 - self.t0, 1e-9) * self.box.width()

    def y(self, value: float) -> float:
        return self.box.bottom() - (value - self.y0) / max(self.y1 - self.y0, 1e-12) * self.box.height()

    def moment(self, x: float) -> float:
        return self.t0 + (x - self.box.left()) / max(self.box.width(), 1.0) * (self.t1 - self.t0)

    def xs(self, t: Floats) -> Floats:
        """`x` of many moments, as far as a painter can reach."""
        scale = self.box.width() / max(self.t1 - self.t0, 1e-9)
        return np.clip(self.box.left() + (t - self.t0) * scale, -_FAR, _FAR)

    def ys(self, values: Floats) -> Floats:
        """`y` of many values, as far as a painter can reach; NaN stays NaN."""
        scale = self.box.height() / max(self.y1 - self.y0, 1e-12)
        return np.clip(self.box.bottom() - (values - self.y0) * scale, -_FAR, _FAR)
