"""Lays corrections over samples and over pieces of a curve; what is stored does not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.corrections import Correction, CorrectionKind
from app.domain.samples import Quality, Sample
from app.store.history.schema import micros

if TYPE_CHECKING:
    from numpy import bool_
    from numpy.typing import NDArray

    from app.store.history.pieces import Pieces

CALCULATED = 0x0000_0401  # historian bits: this value was worked out, not measured (OPC UA Part 11, 6.4)


def edges(corrections: Sequence[Correction]) -> list[int]:
    """Times (µs) at which some correction begins or ends."""
    return sorted({micros(at) for c in corrections for at in (c.start, c.end)})


def corrected_pieces(pieces: Pieces, corrections: Sequence[Correction]) -> tuple[Pieces, NDArray[bool_]]:
    """The pieces with every correction laid over, and where one was."""
    import numpy as np

    from app.store.history.pieces import emptied, replaced, shifted

    touched = np.zeros(len(pieces), np.bool_)
    for correction in corrections:
        inside = (pieces.t >= micros(correction.start)) & (pieces.t < micros(correction.end))
        amount = correction.amount or 0.0
        match correction.kind:
            case CorrectionKind.EXCLUDE:
                pieces = emptied(pieces, inside)
            case CorrectionKind.OFFSET:
                pieces = shifted(pieces, inside, offset=amount)
            case CorrectionKind.FACTOR:
                pieces = shifted(pieces, inside, factor=amount)
            case CorrectionKind.REPLACE:
                pieces = replaced(pieces, inside, amount)
        touched |= inside
    return pieces, touched


def corrected_sample(sample: Sample, corrections: Sequence[Correction]) -> Sample:
    """The sample with every correction laid over; its quality tells that it was worked out."""
    for correction in corrections:
        if not correction.start <= sample.source_time < correction.end:
            continue
        if correction.kind is CorrectionKind.EXCLUDE:
            sample = replace(sample, value=None, quality=Quality.BAD | CALCULATED)
        elif correction.kind is CorrectionKind.REPLACE:
            sample = replace(sample, value=correction.amount, quality=Quality.GOOD | CALCULATED)
        elif sample.good and isinstance(sample.value, (int, float)):
            amount = correction.amount or 0.0
            offset = correction.kind is CorrectionKind.OFFSET
            value = sample.value + amount if offset else sample.value * amount
            sample = replace(sample, value=value, quality=sample.quality | CALCULATED)
    return sample
