"""Bugs: each becomes a report file and a card that blocks nothing; the program lives on."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.crash_report import FOLDER_NAME, CrashReport, write_report
from app.domain.errors import LinesideError
from ui.widgets.buttons import ActionButton
from ui.widgets.dialog_card import DialogCard
from ui.widgets.themed import RoleLabel


class CrashReports(QObject):
    """Takes exceptions from anywhere, on any thread, and writes each to `folder` before it tells of it.

    A failure of the world or a refusal is no bug: it comes out of `expected` instead.
    """

    happened = Signal(object)
    expected = Signal(str)
    _came = Signal(object)

    def __init__(self, data_dir: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._data_dir = data_dir
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._hooks: tuple[Any, Any] | None = None

    @property
    def folder(self) -> Path:
        return self._data_dir / FOLDER_NAME

    def move_to(self, data_dir: Path) -> None:
        """Another data folder was chosen."""
        self._data_dir = data_dir

    def install(self) -> None:
        """Hear of what nobody caught on the GUI thread and on others."""
        self._hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._from_main
        threading.excepthook = self._from_thread

    def uninstall(self) -> None:
        if self._hooks is not None:
            sys.excepthook, threading.excepthook = self._hooks
            self._hooks = None

    def report(self, error: BaseException) -> None:
        """Note an exception; may be called on any thread."""
        self._came.emit(error)

    def from_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handler for an asyncio loop."""
        error = context.get("exception")
        self.report(error if isinstance(error, BaseException) else RuntimeError(str(context.get("message"))))

    def _from_main(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            QGuiApplication.quit()
            return
        self.report(error)

    def _from_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.report(args.exc_value)

    def _take(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self.expected.emit(error.sentence)
            return
        self.happened.emit(write_report(self._data_dir, error, process="desktop"))


class CrashCards(QObject):
    """Shows one card a window at a time; further reports are counted on it."""

    def __init__(self, reports: CrashReports, host: Callable[[], QWidget | None]) -> None:
        super().__init__(reports)
        self._reports = reports
        self._host = host
        self._card: DialogCard | None = None
        self._body: CrashBody | None = None
        reports.happened.connect(self._show)

    def _show(self, report: CrashReport) -> None:
        host = self._host()
        if self._body is not None:
            self._body.show_report(report)
            return
        if host is None:
            return
        self._body = CrashBody(self._reports.folder)
        self._body.show_report(report)
        self._card = DialogCard("Something went wrong", self._body, host)
        self._card.setObjectName("crashCard")
        self._body.close_requested.connect(self._card.close)
        self._card.destroyed.connect(self._gone)
        self._card.show_card()

    def _gone(self) -> None:
        self._card = self._body = None


class CrashBody(QWidget):
    """What happened in words a person can use, and the details for whoever repairs it."""

    close_requested = Signal()

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._text = ""
        self._count = 0
        self._words = RoleLabel()
        self._words.setWordWrap(True)
        self._words.setMinimumWidth(420)
        self._what = RoleLabel("", "meta", "text2")
        self._what.setWordWrap(True)
        copy, folder_button = ActionButton("Copy details"), ActionButton("Open folder")
        close = ActionButton("Close", primary=True)
        copy.clicked.connect(self._copy)
        folder_button.clicked.connect(self._open_folder)
        close.clicked.connect(self.close_requested)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(copy)
        buttons.addWidget(folder_button)
        buttons.addStretch(1)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 16, 12)
        layout.setSpacing(12)
        layout.addWidget(self._words)
        layout.addWidget(self._what)
        layout.addLayout(buttons)

    def show_report(self, report: CrashReport) -> None:
        self._count += 1
        self._text = report.text
        times = f" ({self._count} times)" if self._count > 1 else ""
        where = "A report was written." if report.file else "A report could not be written; copy the details."
        self._words.setText(
            f"Lineside made a mistake{times}. Your data is safe: everything that was saved stays saved, "
            f"and the window goes on. {where}"
        )
        self._what.setText(f"{type(report.error).__name__}: {report.error}"[:300])

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
