"""Takes charts out of the program: samples into a file with progress and cancel, pictures, the clipboard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from app.domain.errors import Refused, WorldFault
from app.domain.plant import Tag
from app.store.history.export import Signal, Telling, export_history
from app.store.queries.corrections import corrections_of
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.charts.picture import charts_picture
from ui.screens.charts.range_picker import range_words
from ui.screens.charts.stack import ChartStack
from ui.widgets.chart_ticks import zone_words

JOB = "chart-export"
_KINDS = "CSV (*.csv);;Excel (*.xlsx);;Parquet (*.parquet)"


class ChartExport(QObject):
    """`progressed(words, share)` for the window's list of jobs (share 1: over), `told` a sentence about the result."""

    progressed = QtSignal(str, float)
    told = QtSignal(str)
    _share = QtSignal(float)

    def __init__(self, desk: Desk, live: LiveDesk, stack: ChartStack, host: QWidget) -> None:
        super().__init__(host)
        self._desk, self._live, self._stack, self._host = desk, live, stack, host
        self._stop = threading.Event()
        self._share.connect(self._tell_share)

    # -- files ---------------------------------------------------------------------------------------

    def choose_data_file(self) -> None:
        """Ask where the samples in view are to be written."""
        self._ask_file("Export samples", "samples.csv", _KINDS, self.export_data)

    def choose_picture_file(self) -> None:
        """Ask where a picture of the charts is to be written."""
        kinds = "PNG (*.png);;PNG, twice as sharp (*.png)"
        self._ask_file("Save picture", "charts.png", kinds, self.export_picture)

    def _ask_file(self, title: str, name: str, kinds: str, chosen: Callable[[str], None]) -> None:
        dialog = QFileDialog(self._host, title, name, kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.fileSelected.connect(partial(self._take_file, dialog, chosen))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _take_file(self, dialog: QFileDialog, chosen: Callable[[str], None], name: str) -> None:
        kind = dialog.selectedNameFilter()
        if "twice" in kind:
            self.export_picture(name, scale=2)
        elif name.endswith(".csv") and "*.csv" not in kind and "*.png" not in kind:
            chosen(str(Path(name).with_suffix(kind.rpartition("*")[2].rstrip(")"))))
        else:
            chosen(name)

    def export_data(self, name: str) -> None:
        """Write every stored sample in view, as it was corrected; the ending of the name says as what."""
        start, end = (datetime.fromtimestamp(m, UTC) for m in self._stack.window_of_time.range())
        self._stop = stop = threading.Event()
        telling = Telling(self._share.emit, stop.is_set)
        work = partial(_write, self._live, self._stack.tags, start, end, Path(name), telling)
        self.progressed.emit(f"Exporting to {Path(name).name}", 0.0)
        self._desk.tasks.run(work, partial(self._exported, name), owner=self, failed=self._not_exported)

    def cancel(self) -> None:
        """Stop the export; no file is left behind."""
        self._stop.set()

    def _tell_share(self, share: float) -> None:
        if share < 1.0 and not self._stop.is_set():
            self.progressed.emit("Exporting samples", share)

    def _exported(self, name: str, count: int) -> None:
        self._stop.set()
        self.progressed.emit("", 1.0)
        self.told.emit(f"{count:,} samples written to {name}.")

    def _not_exported(self, error: BaseException) -> None:
        self._stop.set()
        self.progressed.emit("", 1.0)
        if isinstance(error, Refused | WorldFault):
            self._desk.refused.emit(error.sentence)
        elif isinstance(error, OSError):
            self._desk.refused.emit(f"The file cannot be written: {error.strerror or error}.")
        else:
            self._desk.tasks.unhandled.emit(error)

    # -- pictures ------------------------------------------------------------------------------------

    def picture(self, scale: int = 1) -> QImage:
        """The charts with title and range of time."""
        start, end = self._stack.window_of_time.range()
        names = ", ".join(tag.name for tag in self._stack.tags[:8])
        more = len(self._stack.tags) - 8
        title = f"{names} and {more} more" if more > 0 else names
        about = f"{range_words(start, end)} {zone_words(start, end)}"
        if self._stack.comparison is not None:
            about += f" · lighter: {self._stack.comparison.words}"
        return charts_picture(self._stack.charts, title, about, scale)

    def export_picture(self, name: str, scale: int = 1) -> None:
        """Write the charts as PNG."""
        work = partial(_save, self.picture(scale), name)
        self._desk.tasks.run(work, self._saved, owner=self, failed=self._not_exported)

    def _saved(self, name: str) -> None:
        self.told.emit(f"The picture was written to {name}.")

    def copy_picture(self) -> None:
        """Put a picture on the clipboard."""
        QGuiApplication.clipboard().setImage(self.picture())
        self.told.emit("A picture of the charts is on the clipboard.")


def _write(
    live: LiveDesk, tags: Sequence[Tag], start: datetime, end: datetime, path: Path, telling: Telling
) -> int:
    """For a reader thread: the export with the corrections that stand now."""
    with live.desk.house.store.reader() as session:
        corrections = {tag.name: corrections_of(session, tag.name, start, end) for tag in tags}
    signals = [Signal(tag.name, tag.unit) for tag in tags]
    return export_history(
        live.all_history, signals, start, end, path, corrections=corrections, telling=telling
    )


def _save(image: QImage, name: str) -> str:
    if not image.save(name, "PNG"):  # type: ignore[call-overload]  # the stub of 6.11 asks for bytes, Qt takes str
        raise OSError(f"the picture could not be written to {name}")
    return name
