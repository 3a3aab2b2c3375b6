"""How sharing goes, in words: one line for strips and banners, and facts for the place that tells all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ui.bridge.sync_status import Sharing, SomebodyElse
from ui.models.wording import age, duration

_OFFSET_SHOWN = 2.0
_STEP = 1000
TLS = {
    "verified": "",
    "unverified": "The connection is encrypted, but nobody checked that it is the right server. "
    "Join again with the server's certificate (sslmode verify-full).",
    "none": "The connection to the server is not encrypted: others on the network can read it. "
    "Have TLS switched on at the server, then join again.",
}


@dataclass(frozen=True)
class Headline:
    """One line on the state of sharing; `away` when nothing can be sent now, `act` when a person must do something."""

    text: str
    away: bool = False
    act: bool = False


def local_time(value: datetime, now: datetime) -> str:
    """The time of day, with the day when it is not today's."""
    local = value.astimezone()
    same = local.date() == now.astimezone().date()
    return local.strftime("%H:%M" if same else "%a %d %b %H:%M")


def to_send(count: int) -> str:
    """`3 to send`, `nothing to send`."""
    return f"{count:,} to send" if count else "nothing to send"


def headline(sharing: Sharing, now: datetime) -> Headline:
    """The state in a few words."""
    status = sharing.status
    if not sharing.joined:
        return Headline("Nothing is shared")
    if sharing.silent:
        return Headline("Nothing is heard of the sync process", away=True)
    if status is None:
        return Headline("Connecting to the server…")
    since = f" since {local_time(status.since, now)}" if status.since is not None else ""
    if sharing.offline:
        return Headline(f"Offline{since}", away=True)
    if sharing.paused:
        return Headline(f"Working offline{since}, as chosen", away=True)
    if sharing.refused:
        return Headline(f"The server refuses this station{since}", away=True, act=True)
    if not sharing.online:
        return Headline("Connecting to the server…")
    if status.progress is not None:
        return Headline(progress_words(sharing))
    return Headline("Connected")


def progress_words(sharing: Sharing) -> str:
    """A long step under way; empty when there is none."""
    progress = sharing.status.progress if sharing.status is not None else None
    if progress is None:
        return ""
    if progress.total:
        return f"{progress.what}: {progress.done:,} of {progress.total:,}"
    return f"{progress.what}: {progress.done:,}" if progress.done else progress.what


def banner(sharing: Sharing, now: datetime) -> str:
    """The grey line over the work, empty while all is well: since when, what still works, what waits."""
    line = headline(sharing, now)
    if not line.away:
        return ""
    status = sharing.status
    reason = f" · {status.last_error}" if line.act and status is not None and status.last_error else ""
    return f"{line.text}{reason} · editing works · {to_send(sharing.to_send)}"


FACTS = (
    _SERVER,
    _UP_TO_DATE,
    _TO_SEND,
    _CONFLICTS,
    _SAMPLES,
    _CLOCK,
) = "Server", "Up to date", "To send", "Conflicts", "Measured values waiting", "This computer's clock"
"""Names of what `facts` tells, in its order."""


def facts(sharing: Sharing, now: datetime) -> list[tuple[str, str]]:
    """(name, value) of what the status line tells, in order; what is not known or of no matter is left out."""
    status = sharing.status
    found = [(_SERVER, f"{'○' if headline(sharing, now).away else '●'} {headline(sharing, now).text}")]
    if status is not None and status.checked_at is not None:
        found.append((_UP_TO_DATE, f"{age(status.checked_at, now)} ago"))
    oldest = f", oldest {age(sharing.oldest, now)}" if sharing.oldest is not None else ""
    found.append((_TO_SEND, f"{sharing.to_send:,}{oldest}"))
    found.append((_CONFLICTS, f"{sharing.conflicts:,} open" if sharing.conflicts else "none"))
    if sharing.samples_waiting:
        found.append((_SAMPLES, f"{sharing.samples_waiting:,}"))
    offset = status.clock_offset_s if status is not None else None
    if offset is not None and abs(offset) > _OFFSET_SHOWN:
        way = "fast" if offset > 0 else "slow"
        span = duration(timedelta(seconds=abs(offset)))
        found.append((_CLOCK, f"{span} {way}; times of the server count"))
    return found


def tls_warning(sharing: Sharing) -> str:
    """What is wrong with how the connection is protected. Empty when nothing is, or it does not leave this computer."""
    status = sharing.heard
    return TLS.get(status.tls, "") if status is not None else ""


def trouble(sharing: Sharing) -> str:
    """What the last round ran into, in the words of the sync process; empty when it went well."""
    status = sharing.status
    if status is None:
        if not sharing.silent:
            return ""
        return (
            "Nothing is heard of the sync process of this computer: it does not run, or sync.json in the data folder "
            "cannot be written or read. The window starts it by itself; `lineside sync` starts it by hand and says "
            "what is wrong."
        )
    return status.last_error


def size_words(size: int) -> str:
    """A number of bytes for people."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < _STEP:
            return f"{amount:,.0f} {unit}" if unit != "MB" else f"{amount:,.1f} MB"
        amount /= _STEP
    return f"{amount:,.1f} GB"


def presence_words(others: list[SomebodyElse]) -> str:
    """Who else edits a row or has it open, editors first; empty when nobody has."""
    if not others:
        return ""
    first = next((one for one in others if one.editing), others[0])
    does = "is editing this" if first.editing else "has this open"
    more = f", {len(others) - 1} more have it open" if len(others) > 1 else ""
    return f"{first.actor} {does} on station {first.station}{more}"


def waiting_advice(sharing: Sharing) -> str:
    """What becomes of the work while nothing is sent, and what to do; empty while all is well."""
    if not (sharing.silent or sharing.offline or sharing.paused or sharing.refused):
        return ""
    if sharing.paused:
        return (
            "Everything can be worked on as before. No change, photo or file is sent or fetched until you press "
            "Go online; values and alarms of machines still are."
        )
    return "Everything can be worked on as before; it is sent by itself when the server is back."


def sent_words(sharing: Sharing, now: datetime) -> str:
    """The honest zero: when the server last had everything."""
    confirmed = sharing.status.confirmed_at if sharing.status is not None else None
    if confirmed is None:
        return "Nothing waits to be sent."
    return f"Everything sent {local_time(confirmed, now)}"


def sharing_sentence(sharing: Sharing, now: datetime) -> str:
    """All of it in one line for diagnostics; empty where nothing is shared."""
    if not sharing.joined:
        return ""
    status = sharing.heard
    checked = status.checked_at if status is not None else None
    lag = f" · up to date {age(checked, now)} ago" if checked is not None else ""
    noun = "conflict" if sharing.conflicts == 1 else "conflicts"
    conflicts = f" · {sharing.conflicts:,} {noun}" if sharing.conflicts else ""
    words = f"Station {sharing.station}: {headline(sharing, now).text}{lag} · {to_send(sharing.to_send)}"
    return f"{words}{conflicts}"
