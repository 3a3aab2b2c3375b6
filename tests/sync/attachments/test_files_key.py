"""The key of a store of photos and files: what is one, how it travels, where it is kept and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Refused
from app.sync.files_key import FilesKey, unpacked
from app.sync.join_line import JoinLine, read_join_line
from app.sync.membership import (
    Address,
    Secrets,
    files_key_of,
    forget_secrets,
    keep_files_key,
    keep_secrets,
    secrets_of,
)
from tests.chance import examples

ADDRESS = Address("07", "postgresql://shop_st_07@db.example/shop", "here")
LETTERS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=200)
SECRETS = Secrets("password", "0f" * 32)


@examples(50)
@given(key_id=LETTERS, secret=LETTERS)
def test_a_key_survives_its_packing_and_the_line(key_id: str, secret: str) -> None:
    key = FilesKey(key_id, secret)
    assert unpacked(key.packed()) == key
    line = JoinLine("07", ADDRESS.url, SECRETS, files_key=key)
    assert read_join_line(str(line)) == line
    assert repr(key) == f"FilesKey(id={key_id!r})"
    assert "files_key" not in repr(line), "what is logged names no key"


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "ä", "x" * 300])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="This is no ID of an access key"):
        FilesKey(text, "secret")
    with pytest.raises(Refused, match="This is no secret of an access key"):
        FilesKey("id", text)


@pytest.mark.parametrize("text", ["{}", "[1]", "nothing", '["a", "b", "c"]', '["", "b"]'])
def test_a_kept_key_that_is_damaged_is_said(text: str) -> None:
    with pytest.raises(Refused):
        unpacked(text)


def test_it_lies_beside_the_password_and_goes_with_it(tmp_path: Path) -> None:
    keep_secrets(tmp_path, ADDRESS, SECRETS)
    assert files_key_of(tmp_path, ADDRESS) is None
    where = keep_files_key(tmp_path, ADDRESS, FilesKey("AKIA", "s3cret"))
    assert where.startswith("Keys of the store of photos and files are kept in ")
    assert files_key_of(tmp_path, ADDRESS) == FilesKey("AKIA", "s3cret")
    keep_files_key(tmp_path, ADDRESS, None)
    assert files_key_of(tmp_path, ADDRESS) is None
    assert secrets_of(tmp_path, ADDRESS) == SECRETS
    keep_files_key(tmp_path, ADDRESS, FilesKey("AKIA", "s3cret"))
    forget_secrets(tmp_path, ADDRESS)
    assert files_key_of(tmp_path, ADDRESS) is None
