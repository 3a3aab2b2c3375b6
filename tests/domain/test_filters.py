"""The filter line: words and conditions, days as people write them, refusals that say what was expected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.filters import Condition, Filter, parse_day, parse_filter, parse_value

NOW = datetime(2026, 4, 15, 12, 30, tzinfo=UTC)  # a Wednesday
FIELDS = ["status", "due", "priority", "customer"]


def test_a_line_is_split_into_words_and_conditions() -> None:
    assert parse_filter('paint status:blocked due<fri priority<=2 customer="Hansen & Co"', FIELDS) == Filter(
        (
            Condition("status", "=", "blocked"),
            Condition("due", "<", "fri"),
            Condition("priority", "<=", "2"),
            Condition("customer", "=", "Hansen & Co"),
        ),
        ("paint",),
    )


def test_a_word_with_a_colon_that_names_no_column_is_searched_for() -> None:
    assert parse_filter("bolt:M8", FIELDS).words == ("bolt:M8",)


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("today", "2026-04-15"),
        ("tomorrow", "2026-04-16"),
        ("yesterday", "2026-04-14"),
        ("wed", "2026-04-15"),
        ("Friday", "2026-04-17"),
        ("mon", "2026-04-20"),
        ("nextweek", "2026-04-20"),
        ("2026-05-01", "2026-05-01"),
    ],
)
def test_days_are_understood_as_people_write_them(word: str, day: str) -> None:
    assert parse_day(word, NOW, UTC) == datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_next_week_begins_after_today_even_on_a_monday() -> None:
    monday = NOW - timedelta(days=2)
    assert parse_day("nextweek", monday, UTC).date().isoformat() == "2026-04-20"


def test_now_is_this_moment() -> None:
    assert parse_day("now", NOW, UTC) == NOW


@pytest.mark.parametrize(
    ("kind", "expected"), [("integer", "a whole number"), ("time", "a day such as"), ("flag", "yes or no")]
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_was_expected(kind: str, expected: str) -> None:
    with pytest.raises(Refused, match=expected) as refusal:
        parse_value(Condition("due", "=", "someday"), kind, {}, NOW, UTC)  # type: ignore[arg-type]  # a kind by name
    assert refusal.value.field == "filter"


@given(st.text(max_size=40))
def test_no_line_breaks_the_parser(line: str) -> None:
    parse_filter(line, FIELDS)
