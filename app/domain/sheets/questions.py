"""A choice that the file leaves open and a person makes once; the default is named, so work can go on without him."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer: `key` is what is stored, `title` what is read."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Question:
    """`key` names it in answers and templates. `free`: `value:…` with any text answers it as well.

    `answered` is False while the default stands only because nobody has said anything.
    """

    key: str
    sentence: str
    options: tuple[Option, ...]
    default: str
    answer: str
    field: str
    reason: str = ""
    free: bool = False
    answered: bool = False
