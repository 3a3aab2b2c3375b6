"""The views of the list of work orders, and what its filter understands."""

from __future__ import annotations

from app.store.queries.listing import ListRequest

VIEWS: dict[str, ListRequest] = {
    "All open": ListRequest("open:yes", "planned_end", False),
    "Late first": ListRequest("open:yes due<now", "planned_end", False),
    "Due this week": ListRequest("open:yes due<nextweek", "planned_end", False),
    "Blocked": ListRequest("status:blocked", "planned_end", False),
    "Done": ListRequest("status:done", "planned_end", True),
    "All orders": ListRequest("", "planned_end", False),
}
FIRST_VIEW = "All open"
HINT = "words, status:blocked, due<fri, priority<=2"
HELP = (
    "Words find orders by number, product, lot or customer.\n"
    "status:blocked   stage:paint   priority<=2   qty>100\n"
    "due<fri   start>=2026-04-12   due<now   due<nextweek   open:yes   line:A"
)
