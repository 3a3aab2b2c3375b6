"""What can go wrong between Lineside and a machine; each fault says what happened and what a technician can do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import WorldFault


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a person has to compare before trusting a machine; `fingerprint` is the SHA-256 in hex."""

    fingerprint: str
    subject: str
    valid_from: datetime
    valid_until: datetime

    @property
    def short(self) -> str:
        """Enough of the fingerprint to compare by eye."""
        return ":".join(self.fingerprint[i : i + 2] for i in range(0, 16, 2)).upper()


class MachineFault(WorldFault):
    """Any failure of a machine or of the way to it; `place` is the address that was tried."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


class Unreachable(MachineFault):
    """Nothing came back at all: cable, network, power, wrong address."""

    def __init__(self, place: str, detail: str = "") -> None:
        why = f" ({detail})" if detail else ""
        super().__init__(
            place,
            f"{place} does not answer{why}: check the machine's power, the network cable and the address.",
        )


class RefusedConnection(MachineFault):
    """The computer is there, but it does not accept the connection."""

    def __init__(self, place: str, detail: str = "") -> None:
        why = f" ({detail})" if detail else ""
        super().__init__(
            place,
            f"{place} refuses the connection{why}: check the port, and that the machine's server is switched on.",
        )


class TooManySessions(RefusedConnection):
    """All places for clients are taken; many controllers have four or five, many Modbus devices one."""

    def __init__(self, place: str) -> None:
        super().__init__(place, "all its places for clients are taken; close other programs that read it")


class WrongCredentials(MachineFault):
    """User name or password is not accepted."""

    def __init__(self, place: str) -> None:
        super().__init__(place, f"{place} does not accept the user name or the password: enter them again.")


class UntrustedCertificate(MachineFault):
    """The machine does not trust this PC's certificate, or offers no security that both sides know."""

    def __init__(self, place: str, detail: str = "") -> None:
        why = f" ({detail})" if detail else ""
        super().__init__(
            place,
            f"{place} does not trust this PC yet{why}: accept Lineside's certificate in the machine's "
            "list of rejected certificates, or choose another security setting.",
        )


class UnknownServer(MachineFault):
    """The machine shows a certificate that nobody has accepted yet, or another one than was accepted."""

    def __init__(self, place: str, certificate: ServerCertificate, *, changed: bool = False) -> None:
        shown = f"{place} shows {'another' if changed else 'a'} certificate ({certificate.short}"
        super().__init__(
            place,
            f"{shown}, {certificate.subject}): compare it with the one on the machine and accept it in the "
            "connection's settings.",
        )
        self.certificate, self.changed = certificate, changed


class ExpiredCertificate(MachineFault):
    """The machine's certificate is too old, or not valid yet because a clock is wrong."""

    def __init__(self, place: str, certificate: ServerCertificate) -> None:
        since, until = (f"{time:%Y-%m-%d}" for time in (certificate.valid_from, certificate.valid_until))
        super().__init__(
            place,
            f"The certificate of {place} is valid from {since} until {until} and so not today: renew it on the "
            "machine, or correct the clock of the machine or of this PC.",
        )
        self.certificate = certificate


class NoSuchSecurity(MachineFault):
    """The machine does not offer the security that the connection asks for."""

    def __init__(self, place: str, wanted: str, offered: tuple[str, ...]) -> None:
        choice = " or ".join(offered) if offered else "nothing that Lineside knows"
        super().__init__(
            place,
            f"{place} does not offer the security {wanted}: choose {choice} in the connection's settings, or switch "
            f"{wanted} on in the machine.",
        )
        self.offered = offered


class BadAddress(MachineFault):
    """The machine does not know the address, or it is not written as the protocol wants it."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(place, f"“{place}” is not an address that can be read: {detail}.")


class DeviceTrouble(MachineFault):
    """The machine answers, but with an error or with something that is not its protocol."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(place, f"{place} answers with an error: {detail}.")


class Unconfirmed(MachineFault):
    """A value was sent, and nothing that came back says whether the machine took it; it is not sent again."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(place, f"{place}: {detail}; whether it took the value is not known.")


class PortFault(MachineFault):
    """The serial port of this PC cannot be used; nothing was asked of the machine yet."""
