"""Encrypted OPC UA against a real server: who is trusted, who is not, and which way a password goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager
from asyncua.ua.status_codes import StatusCodes

from app.domain.errors import Refused
from app.drivers.certificates import OwnCertificate, own_certificate
from app.drivers.faults import (
    ExpiredCertificate,
    NoSuchSecurity,
    ServerCertificate,
    UnknownServer,
    UntrustedCertificate,
    WrongCredentials,
)
from app.drivers.opcua import OpcUaDriver, fetch_certificate
from app.drivers.opcua_security import check_trust, safest
from app.drivers.protocol import Credentials
from tests.drivers.opcua_machine import SECURE, Machine, machine

ENCRYPTED, SIGNED = "Basic256Sha256/SignAndEncrypt", "Basic256Sha256/Sign"
_POLICY = "http://opcfoundation.org/UA/SecurityPolicy#"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> OwnCertificate:
    return own_certificate(folder, "machine")


class Doorkeeper(UserManager):
    """Lets only anna in, and notes who asked."""

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("anna", "secret") else None


async def connected(served: Machine, folder: Path, password: str = "", **settings: Any) -> OpcUaDriver:
    driver = OpcUaDriver(served.connection(**settings), Credentials(password, folder))
    try:
        await driver.connect()
    except BaseException:
        await driver.close()
        raise
    return driver


@pytest.mark.parametrize("security", [SIGNED, ENCRYPTED])
async def test_a_server_is_only_trusted_with_the_fingerprint_that_a_person_accepted(
    folder: Path, theirs: OwnCertificate, security: str
) -> None:
    async with machine(policies=SECURE, own=theirs) as served:
        address = await served.add("speed", 12.5)
        with pytest.raises(UnknownServer, match="shows a certificate") as unknown:
            await connected(served, folder, security=security)
        assert not unknown.value.changed
        with pytest.raises(UnknownServer, match="shows another certificate") as changed:
            await connected(served, folder, security=security, trusted="00" * 32)
        assert changed.value.changed
        shown = unknown.value.certificate
        assert shown == await fetch_certificate(served.connection())
        driver = await connected(served, folder, security=security, trusted=shown.fingerprint.upper())
        try:
            assert [r.value for r in await driver.read([address])] == [12.5]
            (session,) = served.sessions
            assert session.user is not None
        finally:
            await driver.close()
        assert not served.sessions


async def test_a_server_that_does_not_trust_us_says_so_and_is_told_apart(
    folder: Path, theirs: OwnCertificate
) -> None:
    async def nobody(_certificate: Any, _description: Any) -> None:
        raise ServiceError(StatusCodes.BadCertificateUntrusted)

    async with machine(policies=SECURE, own=theirs) as served:
        served.server.set_certificate_validator(nobody)
        trusted = (await fetch_certificate(served.connection())).fingerprint
        with pytest.raises(UntrustedCertificate, match="accept Lineside's certificate"):
            await connected(served, folder, security=ENCRYPTED, trusted=trusted)


async def test_a_security_that_the_server_does_not_offer_is_told_with_what_it_offers(folder: Path) -> None:
    async with machine() as served:
        with pytest.raises(NoSuchSecurity, match="choose None") as fault:
            await connected(served, folder, security=ENCRYPTED)
        assert fault.value.offered == ("None",)
        with pytest.raises(NoSuchSecurity):
            await fetch_certificate(served.connection())
        with pytest.raises(Refused, match="no security that Lineside knows"):
            await connected(served, folder, security="Basic128Rsa15/Sign")


def test_a_certificate_out_of_its_time_is_refused_in_a_clear_sentence() -> None:
    from app.domain.plant import Connection

    now = datetime.now(UTC)
    old = ServerCertificate("ab" * 32, "press", now - timedelta(days=20), now - timedelta(days=1))
    wanted = Connection("m", "opcua", "opc.tcp://press", trusted="ab" * 32)
    with pytest.raises(ExpiredCertificate, match="renew it on the machine"):
        check_trust(old, wanted, "press:4840")
    early = ServerCertificate("ab" * 32, "press", now + timedelta(days=1), now + timedelta(days=9))
    with pytest.raises(ExpiredCertificate, match="correct the clock"):
        check_trust(early, wanted, "press:4840")


@pytest.mark.parametrize(
    ("secured", "security", "in_clear"),
    [(True, "None", False), (True, SIGNED, False), (True, ENCRYPTED, False), (False, "None", True)],
)
async def test_a_password_goes_in_clear_only_when_the_server_knows_nothing_else(
    folder: Path, theirs: OwnCertificate, secured: bool, security: str, in_clear: bool
) -> None:
    given = {"policies": SECURE, "own": theirs} if secured else {}
    async with machine(users=Doorkeeper(), **given) as served:  # type: ignore[arg-type]  # both are what they say
        trusted = (await fetch_certificate(served.connection())).fingerprint if secured else ""
        settings = {"security": security, "trusted": trusted, "user": "anna"}
        with pytest.raises(WrongCredentials):
            await connected(served, folder, "guess", **settings)
        driver = await connected(served, folder, "secret", **settings)
        try:
            assert driver.password_in_clear is in_clear
        finally:
            await driver.close()
        assert not served.sessions


def test_of_all_ways_for_a_password_the_safest_is_taken() -> None:
    def way(policy: str) -> ua.UserTokenPolicy:
        uri = _POLICY + policy if policy else None
        return ua.UserTokenPolicy(PolicyId=policy, TokenType=ua.UserTokenType.UserName, SecurityPolicyUri=uri)

    anonymous = ua.UserTokenPolicy(PolicyId="anyone", TokenType=ua.UserTokenType.Anonymous)
    offered = [anonymous, way("None"), way("Basic128Rsa15"), way("Basic256Sha256"), way("Basic256")]
    best = safest(offered, ua.UserTokenType.UserName, _POLICY + "None")
    assert best is not None
    assert best.PolicyId == "Basic256Sha256"
    channel = safest([way("None"), way("")], ua.UserTokenType.UserName, _POLICY + "Basic256Sha256")
    assert channel is not None
    assert channel.SecurityPolicyUri == _POLICY + "Basic256Sha256"
    assert safest([anonymous], ua.UserTokenType.UserName, "") is None
