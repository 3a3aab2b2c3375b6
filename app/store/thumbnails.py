"""Small pictures of photos: turned the right way up, at most 16 KiB, never at the mercy of a broken or huge file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.domain.attachments import PICTURES, THUMBNAIL_BYTES

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

_SIDE = 320
_ORIENTATION = 0x0112  # of Exif
_MOST_PIXELS = 120_000_000  # a picture of 120 megapixels takes 360 MB while it is made small
_QUALITIES = (82, 70, 55, 40, 25)


@dataclass(frozen=True, slots=True)
class Look:
    """What the bytes turned out to be: `mime` empty for no picture, `thumbnail` a JPEG, empty where there is none."""

    mime: str
    thumbnail: bytes


def look_at(file: Path) -> Look:
    """Find out whether `file` is a picture and make it small; a broken or too large one has no thumbnail."""
    from PIL import Image, UnidentifiedImageError

    try:
        # Only well-known kinds: the others are rarely photos, and their readers are where the holes are found.
        with Image.open(file, formats=tuple(PICTURES)) as picture:
            mime = PICTURES.get(picture.format or "", "")
            if picture.width * picture.height > _MOST_PIXELS:
                return Look(mime, b"")
            return Look(mime, _small(picture))
    except UnidentifiedImageError:
        return Look("", b"")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        structlog.get_logger().info("picture_too_large", reason=str(error))
        return Look("", b"")
    except Exception as error:  # noqa: BLE001 - Pillow says "broken" in a dozen ways; a broken photo is nobody's bug
        structlog.get_logger().info("picture_unreadable", reason=str(error))
        return Look("", b"")


def _turn(picture: Image) -> Transpose | None:
    """How to turn it so that up is up; what a camera noted in a way that nobody can read turns nothing."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        return turns.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - as above; the picture itself may be sound
        return None


def _small(picture: Image) -> bytes:
    from PIL import Image as Pillow

    turn = _turn(picture)
    picture.draft("RGB", (_SIDE * 2, _SIDE * 2))  # a JPEG is decoded at a fraction of its size
    picture.thumbnail((_SIDE * 2, _SIDE * 2), Pillow.Resampling.BILINEAR)
    upright = picture if turn is None else picture.transpose(turn)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        ground = Pillow.new("RGBA", upright.size, "white")
        upright = Pillow.alpha_composite(ground, upright)
    small = upright.convert("RGB")
    side = _SIDE
    while True:
        small.thumbnail((side, side), Pillow.Resampling.LANCZOS)
        for quality in _QUALITIES:
            written = io.BytesIO()
            small.save(
                written, "JPEG", quality=quality, optimize=True
            )  # carries no place or date of the photo
            if written.tell() <= THUMBNAIL_BYTES:
                return written.getvalue()
        side //= 2
