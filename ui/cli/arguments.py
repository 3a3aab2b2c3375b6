"""Turns `key=value` words into the typed arguments of an operation, with human numbers in place of ids."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.domain.plant import Plant
from app.operations.change import Intent, Operation
from app.store.queries.references import find_id
from app.store.sessions import Store


def describe(operation: Operation[..., Any]) -> dict[str, str]:
    """Name, parameters and first line of documentation of an operation."""
    parameters = list(inspect.signature(operation.function).parameters.values())[1:]
    words = [p.name if p.default is inspect.Parameter.empty else f"[{p.name}]" for p in parameters]
    first_line = (inspect.getdoc(operation.function) or "").splitlines()[0]
    return {"name": operation.name, "parameters": " ".join(words), "does": first_line}


def split(words: Sequence[str]) -> dict[str, str]:
    """`key=value` words as a mapping; raises a usage error for anything else."""
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.isidentifier():
            raise typer.BadParameter(f"“{word}” is not of the form key=value.")
        given[key] = value
    return given


def bind(operation: Operation[..., Any], given: Mapping[str, str], store: Store) -> Intent[Any]:
    """The operation with its arguments. Raises a usage error for unknown or missing keys, `Refused` for a bad value."""
    hints = typing.get_type_hints(operation.function)
    parameters = list(inspect.signature(operation.function).parameters.values())[1:]
    names = {p.name for p in parameters}
    unknown = [key for key in given if key not in names]
    if unknown:
        raise typer.BadParameter(
            f"{operation.name} has no {', '.join(unknown)}; it takes {', '.join(sorted(names))}."
        )
    missing = [p.name for p in parameters if p.default is inspect.Parameter.empty and p.name not in given]
    if missing:
        raise typer.BadParameter(f"{operation.name} needs {', '.join(missing)} too.")
    with store.reader() as session:
        return operation(**{key: _value(key, hints[key], text, session) for key, text in given.items()})


def _value(key: str, hint: Any, text: str, session: Session) -> Any:
    if text.startswith("@"):
        text = _content(Path(text[1:]))
    for expected, convert in _SPECIAL.items():
        if hint == expected:
            return convert(key, text, session)
    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    try:
        if _is_written_as_json(hint):
            return adapter.validate_json(text)
        value = adapter.validate_python(None if text == "" and type(None) in typing.get_args(hint) else text)
    except ValidationError as error:
        raise Refused(f"{key}: “{text[:60]}” does not fit: {error.errors()[0]['msg']}.", field=key) from error
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:  # letters that are no UTF-8, or no file name
        raise Refused(f"{path} is no UTF-8 text; save it as UTF-8 and try again.") from error


def _is_written_as_json(hint: Any) -> bool:
    return typing.get_origin(hint) in (Sequence, Mapping) or is_dataclass(hint)


def _one_id(key: str, text: str, session: Session) -> UUID:
    return find_id(session, key, text)


def _maybe_id(key: str, text: str, session: Session) -> UUID | None:
    return find_id(session, key, text) if text else None


def _many_ids(key: str, text: str, session: Session) -> list[UUID]:
    return [find_id(session, key, part.strip()) for part in text.strip("[]").split(",") if part.strip()]


def _plant(_key: str, text: str, _session: Session) -> Plant:
    from app.domain.plant_file import parse_plant

    return parse_plant(text)


_SPECIAL: dict[Any, Callable[[str, str, Session], Any]] = {
    UUID: _one_id,
    UUID | None: _maybe_id,
    Sequence[UUID]: _many_ids,
    Plant: _plant,
}
