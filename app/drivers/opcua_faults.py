"""What an OPC UA server's refusals mean to the person at the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.drivers.faults import (
    BadAddress,
    DeviceTrouble,
    MachineFault,
    TooManySessions,
    Unreachable,
    UntrustedCertificate,
    WrongCredentials,
)

if TYPE_CHECKING:
    from asyncua.ua.uaerrors import UaStatusCodeError

_CREDENTIALS = (
    "BadIdentityTokenRejected",
    "BadIdentityTokenInvalid",
    "BadUserAccessDenied",
    "BadUserSignatureInvalid",
)
_FULL = ("BadTooManySessions", "BadMaxConnectionsReached", "BadTcpNotEnoughResources")
_GONE = (
    "BadTimeout",
    "BadConnectionClosed",
    "BadServerNotConnected",
    "BadSecureChannelClosed",
    "BadSecureChannelIdInvalid",
    "BadSessionIdInvalid",
    "BadSessionClosed",
    "BadSessionNotActivated",
    "BadShutdown",
    "BadServerHalted",
)
_WORDS = {
    "BadCertificateUntrusted": "it has not accepted our certificate",
    "BadCertificateTimeInvalid": "it says that our certificate is not valid at its time; compare the clocks",
    "BadCertificateUriInvalid": "our certificate carries another name than we do",
    "BadSecurityChecksFailed": "it rejects our certificate",
    "BadSecurityPolicyRejected": "it does not allow this kind of security",
    "BadSecurityModeRejected": "it does not allow this kind of security",
    "BadTooManySubscriptions": "it has no room for another subscription; close other programs that read it",
    "BadTooManyMonitoredItems": "it cannot watch so many values",
    "BadOutOfMemory": "it has run out of memory",
    "BadServiceUnsupported": "it cannot do what was asked",
    "BadNoContinuationPoints": "too many people are browsing it",
}


def translated(place: str, error: UaStatusCodeError) -> MachineFault:
    """The fault behind a status code with which a server refused a request."""
    name = type(error).__name__
    if name in _CREDENTIALS:
        return WrongCredentials(place)
    if name in _FULL:
        return TooManySessions(place)
    if name in _GONE:
        return Unreachable(place, name)
    words = _WORDS.get(name, name)
    if name.startswith(("BadCertificate", "BadSecurity")):
        return UntrustedCertificate(place, words)
    if name.startswith("BadNodeId"):
        return BadAddress(place, "the machine does not know this node")
    return DeviceTrouble(place, words)


def status_words(name: str) -> str:
    """Why a server does not give one value, after "the machine says"."""
    return _ITEM_WORDS.get(name, name)


_ITEM_WORDS = {
    "BadNodeIdUnknown": "that it does not know this node",
    "BadNodeIdInvalid": "that this is no node of its own",
    "BadAttributeIdInvalid": "that this node has no value; choose one below it",
    "BadNotReadable": "that this value cannot be read",
    "BadUserAccessDenied": "that this user may not read it",
    "BadTooManyMonitoredItems": "that it cannot watch so many values",
    "BadIndexRangeNoData": "that the list is shorter",
}
