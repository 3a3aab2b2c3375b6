"""The small forms of the alarms screen: a comment, a shelf with its reason, out of service with its permit."""

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
    """Fields `minutes`, `once` and `reason`."""
    form = Form("Shelve" if count == 1 else f"Shelve {count} alarms")
    form.add_whole("minutes", "For", low=1, high=LONGEST, unit="min")
    form.add_text("reason", "Reason", hint="Why it may be quiet until then")
    form.add_tick("once", "Only until it is back to normal")
    form.set_values({"minutes": SHELF_MINUTES})
    return form


def out_of_service_form(count: int) -> Form:
    """Fields `reason` and `permit`."""
    form = Form("Take out of service" if count == 1 else f"Take {count} alarms out of service")
    form.add_text("reason", "Reason", hint="What is being worked on")
    form.add_text("permit", "Permit", hint="Number of the work permit (may stay empty)")
    return form
