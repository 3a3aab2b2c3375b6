"""Writes a small file that only this user can read, whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from app.domain.errors import WorldFault

_TRIES, _PAUSE_SECONDS = 5, 0.02


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path` with mode 0600; raises WorldFault when the disk or the folder refuses."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        _put_in_place(draft, path)
    except OSError as error:
        raise WorldFault(f"{path} cannot be written: {error.strerror}.") from error


def _put_in_place(draft: Path, path: Path) -> None:
    """On Windows a file cannot be replaced while somebody reads it, which takes a moment."""
    for _ in range(_TRIES if sys.platform == "win32" else 0):  # pragma: no cover - exercised on Windows only
        with suppress(PermissionError):
            draft.replace(path)
            return
        time.sleep(_PAUSE_SECONDS)
    draft.replace(path)


def toml_text(text: str) -> str:
    """A TOML string: JSON escapes the same, but for DEL, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
