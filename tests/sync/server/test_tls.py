"""The encrypted way to a server: who is believed, who is not, what a person is told. Debian's PostgreSQL 15 has TLS."""

from __future__ import annotations

import datetime
import ipaddress
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from app.domain.errors import Refused
from app.sync.join_line import read_join_line, settled_url
from app.sync.membership import with_password
from app.sync.server.creation import init
from app.sync.server.stations import add_station
from app.sync.server.status import status
from app.sync.wire import ServerConnection
from tests.postgres import Postgres, give, versions

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

pytestmark = pytest.mark.skipif("15" not in versions(), reason="no PostgreSQL with TLS here")
_ONLY_ENCRYPTED = "hostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all all 127.0.0.1/32 reject\n"


@dataclass
class Authority:
    """Signs certificates; `file` is its own, as stations have it."""

    file: Path
    key: EllipticCurvePrivateKey
    certificate: Certificate


@dataclass
class Guarded:
    """A server that takes none but encrypted connections, made out to 127.0.0.1; `url(**options)` is its owner's."""

    postgres: Postgres
    database: str
    authority: Path
    stranger: Path

    def url(self, host: str = "127.0.0.1", **options: str) -> str:
        plain = self.postgres.url(self.database).partition("?")[0].replace("127.0.0.1", host)
        return plain + "".join(
            f"{'&' if n else '?'}{key}={quote(value)}" for n, (key, value) in enumerate(options.items())
        )


def certified(name: str, issuer: Authority | None) -> tuple[EllipticCurvePrivateKey, Certificate]:
    """A key and its certificate: an authority's own without `issuer`, else one of the server at 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    asked = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        at = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        asked = asked.add_extension(at, critical=False)
    return key, asked.sign(issuer.key if issuer else key, hashes.SHA256())


def authority(folder: Path, name: str) -> Authority:
    from cryptography.hazmat.primitives.serialization import Encoding

    key, certificate = certified(name, None)
    file = folder / f"{name}.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return Authority(file, key, certificate)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder = tmp_path_factory.mktemp("tls")
    ours, strange = authority(folder, "ours"), authority(folder, "strange")
    key, certificate = certified("server", ours)
    postgres = Postgres.create("15")
    try:
        database = postgres.new_database()
        data = postgres.folder / "data"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, content in (
            ("server.key", secret),
            ("server.crt", certificate.public_bytes(Encoding.PEM)),
            ("pg_hba.conf", _ONLY_ENCRYPTED.encode()),
        ):
            (data / name).write_bytes(content)
            os.chmod(data / name, 0o600)  # noqa: PTH101 - beside the chown, which pathlib has not
            give(data / name)
        with postgres.connect() as connection:
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        made = Guarded(postgres, database, ours.file, strange.file)
        _wait_for_tls(made)
        yield made
    finally:
        postgres.remove()


def _wait_for_tls(server: Guarded) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(server.url(sslmode="require")).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def _refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as raised:
        act()
    return str(raised.value)


def test_a_certificate_of_the_known_authority_is_believed_and_comes_with_the_join_line(
    guarded: Guarded, tmp_path: Path
) -> None:
    url = guarded.url(sslrootcert=str(guarded.authority))
    init(url)
    assert status(url).encrypted
    line = read_join_line(str(add_station(url, "07")))
    address = with_password(settled_url(tmp_path, line), line.secrets.password)
    assert (tmp_path / "server-ca.pem").read_text() == guarded.authority.read_text()
    with ServerConnection.open(address) as wire:
        assert (wire.hello().station, wire.tls) == ("07", "verified")
        assert "certificate was checked" in wire.tls_sentence


def test_an_encrypted_way_without_authority_is_taken_and_said_to_be_unchecked(guarded: Guarded) -> None:
    for mode in ("require", "prefer"):
        with ServerConnection.open(guarded.url(sslmode=mode)) as wire:
            assert wire.tls == "unverified"
            assert "nobody checked" in wire.tls_sentence


def test_a_certificate_of_another_authority_or_name_is_refused(guarded: Guarded) -> None:
    strange = guarded.url(sslrootcert=str(guarded.stranger))
    assert "not signed by an authority known here" in _refusal(lambda: ServerConnection.open(strange))
    named = guarded.url("localhost", sslrootcert=str(guarded.authority))
    assert "made out to another name" in _refusal(lambda: ServerConnection.open(named))
    with ServerConnection.open(f"{named}&sslmode=verify-ca") as wire:
        assert wire.tls == "verified"
    missing = guarded.url(sslrootcert="/nowhere/ca.pem")
    assert "cannot be read" in _refusal(lambda: ServerConnection.open(missing))


def test_a_check_without_an_authority_says_how_to_name_one(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", "/nowhere/root.crt")
    unnamed = guarded.url(sslmode="verify-full")
    assert "name its file with sslrootcert" in _refusal(lambda: ServerConnection.open(unnamed))


def test_a_plain_way_is_refused_where_the_server_demands_an_encrypted_one(guarded: Guarded) -> None:
    sentence = _refusal(lambda: ServerConnection.open(guarded.url(sslmode="disable")))
    assert "only encrypted connections" in sentence
