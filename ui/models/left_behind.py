"""What is on this computer alone, in words: for the place that lists it and for whoever closes the window."""

from __future__ import annotations

from datetime import datetime

from app.store.queries.unsent import LidClosed
from ui.bridge.sync_status import Sharing
from ui.models.sharing_words import headline, local_time, size_words

_ONE_CHANGE, _ONE_VALUE = "1 change", "1 measured value"


def waiting_words(behind: LidClosed, samples: int) -> str:
    """`3 changes, 1 photo or file (4.2 MB) and 1,200 measured values`; empty when nothing waits."""
    parts = []
    if behind.count:
        parts.append(_ONE_CHANGE if behind.count == 1 else f"{behind.count:,} changes")
    if behind.photos:
        noun = "1 photo or file" if len(behind.photos) == 1 else f"{len(behind.photos):,} photos and files"
        parts.append(f"{noun} ({size_words(behind.photo_bytes)})")
    if samples:
        parts.append(_ONE_VALUE if samples == 1 else f"{samples:,} measured values")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def lid_words(behind: LidClosed, samples: int) -> str:
    """What closing the lid would leave behind, in one sentence; empty when nothing waits."""
    listed = waiting_words(behind, samples)
    if not listed:
        return ""
    safe = "It is safe here and goes" if _is_one(listed) else "They are safe here and go"
    return (
        f"If you closed the lid now, {listed} would be on this computer alone. {safe} to the server when this "
        "computer runs and reaches it again."
    )


def _is_one(listed: str) -> bool:
    return listed in (_ONE_CHANGE, _ONE_VALUE) or listed.startswith("1 photo or file")


def farewell_words(sharing: Sharing, behind: LidClosed, now: datetime, *, goes_on: bool) -> tuple[str, str]:
    """What waits, and what becomes of it when the window closes now.

    `goes_on`: another process of this computer sends, with or without a window.
    """
    listed = waiting_words(behind, sharing.samples_waiting)
    one = _is_one(listed)
    they, them, are, go = ("It", "it", "is", "goes") if one else ("They", "them", "are", "go")
    if sharing.online:
        return (
            f"Sending {listed}…",
            f"The window closes when the server has {them}. What is not there by then stays safe on this computer "
            "and goes to the server when Lineside runs here again.",
        )
    line = headline(sharing, now)
    reason = line.text if line.away else "The server was not reached yet"
    if sharing.paused:
        then = "when Lineside runs here again and somebody presses Go online"
    elif goes_on:
        then = "by itself as soon as this computer reaches it, also without this window"
    else:
        then = "when Lineside runs here again and reaches it"
    return (
        f"{listed} {are} on this computer alone",
        f"{reason}. Nothing is lost: {they.lower()} {are} safe here and {go} to the server {then}.",
    )


def oldest_lines(behind: LidClosed, most: int, now: datetime) -> tuple[list[str], str]:
    """The oldest changes and photos in a line each, and how many more there are."""
    lines = [f"{local_time(change.at, now)}  {change.label} · {change.actor}" for change in behind.changes]
    lines += [
        f"{local_time(photo.at, now)}  {photo.name} ({size_words(photo.size)})" for photo in behind.photos
    ]
    left = behind.count + len(behind.photos) - min(most, len(lines))
    return lines[:most], f"and {left:,} more" if left > 0 else ""
