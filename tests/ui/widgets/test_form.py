"""Forms give plain values, take sentences beside fields, and dialogs block nothing."""

from __future__ import annotations

import weakref
from datetime import UTC, datetime
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ui.theme import Theme
from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.fields import Value
from ui.widgets.form import DialogCard, Form


def _form(qtbot: QtBot) -> Form:
    form = Form("Create order")
    form.add_text("number", "Order")
    form.add_choice("product", "Product", [("m", "Frame M"), ("s", "Rail S")])
    form.add_whole("quantity", "Quantity", low=1)
    form.add_decimal("weight", "Weight")
    form.add_moment("due", "Due")
    form.add_tick("urgent", "Urgent")
    form.add_long_text("note", "Note")
    qtbot.addWidget(form)
    form.show()
    qtbot.waitExposed(form)
    form.activateWindow()
    return form


def test_values_go_in_and_come_out_as_they_were(theme: Theme, qtbot: QtBot) -> None:
    form = _form(qtbot)
    given: dict[str, Value] = {
        "number": "WO-1", "product": "s", "quantity": 60, "weight": Decimal("12.5"),
        "due": datetime(2026, 4, 12, 6, 30, tzinfo=UTC), "urgent": True, "note": "two\nlines",
    }  # fmt: skip
    form.set_values(given)
    assert form.values() == given


def test_nothing_chosen_and_nothing_typed_is_none_and_no_number_stays_text(
    theme: Theme, qtbot: QtBot
) -> None:
    form = _form(qtbot)
    assert form.values()["product"] is None
    assert form.values()["weight"] is None
    form.set_values({"weight": "4O"})
    assert form.values()["weight"] == "4O"


def test_enter_submits_and_escape_cancels_from_any_field(theme: Theme, qtbot: QtBot) -> None:
    form = _form(qtbot)
    for key in ("number", "product", "quantity", "weight", "due", "urgent"):
        with qtbot.waitSignal(form.submitted):
            QTest.keyClick(form.field(key), Qt.Key.Key_Return)
        with qtbot.waitSignal(form.cancelled):
            QTest.keyClick(form.field(key), Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(form.submitted):
        QTest.keyClick(form.field("note"), Qt.Key.Key_Return)
    with qtbot.waitSignal(form.submitted):
        QTest.keyClick(form.field("note"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)


def test_an_error_stands_beside_its_field_takes_the_cursor_there_and_goes_again(
    theme: Theme, qtbot: QtBot
) -> None:
    form = _form(qtbot)
    form.set_error("weight", "“4O” is not a number.")
    assert form.error("weight") == "“4O” is not a number."
    assert form._errors["weight"].isVisible()
    qtbot.waitUntil(form.field("weight").hasFocus)
    assert form.field("weight").accessibleDescription() == "“4O” is not a number."
    form.submit()
    assert form.error("weight") is None
    form.set_error("no such field", "The order was not created.")
    assert form.error(None) == "The order was not created."


def test_every_field_has_a_label_that_belongs_to_it(theme: Theme, qtbot: QtBot) -> None:
    form = _form(qtbot)
    assert form.field("number").accessibleName() == "Order"
    assert all(form.field(key).accessibleName() for key in form.values())


def test_a_dialog_is_modeless_leaves_the_alarm_strip_free_and_is_deleted_when_closed(
    theme: Theme, qtbot: QtBot
) -> None:
    window = QWidget()
    layout = QVBoxLayout(window)
    layout.addWidget(AlarmStrip())
    layout.addStretch(1)
    qtbot.addWidget(window)
    window.resize(900, 500)
    window.show()
    qtbot.waitExposed(window)
    form = Form()
    form.add_text("number", "Order")
    dialog = DialogCard("New order", form, window)
    dialog.open()
    qtbot.waitExposed(dialog)
    strip = window.findChild(AlarmStrip)
    assert strip is not None
    assert not dialog.isModal()
    assert dialog.frameGeometry().top() >= strip.mapToGlobal(strip.rect().bottomLeft()).y()
    reference = weakref.ref(dialog)
    with qtbot.waitSignal(dialog.destroyed):
        dialog.close()
    del dialog, form
    assert reference() is None
