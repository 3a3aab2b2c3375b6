"""Tells from a server's log alone what its tables held after each record, whatever became of the server since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.sync.shared_rows import shared_tables

Key: TypeAlias = tuple[str, str]
"""Table and id (hex) of a row."""
Tables: TypeAlias = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """What an entry, or a record of the log, does to one row: fields to (before, after), or to the value after."""

    key: Key
    creates: bool
    version: int
    fields: Mapping[str, Any]


def steps(rows: Iterable[Mapping[str, Any]]) -> Iterator[Step]:
    """The rows of an entry or of a record one by one; those that were made in bulk too."""
    for row in rows:
        if row["k"] == "m":
            for row_id, values in zip(row["ids"], row["rows"], strict=True):
                fields = dict(zip(row["columns"], values, strict=True))
                yield Step((row["e"], row_id.replace("-", "")), True, 1, fields)
        else:
            yield Step((row["e"], row["id"].replace("-", "")), row["k"] == "c", row["v"], row["set"])


def entry_steps(body: str) -> list[Step]:
    """What an entry asks for: every field maps to (value before, value after)."""
    asked = json.loads(body)["rows"]
    return [
        Step(step.key, True, 1, {name: (None, value) for name, value in step.fields.items()})
        if row["k"] == "m"
        else step
        for row in asked
        for step in steps([row])
    ]


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the log: as it was hashed, and what it says."""

    seq: int
    hash: str
    body: str
    said: Mapping[str, Any]

    @classmethod
    def read(cls, seq: int, chained: str, body: str) -> Line:
        return cls(seq, chained, body, json.loads(body))

    @property
    def change(self) -> str:
        """The id of the entry that it answers, empty for what the server itself did."""
        return str(self.said.get("change") or "")

    @property
    def applied(self) -> bool:
        return bool(self.said["k"] == "applied")

    def steps(self) -> Iterator[Step]:
        return steps(self.said.get("rows") or ())


def after(tables: Tables, line: Line) -> dict[Key, Mapping[str, Any]]:
    """The tables after one more record; asserts that it follows from those before."""
    rows = dict(tables)
    for step in line.steps():
        row = rows.get(step.key)
        table = shared_tables()[step.key[0]]
        if step.creates:
            assert row is None, f"record {line.seq} makes {step.key} once more"
        else:
            assert row is not None, f"record {line.seq} changes {step.key}, which nobody made"
            assert step.version == row["version"] + 1, (
                f"record {line.seq} passes over a version of {step.key}"
            )
        rows[step.key] = {**(row or {}), **table.heard(step.fields), "version": step.version}
    return rows


class Histories:
    """Every log that a server ever had; the hash of a record names all that went before, so that they do not mix."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[str, Line]] = {}
        self._tables: dict[str, Tables] = {"": {}}
        self._changes: dict[str, Mapping[str, Line]] = {"": {}}

    def learn(self, told: Iterable[tuple[int, str, str]]) -> list[Line]:
        """Take in a whole log (seq, hash in hex, body); asserts that it is gapless and that its chain holds."""
        before, lines = "", []
        for expected, (seq, chained, body) in enumerate(told, start=1):
            assert seq == expected, f"record {expected} of the log is missing"
            if chained not in self._lines:
                right = hashlib.sha256(bytes.fromhex(before) + body.encode()).hexdigest()
                assert chained == right, f"the chain is broken at {seq}"
                line = Line.read(seq, chained, body)
                assert line.said["seq"] == seq
                self._lines[chained] = before, line
                self._tables[chained] = after(self._tables[before], line)
                known = self._changes[before]
                assert not line.change or line.change not in known, f"{line.change} is in the log twice"
                self._changes[chained] = {**known, line.change: line} if line.change else known
            lines.append(self._lines[chained][1])
            before = chained
        return lines

    def knows(self, chained: str) -> bool:
        return chained in self._tables

    def tables(self, chained: str) -> Tables:
        """What the server held after the record with this hash."""
        return self._tables[chained]

    def changes(self, chained: str) -> Mapping[str, Line]:
        """By its id, every entry that had been answered by then."""
        return self._changes[chained]

    def before(self, line: Line) -> Tables:
        """What the server held before this record."""
        return self._tables[self._lines[line.hash][0]]
