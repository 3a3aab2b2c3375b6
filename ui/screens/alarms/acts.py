"""What people do about alarms: each act goes through the door and is marked until the collector has taken it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.domain.alarms import Phase
from app.operations.alarms import (
    acknowledge_alarms,
    reset_alarm,
    return_alarm_to_service,
    shelve_alarm,
    take_alarm_out_of_service,
    unshelve_alarm,
)
from app.operations.change import Intent
from app.store.history import AlarmRecord
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.screens.alarms.forms import comment_form, out_of_service_form, shelf_form
from ui.widgets.dialog_card import DialogCard
from ui.widgets.form import Form

Records = Sequence[AlarmRecord]


class AlarmActs(QObject):
    """Acts on the records that it is handed; cards are shown over `over`."""

    def __init__(self, desk: Desk, live: LiveDesk, over: QWidget) -> None:
        super().__init__(over)
        self._desk, self._live, self._over = desk, live, over

    def _perform(self, intent: Intent[Any], *keys: str) -> None:
        self._desk.perform(intent, owner=self._over, done=partial(self._acted, keys))

    def _acted(self, keys: tuple[str, ...], _outcome: object) -> None:
        """It is written down here; the collector applies it and says so on the stream."""
        for key in keys:
            self._live.act_sent(key)

    def acknowledge(self, records: Records, comment: str = "") -> None:
        """One act for all of them, so that a flood is one line of the audit trail."""
        keys = [r.key for r in records if r.phase.unacked and not self._live.is_pending(r.key)]
        if keys:
            self._perform(acknowledge_alarms(alarms=keys, comment=comment), *keys)

    def reset(self, records: Records) -> None:
        """Let latched alarms go."""
        for record in records:
            if record.phase.latched:
                self._perform(reset_alarm(alarm=record.key), record.key)

    def unshelve(self, records: Records) -> None:
        """Bring shelved alarms back before their time."""
        for record in records:
            if record.phase is Phase.SHELVED:
                self._perform(unshelve_alarm(alarm=record.key), record.key)

    def put_back(self, records: Records) -> None:
        """Put alarms back in service."""
        for record in records:
            if record.phase is Phase.OUT_OF_SERVICE:
                self._perform(return_alarm_to_service(alarm=record.key), record.key)

    # -- with a question before ------------------------------------------------------------------------

    def ask_comment(self, records: Records) -> None:
        """Acknowledge with a comment."""
        unseen = [r for r in records if r.phase.unacked]
        self._ask("Acknowledge", comment_form(len(unseen)), partial(self._take_comment, unseen))

    def _take_comment(self, records: Records, form: Form, card: DialogCard) -> None:
        self.acknowledge(records, str(form.values()["comment"] or ""))
        card.close()

    def ask_shelf(self, records: Records) -> None:
        """Shelve for some minutes, with a reason."""
        self._ask("Shelve", shelf_form(len(records)), partial(self._take_shelf, records))

    def _take_shelf(self, records: Records, form: Form, card: DialogCard) -> None:
        values = form.values()
        minutes, reason = int(str(values["minutes"] or 0)), str(values["reason"] or "")
        if not reason.strip():
            form.set_error("reason", "Say why the alarm is shelved.")
            return
        for r in records:
            intent = shelve_alarm(alarm=r.key, minutes=minutes, reason=reason, one_shot=bool(values["once"]))
            self._perform(intent, r.key)
        card.close()

    def ask_out_of_service(self, records: Records) -> None:
        """Take out of service, with a reason and the number of a permit."""
        form = out_of_service_form(len(records))
        self._ask("Out of service", form, partial(self._take_out, records))

    def _take_out(self, records: Records, form: Form, card: DialogCard) -> None:
        values = form.values()
        reason, permit = str(values["reason"] or ""), str(values["permit"] or "")
        if not reason.strip():
            form.set_error("reason", "Say why the alarm is taken out of service.")
            return
        for r in records:
            self._perform(take_alarm_out_of_service(alarm=r.key, reason=reason, permit=permit), r.key)
        card.close()

    def _ask(self, title: str, form: Form, take: Callable[[Form, DialogCard], None]) -> None:
        card = DialogCard(title, form, self._over)
        card.setObjectName(f"{title.lower().replace(' ', '-')}-card")
        form.submitted.connect(partial(take, form, card))
        form.cancelled.connect(card.close)
        card.show_card()
        form.focus_first()
