"""Second step of the wizard: does the machine answer, and if not, what to do; a stranger's certificate is shown."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.domain.errors import LinesideError
from ui.bridge.machine_talk import MachineTalk, ServerCertificate, UnknownServer
from ui.screens.machines.draft import PROTOCOL_NAMES, Draft
from ui.widgets.buttons import ActionButton
from ui.widgets.glyphs import StateGlyph
from ui.widgets.states import LoadingBar
from ui.widgets.themed import RoleLabel


class TrustPanel(QWidget):
    """What a person has to compare before trusting a machine."""

    trusted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trust-panel")
        self._fingerprint = ""
        self._head = RoleLabel("", "strong")
        self._head.setWordWrap(True)
        self._values = {k: RoleLabel() for k in ("Issued to", "Valid", "Fingerprint (SHA-256)")}
        self.button = ActionButton("Trust this machine", primary=True, icon="shield-check")
        self.button.setObjectName("trust-button")
        self.button.clicked.connect(self._clicked)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setColumnStretch(1, 1)
        for row, (name, label) in enumerate(self._values.items()):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(RoleLabel(name, "body", "text2"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label, row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._head)
        layout.addLayout(grid)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_certificate(self, certificate: ServerCertificate, changed: bool) -> None:
        """Fill the panel; a certificate that replaced a trusted one is said so."""
        self._fingerprint = certificate.fingerprint
        self._head.setText(
            "This machine shows another certificate than the one that was trusted. Find out why before you go on."
            if changed
            else "Nobody has said yet that this machine may be believed. Compare with the machine's own display."
        )
        digits = certificate.fingerprint.upper()
        pairs = [digits[i : i + 2] for i in range(0, len(digits), 2)]
        lines = [":".join(pairs[i : i + 16]) for i in range(0, len(pairs), 16)]
        self._values["Issued to"].setText(certificate.subject)
        self._values["Valid"].setText(
            f"{certificate.valid_from:%d %b %Y} to {certificate.valid_until:%d %b %Y}"
        )
        self._values["Fingerprint (SHA-256)"].setText("\n".join(lines))
        self.show()
        self.button.setFocus()

    def _clicked(self) -> None:
        self.hide()
        self.trusted.emit(self._fingerprint)


class TryPage(QWidget):
    """Tests the draft's connection; `changed` when the answer is there."""

    changed = Signal()

    def __init__(self, draft: Draft, talk: MachineTalk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft, self._talk = draft, talk
        self._asking: Future[str] | None = None
        self.answered = False
        self._what = RoleLabel("", "section")
        self._glyph = StateGlyph("unknown", 28)
        self._verdict = RoleLabel("", "body")
        self._verdict.setObjectName("wizard-verdict")
        self._verdict.setWordWrap(True)
        self._verdict.setMaximumWidth(720)
        self.loading = LoadingBar(cancellable=True)
        self.loading.setMaximumWidth(720)
        self.loading.cancelled.connect(self.cancel)
        self.trust = TrustPanel()
        self.trust.trusted.connect(self._trusted)
        self.again = ActionButton("Test again", icon="arrow-clockwise")
        self.again.clicked.connect(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        for part in (self._what, self._glyph, self._verdict, self.trust):
            layout.addWidget(part)
        layout.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self.loading)
        layout.addStretch(1)

    @property
    def verdict(self) -> str:
        """What the test found out, in a sentence."""
        return self._verdict.text()

    def start(self) -> None:
        """Call the machine."""
        connection = self._draft.connection
        assert connection is not None
        self.answered = False
        self.trust.hide()
        self.again.hide()
        self._what.setText(f"{connection.name} · {PROTOCOL_NAMES[connection.driver]} · {connection.url}")
        self._show("unknown", "Calling the machine…")
        self.loading.start("Waiting for its answer…")
        self._talk.close()
        self._asking = self._talk.test(self._take, self._failed, owner=self)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop waiting for an answer."""
        if self._asking is not None and self._asking.cancel():
            self._talk.close()
            self._end("unknown", "The test was stopped.")

    def _take(self, sentence: str) -> None:
        self.answered = True
        self._end("running", sentence)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, LinesideError):
            raise error
        if isinstance(error, UnknownServer):
            self._end("unknown", "The machine answers, and shows this certificate.")
            self.trust.show_certificate(error.certificate, error.changed)
        else:
            self._end("stopped", error.sentence)

    def _end(self, state: str, sentence: str) -> None:
        self.loading.finish()
        self._show(state, sentence)
        self.again.show()
        self.changed.emit()

    def _show(self, state: str, sentence: str) -> None:
        self._glyph.set_state(state)
        self._verdict.setText(sentence)

    def _trusted(self, fingerprint: str) -> None:
        assert self._draft.connection is not None
        self._draft.connection = replace(self._draft.connection, trusted=fingerprint)
        self.start()
