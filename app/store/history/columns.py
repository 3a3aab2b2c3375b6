"""Samples of one tag as arrays, column by column: what a sealed chunk holds and what the reader merges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy import bool_, float64, int64, intp, uint8
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[int64]
    Order: TypeAlias = NDArray[intp] | NDArray[bool_] | slice

NOTHING, WHOLE, REAL, TEXT = range(4)  # what SQLite keeps a value as: null, integer, real, text
_STORED_AS: dict[type, int] = {type(None): NOTHING, int: WHOLE, float: REAL, str: TEXT}
_BAD_OR_UNCERTAIN = 0xC000_0000

Row: TypeAlias = tuple[int, int, int, Any, int, int]  # t, n, epoch, v, q, late: columns of the table sample


@dataclass(frozen=True)
class Columns:
    """Samples of one tag, all arrays of equal length.

    `t` (µs since 1970), `n` and `epoch` (identity for forwarding), `q` (status code), `late` (µs); `kind` says what a
    value is kept as, and `bits` is the integer itself, the 64 bits of a real, or the place of a text in `words`.
    """

    t: Ints
    n: Ints
    epoch: Ints
    q: Ints
    late: Ints
    kind: NDArray[uint8]
    bits: Ints
    words: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.t)

    def numbers(self) -> NDArray[float64]:
        """Values as floats; NaN where there is no number."""
        import numpy as np

        numbers = self.bits.view(np.float64).copy()
        whole = self.kind == WHOLE
        numbers[whole] = self.bits[whole]
        numbers[(self.kind == NOTHING) | (self.kind == TEXT)] = np.nan
        return numbers

    def good(self) -> NDArray[bool_]:
        """Where the quality is good."""
        good: NDArray[bool_] = (self.q & _BAD_OR_UNCERTAIN) == 0
        return good

    def good_numbers(self) -> NDArray[bool_]:
        """Where there is a number of good quality."""
        good: NDArray[bool_] = self.good() & ((self.kind == WHOLE) | (self.kind == REAL))
        return good

    def values(self) -> list[Any]:
        """Values as SQLite gave them."""
        import numpy as np

        mixed: list[Any] = self.bits.view(np.float64).tolist()
        for place in np.flatnonzero(self.kind != REAL).tolist():
            kind, bits = self.kind[place], int(self.bits[place])
            mixed[place] = bits if kind == WHOLE else self.words[bits] if kind == TEXT else None
        return mixed

    def rows(self) -> list[Row]:
        """The samples as rows of the table."""
        lists = (a.tolist() for a in (self.t, self.n, self.epoch))
        return list(zip(*lists, self.values(), self.q.tolist(), self.late.tolist(), strict=True))

    def part(self, which: Order) -> Columns:
        """The samples at some places, in that order."""
        arrays: tuple[Any, ...] = (self.t, self.n, self.epoch, self.q, self.late, self.kind, self.bits)
        t, n, epoch, q, late, kind, bits = (array[which] for array in arrays)
        return Columns(t, n, epoch, q, late, kind, bits, self.words)

    def in_order(self) -> Columns:
        """The samples by time, those of one instant by their number."""
        import numpy as np

        return self.part(np.lexsort((self.n, self.t)))


def columns_of(rows: Sequence[Row]) -> Columns:
    """Rows of the table as columns, in their order."""
    import numpy as np

    if not rows:
        empty = np.empty(0, np.int64)
        return Columns(empty, empty, empty, empty, empty, np.empty(0, np.uint8), empty)
    t, n, epoch, values, q, late = zip(*rows, strict=True)
    kind, bits, words = _packed(values)
    ints = [np.array(column, np.int64) for column in (t, n, epoch, q, late)]
    return Columns(ints[0], ints[1], ints[2], ints[3], ints[4], kind, bits, words)


def _packed(values: Sequence[Any]) -> tuple[NDArray[uint8], Ints, tuple[str, ...]]:
    import numpy as np

    if set(map(type, values)) == {float}:
        return np.full(len(values), REAL, np.uint8), np.array(values, np.float64).view(np.int64), ()
    kind = np.array([_STORED_AS[type(v)] for v in values], np.uint8)
    places = {word: place for place, word in enumerate(dict.fromkeys(v for v in values if type(v) is str))}
    bits = np.zeros(len(values), np.int64)
    for stored_as in (WHOLE, REAL, TEXT):
        at = np.flatnonzero(kind == stored_as)
        found = [values[place] for place in at.tolist()]
        if stored_as == REAL:
            bits[at] = np.array(found, np.float64).view(np.int64)
        else:
            bits[at] = [places[v] for v in found] if stored_as == TEXT else found
    return kind, bits, tuple(places)


def joined(parts: Sequence[Columns]) -> Columns:
    """Samples of several stretches as one, in the order of the parts."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    if not parts:
        return columns_of(())
    words = list(dict.fromkeys(word for part in parts for word in part.words))
    places = {word: place for place, word in enumerate(words)}
    bits = [_reworded(part, places) if part.words else part.bits for part in parts]

    def all_of(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    t, n, epoch, q, late, kind = map(all_of, ("t", "n", "epoch", "q", "late", "kind"))
    return Columns(t, n, epoch, q, late, kind, np.concatenate(bits), tuple(words))


def _reworded(part: Columns, places: dict[str, int]) -> Ints:
    import numpy as np

    bits, texts = part.bits.copy(), part.kind == TEXT
    bits[texts] = np.array([places[word] for word in part.words], np.int64)[part.bits[texts]]
    return bits
