"""What goes wrong between Lineside and an MQTT broker, in sentences that say what to do."""

from __future__ import annotations

import ssl
import time

from app.drivers.faults import (
    DeviceTrouble,
    MachineFault,
    RefusedConnection,
    TooManySessions,
    Unreachable,
    WrongCredentials,
)

# Reason codes of MQTT 5 (2.4); the client library tells the return codes of MQTT 3.1.1 in them as well.
_BAD_CLIENT_ID, _BAD_PASSWORD, _NOT_AUTHORIZED = 0x85, 0x86, 0x87
_UNAVAILABLE, _BUSY, _BANNED = 0x88, 0x89, 0x8A
_KEEP_ALIVE, _TAKEN_OVER = 0x8D, 0x8E
# OpenSSL's X509_V_ERR_… numbers.
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST, _OTHER_IP = 10, 9, 62, 64
HANG_UP_MEMORY = (
    180.0  # s; longer than the patience after such a fault, so that it is recognised at once again
)


class UntrustedBroker(MachineFault):
    """The broker shows a certificate that no authority we believe in has signed, or one for someone else."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(place, f"{place} cannot prove who it is: {problem}.")


class ClientNameTaken(TooManySessions):
    """Another program connected under our name, and the broker threw us out; trying again would throw it out."""

    def __init__(self, place: str, client_id: str) -> None:
        MachineFault.__init__(
            self,
            place,
            f"{place} keeps ending the connection: another program uses the client name “{client_id}” too; "
            "give one of them another name.",
        )


def certificate_fault(place: str, host: str, error: ssl.SSLError) -> MachineFault:
    """The sentence for a failed TLS handshake."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return RefusedConnection(place, "no encrypted MQTT on that port")
    if error.verify_code in (_OTHER_HOST, _OTHER_IP):
        problem = f"its certificate is for another name than “{host}”; use the name in the certificate as the address"
    elif error.verify_code == _EXPIRED:
        problem = "its certificate has expired; put a new one on the broker, or check this PC's clock"
    elif error.verify_code == _NOT_YET_VALID:
        problem = "its certificate is not valid yet; check this PC's clock"
    else:
        problem = "its certificate is not signed by an authority that this PC believes; choose the CA file of the plant"
    return UntrustedBroker(place, problem)


def answer_fault(place: str, code: int, client_id: str) -> MachineFault:
    """The sentence for a reason code with which the broker refused or ended the connection."""
    if code in (_BAD_PASSWORD, _NOT_AUTHORIZED):
        return WrongCredentials(place)
    if code == _TAKEN_OVER:
        return ClientNameTaken(place, client_id)
    if code == _BAD_CLIENT_ID:
        return RefusedConnection(place, f"it does not accept the client name “{client_id}”")
    if code in (_UNAVAILABLE, _BUSY):
        return RefusedConnection(place, "the broker is too busy")
    if code == _BANNED:
        return RefusedConnection(place, "the broker has banned this client")
    if code == _KEEP_ALIVE:
        return Unreachable(place, "the broker fell silent")
    if code >= 0x80:
        return DeviceTrouble(place, f"MQTT reason 0x{code:02X}")
    return Unreachable(place, "the connection broke")


class HangUps:
    """Remembers, beyond the life of one connection, how often the broker ended a client's connection lately.

    MQTT 3.1.1 has no way to say “somebody else connected under your name”: the broker only hangs up. Twice within
    three minutes, although the broker can still be reached, is what two clients of one name do to each other.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}

    def again(self, place: str, client_id: str) -> bool:
        """Note a hang-up; true when the one before was not long ago."""
        now = time.monotonic()
        before = self._last.get((place, client_id))
        self._last[place, client_id] = now
        return before is not None and now - before < HANG_UP_MEMORY

    def forget(self, place: str, client_id: str) -> None:
        """Start anew, since the last end had another cause."""
        self._last.pop((place, client_id), None)
