"""Small pictures: upright, at most 16 KiB, and never a reason to refuse or to fail."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.domain.attachments import LARGEST_PHOTO, THUMBNAIL_BYTES
from app.domain.errors import Refused
from app.store.blobs import BlobFolder
from app.store.incoming_files import take_bytes, take_file
from app.store.thumbnails import look_at
from tests.chance import examples


def picture(width: int = 400, height: int = 300, kind: str = "JPEG", *, turned: bool = False) -> bytes:
    """A noisy picture whose left half is red; `turned` as a phone held upright writes it."""
    image = Image.effect_noise((width, height), 80).convert("RGB")
    image.paste((220, 20, 20), (0, 0, width // 2, height))
    written = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    image.save(written, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return written.getvalue()


def _opened(thumbnail: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail))
    image.load()
    return image


@pytest.mark.parametrize(
    ("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_photo_becomes_a_small_jpeg(tmp_path: Path, kind: str, mime: str) -> None:
    source = tmp_path / "whatever.dat"
    source.write_bytes(picture(1600, 1200, kind))
    look = look_at(source)
    assert look.mime == mime
    assert 0 < len(look.thumbnail) <= THUMBNAIL_BYTES
    small = _opened(look.thumbnail)
    assert small.format == "JPEG"
    assert small.size == (320, 240)


def test_a_photo_taken_upright_stands_upright(tmp_path: Path) -> None:
    source = tmp_path / "upright.jpg"
    source.write_bytes(picture(800, 600, turned=True))
    small = _opened(look_at(source).thumbnail)
    assert small.size == (240, 320)
    red, green, blue = small.convert("RGB").getpixel((120, 40))  # type: ignore[misc]  # RGB: three numbers
    assert red > 150
    assert green < 90
    assert blue < 90
    assert "exif" not in small.info


def test_a_transparent_drawing_lies_on_white(tmp_path: Path) -> None:
    source = tmp_path / "drawing.png"
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(source)
    assert _opened(look_at(source).thumbnail).getpixel((25, 25)) == (255, 255, 255)


def test_a_picture_that_would_unpack_to_gigabytes_has_no_small_picture(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    source = tmp_path / "bomb.png"
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    source.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )
    assert look_at(source).thumbnail == b""


@examples(60)
@given(seed=st.integers(0, 10_000), cut=st.floats(0, 1))
def test_broken_bytes_never_raise(tmp_path_factory: pytest.TempPathFactory, seed: int, cut: float) -> None:
    whole = bytearray(picture(60, 40, random.Random(seed).choice(["JPEG", "PNG", "GIF", "WEBP", "BMP"])))
    for _ in range(3):
        whole[random.Random(seed).randrange(len(whole))] ^= 0xFF
    source = tmp_path_factory.mktemp("broken") / "x"
    source.write_bytes(bytes(whole[: int(len(whole) * cut)]))
    assert len(look_at(source).thumbnail) <= THUMBNAIL_BYTES


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow has to say of it is for programmers
@pytest.mark.parametrize("kind", [5, 12])
def test_a_camera_that_notes_its_name_as_a_number_costs_no_picture(tmp_path: Path, kind: int) -> None:
    image, written, exif = Image.new("RGB", (800, 600), "red"), io.BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0131] = 6, "Maker", "x" * 200
    image.save(written, "JPEG", exif=exif)
    name = struct.pack(">HH", 0x010F, 2)
    assert written.getvalue().count(name) == 1
    source = tmp_path / "photo.jpg"
    source.write_bytes(written.getvalue().replace(name, struct.pack(">HH", 0x010F, kind)))
    assert _opened(look_at(source).thumbnail).size == (240, 320), "turned as the camera was held"


def test_a_photo_in_a_kind_that_lineside_cannot_show_is_kept_as_what_it_is(tmp_path: Path) -> None:
    heic = bytes.fromhex("0000001c66747970686569630000000068656963") + bytes(2000)
    taken = take_bytes(BlobFolder(tmp_path), "IMG_0001.HEIC", heic)
    assert (taken.mime, taken.thumbnail, taken.size) == ("image/heic", "", len(heic))


def test_what_only_calls_itself_a_picture_is_a_file(tmp_path: Path) -> None:
    source = tmp_path / "photo.jpg"
    source.write_bytes(b"this is no picture at all")
    taken = take_file(BlobFolder(tmp_path / "data"), source)
    assert taken.mime == "application/octet-stream"
    assert taken.thumbnail == ""


def test_a_taken_file_says_what_attaching_needs(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path)
    taken = take_bytes(folder, r"C:\pictures\weld seam.png", picture(kind="PNG"))
    assert taken.name == "weld seam.png"
    assert taken.mime == "image/png"
    assert folder.is_sound(taken.sha256)
    assert _opened(base64.b64decode(taken.thumbnail)).size == (320, 240)


def test_programs_empty_files_and_too_large_photos_are_refused(tmp_path: Path) -> None:
    folder = BlobFolder(tmp_path / "data")
    program, empty, large = tmp_path / "setup.EXE", tmp_path / "empty.txt", tmp_path / "large.bmp"
    program.write_bytes(b"MZ")
    empty.touch()
    Image.new("RGB", (3100, 3000)).save(large)
    assert large.stat().st_size > LARGEST_PHOTO
    for file, words in (
        (program, "is a program"),
        (empty, "empty.txt: this file is empty"),
        (large, "large.bmp: this photo has 27 MB; at most 25 MB"),
    ):
        with pytest.raises(Refused, match=words):
            take_file(folder, file)
