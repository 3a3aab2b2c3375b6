"""Rules for sending a value to a machine: whether it may be, within which limits, as which raw value, and whether it
arrived."""

from __future__ import annotations

import math

from app.domain.errors import Refused
from app.domain.plant import Scale, Tag
from app.domain.samples import Value

_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0")
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9  # a machine keeps 32-bit floats, which have seven digits


def check_write(tag: Tag, value: Value) -> Value:
    """The value as it may be sent, in the tag's unit; raises Refused when it may not.

    Text stays text unless the tag is plainly a number or names its states: only the machine knows its own type.
    """
    if tag.writing is None:
        raise Refused(
            f"{tag.name} may not be written: switch writing on in the settings of the tag first.", field="tag"
        )
    if value is None or value == "":
        raise Refused(f"Say which value {tag.name} should have.", field="value")
    if isinstance(value, str):
        value = _from_words(tag, value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        if isinstance(value, bool) and _is_number(tag):
            raise Refused(f"{tag.name} is a number, not on or off.", field="value")
        return value
    _check_number(tag, value)
    return value


def _from_words(tag: Tag, words: str) -> Value:
    for number, name in tag.states:
        if name.casefold() == words.strip().casefold():
            return number
    if not (_is_number(tag) or tag.states):
        return words
    number_or_none = _number(words)
    if number_or_none is None:
        known = ", ".join(name for _, name in tag.states)
        wanted = f"one of {known}" if known else "a number"
        raise Refused(f"“{words}” is not {wanted}, which {tag.name} needs.", field="value")
    return number_or_none


def _check_number(tag: Tag, value: float) -> None:
    if not math.isfinite(value):
        raise Refused(f"{tag.name} needs a number that exists.", field="value")
    if tag.states and value not in [number for number, _ in tag.states]:
        known = ", ".join(f"{number} ({name})" for number, name in tag.states)
        raise Refused(f"{value:g} is no state of {tag.name}; there are {known}.", field="value")
    assert tag.writing is not None
    low, high = tag.writing.low, tag.writing.high
    if (low is not None and value < low) or (high is not None and value > high):
        least = "any" if low is None else f"{low:g}"
        most = "any" if high is None else f"{high:g}"
        unit = f" {tag.unit}" if tag.unit else ""
        raise Refused(
            f"{value:g}{unit} is outside what may be sent to {tag.name}: {least} to {most}{unit}.",
            field="value",
        )


def _is_number(tag: Tag) -> bool:
    writing = tag.writing
    bounded = writing is not None and (writing.low is not None or writing.high is not None)
    return bool(tag.scale or tag.unit or tag.limits or bounded)


def _number(words: str) -> float | int | None:
    for kind in (int, float):
        try:
            return kind(words)
        except ValueError:
            continue
    return None


def raw_value(tag: Tag, value: Value, like: Value) -> Value:
    """What is sent for a checked `value`: unscaled, and of the kind of `like`, the machine's own present raw value.

    Raises Refused when the value cannot be of that kind.
    """
    if isinstance(like, bool):
        return _truth(tag, value)
    if isinstance(like, (int, float)):
        number = _number(value) if isinstance(value, str) else value
        if number is None or isinstance(number, bool):
            raise Refused(f"{tag.name} is a number; “{value}” was not sent.", field="value")
        _check_number(tag, number)
        raw = number if tag.scale is None else unscaled(tag.scale, number)
        whole = isinstance(like, int) and (tag.scale is not None or float(raw).is_integer())
        return round(raw) if whole else float(raw)
    if isinstance(like, str):
        return value if isinstance(value, str) else f"{value}"
    if tag.scale is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
        return unscaled(tag.scale, value)
    return value


def _truth(tag: Tag, value: Value) -> bool:
    word = f"{value:g}" if isinstance(value, float) else str(value).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Refused(f"{tag.name} is on or off; “{value}” was not sent.", field="value")


def unscaled(scale: Scale, value: float) -> float:
    """The raw value that `scale` turns into `value`."""
    span = scale.eu_hi - scale.eu_lo
    return scale.raw_lo + (value - scale.eu_lo) * (scale.raw_hi - scale.raw_lo) / span


def arrived(sent: Value, read: Value) -> bool:
    """Whether the raw value that was read back is the one that was sent, to the digits that a machine keeps."""
    if isinstance(sent, bool | str) or isinstance(read, bool | str):
        return type(sent) is type(read) and sent == read
    if sent is None or read is None:
        return False
    return math.isclose(sent, read, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
