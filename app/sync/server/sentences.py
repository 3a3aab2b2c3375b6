"""What PostgreSQL says when it cannot be used, as one plain sentence and the kind of failure that it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.domain.errors import LinesideError, Refused, WorldFault

if TYPE_CHECKING:
    import psycopg


class Fenced(WorldFault):
    """Another copy of this station's data folder has its machines; this one waits until it may begin."""


_TRANSIENT = ("08", "40", "53", "55", "57", "58", "F0", "XX", "25")
"""Classes of errors that pass by themselves: connection, rollback, resources, locks, shutting down, disk."""
_BY_STATE = {
    "28P01": "The server does not accept the password of this user.",
    "28000": "The server does not let this user in from here (pg_hba.conf).",
    "3D000": "There is no such database on the server.",
    "42501": "The server does not allow this.",
    "53300": "The server has no connection left; it is tried again.",
    "57P03": "The server is starting or shutting down; it is tried again.",
}
_WAITING = {
    "57014": "The server took too long and gave up; it is tried again.",
    "55P03": "The server is busy with another station's changes; it is tried again.",
}
# What libpq says before there is an SQLSTATE: (part of the text, whether a person must act, sentence).
_BY_WORDS = (
    ("password authentication failed", True, _BY_STATE["28P01"]),
    ("no password supplied", True, "The address of the server holds no password."),
    (
        "no encryption",
        True,
        "The server takes only encrypted connections (TLS); leave sslmode out of its address. Or it does not "
        "let this user in from here (pg_hba.conf).",
    ),
    ("no pg_hba.conf entry", True, _BY_STATE["28000"]),
    ("is not permitted to log in", True, "The server does not let this user log in any more."),
    # Before what else does not exist: with `verify-full` in the address and no `sslrootcert`.
    (
        "root certificate file",
        True,
        "The certificate of the authority cannot be read; name its file with sslrootcert in the address.",
    ),
    ("does not exist", True, "There is no such database or user on the server."),
    ("permission denied for database", True, "This user may not use that database."),
    (
        "server does not support SSL",
        True,
        "The server offers no encrypted connection (TLS); it has to be set up there.",
    ),
    (
        "certificate verify failed",
        True,
        "The certificate of the server is not signed by an authority known here, or it has expired.",
    ),
    ("does not match host name", True, "The certificate of the server is made out to another name."),
    ("SSL error", True, "The encrypted connection (TLS) to the server failed."),
    ("too many connections", False, _BY_STATE["53300"]),
    ("too many clients", False, _BY_STATE["53300"]),
    ("remaining connection slots", False, _BY_STATE["53300"]),
    ("the database system is", False, _BY_STATE["57P03"]),
    (
        "session is read-only",
        False,
        "The server takes no changes now, it is a copy of another; it is tried again.",
    ),
    ("could not translate host name", False, "The name of the server is not known in this network."),
    ("failed to resolve host", False, "The name of the server is not known in this network."),
    ("refused", False, "Nobody answers at the address of the server."),
    ("timeout", False, "The server does not answer."),
    ("timed out", False, "The server does not answer."),
)
_LOST = "The connection to the server was lost."


def plain_error(error: psycopg.Error) -> LinesideError:
    """`Refused` when a person must act, `WorldFault` when it is to be tried again."""
    state = error.sqlstate or ""
    if state == "SY006":
        return Fenced(error.diag.message_primary or str(error))
    if state.startswith("SY") or (state == "42501" and error.diag.context):
        return Refused(error.diag.message_primary or str(error))
    if state in _WAITING:
        return WorldFault(_WAITING[state])
    if state in _BY_STATE:
        return (WorldFault if state.startswith(_TRANSIENT) else Refused)(_BY_STATE[state])
    if state in ("3F000", "42P01", "42883"):
        return Refused("This database is no server of Lineside, or one of another version.")
    if not state:
        text = str(error)
        for words, acts, sentence in _BY_WORDS:
            if words in text:
                return (Refused if acts else WorldFault)(sentence)
        return WorldFault(_LOST)
    if state.startswith(_TRANSIENT):
        return WorldFault(f"The server cannot do it now ({error.diag.message_primary}); it is tried again.")
    return Refused(f"The server refused ({error.diag.message_primary}).")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns the errors of PostgreSQL inside into ours."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise plain_error(error) from error
