"""Eight curves of a million points each, streaming: how long a frame takes while they run, are panned and zoomed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from tests.bench.figures import Figure

CURVES = 8
POINTS = 1_000_000
FRAMES = 60
SIZE = (1600, 900)
_START = 1_790_000_000.0
_STEP = 0.1  # s between two points

Floats = NDArray[np.float64]


def bench_charts() -> Iterator[Figure]:
    """Time from new data to painted pixels (offscreen raster), against pyqtgraph given all points each frame."""
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    t, curves = _points()
    plain = _plain_frame(app, t, curves)
    for charts, words in ((2, "2 charts of 4 curves"), (8, "8 charts of 1 curve")):
        yield from _ours(app, t, curves, charts, words, plain)


def _points() -> tuple[Floats, list[Floats]]:
    """Noisy waves that fill the pixels: the dear case for a painter."""
    noise = np.random.default_rng(7)
    count = np.arange(POINTS)
    t: Floats = _START + count.astype(np.float64) * _STEP
    return t, [70 + 6 * n + 5 * np.sin(count / 5e4 + n) + noise.normal(0, 0.6, POINTS) for n in range(CURVES)]


def _ours(
    app: object, t: Floats, curves: list[Floats], charts: int, words: str, plain: float
) -> Iterator[Figure]:
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    from ui.theme import Theme, install_theme
    from ui.widgets.chart import Trace, TrendChart
    from ui.widgets.chart_time import TimeWindow

    if Theme.installed is None:
        install_theme(app, "light")  # type: ignore[arg-type]  # checked by the caller
    window = TimeWindow(POINTS * _STEP)
    page = QWidget()
    layout = QVBoxLayout(page)
    made = [TrendChart(window=window) for _ in range(charts)]
    started = time.perf_counter()
    for number, values in enumerate(curves):
        chart = made[number * charts // CURVES]
        chart.set_series(str(number), f"Oven {number} temperature", "°C")
        chart.set_trace(str(number), Trace(t, values))
    built = time.perf_counter() - started
    for chart in made:
        layout.addWidget(chart)
    page.resize(*SIZE)
    page.show()
    end = float(t[-1])

    def stream(frame: int) -> None:
        moment = np.array([end + (stream_frames[0] + 1) * 0.033])
        stream_frames[0] += 1
        for number, values in enumerate(curves):
            made[number * charts // CURVES].extend(str(number), moment, values[frame : frame + 1])

    stream_frames = [0]

    def run(frame: int) -> None:
        window.set_now(end + stream_frames[0] * 0.033)

    def pan(_frame: int) -> None:
        window.pan(-POINTS * _STEP / 200)

    def zoom(frame: int) -> None:
        window.zoom(0.85 if frame % FRAMES < FRAMES // 2 else 1 / 0.85, end - POINTS * _STEP / 3)

    for name, move in (
        ("running, all points in view", run),
        ("panned, all points in view", pan),
        ("zoomed", zoom),
    ):
        window.run(POINTS * _STEP)
        p95, busy = _p95(page.repaint, stream, move, QCoreApplication.processEvents)
        yield Figure(
            f"{words} × 1,000,000: frame while {name}, p95",
            p95 * 1000,
            "ms",
            33.0,
            against=plain * 1000,
            against_what="pyqtgraph with all points",
        )
        yield Figure("  the same in processor time", busy * 1000, "ms")
    yield Figure("  building the pyramids of 8 × 1,000,000 points", built * 1000, "ms")
    page.close()
    page.deleteLater()
    QCoreApplication.processEvents()


def _p95(
    paint: Callable[[], None],
    stream: Callable[[int], None],
    move: Callable[[int], None],
    settle: Callable[[], None],
) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    durations = []
    for frame in range(FRAMES + 5):
        started, worked = time.perf_counter(), time.process_time()
        stream(frame)
        move(frame)
        paint()
        settle()
        if frame >= 5:
            durations.append((time.perf_counter() - started, time.process_time() - worked))
    by_clock, by_processor = np.percentile(np.array(durations), 95, axis=0)
    return float(by_clock), float(by_processor)


def _plain_frame(app: object, t: Floats, curves: list[Floats]) -> float:
    """The same picture by handing a plot widget all points in every frame; a few frames say enough."""
    import pyqtgraph as pg
    from PySide6.QtCore import QCoreApplication

    plot = pg.PlotWidget()
    items = [plot.plot(pen=pg.intColor(number)) for number in range(CURVES)]
    plot.resize(*SIZE)
    plot.show()
    durations = []
    for frame in range(4):
        started = time.perf_counter()
        for item, values in zip(items, curves, strict=True):
            item.setData(t + frame, values)
        plot.repaint()
        QCoreApplication.processEvents()
        durations.append(time.perf_counter() - started)
    plot.close()
    plot.deleteLater()
    QCoreApplication.processEvents()
    return float(np.median(durations[1:]))
