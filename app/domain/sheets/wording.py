"""How words from headers and cells are compared: without case, accents, punctuation and camel humps."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_FOLDED = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "Ø": "O", "đ": "d", "æ": "ae", "œ": "oe"})
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_BRACKETS = re.compile(r"[(\[{].*?[)\]}]")
_SPACES = re.compile(r"\s+")

TOTAL_WORDS = frozenset(
    (
        "total",
        "totals",
        "grandtotal",
        "subtotal",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "zwischensumme",
        "insgesamt",
        "suma",
        "razem",
        "lacznie",
        "ogolem",
        "somme",
        "soustotal",
        "totalgeneral",
        "totale",
        "celkem",
        "soucet",
    )
)
YES = frozenset(
    (
        "yes",
        "y",
        "true",
        "x",
        "ja",
        "j",
        "wahr",
        "tak",
        "t",
        "prawda",
        "oui",
        "o",
        "vrai",
        "si",
        "s",
        "verdadero",
        "vero",
        "ano",
        "pravda",
        "on",
        "1",
    )
)
NO = frozenset(
    (
        "no",
        "n",
        "false",
        "nein",
        "falsch",
        "nie",
        "falsz",
        "non",
        "faux",
        "falso",
        "ne",
        "nepravda",
        "off",
        "0",
    )
)


@lru_cache(maxsize=20_000)
def normal(text: str) -> str:
    """Words in lower case, split by single blanks: `Numer_zlecenia`, `numerZlecenia` → `numer zlecenia`."""
    plain = unicodedata.normalize("NFKD", text.translate(_FOLDED))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _NOT_WORD.sub(" ", _HUMP.sub(" ", plain).lower()).strip()


def squashed(text: str) -> str:
    """The words of `normal` without blanks, so that `Due date` and `DueDate` and `due_date` are one."""
    return normal(text).replace(" ", "")


def without_brackets(text: str) -> str:
    """A header without its unit: `Menge (Stk)` → `Menge`."""
    return _BRACKETS.sub(" ", text).strip()


def tidy(text: str) -> str:
    """Text as it is kept: no-break spaces become spaces, runs of white space one space, none at the ends."""
    return _SPACES.sub(" ", text).strip()
