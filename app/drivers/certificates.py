"""The certificate by which a machine recognises this station: made on first use, renewed when it has expired."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.errors import WorldFault
from app.drivers.faults import ServerCertificate

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

FOLDER = "certificates"  # in the data folder of a station
YEARS = 10  # a machine that trusts a certificate must not stop working because nobody remembered to renew it
_KEY_BITS = 2048  # what Basic256Sha256 wants at least, and old controllers can bear at most
_LONGEST_NAME = 64  # characters of a common name (RFC 5280, ub-common-name)
_making = threading.Lock()  # many links connect at once when the collector starts


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate (DER) with its private key (PEM); `uri` is the application URI that it was made for."""

    uri: str
    der: bytes
    key: bytes = field(repr=False)


def own_certificate(folder: Path, name: str = "lineside") -> OwnCertificate:
    """The certificate called `name` in `folder`; a new one on first use and when the old one has expired.

    `NAME.pem` holds key and certificate, readable by the owner only; `NAME.der` is the copy that a person takes to a
    machine. Takes up to a second. Raises WorldFault when the folder cannot be written.
    """
    secret = folder / f"{name}.pem"
    with _making:
        try:
            kept = _load(secret)
            if kept is None:
                folder.mkdir(parents=True, exist_ok=True)
                kept = _keep(secret, *_make(f"urn:{socket.gethostname()}:{name}"))
            public = folder / f"{name}.der"
            if not public.exists() or public.read_bytes() != kept.der:
                public.write_bytes(kept.der)
        except OSError as error:
            reason = error.strerror or str(error)
            raise WorldFault(
                f"Lineside cannot keep its certificate in {folder} ({reason}): check the folder's permissions."
            ) from error
    return kept


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, in small hex digits without separators."""
    return hashlib.sha256(der).hexdigest()


def same_fingerprint(one: str, other: str) -> bool:
    """Whether two fingerprints are the same, however a person has written them."""
    return _digits(one) == _digits(other) != ""


def _digits(text: str) -> str:
    return "".join(sign for sign in text.lower() if sign.isalnum())


def described(der: bytes) -> ServerCertificate:
    """What a person compares; raises ValueError for something that is no certificate."""
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    subject = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return ServerCertificate(
        fingerprint(der),
        subject or "no name",
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def _load(file: Path) -> OwnCertificate | None:
    """The pair in a file; None when there is none, or none that may still be used."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(text)
        serialization.load_pem_private_key(text, password=None)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uri = names.get_values_for_type(x509.UniformResourceIdentifier)[0]
    except (ValueError, IndexError, x509.ExtensionNotFound):  # damaged: as good as none
        return None
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        return None
    return OwnCertificate(uri, certificate.public_bytes(serialization.Encoding.DER), text)


def _keep(file: Path, key: RSAPrivateKey, certificate: x509.Certificate) -> OwnCertificate:
    """Write the pair in one step, so that another process sees all of it or nothing."""
    from cryptography.hazmat.primitives import serialization

    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    waiting = file.with_suffix(f".{os.getpid()}.new")
    with suppress(FileNotFoundError):
        waiting.unlink()
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(text)
    rival = _load(file)  # another process may have made one meanwhile, which machines may know already
    if rival is None:
        waiting.replace(file)
    else:
        waiting.unlink()
    kept = rival or _load(file)
    if kept is None:
        raise OSError(f"{file.name} cannot be read back")
    return kept


def _make(uri: str) -> tuple[RSAPrivateKey, x509.Certificate]:
    """A key and an application instance certificate with what OPC UA Part 6 6.2.2 asks of one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    host, now = socket.gethostname(), datetime.now(UTC)
    who = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Lineside on {host}"[:_LONGEST_NAME]),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Lineside"),
        ]
    )
    uses = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
        key_agreement=False, key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri), x509.DNSName(host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .not_valid_before(now - timedelta(days=1))  # the machine's clock may be behind
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(uses, critical=True)
        .add_extension(both, critical=False)
        .add_extension(names, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate
