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
            total += 100 + 10 * len(word) + (50 if _begins(text, at) else 0) - min(at, 40)
            continue
        loose = _letters(word, text) if len(word) > 2 else None
        if loose is None or loose < 2 * len(word):
            return None
        total += loose
    return total - len(text) // 8


def _letters(word: str, text: str) -> int | None:
    """Best of the ways to spell `word` in order, each beginning at a word of the text with its first letter."""
    tries = (
        _spell(word, text, start)
        for start, letter in enumerate(text)
        if letter == word[0] and _begins(text, start)
    )
    return max((points for points in tries if points is not None), default=None)


def _begins(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()


def _spell(word: str, text: str, start: int) -> int | None:
    """Take each letter next to the last one, else at the start of a word, else anywhere further on."""
    points, last = 6, start
    for letter in word[1:]:
        if text[last + 1 : last + 2] == letter:
            points, last = points + 4, last + 1
            continue
        at = _next_start(text, letter, last + 1)
        points += 6 if at >= 0 else 0
        last = at if at >= 0 else text.find(letter, last + 1)
        if last < 0:
            return None
    return points - (last - start) // 4


def _next_start(text: str, letter: str, after: int) -> int:
    at = text.find(letter, after)
    while at >= 0 and not _begins(text, at):
        at = text.find(letter, at + 1)
    return at


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
