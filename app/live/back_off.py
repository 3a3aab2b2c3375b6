"""How long to wait before a machine is tried again: soon after a loss, patiently where haste makes it worse."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from app.domain.errors import LinesideError, Refused
from app.drivers.faults import (
    ExpiredCertificate,
    NoSuchSecurity,
    TooManySessions,
    UnknownServer,
    UntrustedCertificate,
    WrongCredentials,
)
from app.drivers.mqtt_faults import UntrustedBroker

_FOR_A_PERSON = (
    ExpiredCertificate,
    NoSuchSecurity,
    Refused,
    TooManySessions,
    UnknownServer,
    UntrustedBroker,
    UntrustedCertificate,
    WrongCredentials,
)


@dataclass(frozen=True, slots=True)
class BackOff:
    """Doubling from `first` to `longest` seconds, a quarter of it by chance, so that 200 machines behind one switch
    are not all tried in the same moment; `patient` where trying again soon locks an account or takes a place.
    """

    first: float = 0.5
    longest: float = 10.0
    patient: float = 60.0

    def pause(self, attempt: int, fault: LinesideError, chance: Random) -> float:
        """Seconds before the next attempt; `attempt` counts from 0 since the machine was last heard for long."""
        if needs_patience(fault):
            base = max(self.patient, self.first)
        else:
            base = min(self.longest, self.first * 2.0 ** min(attempt, 16))
        return base * chance.uniform(0.75, 1.25)


def needs_patience(fault: LinesideError) -> bool:
    """Whether a person or another program has to act before trying again makes sense."""
    return isinstance(fault, _FOR_A_PERSON)
