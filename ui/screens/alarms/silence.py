"""What is said where no alarm is shown: silence has to prove that somebody watches."""

from __future__ import annotations

from ui.bridge.live import LiveDesk
from ui.models.machine_words import age_words


def doubt(live: LiveDesk) -> str:
    """What keeps the list of alarms from being how it is now; empty when nothing does."""
    state, unheard = live.collector_state, live.links_lost.unheard
    if not state.live:
        return f"{state.sentence} The list shows what was last known."
    return f"Nothing is heard of {unheard}: alarms from there are as last heard." if unheard else ""


def no_alarms(live: LiveDesk) -> str:
    """Why the list is empty."""
    cleared, age = live.board.last_cleared(), live.data_age
    last = f"last cleared {cleared.astimezone():%d %b %H:%M}" if cleared else "none cleared lately"
    if not live.collector_state.live or age is None:
        return f"No alarms are known of, but nobody is watching: {live.collector_state.sentence}"
    if live.links_lost.unheard:
        return f"No alarms are known of, but nothing is heard of {live.links_lost.unheard} · {last}"
    return f"No active alarms · {last} · source age {age_words(age)}"
