"""Numbers as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.sheets.numbers import DecimalMark, decimal_mark, nearest_number, parse_number

_THOUSANDS = {
    ".": [",", "\u00a0", "\u202f", " ", "'", "’", ""],
    ",": [".", "\u00a0", "\u202f", " ", "'", "’", ""],
}


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("250", ".", 250),
        ("250.0", ".", 250),
        ("1 250,50", ".", 1250.5),
        ("1\u00a0250", ",", 1250),
        ("1.234", ",", 1234),
        ("1.234", ".", 1.234),
        ("1,234", ".", 1234),
        ("1.234.567", ".", 1234567),
        ("1.234,5", ".", 1234.5),
        ("1,234.5", ",", 1234.5),
        ("0,125", ".", 0.125),
        ("−3", ".", -3),
        ("1’000", ".", 1000),
        (" 7 ", ".", 7),
    ],
)
def test_a_number_is_read_as_its_country_writes_it(text: str, mark: DecimalMark, number: float) -> None:
    assert parse_number(text, mark) == number


@pytest.mark.parametrize(
    "text", ["4O", "", "abc", "1,2,3", "12 pcs", "1 2 3", "1.23.4", "1e5", "--1", "nan", "1.,2"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert _refuses(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("4O", "40"), ("12 pcs", "12"), ("l5", "15"), ("1O0 szt.", "100"), ("x", "")]
)
def test_the_number_that_was_meant_is_suggested(text: str, meant: str) -> None:
    assert nearest_number(text) == meant


def _refuses(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return True
    return False


def test_a_column_proves_its_decimal_mark() -> None:
    assert decimal_mark(["1,5", "1,250"]) == (",", False)
    assert decimal_mark(["1.250", "2.000"]) == (".", True)
    assert decimal_mark(["1.250,00", "2.000"]) == (",", False)
    assert decimal_mark(["5", "x"]) == (".", False)


@given(
    cents=st.integers(-(10**11), 10**11),
    mark=st.sampled_from([".", ","]),
    data=st.data(),
)
def test_a_number_written_in_any_style_reads_back_the_same(
    cents: int, mark: DecimalMark, data: st.DataObject
) -> None:
    thousands = data.draw(st.sampled_from(_THOUSANDS[mark]))
    whole, fraction = divmod(abs(cents), 100)
    text = ("-" if cents < 0 else "") + f"{whole:,}".replace(",", thousands) + f"{mark}{fraction:02d}"
    assert parse_number(text, mark) == cents / 100


@given(st.text(max_size=20))
def test_no_text_makes_the_reader_fail_other_than_by_refusing(text: str) -> None:
    nearest_number(text)
    _refuses(text)
