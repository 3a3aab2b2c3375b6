"""Corrections of measured values: a layer over the raw samples, which themselves never change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.errors import Refused


class CorrectionKind(StrEnum):
    """What a person can say about a stretch of a curve."""

    EXCLUDE = "exclude"  # nothing there was measured rightly
    OFFSET = "offset"  # add the amount to every good value
    FACTOR = "factor"  # multiply every good value by the amount
    REPLACE = "replace"  # the value was the amount, whatever was stored, good or not


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction of a tag for start <= source time < end; of several, the later ones work on the earlier ones."""

    tag: str
    start: datetime
    end: datetime
    kind: CorrectionKind
    amount: float | None = None


def check_correction(correction: Correction) -> None:
    """Raise `Refused` when a correction says nothing sensible."""
    if correction.end <= correction.start:
        raise Refused("A correction ends after it begins.", field="end")
    amount = correction.amount
    if correction.kind is CorrectionKind.EXCLUDE:
        if amount is not None:
            raise Refused("Leaving values out needs no amount.", field="amount")
        return
    if amount is None or not math.isfinite(amount):
        raise Refused(f"A correction of the kind {correction.kind.value} needs a number.", field="amount")
    if correction.kind is CorrectionKind.FACTOR and amount == 0:
        raise Refused("A factor of 0 would leave nothing; exclude the values instead.", field="amount")
