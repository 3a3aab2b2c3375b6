"""Turns what PostgreSQL says while samples are forwarded or read into a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import Refused, WorldFault

_MISSING = ("42883", "42P01", "3F000")  # function, table or schema that an older server does not have


@contextmanager
def told_by_server() -> Iterator[None]:
    """A server that is gone or busy is a WorldFault, one that wants something done is Refused."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        words = str(error).strip().splitlines()
        reason = words[0].rstrip(".") if words else type(error).__name__
        if error.sqlstate in _MISSING:
            raise Refused(
                "The shared server is of an older Lineside: run `lineside server upgrade`."
            ) from error
        if error.sqlstate in ("42501", "SY004", "SY005"):
            raise Refused(f"The shared server does not let this station do that: {reason}.") from error
        raise WorldFault(f"The shared server does not answer as it should: {reason}.") from error
