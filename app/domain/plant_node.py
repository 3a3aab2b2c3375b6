"""A piece of a plant file together with its place, so that every mistake is told with where it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

from app.domain.errors import Refused

WHOLE_FILE = "the file"
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)\s*")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds of "250ms", "1s", "2m", "1h"; raises ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"“{text}” is not a duration; write it like 250ms, 1s, 2m or 1h")
    return float(match[1]) * SECONDS[match[2]]


def refuse(place: str, why: str) -> NoReturn:
    """Raises Refused with one sentence that names the place."""
    raise Refused(f"{place}: {why}" if why.endswith("?") else f"{place}: {why}.", field=place)


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that asks for the nearest known word; empty when none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean “{near[0]}”?" if near else ""


def kind_of(value: object) -> str:
    """What a person sees where something else was expected."""
    if value is None:
        return "nothing"
    names = {dict: "keys with values", list: "a list", str: f"the text “{value}”", bool: "true or false"}
    return names.get(type(value), f"“{value}”")


def is_number(value: object) -> bool:
    """Whether it is a finite number; true and false are none."""
    return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)


class Node:
    """Keys with values at a place of the file; every reader answers a mistake with Refused."""

    def __init__(self, place: str, data: object) -> None:
        self.place = place
        if not isinstance(data, Mapping):
            refuse(place, f"expected keys with values, found {kind_of(data)}")
        self.data: Mapping[Any, Any] = data

    def at(self, key: str) -> str:
        """The place of one of the keys."""
        return key if self.place == WHOLE_FILE else f"{self.place}.{key}"

    def only(self, known: Iterable[str]) -> None:
        """No other key than these may stand here."""
        for key in self.data:
            if key not in known:
                refuse(self.at(str(key)), "this key is not known" + meant(str(key), known))

    def items(self, key: str) -> Iterator[Node]:
        """The entries of a list; none when the key is not there."""
        entries = self.data.get(key) or []
        if not isinstance(entries, list):
            refuse(self.at(key), f"expected a list, found {kind_of(entries)}")
        for i, entry in enumerate(entries):
            yield Node(f"{key}[{i}]", entry)

    def child(self, key: str) -> Node | None:
        """The keys below a key, None when it is not there."""
        value = self.data.get(key)
        return None if value is None else Node(self.at(key), value)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; one without a default must be there and not be empty."""
        value = self.data.get(key)
        if value is None:
            if default is None:
                refuse(self.at(key), "this is missing")
            return default
        if isinstance(value, bool):
            refuse(self.at(key), "expected text, found true or false; put such a word between quotes")
        if not isinstance(value, (str, int, float)):
            refuse(self.at(key), f"expected text, found {kind_of(value)}")
        if default is None and not str(value).strip():
            refuse(self.at(key), "this is empty")
        return str(value)

    def choice(self, key: str, known: Iterable[str], default: str | None = None) -> str:
        """One of the known words."""
        word, known = self.text(key, default), list(known)
        if word not in known:
            refuse(self.at(key), f"“{word}” is not one of {', '.join(known)}")
        return word

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.data.get(key, default)
        if not is_number(value):
            refuse(self.at(key), f"expected a number, found {kind_of(value)}")
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        """A finite number, None when it is not there."""
        return None if self.data.get(key) is None else self.number(key)

    def amount(self, key: str) -> float | None:
        """A number above 0, None when it is not there."""
        value = self.maybe_number(key)
        if value is not None and value <= 0:
            refuse(self.at(key), "this must be greater than 0; leave it out to switch it off")
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number within bounds."""
        value = self.data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(self.at(key), f"expected a whole number from {low} to {high}")
        return value

    def seconds(self, key: str, default: float) -> float:
        """A duration with its unit, in seconds."""
        value = self.data.get(key)
        if value is None:
            return default
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            refuse(self.at(key), f"give the unit as well, like {value}s or {value}ms")
        try:
            return parse_duration(str(value))
        except ValueError as error:
            refuse(self.at(key), str(error))

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            refuse(self.at(key), f"expected true or false, found {kind_of(value)}")
        return value

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers, empty when it is not there."""
        value = self.data.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(map(is_number, value)):
            refuse(self.at(key), "expected a list of numbers like [-1, 32767]")
        return tuple(float(x) for x in value)

    def pair(self, key: str) -> tuple[float, float]:
        """Two finite numbers."""
        value = self.data.get(key)
        if not isinstance(value, list) or len(value) != 2 or not all(map(is_number, value)):
            refuse(self.at(key), "expected two numbers like [0, 100]")
        return float(value[0]), float(value[1])

    def states(self, key: str) -> tuple[bool | int | str, ...]:
        """A list of discrete values: true, false, whole numbers or texts; at least one."""
        value = self.data.get(key)
        if (
            not isinstance(value, list)
            or not value
            or not all(isinstance(x, (bool, int, str)) for x in value)
        ):
            refuse(self.at(key), "expected a list of values like [true], [3, 4] or [“stopped”]")
        return tuple(value)
