"""Structured logs: one JSON object a line, rotated files, secrets blotted out."""

from __future__ import annotations

import logging
import logging.handlers
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_SECRET_NAME = re.compile(
    r"pass(word|wort|phrase)?|secret|token|credential|api_?key|authorization", re.IGNORECASE
)
# Up to the last @ of the word, as a password may hold / and @; the lengths are bounded, so that a long line
# costs no more than reading it.
_URL_PASSWORD = re.compile(r"(?P<head>://[^/\s:]{0,200}:)\S{1,300}(?=@)")
# password=x, "password": "x", Authorization: Bearer x. Each part either stands there or not: nothing is tried twice.
_NAMED_SECRET = re.compile(
    r"""(?P<head>(?:pass(?:word|wort|phrase|wd)|pwd|secret|token|credentials?|api[_-]?key|authorization)
        ["']?\s{0,3}[=:]\s{0,3}(?:(?:bearer|basic|digest)\s{1,3})?)
        (?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\S++)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
BLOT = "•••"


def redact(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot out values under secret-sounding names and secrets inside texts, at any depth."""
    for key, value in entry.items():
        entry[key] = BLOT if _SECRET_NAME.search(key) else _redacted(value)
    return entry


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _NAMED_SECRET.sub(rf"\g<head>{BLOT}", _URL_PASSWORD.sub(rf"\g<head>{BLOT}", value))
    if isinstance(value, BaseException):
        return _redacted(repr(value))
    if isinstance(value, dict):
        return {
            key: BLOT if _SECRET_NAME.search(str(key)) else _redacted(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value


def start_logging(folder: Path, *, process: str, level: str = "info", megabytes: int = 10) -> None:
    """Log to `folder`/`process`.jsonl, keeping five files; foreign libraries log there from warnings on."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / f"{process}.jsonl",
        maxBytes=megabytes * 1_000_000,
        backupCount=5,
        encoding="utf-8",
        delay=True,
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        redact,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("lineside").setLevel(level.upper())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=_logger_of_lineside,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _logger_of_lineside(*_args: object) -> logging.Logger:
    return logging.getLogger("lineside")
