"""Matches what a person types against titles: all letters in order, word starts and runs count more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def score(query: str, text: str) -> int | None:
    """How well lower-case `query` fits lower-case `text`; higher is better, None when it does not fit.

    Every word of the query must be found: as a piece of the text or, from three letters on, letter by
    letter in order with most of them in runs or at the start of words.
    """
    total = 0
    for word in query.split():
        at = text.find(word)
        if at >= 0:
            start = at == 0 or not text[at - 1].isalnum()
            total += 100 + 10 * len(word) + (50 if start else 0) - min(at, 40)
            continue
        loose = _letters(word, text) if len(word) > 2 else None
        if loose is None or loose < 2 * len(word):
            return None
        total += loose
    return total - len(text) // 8


def _letters(word: str, text: str) -> int | None:
    points, at, last = 0, -1, -2
    for letter in word:
        at = text.find(letter, at + 1)
        if at < 0:
            return None
        if at == last + 1:
            points += 4
        if at == 0 or not text[at - 1].isalnum():
            points += 6
        last = at
    return points - (last // 4)


def best(query: str, texts: Sequence[str], limit: int) -> list[int]:
    """Positions of the at most `limit` best fits among lower-case `texts`, best first, ties in order."""
    wanted = query.lower().strip()
    if not wanted:
        return list(range(min(limit, len(texts))))
    hits: Iterable[tuple[int, int]] = (
        (-points, position)
        for position, text in enumerate(texts)
        if (points := score(wanted, text)) is not None
    )
    return [position for _, position in sorted(hits)[:limit]]
