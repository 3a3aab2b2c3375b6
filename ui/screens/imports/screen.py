"""The import of Excel and CSV files: drop one, see what it would do, mend what is wrong, apply it as one change."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QToolButton, QWidget

from app.operations.import_files import is_importable, write_error_workbook
from app.operations.import_runs import ImportDraft
from app.operations.imports import ImportSummary
from app.store.queries.imports import recent_runs
from ui.actions import ActionSet
from ui.bridge.desk import EVERYTHING, Desk
from ui.models.import_work import ImportWork
from ui.screens.imports.apply_page import ApplyPage
from ui.screens.imports.file_page import FilePage
from ui.screens.imports.fix_page import FixPage
from ui.screens.imports.map_page import MapPage
from ui.screens.imports.start_page import StartPage
from ui.widgets.pane import Pane

_STEPS = ("① File", "② Map", "③ Fix", "④ Apply")
_START, _FILE, _MAP, _FIX, _APPLY = range(5)
_SURE = 0.95
_JOB = "import"
_KINDS = "Tables (*.xlsx *.xlsm *.xlsb *.xls *.ods *.csv *.tsv *.txt);;All files (*)"


class ImportScreen(Pane):
    """Four steps over one file; while no file is open, the place to drop one and the imports done before."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("import", "Import", parent)
        self._desk = desk
        self._summary: ImportSummary | None = None
        self._arriving = False
        self.setAcceptDrops(True)
        self.work = ImportWork(desk, self)
        self.actions_set = ActionSet(
            self,
            desk,
            {
                "import.choose": self.choose_file,
                "import.back": self.back,
                "import.next": self.next,
                "import.error": self.next_error,
                "import.apply": self.apply,
                "refresh": self.refresh,
            },
        )
        self.start = StartPage(self.actions_set.button("import.choose"))
        self.file, self.map, self.fix, self.apply_page = FilePage(), MapPage(), FixPage(), ApplyPage()
        self.stack = QStackedWidget()
        self.steps: list[QToolButton] = []
        self._runs_soon = QTimer(self, singleShot=True, interval=60)
        self._build()
        self._connect()
        self._show_step(_START)
        self.refresh()

    def _build(self) -> None:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for number, title in enumerate(_STEPS, start=1):
            step = QToolButton()
            step.setText(title)
            step.setCheckable(True)
            step.setAutoRaise(True)
            step.setObjectName(f"import-step-{number}")
            step.setMinimumHeight(self.theme.density.control_height)
            step.setProperty("step", number)
            step.clicked.connect(self._step_clicked)
            self.steps.append(step)
            row.addWidget(step)
        row.addStretch(1)
        self._steps_bar = bar
        self.body.addWidget(bar)
        for page in (self.start, self.file, self.map, self.fix, self.apply_page):
            self.stack.addWidget(page)
        self.body.addWidget(self.stack, 1)
        for key in ("import.back", "import.next", "import.apply"):
            self.add_tool(self.actions_set.button(key))

    def _connect(self) -> None:
        self.work.drafted.connect(self._on_drafted)
        self.work.failed.connect(self._on_failed)
        self.work.busy.connect(self._on_busy)
        self.work.share.connect(self._on_share)
        self.work.applied.connect(self._on_applied)
        self.file.chosen.connect(self.work.choose)
        self.map.mapped.connect(self.work.map_column)
        self.map.answered.connect(self.work.answer)
        self.fix.fixed.connect(self.work.fix)
        self.fix.skipped.connect(self.work.skip)
        self.fix.export_requested.connect(self.export_errors)
        self.start.undo_requested.connect(self._desk.undo)
        self.apply_page.list_requested.connect(self._show_list)
        self.apply_page.undo_requested.connect(self._undo_summary)
        self.apply_page.again_requested.connect(self.leave)
        self._desk.changed.connect(self._on_changed)
        self._runs_soon.timeout.connect(self.refresh)
        self.banner.action_requested.connect(self._retry)

    # -- the file

    def open_with(self, argument: object) -> None:
        """The window opens this place with a dropped file."""
        if isinstance(argument, str) and argument:
            argument = Path(argument)
        if isinstance(argument, Path):
            self.open_file(argument)

    def open_file(self, path: Path) -> None:
        """Read and check a file."""
        reason = self.actions_set.reason("import.choose")
        if reason is not None:
            self._desk.refused.emit(reason)
            return
        self._summary = None
        self._arriving = True
        self.banner.show_text("")
        self.work.open(path)

    def choose_file(self) -> None:
        dialog = QFileDialog(self, "Import a file", "", _KINDS)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_file)
        dialog.open()

    def _on_file(self, path: str) -> None:
        self.open_file(Path(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(is_importable(Path(url.toLocalFile())) for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if is_importable(Path(url.toLocalFile())):
                event.acceptProposedAction()
                self.open_file(Path(url.toLocalFile()))
                return

    def leave(self) -> None:
        """Back to the start; the file itself was never touched."""
        self.work.close()
        self._summary = None
        self.banner.show_text("")
        self._show_step(_START)
        self.refresh()

    def cancel_job(self, key: str) -> None:
        if key == _JOB:
            self.work.stop()

    # -- what is shown

    def refresh(self) -> None:
        self._desk.read(
            recent_runs, self.start.show_runs, owner=self, key="runs", failed=self._on_runs_failed
        )

    def _on_runs_failed(self, error: BaseException) -> None:
        self.banner.show_text(f"The list of imports could not be read: {error}", "Retry")

    def _on_changed(self, entities: frozenset[str]) -> None:
        if entities == EVERYTHING or "import_run" in entities:
            self._runs_soon.start()

    def _on_drafted(self) -> None:
        draft = self.work.draft
        if draft is None:
            return
        self.banner.show_text("")
        self.file.show_draft(draft)
        self.map.show_draft(draft)
        self.fix.show_plan(draft.plan)
        self.apply_page.show_plan(draft.plan)
        if self._arriving:
            self._arriving = False
            self._show_step(_first_step(draft))
        else:
            self._show_step(self.stack.currentIndex())

    def _on_failed(self, sentence: str) -> None:
        self.banner.show_text(sentence, "Check again" if self.work.draft is not None else "")

    def _retry(self) -> None:
        self.banner.show_text("")
        if self.work.draft is not None:
            self.work.recheck()
        self.refresh()

    def _on_busy(self, words: str) -> None:
        if words:
            self.loading.start(words)
            self.job_changed.emit(_JOB, words, -1.0)
        else:
            self.loading.finish()
            self.job_changed.emit(_JOB, "", 1.0)
        self._offer()

    def _on_share(self, share: float) -> None:
        self.loading.set_progress(share, "Importing…")
        self.job_changed.emit(_JOB, "Importing…", min(share, 0.99))

    # -- steps

    def _step_clicked(self) -> None:
        sender = self.sender()
        if sender is not None:
            self._show_step(int(sender.property("step")))

    def _show_step(self, step: int) -> None:
        self.stack.setCurrentIndex(step)
        self._steps_bar.setVisible(step != _START)
        plan = self.work.draft.plan if self.work.draft is not None else None
        for number, button in enumerate(self.steps, start=1):
            button.setChecked(number == step)
            errors = len(plan.errors) if plan is not None and number == _FIX else 0
            button.setText(f"{_STEPS[number - 1]}{f' ({errors:,})' if errors else ''}")
        self._offer()

    def _offer(self) -> None:
        """Show one primary button, and say why it is not available."""
        step, plan = self.stack.currentIndex(), self.work.draft.plan if self.work.draft else None
        done = self._summary is not None
        visible = {
            "import.back": step != _START and not done,
            "import.next": _START < step < _APPLY,
            "import.apply": step == _APPLY and not done,
        }
        for key, shown in visible.items():
            button = self.findChild(QWidget, f"button-{key}")
            if button is not None:
                button.setVisible(shown)
        reason = None
        if plan is None:
            reason = "Choose a file first."
        elif plan.errors:
            reason = f"{len(plan.errors):,} cells have errors; fix or skip them first (F7)."
        elif not plan.counts.get("create", 0) and not plan.counts.get("change", 0):
            reason = "Every row is here already."
        elif done:
            reason = "This file was imported."
        self.actions_set.set_unavailable("import.apply", reason)
        self.actions_set.set_unavailable("import.next", None if plan is not None else "Choose a file first.")

    def next(self) -> None:
        """To the next step; fixing is passed over when there is nothing to fix."""
        step = self.stack.currentIndex() + 1
        plan = self.work.draft.plan if self.work.draft is not None else None
        if step == _FIX and plan is not None and not plan.errors:
            step = _APPLY
        self._show_step(min(step, _APPLY))

    def back(self) -> None:
        """To the step before; nothing that was decided is lost."""
        step = self.stack.currentIndex()
        if step == _FILE:
            self.leave()
        elif step > _FILE and self._summary is None:
            plan = self.work.draft.plan if self.work.draft is not None else None
            untouched = plan is not None and not plan.errors and not self.work.skips
            self._show_step(_MAP if step == _APPLY and untouched else step - 1)

    def next_error(self) -> None:
        if self.work.draft is not None and self.work.draft.plan.errors:
            self._show_step(_FIX)
            self.fix.next_error()

    # -- doing it

    def apply(self) -> None:
        """All of it in one change."""
        self.banner.show_text("")
        self.work.apply()

    def _on_applied(self, summary: ImportSummary) -> None:
        self._summary = summary
        self.apply_page.show_summary(summary)
        self._show_step(_APPLY)

    def _show_list(self) -> None:
        if self._summary is not None and self._summary.target == "work-orders":
            self.open_requested.emit("orders", "")
        else:
            self.leave()

    def _undo_summary(self) -> None:
        if self._summary is not None:
            change_id: UUID = self._summary.change_id
            self._desk.undo(change_id)
            self.leave()

    def export_errors(self) -> None:
        """Write the errors as a workbook, for whoever made the file."""
        name = f"{self.work.path.stem if self.work.path else 'import'}-errors.xlsx"
        dialog = QFileDialog(self, "Export errors", name, "Excel (*.xlsx)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("xlsx")
        dialog.fileSelected.connect(self.write_errors)
        dialog.open()

    def write_errors(self, path: str) -> None:
        """Write the errors to `path` behind the window."""
        draft = self.work.draft
        if draft is None:
            return
        errors = draft.plan.errors

        def work() -> None:
            write_error_workbook(Path(path), errors)

        self._desk.tasks.run(work, self._on_exported, owner=self, failed=self._on_not_exported)

    def _on_exported(self, _nothing: object) -> None:
        self.banner.show_text("The errors were written to the file.")

    def _on_not_exported(self, error: BaseException) -> None:
        self.banner.show_text(str(error))


def _first_step(draft: ImportDraft) -> int:
    """Where a person is needed first: at open questions and doubtful columns, then at errors."""
    open_questions = any(not question.answered for question in draft.plan.questions)
    unsure = any(column.field and column.confidence < _SURE for column in draft.columns())
    if open_questions or unsure:
        return _MAP
    return _FIX if draft.plan.errors else _APPLY
