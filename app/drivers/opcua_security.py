"""Who talks to whom over OPC UA: the server's certificate against the trusted one, ours, and where a password goes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused
from app.domain.plant import SECURITY, Connection
from app.drivers.certificates import described, own_certificate, same_fingerprint
from app.drivers.faults import (
    DeviceTrouble,
    ExpiredCertificate,
    NoSuchSecurity,
    ServerCertificate,
    UnknownServer,
)

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client

    from app.drivers.protocol import Credentials

_POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"
# How well a password is hidden by the encryption that a server asks for it, best first.
_STRENGTH = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Basic256", "Basic128Rsa15")


def new_client(connection: Connection) -> Client:
    """A client of the library that prefers the server's safest way for a password."""
    from asyncua.client.client import Client as LibraryClient

    class CarefulClient(LibraryClient):
        """WORKAROUND asyncua 2.1: it takes the first way that the server names, be it the one in clear."""

        def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
            safe = safest(self._policy_ids, token_type, self.security_policy.URI)
            return safe if safe is not None else super().server_policy(token_type)

    return CarefulClient(
        connection.url, timeout=connection.timeout, watchdog_intervall=max(2.0, connection.timeout / 2)
    )


def safest(
    policies: Sequence[ua.UserTokenPolicy], token_type: ua.UserTokenType, channel: str
) -> ua.UserTokenPolicy | None:
    """The policy that hides a token best; one without a policy of its own uses the channel's."""
    offered = [
        policy if policy.SecurityPolicyUri else dataclasses.replace(policy, SecurityPolicyUri=channel)
        for policy in policies
        if policy.TokenType == token_type
    ]

    def weakness(policy: ua.UserTokenPolicy) -> int:
        name = (policy.SecurityPolicyUri or "").removeprefix(_POLICY)
        return _STRENGTH.index(name) if name in _STRENGTH else len(_STRENGTH)

    return min(offered, key=weakness, default=None)


async def secure(client: Client, connection: Connection, credentials: Credentials, place: str) -> None:
    """Make `client` talk as the connection says; checks the server's certificate first.

    Raises UnknownServer, ExpiredCertificate or NoSuchSecurity, and whatever asking the server for its endpoints raises.
    """
    if connection.security == "None":
        return
    if connection.security not in SECURITY:
        raise Refused(
            f"“{connection.security}” is no security that Lineside knows; it knows {', '.join(SECURITY)}."
        )
    if credentials.certificates is None:
        raise Refused(
            f"Connection “{connection.name}” is encrypted, but there is no folder for certificates."
        )
    from asyncua import ua
    from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
    from asyncua.crypto.uacrypto import CertProperties

    own = await asyncio.to_thread(own_certificate, credentials.certificates)
    client.application_uri = own.uri
    shown = _certificate_of(await client.connect_and_get_server_endpoints(), connection.security, place)
    check_trust(_described(shown, place), connection, place)
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        CertProperties(own.der, "der"),
        CertProperties(own.key, "pem"),
        server_certificate=shown,
        mode=ua.MessageSecurityMode[connection.security.partition("/")[2]],
    )


def check_trust(certificate: ServerCertificate, connection: Connection, place: str) -> None:
    """Raises UnknownServer unless a person has accepted this certificate, ExpiredCertificate when it is too old."""
    if not same_fingerprint(certificate.fingerprint, connection.trusted):
        raise UnknownServer(place, certificate, changed=bool(connection.trusted))
    if not certificate.valid_from <= datetime.now(UTC) <= certificate.valid_until:
        raise ExpiredCertificate(place, certificate)


async def shown_certificate(client: Client, place: str) -> ServerCertificate:
    """The certificate that a server shows to everybody who asks for its endpoints."""
    endpoints = await client.connect_and_get_server_endpoints()
    for endpoint in endpoints:
        if endpoint.ServerCertificate:
            return _described(first_of_chain(endpoint.ServerCertificate), place)
    raise NoSuchSecurity(place, SECURITY[-1], offered(endpoints))


def offered(endpoints: Sequence[ua.EndpointDescription]) -> tuple[str, ...]:
    """The kinds of security among a server's endpoints that Lineside can use, in our words."""
    found = {_security_of(endpoint) for endpoint in endpoints}
    return tuple(kind for kind in SECURITY if kind in found)


def _security_of(endpoint: ua.EndpointDescription) -> str:
    policy = (endpoint.SecurityPolicyUri or "").removeprefix(_POLICY)
    return "None" if policy == "None" else f"{policy}/{endpoint.SecurityMode.name}"


def _certificate_of(endpoints: Sequence[ua.EndpointDescription], security: str, place: str) -> bytes:
    for endpoint in endpoints:
        if _security_of(endpoint) == security and endpoint.ServerCertificate:
            return first_of_chain(endpoint.ServerCertificate)
    raise NoSuchSecurity(place, security, offered(endpoints))


def first_of_chain(der: bytes) -> bytes:
    """A server may send its certificate with those of the authorities above it; the first is its own."""
    if len(der) < 4 or der[1] != 0x82:  # no certificate is short enough for another form of length
        return der
    return der[: 4 + int.from_bytes(der[2:4], "big")]


def _described(der: bytes, place: str) -> ServerCertificate:
    try:
        return described(der)
    except ValueError:
        raise DeviceTrouble(place, "its certificate is damaged") from None


def in_clear(client: Any) -> bool:
    """Whether the password of a connected client was sent so that a listener on the network can read it."""
    from asyncua import ua

    if client.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt or not client._password:
        return False
    policy = client.server_policy(ua.UserTokenType.UserName)
    return (policy.SecurityPolicyUri or "").removeprefix(_POLICY) not in _STRENGTH
