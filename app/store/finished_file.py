"""A file for people that appears under its name once it is complete, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.domain.errors import LinesideError, Refused


def _refused(sentence: str) -> LinesideError:
    return Refused(sentence, field="file")


@contextmanager
def finished_file(path: Path, fault: Callable[[str], LinesideError] = _refused) -> Iterator[Path]:
    """Where to write meanwhile, beside `path`; nothing is left there when writing fails.

    Raises `fault` with a sentence when the disk refuses, or another program holds the file open.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise fault(f"“{path.name}” could not be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
