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
_PORT = 5432
_KEEPALIVE: Mapping[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_UNREADABLE = (
    "The address of the server cannot be read; in its password a blank is written %20, a % is %25, "
    "an @ is %40 and a / is %2F."
)
_TLS_SENTENCES: Mapping[Tls, str] = {
    "verified": "The connection to the server is encrypted, and its certificate was checked.",
    "unverified": "The connection to the server is encrypted, but nobody checked that it is the right server.",
    "none": "The connection to the server is not encrypted.",
}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A URL `postgresql://user:password@host:port/database?sslmode=…`, read and completed.

    It may name several computers, `host1:port,host2:port`, of which one takes changes at a time.

    `sslmode` is as given; else verify-full where `sslrootcert` is given, prefer on this computer, require elsewhere.
    """

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            ports = [urlsplit(f"//{place}").port for place in self._places]
        except ValueError:
            raise Refused(
                "This is no address of a server; the port has to be a number.", field="url"
            ) from None
        if parts.scheme not in _SCHEMES or 0 in ports:
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
    def _places(self) -> list[str]:
        """`host:port` of each server that the URL names; libpq tries one after the other."""
        return urlsplit(self.url).netloc.rpartition("@")[2].split(",")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of the computers, or folders of their sockets; one empty name for the socket that libpq takes."""
        if self.options.get("host"):
            return tuple(self.options["host"].split(","))
        return tuple(unquote(urlsplit(f"//{place}").hostname or "") for place in self._places)

    @property
    def places(self) -> list[tuple[str, int]]:
        """Host and port of each server of the URL, empty where its query says otherwise."""
        if not {"host", "hostaddr", "port"}.isdisjoint(self.options):
            return []
        ports = [urlsplit(f"//{place}").port or _PORT for place in self._places]
        return list(zip(self.hosts, ports, strict=True))

    @property
    def database(self) -> str:
        return self.options.get("dbname") or unquote(urlsplit(self.url).path.strip("/"))

    @property
    def is_near(self) -> bool:
        """Whether it does not leave this computer."""
        return all(_is_near(host) for host in self.hosts)

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
        return f"{', '.join(self.hosts) or 'this computer'}/{self.database}"

    def for_user(self, user: str, password: str) -> str:
        """The same server and database for another user, with the TLS settings spelled out."""
        parts = urlsplit(self.url)
        where = parts.netloc.rpartition("@")[2]
        query = urlencode({**self.options, "sslmode": self.sslmode})
        who = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return urlunsplit(parts._replace(netloc=f"{who}@{where}", query=query))


def _is_near(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def connect(
    url: str, *, seconds: float = _CONNECT_SECONDS, program: str = "lineside", autocommit: bool = True
) -> PatientConnection:
    """A connection that notices a dead line within half a minute; with `autocommit` each statement stands alone.

    It prepares no statements, so that a pooler in between may hand them to any session. Of several computers it takes
    the first that accepts changes. Raises psycopg's errors.
    """
    import psycopg

    from app.sync.server.patience import PatientConnection

    address = ServerAddress(url)
    certificate = address.options.get("sslrootcert", "")
    if certificate not in ("", "system") and not Path(certificate).is_file():
        raise Refused(f"The certificate of the authority in {certificate} cannot be read.")
    options: dict[str, Any] = {"sslmode": address.sslmode, **_KEEPALIVE}
    if len(address.hosts) > 1:
        options["target_session_attrs"] = address.options.get("target_session_attrs", "read-write")
        options |= _in_good_order(address.places, seconds)
    try:
        connection = PatientConnection.connect(
            url,
            autocommit=autocommit,
            prepare_threshold=None,
            connect_timeout=max(2, round(seconds)),
            application_name=program,
            **options,
        )
    except psycopg.ProgrammingError as error:
        if error.sqlstate is not None:
            raise
        raise Refused(_UNREADABLE, field="url") from None  # its own words hold the password
    assert isinstance(connection, PatientConnection)
    return connection


def _in_good_order(places: list[tuple[str, int]], seconds: float) -> dict[str, str]:
    """Several servers as libpq takes them, those first that answer: it waits for each in turn, and a login cannot."""
    from app.sync.server.nearest import answering_first

    if len(places) < 2:
        return {}
    order = [places[n] for n in answering_first(places, seconds)]
    return {"host": ",".join(host for host, _ in order), "port": ",".join(str(port) for _, port in order)}
