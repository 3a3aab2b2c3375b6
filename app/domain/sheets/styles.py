"""How each column writes dates, numbers and levels: what it proves, and a question for what it leaves open."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.domain.sheets.cells import Cell, RawSheet
from app.domain.sheets.dates import DayOrder, day_order
from app.domain.sheets.fields import FieldSpec, choice_words
from app.domain.sheets.numbers import DecimalMark, decimal_mark
from app.domain.sheets.questions import Option, Question
from app.domain.sheets.values import ColumnStyle, level_of
from app.domain.sheets.wording import squashed

_LEGEND = re.compile(r"(\d{1,2})\s*(?:[=:]|\s[-\u2013]\s)\s*([^\W\d_]+)")


def column_styles(
    specs: Sequence[FieldSpec],
    cells: Mapping[str, Sequence[Cell]],
    headers: Mapping[str, str],
    sheet: RawSheet,
    answers: Mapping[str, str],
) -> tuple[dict[str, ColumnStyle], list[Question]]:
    """(style per field key, questions asked once per column that is open). `cells` holds the columns' values."""
    orders = {
        spec.key: day_order(cell for cell in cells[spec.key] if isinstance(cell, str))
        for spec in specs
        if spec.kind in ("date", "datetime")
    }
    proven = next(
        (order for order in orders.values() if not order.is_open and order.day_first + order.month_first),
        None,
    )
    styles: dict[str, ColumnStyle] = {}
    questions: list[Question] = []
    for spec in specs:
        question: Question | None = None
        style = ColumnStyle()
        if spec.key in orders:
            style, question = _dates(
                spec, orders[spec.key], proven, headers[spec.key], cells[spec.key], answers
            )
        elif spec.kind in ("integer", "decimal"):
            style, question = _numbers(spec, cells[spec.key], headers[spec.key], answers)
        elif spec.levels:
            style, question = _levels(spec, cells[spec.key], headers[spec.key], sheet, answers)
        styles[spec.key] = style
        if question is not None:
            questions.append(question)
    return styles, questions


def _asked(
    key: str,
    sentence: str,
    options: tuple[Option, ...],
    default: str,
    spec: FieldSpec,
    answers: Mapping[str, str],
    reason: str = "",
) -> Question:
    answer = answers.get(key, default)
    if answer not in {option.key for option in options}:
        answer = default
    return Question(key, sentence, options, default, answer, spec.key, reason, answered=key in answers)


def _dates(
    spec: FieldSpec,
    order: DayOrder,
    proven: DayOrder | None,
    header: str,
    cells: Sequence[Cell],
    answers: Mapping[str, str],
) -> tuple[ColumnStyle, Question | None]:
    if not order.is_open:
        return ColumnStyle(day_first=order.proves_day_first), None
    example = next(
        (cell for cell in cells if isinstance(cell, str) and day_order([cell]).either), "03/04/2026"
    )
    if order.day_first and order.month_first:
        first, reason = order.proves_day_first, "the column holds both"
    elif proven is not None:
        first, reason = proven.proves_day_first, "another column of the sheet is written so"
    else:
        first, reason = True, ""
    options = (Option("day-first", "day / month / year"), Option("month-first", "month / day / year"))
    question = _asked(
        f"day-order:{spec.key}",
        f"In “{header}”, is {example} day first or month first?",
        options,
        "day-first" if first else "month-first",
        spec,
        answers,
        reason,
    )
    return ColumnStyle(day_first=question.answer == "day-first"), question


def _numbers(
    spec: FieldSpec, cells: Sequence[Cell], header: str, answers: Mapping[str, str]
) -> tuple[ColumnStyle, Question | None]:
    texts = [cell for cell in cells if isinstance(cell, str) and ("." in cell or "," in cell)]
    mark, is_open = decimal_mark(texts)
    if not is_open:
        return ColumnStyle(decimal=mark), None
    other: DecimalMark = "," if any("." in text for text in texts) else "."
    if spec.kind == "integer":  # 1.234 pieces can only be 1234
        return ColumnStyle(decimal=other), None
    same: DecimalMark = "." if other == "," else ","
    example = texts[0]
    options = (
        Option("thousands", f"{example} is {example.replace('.', '').replace(',', '')}"),
        Option("decimals", f"{example} is {example.replace(',', '.')}, a fraction"),
    )
    question = _asked(
        f"decimal:{spec.key}",
        f"In “{header}”, does the mark in {example} part thousands or decimals?",
        options,
        "decimals",
        spec,
        answers,
    )
    return ColumnStyle(decimal=other if question.answer == "thousands" else same), question


def _levels(
    spec: FieldSpec, cells: Sequence[Cell], header: str, sheet: RawSheet, answers: Mapping[str, str]
) -> tuple[ColumnStyle, Question | None]:
    found = [level for cell in cells if (level := level_of(cell)) is not None]
    if not found:
        return ColumnStyle(), None
    highest = next(
        (
            top
            for top in (max(len(spec.levels), 4), 5, 10)
            if sum(1 for level in found if 0 <= level <= top) >= 0.9 * len(found)
        ),
        5,
    )
    lowest = 0 if 0 in found else 1
    legend = _legend(spec, sheet)
    default = "last" if legend == "last" else "first"
    options = (
        Option("first", f"{lowest} is the most urgent"),
        Option("last", f"{highest} is the most urgent"),
    )
    question = _asked(
        f"levels:{spec.key}",
        f"In “{header}”, which number is the most urgent?",
        options,
        default,
        spec,
        answers,
        "a legend in the sheet says so" if legend else "",
    )
    rising = list(spec.levels) if question.answer == "last" else list(reversed(spec.levels))
    span = max(highest - lowest, 1)
    levels = {
        level: rising[round((level - lowest) / span * (len(rising) - 1))]
        for level in range(lowest, highest + 1)
    }
    return ColumnStyle(levels=levels), question


def _legend(spec: FieldSpec, sheet: RawSheet) -> str:
    """`last` or `first`, when a text such as `1 = low, 5 = highest` stands in the first or last rows of the sheet."""
    rank = {key: place for place, key in enumerate(spec.levels)}
    words = choice_words(spec)
    for row in [*sheet.rows[:40], *sheet.rows[-40:]]:
        for cell in row:
            if not isinstance(cell, str) or not _LEGEND.search(cell):
                continue
            known = [
                (int(number), rank[words[squashed(word)]])
                for number, word in _LEGEND.findall(cell)
                if squashed(word) in words
            ]
            if len(known) >= 2:
                return "last" if (known[-1][0] - known[0][0]) * (known[-1][1] - known[0][1]) > 0 else "first"
    return ""
