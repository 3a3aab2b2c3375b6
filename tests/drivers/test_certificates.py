"""The station's own certificate: made once, private, with the name that the protocol wants, renewed when expired."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from app.domain.errors import WorldFault
from app.drivers.certificates import described, fingerprint, own_certificate, same_fingerprint


def expire(file: Path) -> None:
    """Put a certificate of the same key in place that ended yesterday."""
    text = file.read_bytes()
    key = serialization.load_pem_private_key(text, None)
    old, now = x509.load_pem_x509_certificate(text), datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=old.subject,
        subject_name=old.subject,
        public_key=old.public_key(),
        serial_number=old.serial_number,
        not_valid_before=now - timedelta(days=9),
        not_valid_after=now - timedelta(days=1),
        extensions=list(old.extensions),
    )
    ended = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]  # our keys are RSA keys
    private = text[: text.index(b"-----BEGIN CERTIFICATE")]
    file.write_bytes(private + ended.public_bytes(serialization.Encoding.PEM))


def test_it_is_made_on_first_use_and_then_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "certificates"
    first = own_certificate(folder)
    assert own_certificate(folder) == first
    assert (folder / "lineside.der").read_bytes() == first.der
    certificate = x509.load_der_x509_certificate(first.der)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [first.uri]
    assert certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365 * 9)
    assert described(first.der).fingerprint == fingerprint(first.der)
    assert described(first.der).subject.startswith("Lineside on ")
    assert first.key.decode() not in repr(first)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights elsewhere")
def test_nobody_else_can_read_the_private_key(tmp_path: Path) -> None:
    own_certificate(tmp_path)
    assert stat.S_IMODE((tmp_path / "lineside.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["expired", "damaged"])
def test_one_that_cannot_be_used_any_more_is_made_anew(tmp_path: Path, how: str) -> None:
    first = own_certificate(tmp_path)
    if how == "expired":
        expire(tmp_path / "lineside.pem")
    else:
        (tmp_path / "lineside.pem").write_bytes(b"rubbish")
    second = own_certificate(tmp_path)
    assert second.der != first.der
    assert described(second.der).valid_until > datetime.now(UTC)
    assert (tmp_path / "lineside.der").read_bytes() == second.der


def test_many_at_once_get_the_same_one(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(own_certificate(tmp_path).der)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorldFault, match="cannot keep its certificate"):
        own_certificate(tmp_path / "file" / "certificates")


def test_a_fingerprint_is_the_same_however_it_is_written() -> None:
    assert same_fingerprint("ab:CD:01", "abcd01")
    assert same_fingerprint("AB CD 01", "ab:cd:01")
    assert not same_fingerprint("abcd01", "abcd02")
    assert not same_fingerprint("", "")
