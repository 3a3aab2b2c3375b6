"""What a look at an installation found, for whoever has to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` is empty when it is well."""

    subject: str
    well: bool
    seen: str
    advice: str = ""
