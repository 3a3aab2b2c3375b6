"""What can be imported: a target is a set of fields, each with the words by which foreign files call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from app.domain.sheets.wording import normal, squashed

Kind = Literal["text", "identifier", "integer", "decimal", "date", "datetime", "choice", "person", "bool"]
Meaning = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value; `synonyms` are the words in other languages that mean it."""

    key: str
    title: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a target.

    `synonyms` by language are headers that surely mean it; `weak` are headers that are offered, as a question, when
    nothing better is in the file. `default` fills a required field that the file lacks, again as a question.
    `levels`: keys of the choices from the least to the most urgent, for files that write them as numbers.
    `lenient`: a choice is also found inside a longer text, and an unknown word is
    no error but read as empty, with a note. `ends_day`: a date without a time means the end of that day.
    """

    key: str
    title: str
    kind: Kind
    synonyms: Mapping[str, tuple[str, ...]]
    required: bool = False
    weak: tuple[str, ...] = ()
    default: str | None = None
    choices: tuple[Choice, ...] = ()
    levels: tuple[str, ...] = ()
    lenient: bool = False
    minimum: float | None = None
    positive: bool = False
    ends_day: bool = False
    expected: str = ""

    def describe(self) -> str:
        """What a good cell holds, for people: `a whole number greater than 0`."""
        if self.expected:
            return self.expected
        if self.kind == "choice":
            return "one of " + ", ".join(choice.title for choice in self.choices)
        if self.kind in ("integer", "decimal"):
            number = "a whole number" if self.kind == "integer" else "a number"
            return number + (" greater than 0" if self.positive else "")
        return {"date": "a date", "datetime": "a date", "bool": "yes or no", "person": "a name"}.get(
            self.kind, "text"
        )


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """`identity` is the field that names a row; `content` stands in for it when the file has none.

    `stand_ins` maps a required field to one that may take its place (product ← product name). `decoys` are headers
    that look like a field and are none. `ordered` are pairs of fields of which the first must lie before the second.
    """

    key: str
    title: str
    one: str
    many: str
    fields: tuple[FieldSpec, ...]
    identity: str
    content: tuple[str, ...]
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    decoys: frozenset[str] = frozenset()
    ordered: tuple[tuple[str, str], ...] = ()
    file_words: tuple[str, ...] = ()

    def spec(self, key: str) -> FieldSpec:
        """The field of that key; KeyError when the target has none."""
        for spec in self.fields:
            if spec.key == key:
                return spec
        raise KeyError(key)


@lru_cache(maxsize=256)
def _phrases(synonyms: tuple[tuple[str, ...], ...], own: tuple[str, ...]) -> frozenset[str]:
    return frozenset(phrase for group in (*synonyms, own) for word in group if (phrase := normal(word)))


def sure_phrases(spec: FieldSpec) -> frozenset[str]:
    """All headers, as `normal` words, that surely mean the field: its key, its title and every synonym."""
    return _phrases(tuple(spec.synonyms.values()), (spec.key, spec.title))


def weak_rank(spec: FieldSpec, header: str) -> int | None:
    """How likely a header may stand for the field, 0 the likeliest; None when it may not."""
    whole, words = squashed(header), normal(header).split()
    ranks = [place for place, word in enumerate(map(squashed, spec.weak)) if word == whole]
    ranks += [place + len(spec.weak) for place, word in enumerate(map(squashed, spec.weak)) if word in words]
    return min(ranks, default=None)


@lru_cache(maxsize=64)
def _choice_words(choices: tuple[Choice, ...]) -> Mapping[str, str]:
    words: dict[str, str] = {}
    for choice in choices:
        for word in (choice.key, choice.title, *choice.synonyms):
            words.setdefault(squashed(word), choice.key)
    return words


def choice_words(spec: FieldSpec) -> Mapping[str, str]:
    """Squashed word → key of the choice that it means."""
    return _choice_words(spec.choices)
