"""The folder of photos and files: whole or not there, verified, and never emptied of what cannot be had again."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from app.domain.attachments import MEGABYTE
from app.domain.errors import NotFound, Refused, WorldFault
from app.store.blobs import BlobFolder


@pytest.fixture
def folder(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "data")


def test_bytes_come_back_under_the_name_of_their_hash(folder: BlobFolder, tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(b"light" * 300_000)
    blob = folder.add_file(source)
    assert blob.sha256 == hashlib.sha256(b"light" * 300_000).hexdigest()
    assert blob.size == 1_500_000
    assert folder.read(blob.sha256) == source.read_bytes()
    assert folder.file(blob.sha256).stat().st_mode & 0o077 == 0


def test_the_same_bytes_twice_are_one_file(folder: BlobFolder) -> None:
    first, second = folder.add(b"twice"), folder.add(b"twice")
    assert first == second
    assert list(folder.held()) == [first.sha256]


def test_a_file_that_is_too_large_leaves_nothing_behind(folder: BlobFolder, tmp_path: Path) -> None:
    source = tmp_path / "film.bin"
    source.write_bytes(b"\0" * (3 * MEGABYTE))
    with pytest.raises(Refused, match="At most 2 MB"):
        folder.add_file(source, largest=2 * MEGABYTE)
    assert [file for file in folder.path.rglob("*") if file.is_file()] == []


def test_a_file_that_vanished_is_refused_with_its_name(folder: BlobFolder, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone\.jpg cannot be read"):
        folder.add_file(tmp_path / "gone.jpg")


def test_damaged_bytes_are_found_put_aside_and_never_handed_out(folder: BlobFolder) -> None:
    blob = folder.add(b"as it was")
    folder.file(blob.sha256).write_bytes(b"as it WAS")
    assert not folder.is_sound(blob.sha256)
    with pytest.raises(NotFound, match="damaged"):
        folder.read(blob.sha256)
    assert not folder.has(blob.sha256)
    assert folder.file(blob.sha256).with_name(f"{blob.sha256}.damaged").read_bytes() == b"as it WAS"


def test_only_a_hash_becomes_a_file_name(folder: BlobFolder) -> None:
    for name in ("../../etc/passwd", "A" * 64, "", "0" * 63):
        with pytest.raises(ValueError, match="no SHA-256"):
            folder.file(name)


def test_room_is_made_by_what_was_looked_at_longest_ago_and_may_go(folder: BlobFolder) -> None:
    old, seen, ours, new = (folder.add(bytes([n]) * 1000).sha256 for n in range(4))
    for age, sha256 in ((400, old), (300, seen), (500, ours), (100, new)):
        os.utime(folder.file(sha256), (time.time() - age,) * 2)
    folder.read(seen)
    assert folder.make_room(2000, {old, seen, new}) == [old, new]
    assert set(folder.held()) == {seen, ours}
    assert folder.make_room(0, set()) == []


def test_what_a_crash_left_behind_goes_after_a_day_and_nothing_else(folder: BlobFolder) -> None:
    known, stray = folder.add(b"known").sha256, folder.add(b"stray").sha256
    (folder.path / "draft-1").write_bytes(b"half")
    assert folder.sweep({known}) == 0
    assert folder.sweep({known}, now=time.time() + 90_000) == 2
    assert set(folder.held()) == {known}
    assert not folder.has(stray)


def test_a_folder_that_cannot_be_written_is_a_fault_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file stands in the way")
    with pytest.raises(WorldFault, match="cannot take the file"):
        BlobFolder(tmp_path).add(b"x")


def test_a_full_disk_is_a_fault_in_a_sentence_and_leaves_nothing_behind(
    folder: BlobFolder, tmp_path: Path
) -> None:
    pytest.importorskip("resource")  # Windows has no such limits
    from tests.sync.engine.test_disk_full import no_file_above

    source = tmp_path / "photo.jpg"
    source.write_bytes(bytes(3 * MEGABYTE))
    # The last bytes are the ones that stay in a buffer until the file is closed.
    for limit in (MEGABYTE, 3 * MEGABYTE - 100):
        with no_file_above(limit), pytest.raises(WorldFault, match="cannot take the file"):
            folder.add_file(source)
    with no_file_above(MEGABYTE), pytest.raises(WorldFault, match="cannot take the file"):  # noqa: SIM117
        with folder.part("ab" * 32) as part:
            part.write(bytes(3 * MEGABYTE))
    assert list(folder.path.glob("draft-*")) == []
    assert folder.held() == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_folder_or_a_pipe_is_refused_and_not_waited_for(folder: BlobFolder, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    for source in (pipe, tmp_path):
        with pytest.raises(Refused, match="is no file but a folder or a device"):
            folder.add_file(source)


def test_putting_aside_what_is_gone_already_is_nothing(folder: BlobFolder) -> None:
    folder.put_aside("ab" * 32)
    assert folder.size("ab" * 32) == 0
