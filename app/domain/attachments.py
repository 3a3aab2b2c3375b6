"""Photos and files that people add to orders, issues, inspections and maintenance: limits, types, names, states."""

from __future__ import annotations

from enum import StrEnum

from app.domain.errors import Refused

MEGABYTE = 1024 * 1024
LARGEST_PHOTO = 25 * MEGABYTE
LARGEST_FILE = 50 * MEGABYTE
LONGEST_NAME = 120
THUMBNAIL_BYTES = 16 * 1024

OWNERS: dict[str, str] = {
    "issue": "issue",
    "inspection": "inspection",
    "maintenance_order": "maintenance order",
    "work_order": "work order",
}
"""Tables whose rows can have photos and files, with the word for one such row."""

PICTURES: dict[str, str] = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
}
"""Kinds of pictures that Lineside can show (names as Pillow uses them) and their media types."""

ANY_TYPE = "application/octet-stream"

# What runs when somebody opens it does not travel through a workshop as an attachment.
_PROGRAMS = frozenset(
    "app bat cmd com cpl dll exe hta jar js jse lnk msi msp pif ps1 reg scr sh vb vbe vbs wsf".split()
)


class AttachmentState(StrEnum):
    """Where the bytes are, as seen from this station."""

    KEPT = "kept"  # this station shares nothing; the bytes are here
    WAITING = "waiting"  # here, on their way to the server
    SENT = "sent"  # here and on the server
    REMOTE = "remote"  # on the server, not here yet
    ELSEWHERE = "elsewhere"  # on the station that added them, not sent yet
    LOST = "lost"  # this station shares nothing, and the file is gone


def state_of(*, shared: bool, here: bool, stored: bool) -> AttachmentState:
    """The state from three facts: this station shares with a server, it has the bytes, the server has them."""
    if here:
        if not shared:
            return AttachmentState.KEPT
        return AttachmentState.SENT if stored else AttachmentState.WAITING
    if stored:
        return AttachmentState.REMOTE
    return AttachmentState.ELSEWHERE if shared else AttachmentState.LOST


def is_picture(mime: str) -> bool:
    """Whether Lineside can show such bytes itself."""
    return mime in PICTURES.values()


def check_name(name: str) -> str:
    """The tidy file name without its folder; raises `Refused` for a program or an unusable name."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    tidy = " ".join("".join(c if c.isprintable() else " " for c in bare).split()).strip(". ")
    if not tidy:
        raise Refused("This file has no usable name; rename it first.", field="name")
    ending = tidy.rpartition(".")[2].casefold() if "." in tidy else ""
    if ending in _PROGRAMS:
        raise Refused(f"{tidy} is a program (.{ending}); programs cannot be attached.", field="name")
    if len(tidy) > LONGEST_NAME:
        stem, dot, tail = tidy.rpartition(".")
        short = dot and len(tail) < 10
        tidy = f"{stem[: LONGEST_NAME - len(tail) - 1]}.{tail}" if short else tidy[:LONGEST_NAME]
    return tidy


def check_size(size: int, mime: str) -> int:
    """`size` in bytes, if such a file may be attached; raises `Refused` with the limit."""
    if size <= 0:
        raise Refused("This file is empty.", field="size")
    largest, noun = (LARGEST_PHOTO, "photo") if is_picture(mime) else (LARGEST_FILE, "file")
    if size > largest:
        raise Refused(
            f"This {noun} has {size / MEGABYTE:,.0f} MB; at most {largest // MEGABYTE} MB can be attached.",
            field="size",
        )
    return size


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 in lower-case hex: such names, and no others, become file names."""
    return len(text) == 64 and all(c in "0123456789abcdef" for c in text)
