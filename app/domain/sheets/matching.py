"""Which column is which field: by the words of its header first, then by the shape of its values."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from app.domain.sheets.cells import Cell, CellFault, is_blank
from app.domain.sheets.dates import parse_date
from app.domain.sheets.fields import FieldSpec, ImportTarget, choice_words, sure_phrases
from app.domain.sheets.numbers import nearest_number
from app.domain.sheets.values import level_of
from app.domain.sheets.wording import NO, YES, normal, squashed, without_brackets

SURE, NEAR, TAKEN = 1.0, 0.9, 0.55
_FILLERS = frozenset(
    (
        "name",
        "no",
        "nr",
        "num",
        "number",
        "date",
        "code",
        "id",
        "the",
        "of",
        "de",
        "du",
        "la",
        "le",
        "des",
        "der",
        "die",
        "das",
        "numer",
        "kod",
        "data",
        "text",
    )
)
# Beside a known word these say that the column holds something about the thing, not the thing.
_OTHER_MEANING = frozenset(
    (
        "cost",
        "costs",
        "price",
        "rate",
        "fee",
        "value",
        "kosten",
        "preis",
        "wert",
        "cena",
        "koszt",
        "wartosc",
        "prix",
        "cout",
        "precio",
        "coste",
        "prezzo",
        "costo",
        "type",
        "typ",
        "art",
        "rodzaj",
        "tipo",
        "by",
        "day",
        "done",
        "actual",
        "ist",
        "scrap",
        "good",
        "remaining",
        "unit",
        "einheit",
        "jednostka",
        "phone",
        "email",
        "mail",
        "address",
        "adresse",
        "group",
        "rev",
        "revision",
        "version",
        "count",
        "percent",
        "previous",
        "parent",
        "produced",
        "completed",
        "rzeczywisty",
        "reel",
        "reelle",
        "real",
        "total",
        "next",
        "last",
    )
)
_SAMPLES = 150
_LONGEST_HEADER = 48


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """`column` counts from 0; `confidence` is 0–1; `why` says it in words."""

    field: str
    column: int
    header: str
    confidence: float
    why: str


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """A mapping as a person left it: header (as written) → field key, or an empty text for a column left out."""

    name: str
    headers: Mapping[str, str]
    sheet: str = ""
    header_row: int = 0
    answers: Mapping[str, str] = field(default_factory=dict)

    def fits(self, headers: Sequence[str]) -> bool:
        """True when every header that the template uses is there."""
        present = {squashed(header) for header in headers}
        return all(squashed(header) in present for header, key in self.headers.items() if key)


def match_columns(
    headers: Mapping[int, tuple[str, ...]],
    samples: Mapping[int, Sequence[Cell]],
    target: ImportTarget,
    template: MappingTemplate | None = None,
) -> tuple[ColumnMatch, ...]:
    """Gives each field at most one column and each column at most one field, the surest pair first.

    `headers` holds per column (from 0) the header and, where a merged title stands above, other readings of it.
    """
    taken = _from_template(headers, target, template)
    left_out = set() if template is None else {squashed(header) for header in template.headers}
    pairs: list[tuple[float, int, int, FieldSpec, str]] = []
    for column, readings in headers.items():
        if squashed(readings[0]) in left_out:
            continue
        for place, spec in enumerate(target.fields):
            words, why = max(
                (header_score(reading, spec, target) for reading in readings), key=lambda found: found[0]
            )
            if words < TAKEN:
                continue
            score = words * shape_factor(spec, samples.get(column, ()))
            if score >= TAKEN:
                pairs.append((-score, place, column, spec, why))
    used = {match.column for match in taken}
    named = {match.field for match in taken}
    for negative, _, column, spec, why in sorted(pairs, key=lambda pair: pair[:3]):
        if column not in used and spec.key not in named:
            used.add(column)
            named.add(spec.key)
            taken.append(ColumnMatch(spec.key, column, headers[column][0], round(-negative, 2), why))
    return tuple(sorted(_with_stand_ins(taken, target), key=lambda match: match.column))


def _from_template(
    headers: Mapping[int, tuple[str, ...]], target: ImportTarget, template: MappingTemplate | None
) -> list[ColumnMatch]:
    if template is None:
        return []
    wanted = {squashed(header): key for header, key in template.headers.items() if key}
    known = {spec.key for spec in target.fields}
    found: dict[str, ColumnMatch] = {}
    for column, readings in headers.items():
        key = wanted.get(squashed(readings[0]), "")
        if key in known and key not in found:
            found[key] = ColumnMatch(key, column, readings[0], SURE, f"as in the template “{template.name}”")
    return list(found.values())


def _with_stand_ins(matches: list[ColumnMatch], target: ImportTarget) -> list[ColumnMatch]:
    named = {match.field for match in matches}
    result = matches
    for wanted, other in target.stand_ins.items():
        if wanted not in named and other in named:
            result = [
                ColumnMatch(wanted, match.column, match.header, match.confidence, match.why)
                if match.field == other
                else match
                for match in result
            ]
    return result


@lru_cache(maxsize=4096)
def _forms(phrases: frozenset[str]) -> tuple[frozenset[str], tuple[tuple[str, ...], ...]]:
    """(the phrases without blanks, the phrases as words), the longest first so that the closest is found first."""
    split = sorted(
        (tuple(phrase.split()) for phrase in phrases), key=lambda words: (-sum(map(len, words)), words)
    )
    return frozenset(phrase.replace(" ", "") for phrase in phrases), tuple(split)


@lru_cache(maxsize=50_000)
def _header_score(header: str, phrases: frozenset[str], names_row: bool) -> tuple[float, str]:
    squeezed, split = _forms(phrases)
    if squashed(header) in squeezed:
        return SURE, "the header says so"
    bare = without_brackets(header)
    core = squashed(bare)
    if not core or len(core) > _LONGEST_HEADER:
        return 0.0, ""
    if core in squeezed:
        return 0.97, "the header says so"
    words = tuple(normal(bare).split())
    kept = "".join(word for word in words if word not in _FILLERS)
    if kept and kept != core and kept in squeezed:
        return 0.85, "the header without filler words says so"
    if len(core) >= 5:
        near = difflib.get_close_matches(core, squeezed, n=1, cutoff=0.84)
        if near:
            return NEAR * difflib.SequenceMatcher(
                None, core, near[0]
            ).ratio(), f"the header is close to “{near[0]}”"
    return _partly(words, split, names_row)


def _partly(words: tuple[str, ...], split: tuple[tuple[str, ...], ...], names_row: bool) -> tuple[float, str]:
    """Abbreviated words (`Data rozp.`), and headers that hold a known one with more words around (`Order qty`)."""
    held = set(words)
    for phrase in split:
        if len(phrase) == len(words) and all(
            len(word) >= 3 and full.startswith(word) for word, full in zip(words, phrase, strict=True)
        ):
            return 0.8, f"the header shortens “{' '.join(phrase)}”"
    for phrase in split:
        # One word is too little to take a column for the one that names the row: `Order qty` is no order.
        enough = len(phrase) > 1 if names_row else phrase[0] not in _FILLERS and len(phrase[0]) >= 3
        if enough and held.issuperset(phrase) and not (held - set(phrase)) & _OTHER_MEANING:
            share = sum(map(len, phrase)) / sum(map(len, words))
            return 0.6 + 0.25 * share, f"the header holds “{' '.join(phrase)}”"
    return 0.0, ""


def header_score(header: str, spec: FieldSpec, target: ImportTarget) -> tuple[float, str]:
    """(0–1, why) how surely the header alone means the field."""
    if squashed(header) in target.decoys:
        return 0.0, ""
    return _header_score(header, sure_phrases(spec), spec.key == target.identity)


def shape_factor(spec: FieldSpec, cells: Sequence[Cell]) -> float:
    """1 when the values look like the field's kind, down to 0.3 when none does; 0.95 for a column without values."""
    sample = [cell for cell in cells if not is_blank(cell)][:_SAMPLES]
    sample = [cell for cell in sample if not isinstance(cell, CellFault)] or sample
    if not sample:
        return 0.95
    fits = _SHAPES.get(spec.kind, _looks_text)
    share = sum(1 for cell in sample if fits(spec, cell)) / len(sample)
    return 0.3 + 0.7 * min(1.0, share * 1.15)


def _looks_date(_: FieldSpec, cell: Cell) -> bool:
    if isinstance(cell, str):
        try:
            parse_date(cell)
        except ValueError:
            try:
                parse_date(cell, day_first=False)
            except ValueError:
                return False
        return True
    return isinstance(cell, date) or (isinstance(cell, float) and 30_000 < cell < 80_000)


def _looks_number(_: FieldSpec, cell: Cell) -> bool:
    if isinstance(cell, str):
        return nearest_number(cell) != ""
    return isinstance(cell, (int, float, timedelta)) and not isinstance(cell, bool)


def _looks_choice(spec: FieldSpec, cell: Cell) -> bool:
    if spec.levels and (level := level_of(cell)) is not None:
        return 0 <= level <= 10
    if spec.lenient:
        return isinstance(cell, str) and len(cell) <= 60
    return squashed(str(cell)) in choice_words(spec)


def _looks_person(_: FieldSpec, cell: Cell) -> bool:
    return isinstance(cell, str) and sum(letter.isdigit() for letter in cell) * 2 < len(cell)


def _looks_bool(_: FieldSpec, cell: Cell) -> bool:
    return isinstance(cell, bool) or squashed(str(cell)) in YES | NO


def _looks_identifier(_: FieldSpec, cell: Cell) -> bool:
    if isinstance(cell, str):
        return len(cell) <= 40 and len(cell.split()) <= 4
    return isinstance(cell, int) or (isinstance(cell, float) and cell.is_integer())


def _looks_text(_: FieldSpec, cell: Cell) -> bool:
    return not isinstance(cell, (date, datetime, time, timedelta, bool))


_SHAPES: Mapping[str, Callable[[FieldSpec, Cell], bool]] = {
    "date": _looks_date,
    "datetime": _looks_date,
    "integer": _looks_number,
    "decimal": _looks_number,
    "choice": _looks_choice,
    "person": _looks_person,
    "bool": _looks_bool,
    "identifier": _looks_identifier,
}


def looks_like(spec: FieldSpec, cells: Sequence[Cell]) -> bool:
    """True when most of the values could be this field; for offering columns as answers."""
    return any(not is_blank(cell) for cell in cells) and shape_factor(spec, cells) > 0.8
