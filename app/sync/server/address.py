"""Addresses of servers: how a URL becomes a connection, and how safe the way there is."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from app.domain.errors import Refused

if TYPE_CHECKING:
    from app.sync.server.patience import PatientConnection

Tls = Literal["verified", "unverified", "none"]
_SCHEMES = ("postgresql", "postgres")
_CONNECT_SECONDS = 5
_KEEPALIVE: Mapping[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_TLS_SENTENCES: Mapping[Tls, str] = {
    "verified": "The connection to the server is encrypted, and its certificate was checked.",
    "unverified": "The connection to the server is encrypted, but nobody checked that it is the right server.",
    "none": "The connection to the server is not encrypted.",
}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A URL `postgresql://user:password@host:port/database?sslmode=…`, read and completed.

    `sslmode` is as given; else verify-full where `sslrootcert` is given, prefer on this computer, require elsewhere.
    """

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise Refused(
                "This is no address of a server; the port has to be a number.", field="url"
            ) from None
        if parts.scheme not in _SCHEMES or port == 0:
            raise Refused(
                "An address of a server begins with postgresql://, for example "
                "postgresql://owner:password@server.example:5432/lineside.",
                field="url",
            )
        if not parts.path.strip("/") and "dbname" not in self.options:
            raise Refused("The address names no database; add it after the last /.", field="url")

    @property
    def options(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))

    @property
    def host(self) -> str:
        """The name of the computer, or the folder of its socket; empty for the socket that libpq takes by itself."""
        return self.options.get("host") or unquote(urlsplit(self.url).hostname or "")

    @property
    def database(self) -> str:
        return self.options.get("dbname") or unquote(urlsplit(self.url).path.strip("/"))

    @property
    def is_near(self) -> bool:
        """Whether it does not leave this computer."""
        if not self.host or self.host.startswith(("/", "@")) or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def sslmode(self) -> str:
        given = self.options.get("sslmode")
        if given:
            return given
        if "sslrootcert" in self.options:
            return "verify-full"
        return "prefer" if self.is_near else "require"

    @property
    def tls(self) -> Tls:
        """How safe the way is; `none` also where it may fall back to plain text."""
        if self.sslmode in ("verify-full", "verify-ca"):
            return "verified"
        return "unverified" if self.sslmode == "require" else "none"

    @property
    def tls_sentence(self) -> str:
        """For the status strip, before there is a connection."""
        return self.sentence_for(self.tls)

    def sentence_for(self, tls: Tls) -> str:
        if tls == "none" and self.is_near:
            return "The server is on this computer; the connection does not leave it."
        return _TLS_SENTENCES[tls]

    @property
    def shown(self) -> str:
        """For people: computer and database, no user, no password."""
        return f"{self.host or 'this computer'}/{self.database}"

    def for_user(self, user: str, password: str) -> str:
        """The same server and database for another user, with the TLS settings spelled out."""
        parts = urlsplit(self.url)
        where = parts.netloc.rpartition("@")[2]
        query = urlencode({**self.options, "sslmode": self.sslmode})
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{who}@{where}", query=query))


def connect(
    url: str, *, seconds: float = _CONNECT_SECONDS, program: str = "lineside", autocommit: bool = True
) -> PatientConnection:
    """A connection that notices a dead line within half a minute; with `autocommit` each statement stands alone.

    It prepares no statements, so that a pooler in between may hand them to any session. Raises psycopg's errors.
    """
    from app.sync.server.patience import PatientConnection

    address = ServerAddress(url)
    certificate = address.options.get("sslrootcert", "")
    if certificate not in ("", "system") and not Path(certificate).is_file():
        raise Refused(f"The certificate of the authority in {certificate} cannot be read.")
    connection = PatientConnection.connect(
        url,
        autocommit=autocommit,
        prepare_threshold=None,
        connect_timeout=max(2, round(seconds)),
        application_name=program,
        **{"sslmode": address.sslmode, **_KEEPALIVE},
    )
    assert isinstance(connection, PatientConnection)
    return connection
