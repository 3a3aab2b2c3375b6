"""Numbers as people type them: decimal comma or point, thousands apart, a unit behind, an O for a zero."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

DecimalMark = Literal[".", ","]

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009'\u2019]")
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{3})+")
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[\s\u00a0\u202f\u2009'\u2019]\d{3})+(?:[.,]\d+)?")
_ANY = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)*|[.,]\d+)")
_UNIT = re.compile(
    r"\s*(?:pcs|pc|pieces|szt|sztuk|stk|stück|stueck|st|ks|pz|pza|uds|u|pce|h|hrs|hours|std|godz)\.?$",
    re.IGNORECASE,
)
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "B": "8", "S": "5", "Z": "2"})


def parse_number(text: str, decimal: DecimalMark = ".") -> float | int:
    """The number that the text means; `decimal` settles `1.234`, which may be either. ValueError when it is none.

    Spaces (no-break ones too) and apostrophes are taken as thousands marks only where groups of three stand.
    """
    trimmed = text.strip().replace("\u2212", "-")
    if _PLAIN.fullmatch(trimmed) and not _is_open(trimmed):
        return _whole(float(trimmed)) if "." in trimmed else int(trimmed)
    if _SPACED.fullmatch(trimmed):
        trimmed = _SPACES.sub("", trimmed)
        if not _PLAIN.fullmatch(trimmed):
            return _whole(float(trimmed.replace(",", ".")))
    if not _ANY.fullmatch(trimmed):
        raise ValueError(text)
    return _marked(trimmed, decimal)


def _marked(text: str, decimal: DecimalMark) -> float | int:
    points, commas = text.count("."), text.count(",")
    if points and commas:
        last: DecimalMark = "." if text.rfind(".") > text.rfind(",") else ","
        whole, _, fraction = text.rpartition(last)
        other = "," if last == "." else "."
        if last in whole or (other in whole and not _GROUPED.fullmatch(whole)):
            raise ValueError(text)
        return _whole(float(f"{whole.replace(other, '')}.{fraction}"))
    if points + commas > 1:
        if not _GROUPED.fullmatch(text):
            raise ValueError(text)
        return int(text.replace(".", "").replace(",", ""))
    mark = "." if points else ","
    if points + commas == 1 and _is_open(text) and mark != decimal:
        return int(text.replace(mark, ""))
    return _whole(float(text.replace(",", ".")))


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _is_open(text: str) -> bool:
    """True for `1.234` and `1,234`: one mark with three digits behind it, and a group that could lead before it."""
    head, mark, tail = text.lstrip("+-").partition("," if "," in text else ".")
    leads = 1 <= len(head) <= 3 and head.isdigit() and head[0] != "0"
    return bool(mark) and len(tail) == 3 and tail.isdigit() and leads


def decimal_mark(texts: Iterable[str]) -> tuple[DecimalMark, bool]:
    """(mark, open): the decimal mark that the texts of a column prove; open when some need it and none prove it."""
    proof = {".": 0, ",": 0}
    open_texts = 0
    for text in texts:
        bare = _SPACES.sub("", text)
        if not _ANY.fullmatch(bare) or ("." not in bare and "," not in bare):
            continue
        points, commas = bare.count("."), bare.count(",")
        if points and commas:
            proof["." if bare.rfind(".") > bare.rfind(",") else ","] += 1
        elif points > 1 or commas > 1:
            proof["," if points else "."] += 1
        elif _is_open(bare):
            open_texts += 1
        else:
            proof["." if points else ","] += 1
    if not proof["."] and not proof[","]:
        return ".", open_texts > 0
    return ("." if proof["."] >= proof[","] else ","), False


def without_unit(text: str) -> str:
    """`12 pcs` → `12`: the units in which pieces and hours are counted say nothing new."""
    return _UNIT.sub("", text.strip())


def nearest_number(text: str, decimal: DecimalMark = ".") -> str:
    """What was probably meant (`4O` → 40, `12 pcs` → 12), or an empty text."""
    bare = without_unit(text)
    for guess in (bare, bare.translate(_LOOKALIKES), _SPACES.sub("", bare.translate(_LOOKALIKES))):
        if any(character.isdigit() for character in text):
            try:
                return str(parse_number(guess, decimal))
            except ValueError:
                continue
    return ""
