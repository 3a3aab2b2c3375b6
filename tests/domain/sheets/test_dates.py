"""Dates as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sheets.dates import day_order, from_serial, nearest_date, parse_date

_DAYS = st.dates(date(1971, 1, 1), date(2068, 12, 31))
_MOMENT = datetime.fromisoformat("2026-03-10T14:30")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-10", "2026/03/10", "20260310", "10.03.2026", "10.3.26", "10/03/2026", "10-03-2026", "10 Mar 2026",
        "10. März 2026", "10 marca 2026", "10 mars 2026", "March 10, 2026", "10-Mar-26", "Tue, 10 Mar 2026",
        "1O.03.2026".replace("O", "0"), "10 marzo 2026", "Di 10.03.2026",
    ],
)  # fmt: skip
def test_a_date_is_read_in_every_usual_form(text: str) -> None:
    assert parse_date(text) == date(2026, 3, 10)


@pytest.mark.parametrize(
    "text", ["2026-03-10 14:30", "2026-03-10T14:30:00", "10.03.2026 14:30", "10/03/2026 2:30 PM"]
)
def test_a_time_of_day_is_kept(text: str) -> None:
    assert parse_date(text) == _MOMENT


def _refuses(text: str) -> bool:
    try:
        parse_date(text)
    except ValueError:
        return True
    return False


def test_an_offset_is_kept() -> None:
    assert parse_date("2026-03-10T14:30:00Z") == datetime(2026, 3, 10, 14, 30, tzinfo=UTC)


_NO_DATES = ["31.02.2026", "soon", "", "2026-13-01", "10/2026", "13/13/2026", "KW 12"]


@pytest.mark.parametrize("text", _NO_DATES)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert _refuses(text)


def test_thirteen_proves_which_number_is_the_day() -> None:
    assert day_order(["08/08/2025", "10/08/2025", "13/08/2025"]).proves_day_first
    assert not day_order(["08/10/2025", "08/13/2025"]).proves_day_first
    assert day_order(["03/04/2026"]).is_open
    assert not day_order(["03.04.2026", "04/04/2026"]).is_open
    assert day_order(["13/04/2026", "04/13/2026"]).is_open


@given(_DAYS)
def test_a_date_written_day_first_or_month_first_reads_back_the_same(day: date) -> None:
    assert parse_date(f"{day.day}/{day.month}/{day.year}") == day
    assert parse_date(f"{day.month}/{day.day}/{day.year}", day_first=False) == day
    assert parse_date(f"{day:%d.%m.%y}") == day
    assert parse_date(day.isoformat()) == day


@given(st.datetimes(datetime.fromisoformat("1955-01-01"), datetime.fromisoformat("2100-01-01")))
def test_a_serial_number_reads_back_to_the_second(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    serial = (moment - datetime.fromisoformat("1899-12-30")) / timedelta(days=1)
    assert from_serial(serial) == moment


def test_a_small_number_is_no_date() -> None:
    with pytest.raises(ValueError, match="12"):
        from_serial(12.0)


@given(st.text(max_size=25))
def test_no_text_makes_the_reader_fail_other_than_by_refusing(text: str) -> None:
    nearest_date(text)
