"""What all commands share: the data folder, the form of the output, in whose name they act."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.errors import NotFound, Refused
from app.domain.people import Actor, Role
from app.settings import data_dir

if TYPE_CHECKING:
    from app.plant import House


@dataclass
class Session:
    """The options that stand before or after any command."""

    folder: Path | None = None
    as_json: bool = False
    password_stdin: bool = False


SESSION = Session()
PASSWORD_VARIABLE = "LINESIDE_PASSWORD"
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but line ends and tabs, and what turns the direction of writing."""


def folder() -> Path:
    return data_dir(SESSION.folder)


@contextmanager
def house() -> Iterator[House]:
    """The opened data folder, with logging into it."""
    from app.journal_log import start_logging
    from app.plant import opened_house

    with opened_house(folder()) as opened:
        start_logging(
            opened.folder / "logs",
            process="command",
            level=opened.settings.log_level,
            megabytes=opened.settings.log_megabytes,
        )
        yield opened


def actor(opened: House, name: str | None) -> Actor:
    """In whose name a command acts: the account `name`, else this computer's own user, who owns the data folder anyway.

    On a station that shares a server the person proves who they are with their password, since only they can sign.
    Raises `NotFound` for an unknown account, `Refused` without a name or a password where one is needed. The door
    refuses a disabled account.
    """
    joined = opened.station is not None
    if name is None:
        if joined:
            raise Refused("This station shares a server, which asks in whose name: add --as USER.")
        return Actor(None, f"{system_user()} (command line)", Role.ADMIN)
    if joined:
        return opened.log_in(name, _password_of(name)).actor
    return account(opened, name)


def account(opened: House, name: str) -> Actor:
    """The account called `name`; raises `NotFound`."""
    from sqlalchemy import select

    from app.store.tables import UserAccount

    with opened.store.reader() as session:
        found = select(UserAccount).where(
            UserAccount.name_key == " ".join(name.split()).casefold(), ~UserAccount.deleted
        )
        known = session.execute(found).scalar_one_or_none()
    if known is None:
        raise NotFound(f"There is no user called {name}; `lineside user list` shows all.")
    return Actor(known.id, known.name, known.role)


def _password_of(name: str) -> str:
    """The password of who acts: from the environment, standard input or the terminal."""
    given = os.environ.get(PASSWORD_VARIABLE, "")
    if SESSION.password_stdin:
        given = sys.stdin.readline().rstrip("\n")
    elif not given and sys.stdin.isatty():
        import typer

        given = str(typer.prompt(f"Password of {name}", hide_input=True, err=True))
    if not given:
        raise Refused(
            f"This station shares a server, which asks for the password of {name}: set {PASSWORD_VARIABLE}, or give "
            "--password-stdin and the password on standard input."
        )
    return given


def system_user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "unnamed user"


def plain(value: Any) -> Any:
    """`value` as JSON: times in ISO 8601, ids and choices as text, dataclasses as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, UUID | Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and value != value:  # NaN is no JSON
        return None
    return value


def tame(text: str) -> str:
    """`text` without signs that a terminal would obey: other stations choose names and labels."""
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def _escaped(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def say(data: Any, text: str) -> None:
    """Print `text`, or `data` as JSON with --json."""
    if SESSION.as_json:
        text = _OBEYED.sub(_escaped, json.dumps(plain(data), ensure_ascii=False, indent=2))
    sys.stdout.write(tame(text) + "\n")
    sys.stdout.flush()


def say_rows(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str], nothing: str) -> None:
    """Print rows as a table with `titles` (key → heading), or as JSON with --json."""
    keys = list(titles)
    if SESSION.as_json:
        say([{key: row.get(key) for key in dict.fromkeys(["id", *keys]) if key in row} for row in rows], "")
        return
    if not rows:
        say(None, nothing)
        return
    exact = {key for key in keys if any(_has_seconds(row.get(key)) for row in rows)}
    cells = [[_cell(row.get(key), seconds=key in exact) for key in keys] for row in rows]
    widths = [max(len(titles[key]), *(len(line[i]) for line in cells)) for i, key in enumerate(keys)]
    widths = [*(min(width, 60) for width in widths[:-1]), widths[-1]]  # nothing stands behind the last column
    lines = ["  ".join(titles[key].ljust(width) for key, width in zip(keys, widths, strict=True)).rstrip()]
    lines += ["  ".join(c[:w].ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
    say(None, "\n".join(lines))


def _has_seconds(value: Any) -> bool:
    return isinstance(value, datetime) and bool(value.second or value.microsecond)


def _cell(value: Any, *, seconds: bool = False) -> str:
    """A value as text; times of a column in which any has seconds are all shown with them."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        if (
            0 < abs(value) < 0.1 or abs(value) >= 1e9
        ):  # two places would hide the one and not end with the other
            return f"{value:.3g}"
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split())


def parse_moment(text: str | None, default: datetime) -> datetime:
    """A time given on the command line: ISO 8601 (local without a zone), or `-90s`, `-15m`, `-8h`, `-7d` from now."""
    from datetime import UTC, timedelta

    if text is None:
        return default
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if text[:1] == "-" and text[-1] in units and text[1:-1].isdigit():
        return datetime.now(UTC) - timedelta(**{units[text[-1]]: int(text[1:-1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"“{text}” is no time; write 2026-04-12T14:00 or -15m, for example.") from None
    return moment.astimezone(UTC)
