"""Where the secrets of a station lie, what is sealed with a password, what a join line holds."""

from __future__ import annotations

import hashlib
import hmac
import stat
import sys
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.domain.people import THE_PLANT, Actor, Role
from app.operations.people import hash_password, password_fits
from app.store.sealing import key_hash, password_key, seal, terms_of, unseal, verifier
from app.sync.join_line import join_line, read_join_line, settled_url
from app.sync.membership import (
    Address,
    Secrets,
    address_of,
    check_station,
    forget_secrets,
    keep_address,
    keep_secrets,
    secrets_of,
    server_url,
    split_password,
    with_password,
)
from app.sync.signing import SigningBook, mac_of
from tests.chance import examples

URL = "postgresql://shop_st_07@db.example:5433/shop?sslmode=verify-full"
KEY = "0f" * 32
ADDRESS = Address("07", URL, "here")
ADA = Actor(UUID(int=1), "Ada", Role.PLANNER)


def test_the_address_is_kept_for_the_owner_alone_and_holds_no_password(tmp_path: Path) -> None:
    assert address_of(tmp_path) is None
    keep_address(tmp_path, ADDRESS)
    assert address_of(tmp_path) == ADDRESS
    file = tmp_path / "server.toml"
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("station = 7")
    with pytest.raises(Refused, match=r"server\.toml is damaged"):
        address_of(tmp_path)


def test_secrets_come_from_the_environment_or_where_joining_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="LINESIDE_SERVER_PASSWORD"):
        secrets_of(tmp_path, ADDRESS)
    where = keep_secrets(tmp_path, ADDRESS, Secrets("pä ss/@", KEY))
    assert where.startswith("The password of the server and the key of this station are kept in ")
    assert secrets_of(tmp_path, ADDRESS) == Secrets("pä ss/@", KEY)
    assert server_url(tmp_path, ADDRESS) == URL.replace("07@", "07:p%C3%A4%20ss%2F%40@")
    monkeypatch.setenv("LINESIDE_SERVER_PASSWORD", "other")
    assert secrets_of(tmp_path, ADDRESS) == Secrets("other", KEY)
    monkeypatch.delenv("LINESIDE_SERVER_PASSWORD")
    forget_secrets(tmp_path, ADDRESS)
    with pytest.raises(Refused, match="join again"):
        secrets_of(tmp_path, ADDRESS)


@pytest.mark.parametrize("name", ["", "HALL-1", "SEVENTH", "ä", "A B"])
def test_a_station_has_a_name_that_can_open_numbers(name: str) -> None:
    with pytest.raises(Refused, match="letters A–Z and digits"):
        check_station(name)
    assert check_station(" hall1 ") == "HALL1"


@given(password=st.text(min_size=1))
def test_a_password_survives_its_url(password: str) -> None:
    if "\ud800" <= max(password) <= "\udfff":
        return
    assert split_password(with_password(URL, password)) == (URL, password)


@given(password=st.text(st.characters(codec="utf-8"), min_size=1), breaks=st.lists(st.integers(0, 300)))
def test_a_join_line_survives_the_line_breaks_of_a_mail(password: str, breaks: list[int]) -> None:
    line = join_line("07", with_password(URL, password), KEY)
    text = str(line)
    assert repr(line) == f"JoinLine(07, {URL})"
    for at in breaks:
        text = text[:at] + "\r\n" + text[at:]
    assert read_join_line(text) == line
    assert (line.station, line.url, line.secrets) == ("07", URL, Secrets(password, KEY))


def test_the_whole_command_may_be_pasted(tmp_path: Path) -> None:
    line = join_line("07", with_password(URL, "secret"), KEY)
    assert read_join_line(f"lineside --data-dir {tmp_path} join {line}\n") == line


@given(at=st.integers(14, 200), letter=st.sampled_from("Ax0_"))
def test_a_join_line_with_a_wrong_letter_is_refused(at: int, letter: str) -> None:
    text = str(join_line("07", with_password(URL, "secret"), KEY))
    spoilt = text[:at] + letter + text[at + 1 :]
    if spoilt == text:
        return
    with pytest.raises(Refused, match="missing or was changed") as refused:
        read_join_line(spoilt)
    assert refused.value.field == "line"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("  ", "Paste the line"), ("postgresql://a:b@c/d", "no join line"), ("lineside-join:", "missing")],
)
def test_what_is_no_join_line_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_join_line(text)


def test_the_authority_of_the_server_travels_with_the_line(tmp_path: Path) -> None:
    pem = tmp_path / "office.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n")
    line = read_join_line(str(join_line("07", f"{with_password(URL, 'x')}&sslrootcert={pem}", KEY)))
    there = tmp_path / "there"
    there.mkdir()
    url = settled_url(there, line)
    assert (there / "server-ca.pem").read_text() == pem.read_text()
    assert url.startswith(URL)
    assert str(pem) not in url
    with pytest.raises(Refused, match="cannot be read"):
        join_line("07", f"{with_password(URL, 'x')}&sslrootcert={tmp_path}/none", KEY)


def test_the_server_hears_a_hash_of_the_key_that_the_local_verifier_holds() -> None:
    hashed = hash_password("a good long sentence")
    terms, key = terms_of(hashed)
    assert password_key(terms, "a good long sentence") == key
    assert verifier(terms, key) == hashed
    assert password_fits("a good long sentence", verifier(terms, key))
    assert key_hash(key) == hashlib.sha256(key).hexdigest()


@pytest.mark.parametrize(
    "terms",
    [
        "",
        "$argon2i$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=99999999,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=300,p=4$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=3$AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_terms_that_would_stop_this_computer_are_refused(terms: str) -> None:
    with pytest.raises(Refused, match="update it"):
        password_key(terms, "a good long sentence")


@examples(5)
@given(secret=st.binary(min_size=1, max_size=64))
def test_a_seal_opens_with_its_password_for_its_owner_only(secret: bytes) -> None:
    salt, sealed = seal(secret, "a good long sentence", UUID(int=1))
    assert unseal(salt, sealed, "a good long sentence", UUID(int=1)) == secret
    assert unseal(salt, sealed, "another good sentence", UUID(int=1)) is None
    assert unseal(salt, sealed, "a good long sentence", UUID(int=2)) is None


def test_only_a_person_who_logged_in_signs_and_only_until_they_leave(tmp_path: Path) -> None:
    book = SigningBook(tmp_path)
    with pytest.raises(Refused, match="Ada cannot sign on this station yet"):
        book.sign(ADA, "{}")
    book.unlock(UUID(int=1), b"secret")
    assert book.sign(ADA, "{}") == hmac.new(b"secret", b"{}", hashlib.sha256).hexdigest()
    book.lock(UUID(int=1))
    with pytest.raises(Refused, match="log in again while the server can be reached"):
        book.sign(ADA, "{}")


def test_the_plant_signs_with_the_key_of_its_station(tmp_path: Path) -> None:
    keep_address(tmp_path, ADDRESS)
    keep_secrets(tmp_path, ADDRESS, Secrets("x", KEY))
    assert SigningBook(tmp_path).sign(THE_PLANT, "zażółć") == mac_of(bytes.fromhex(KEY), "zażółć")
