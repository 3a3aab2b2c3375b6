"""One file on its way in, behind the window: read in a process, checked on a reader thread, applied at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from app.domain.errors import LinesideError, Refused
from app.domain.sheets.cells import Workbook
from app.operations.change import Outcome
from app.operations.import_files import ReadJob, read_in_worker
from app.operations.import_runs import ImportChoices, ImportDraft, begin_draft
from app.operations.imports import ImportSummary, apply_import, save_import_template
from ui.bridge.desk import Desk


class ImportWork(QObject):
    """`drafted` says that the draft was checked anew, `failed` a sentence, `busy` what is going on ("" when idle).

    `share` is the part done of an apply. A draft is checked by one thread at a time; what was chosen meanwhile
    is checked right after.
    """

    drafted = Signal()
    failed = Signal(str)
    busy = Signal(str)
    share = Signal(float)
    applied = Signal(object)
    _progressed = Signal(int, int)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._job: ReadJob | None = None
        self._book: Workbook | None = None
        self._choices = ImportChoices()
        self._fixes: dict[tuple[int, str], str] = {}
        self._skips: frozenset[int] = frozenset()
        self._round = 0
        self._checking = False
        self._again: bool | None = None
        self._stop = threading.Event()
        self.draft: ImportDraft | None = None
        self.path: Path | None = None
        self._progressed.connect(self._on_progress)

    @property
    def skips(self) -> frozenset[int]:
        return self._skips

    def open(self, path: Path) -> None:
        """Read another file; what was there is dropped."""
        self.close()
        self.path = path
        self.busy.emit(f"Reading {path.name}…")
        self._round += 1
        self._job = read_in_worker(path)
        self._desk.tasks.follow(
            self._job.future, self._on_read, owner=self, failed=self._on_not_read, key="read"
        )

    def close(self) -> None:
        """Forget the file; a reading that is under way is ended."""
        job, self._job = self._job, None
        if job is not None and not job.future.done():
            job.cancel()
        self._round += 1
        self._book, self.draft, self.path = None, None, None
        self._choices, self._fixes, self._skips = ImportChoices(), {}, frozenset()
        self._again = None
        self.busy.emit("")

    def stop(self) -> None:
        """End what is under way: reading is dropped, an apply is taken back whole."""
        self._stop.set()
        if self._job is not None and not self._job.future.done():
            name = self.path.name if self.path else "the file"
            self.close()
            self.failed.emit(f"Stopped reading {name}.")

    # -- what the person decides

    def choose(self, what: str, value: Any) -> None:
        """Another target, sheet or header row; what depended on the old one starts anew."""
        base = ImportChoices(
            self._choices.target, self._choices.sheet, self._choices.header_row, answers=self._choices.answers
        )
        if self.draft is not None and not base.target:
            base = replace(base, target=self.draft.target.key)
        kept = replace(base, header_row=0) if what == "sheet" else base
        if what == "target":
            kept = replace(kept, answers={})
        self._choices = replace(kept, **{what: value})
        self._fixes, self._skips = {}, frozenset()
        self._check(anew=True)

    def map_column(self, header: str, field: str) -> None:
        self._choices = replace(self._pinned(), columns={**self._choices.columns, header: field})
        self._check(anew=True)

    def answer(self, key: str, value: str) -> None:
        self._choices = replace(self._pinned(), answers={**self._choices.answers, key: value})
        self._check(anew=True)

    def _pinned(self) -> ImportChoices:
        """The choices with the place fixed where it was found, so that an answer does not move the table."""
        if self.draft is None:
            return self._choices
        layout = self.draft.layout
        known = self.draft.choices
        return replace(
            self._choices,
            target=layout.target,
            sheet=layout.sheet,
            header_row=layout.header_row,
            template=known.template,
            answers={**known.answers, **self._choices.answers},
        )

    def fix(self, fixes: Mapping[tuple[int, str], str]) -> None:
        self._fixes.update(fixes)
        self._check(anew=False)

    def skip(self, rows: frozenset[int]) -> None:
        self._skips |= rows
        self._check(anew=False)

    def recheck(self) -> None:
        """Compare with the store again: somebody may have changed it."""
        if self._book is not None:
            self._check(anew=True)

    # -- reading and checking

    def _on_read(self, book: Workbook) -> None:
        self._job, self._book = None, book
        self._check(anew=True)

    def _on_not_read(self, error: BaseException) -> None:
        self._job = None
        self.busy.emit("")
        self._tell(error)

    def _check(self, *, anew: bool) -> None:
        if self._checking:
            self._again = bool(self._again) or anew
            return
        book, choices, fixes, skips = self._book, self._choices, dict(self._fixes), self._skips
        if book is None:
            return
        self._checking, round_ = True, self._round
        self.busy.emit("Checking…")
        store, old = self._desk.house.store, self.draft

        def work() -> tuple[int, ImportDraft]:
            draft = begin_draft(store, book, choices) if anew or old is None else old
            if not anew or fixes or skips:
                draft.recheck(fixes, skips)
            return round_, draft

        self._desk.tasks.run(work, self._on_checked, owner=self, failed=self._on_unchecked)

    def _on_checked(self, checked: tuple[int, ImportDraft]) -> None:
        self._checking = False
        round_, draft = checked
        if round_ == self._round:
            self.draft = draft
        if self._again is not None:
            again, self._again = self._again, None
            self._check(anew=again)
            return
        self.busy.emit("")
        if round_ == self._round:
            self.drafted.emit()
        elif self._book is not None:
            self._check(anew=True)

    def _on_unchecked(self, error: BaseException) -> None:
        self._checking, self._again = False, None
        self.busy.emit("")
        self._tell(error)

    def _tell(self, error: BaseException) -> None:
        if isinstance(error, LinesideError):
            self.failed.emit(error.sentence)
        else:
            self._desk.tasks.unhandled.emit(error)

    # -- applying

    def apply(self) -> None:
        """Do what the dry run shows. `applied` carries the summary, `failed` the reason why nothing was written."""
        draft = self.draft
        if draft is None or self._checking:
            return
        self._stop.clear()
        self.busy.emit("Importing…")
        intent = apply_import(
            plan=draft.plan, file_name=draft.book.name, digest=draft.book.digest, progress=self._watch
        )
        self._desk.perform(intent, owner=self, done=self._on_applied, failed=self._on_refused)

    def _watch(self, done: int, total: int) -> None:
        """Called on the writer thread between batches."""
        if self._stop.is_set():
            raise Refused("The import was stopped; nothing was written.")
        self._progressed.emit(done, total)

    @Slot(int, int)
    def _on_progress(self, done: int, total: int) -> None:
        self.share.emit(done / total if total else 0.0)

    def _on_applied(self, outcome: Outcome[ImportSummary]) -> None:
        self.busy.emit("")
        self.applied.emit(outcome.result)
        draft = self.draft
        if draft is not None and (draft.choices.columns or draft.choices.answers):
            self._remember(draft)

    def _remember(self, draft: ImportDraft) -> None:
        """The next file with these headers gets the same choices; this is no change that anybody would undo."""
        actor = self._desk.actor
        if actor is None:
            return
        template = draft.template(Path(draft.book.name).stem)
        intent = save_import_template(
            name=template.name,
            target=draft.target.key,
            headers=template.headers,
            sheet=template.sheet,
            header_row=template.header_row,
            answers=template.answers,
        )
        self._desk.tasks.follow(
            self._desk.house.door.submit(intent, actor), _nothing, owner=self, failed=self._tell
        )

    def _on_refused(self, refusal: Refused) -> None:
        self.busy.emit("")
        self.failed.emit(refusal.sentence)


def _nothing(_outcome: object) -> None:
    """A remembered mapping needs no word."""
