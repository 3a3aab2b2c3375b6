"""The two small forms of the alarms screen: a comment with an acknowledgement, minutes and reason of a shelf."""

from __future__ import annotations

from ui.widgets.form import Form

SHELF_MINUTES = 30
LONGEST = 480


def comment_form(count: int) -> Form:
    """Field `comment`."""
    form = Form("Acknowledge" if count == 1 else f"Acknowledge {count} alarms")
    form.add_long_text("comment", "Comment", hint="What was found or done (may stay empty)", rows=2)
    return form


def shelf_form(count: int) -> Form:
    """Fields `minutes` and `reason`."""
    form = Form("Shelve" if count == 1 else f"Shelve {count} alarms")
    form.add_whole("minutes", "For", low=1, high=LONGEST, unit="min")
    form.add_text("reason", "Reason", hint="Why it may be quiet until then")
    form.set_values({"minutes": SHELF_MINUTES})
    return form
