"""Dates as people type them, and which of day and month comes first, as far as a column proves it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.domain.sheets.wording import normal

_EXCEL_EPOCH = datetime.combine(date(1899, 12, 30), time())
_SERIALS = (20_000.0, 80_000.0)  # 1954 … 2119: a plain number outside is no date of a workshop
_TIME = (
    r"(?:[T,\s]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.]?)(?P<month>\d{2})(?P=mark)(?P<day>\d{2})" + _TIME)
_ISO_LOOSE = re.compile(r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})" + _TIME)
_NUMERIC = re.compile(
    r"(?P<first>\d{1,2})\s*(?P<mark>[./-])\s*(?P<second_part>\d{1,2})\s*(?P=mark)\s*(?P<year>\d{4}|\d{2})"
    + _TIME
)
_DAY_NAME = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.)?[\s-]+(?P<name>[^\W\d_]+)\.?,?[\s-]+(?P<year>\d{4}|\d{2})" + _TIME
)
_NAME_DAY = re.compile(
    r"(?P<name>[^\W\d_]+)\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _TIME
)
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})")
_WEEKDAY = re.compile(r"^[^\W\d_]{2,10}\.?,?\s+(?=\d)")

_MONTH_NAMES = (
    "january jan januar janvier janv styczen stycznia sty enero ene gennaio gen leden ledna",
    "february feb februar fevrier fevr luty lutego lut febrero febbraio unor unora",
    "march mar marz maerz mrz mars marzec marca marzo brezen brezna",
    "april apr avril avr kwiecien kwietnia kwi abril abr aprile duben dubna",
    "may mai maj maja mayo maggio mag kveten kvetna",
    "june jun juni juin czerwiec czerwca cze junio giugno giu cerven cervna",
    "july jul juli juillet juil lipiec lipca lip julio luglio lug cervenec cervence",
    "august aug aout sierpien sierpnia sie agosto ago srpen srpna",
    "september sep sept septembre wrzesien wrzesnia wrz septiembre settembre set zari",
    "october oct oktober okt octobre pazdziernik pazdziernika paz octubre ottobre ott rijen rijna",
    "november nov novembre listopad listopada lis noviembre",
    "december dec dezember dez decembre grudzien grudnia gru diciembre dic dicembre prosinec prosince",
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}


@dataclass(frozen=True, slots=True)
class DayOrder:
    """What a column proves: how many texts can only be day first, only month first, and how many can be both."""

    day_first: int = 0
    month_first: int = 0
    either: int = 0

    @property
    def is_open(self) -> bool:
        """True when some texts need the answer and the column does not give one, or gives two."""
        return (self.either > 0 and not self.day_first and not self.month_first) or bool(
            self.day_first and self.month_first
        )

    @property
    def proves_day_first(self) -> bool:
        """What the column itself says; day first when it says nothing."""
        return self.day_first >= self.month_first


def day_order(texts: Iterable[str]) -> DayOrder:
    """Counts the evidence in texts such as 13/08/2026; dots are always day first and prove nothing about slashes."""
    day_first = month_first = either = 0
    for text in texts:
        match = _NUMERIC.fullmatch(text.strip())
        if match is None or match["mark"] == ".":
            continue
        first, second = int(match["first"]), int(match["second_part"])
        if first > 12 >= second:
            day_first += 1
        elif second > 12 >= first:
            month_first += 1
        elif first != second and first <= 12:
            either += 1
    return DayOrder(day_first, month_first, either)


def from_serial(serial: float) -> datetime:
    """The moment of a spreadsheet's serial number (1900 system), to the second. ValueError outside 1954–2119."""
    if not _SERIALS[0] <= serial <= _SERIALS[1]:
        raise ValueError(serial)
    return _EXCEL_EPOCH + timedelta(seconds=round(serial * 86_400))


def parse_date(text: str, *, day_first: bool = True) -> datetime | date:
    """A date, or a datetime when the text has a time of day. Naive unless it names its offset; else ValueError."""
    trimmed = " ".join(text.split())
    if _ZONED.fullmatch(trimmed):
        return datetime.fromisoformat(trimmed)
    if match := _ISO.fullmatch(trimmed) or _ISO_LOOSE.fullmatch(trimmed):
        return _moment(match, int(match["year"]), int(match["month"]), int(match["day"]))
    if match := _NUMERIC.fullmatch(trimmed):
        first, second = int(match["first"]), int(match["second_part"])
        day, month = (first, second) if day_first or match["mark"] == "." else (second, first)
        return _moment(match, _year(match["year"]), month, day)
    return _named(text, trimmed)


def _named(text: str, trimmed: str) -> datetime | date:
    for candidate in (trimmed, _WEEKDAY.sub("", trimmed)):
        if match := _DAY_NAME.fullmatch(candidate) or _NAME_DAY.fullmatch(candidate):
            month = _MONTHS.get(normal(match["name"]))
            if month is not None:
                return _moment(match, _year(match["year"]), month, int(match["day"]))
        if candidate is not trimmed and _NUMERIC.fullmatch(candidate):
            return parse_date(candidate)
    raise ValueError(text)


def _year(text: str) -> int:
    year = int(text)
    return year if len(text) == 4 else year + (2000 if year < 70 else 1900)


def _moment(match: re.Match[str], year: int, month: int, day: int) -> datetime | date:
    if match["hour"] is None:
        return date(year, month, day)
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(match.string)
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    return datetime.combine(
        date(year, month, day), time(hour, int(match["minute"]), int(match["second"] or 0))
    )


def nearest_date(text: str, *, day_first: bool = True) -> str:
    """What was probably meant, in ISO form (O and l read as digits, day and month swapped), or an empty text."""
    for guess in (text.translate(str.maketrans("OoIl|", "00111")), text):
        for order in (day_first, not day_first):
            try:
                found = parse_date(guess, day_first=order)
            except ValueError:
                continue
            return datetime.combine(found, time()).date().isoformat()
    return ""
