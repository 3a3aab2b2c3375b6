"""Writes a small file that only this user can read, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

from app.domain.errors import WorldFault


def write_private(path: Path, text: str) -> None:
    """Put `text` into `path` with mode 0600; raises WorldFault when the disk or the folder refuses."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError as error:
        raise WorldFault(f"{path} cannot be written: {error.strerror}.") from error


def toml_text(text: str) -> str:
    """A TOML string: JSON escapes the same, but for DEL, which TOML wants escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
