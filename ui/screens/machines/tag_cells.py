"""The columns of the tag table: what a cell shows of a tag, and the tag that a typed text makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.errors import Refused
from app.domain.plant import Scale, Tag, Writing
from app.domain.plant_node import parse_duration
from app.domain.plant_writing import duration_text


@dataclass(frozen=True)
class TagColumn:
    """`put` raises Refused with a sentence when the text cannot be."""

    key: str
    title: str
    width: int
    shown: Callable[[Tag], str]
    put: Callable[[Tag, str], Tag]
    right: bool = False
    hint: str = ""


def number_of(text: str) -> float | None:
    """The number that somebody typed, None for an empty text; raises Refused."""
    words = text.strip().replace("−", "-")
    if not words:
        return None
    if "," in words and "." not in words:
        words = words.replace(",", ".")
    try:
        return float(words)
    except ValueError:
        raise Refused(f"“{text}” is not a number.") from None


def shown_number(value: float | None) -> str:
    """Every digit, as short as can be; empty for None."""
    return "" if value is None else f"{value:.12g}"


def _text(key: str) -> tuple[Callable[[Tag], str], Callable[[Tag, str], Tag]]:
    def put(tag: Tag, text: str) -> Tag:
        if key == "name" and not text.strip():
            raise Refused("A tag needs a name.")
        change: dict[str, Any] = {key: text.strip()}
        return replace(tag, **change)

    return lambda tag: str(getattr(tag, key)), put


def _limit(key: str) -> tuple[Callable[[Tag], str], Callable[[Tag, str], Tag]]:
    def put(tag: Tag, text: str) -> Tag:
        return replace(tag, limits=replace(tag.limits, **{key: number_of(text)}))

    return lambda tag: shown_number(getattr(tag.limits, key)), put


def _put_scan(tag: Tag, text: str) -> Tag:
    words = text.strip()
    try:
        return replace(tag, scan=float(words) if words.replace(".", "").isdigit() else parse_duration(words))
    except ValueError as error:
        raise Refused(f"{error}.") from None


def scale_text(scale: Scale | None) -> str:
    """For example “0…4095 → 0…200”."""
    if scale is None:
        return ""
    lo, hi, eu_lo, eu_hi = map(shown_number, (scale.raw_lo, scale.raw_hi, scale.eu_lo, scale.eu_hi))
    return f"{lo}…{hi} → {eu_lo}…{eu_hi}"


def parse_scale(text: str, clamp: bool = False) -> Scale | None:
    """The scale that `scale_text` shows; also “0..4095 = 0..200”; raises Refused."""
    if not text.strip():
        return None
    words = text.replace("...", "…").replace("..", "…").replace("->", "→").replace("=", "→")
    ends = [end for side in words.split("→") for end in side.split("…")]
    numbers = [number_of(end) for end in ends]
    if words.count("→") != 1 or len(numbers) != 4:
        raise Refused("Write two raw values and what they mean, like 0…4095 → 0…200.")
    raw_lo, raw_hi, eu_lo, eu_hi = (0.0 if n is None else n for n in numbers)
    if raw_lo == raw_hi:
        raise Refused("The two raw values are the same.")
    return Scale(raw_lo, raw_hi, eu_lo, eu_hi, clamp)


def _put_scale(tag: Tag, text: str) -> Tag:
    return replace(tag, scale=parse_scale(text, tag.scale.clamp if tag.scale else False))


def _deadband_text(tag: Tag) -> str:
    rule = tag.deadband
    return f"{shown_number(rule.amount)}{' %' if rule.percent else ''}" if rule.amount else ""


def _put_deadband(tag: Tag, text: str) -> Tag:
    percent = text.strip().endswith("%")
    amount = number_of(text.strip().removesuffix("%")) or 0.0
    if amount < 0:
        raise Refused("A deadband is not negative.")
    return replace(tag, deadband=replace(tag.deadband, amount=amount, percent=percent))


def _writing_text(tag: Tag) -> str:
    if tag.writing is None:
        return "no"
    low, high = shown_number(tag.writing.low), shown_number(tag.writing.high)
    return f"{low}…{high}" if low or high else "yes"


def _put_writing(tag: Tag, text: str) -> Tag:
    words = text.strip().lower().replace("...", "…").replace("..", "…")
    if words in ("", "no"):
        return replace(tag, writing=None)
    if words == "yes":
        return replace(tag, writing=Writing())
    low, dots, high = words.partition("…")
    if not dots:
        raise Refused("Write no, yes, or the lowest and highest value allowed, like 0…200.")
    return replace(tag, writing=Writing(number_of(low), number_of(high)))


COLUMNS = (
    TagColumn("name", "Name", 210, *_text("name")),
    TagColumn("equipment", "Machine", 100, *_text("equipment")),
    TagColumn("address", "Address", 190, *_text("address")),
    TagColumn("unit", "Unit", 60, *_text("unit")),
    TagColumn("scan", "Scan", 60, lambda t: duration_text(t.scan), _put_scan, True, "1s, 250ms, 1m"),
    TagColumn("scale", "Raw → unit", 150, lambda t: scale_text(t.scale), _put_scale, False, "0…4095 → 0…200"),
    TagColumn("lolo", "LoLo", 60, *_limit("lolo"), right=True),
    TagColumn("lo", "Lo", 60, *_limit("lo"), right=True),
    TagColumn("hi", "Hi", 60, *_limit("hi"), right=True),
    TagColumn("hihi", "HiHi", 60, *_limit("hihi"), right=True),
    TagColumn("deadband", "Deadband", 80, _deadband_text, _put_deadband, True, "0.1 or 1 %"),
    TagColumn("writing", "Writing", 80, _writing_text, _put_writing, False, "no, yes or 0…200"),
)
BY_KEY = {column.key: column for column in COLUMNS}
