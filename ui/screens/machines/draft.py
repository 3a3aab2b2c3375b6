"""What a person has put together so far on the way from an address to tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.domain.plant import Connection, Tag
from ui.bridge.machine_talk import Subject

PROTOCOLS = (
    ("opcua", "OPC UA"),
    ("modbus-tcp", "Modbus TCP"),
    ("modbus-rtu", "Modbus RTU (serial)"),
    ("mqtt", "MQTT"),
    ("sparkplug", "MQTT Sparkplug B"),
)
PROTOCOL_NAMES = dict(PROTOCOLS)


@dataclass(frozen=True)
class Pick:
    """A value of the machine that somebody chose: its address, what the machine calls it and its numbers."""

    address: str
    name: str
    states: tuple[tuple[int, str], ...] = ()


@dataclass
class Draft:
    """`was` is the connection's present name when it is being changed; `password` is None when it stays."""

    connection: Connection | None = None
    was: str = ""
    password: str | None = None
    picks: dict[str, Pick] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    """Addresses that are tags of this connection already."""

    def subject(self) -> Subject:
        """Whom to talk to; only once there is an address."""
        if self.connection is None:
            raise RuntimeError("there is no address yet")
        return Subject(self.connection, self.password, self.was or self.connection.name)


def short_name(words: str) -> str:
    """A name as tags have it: small letters, digits and _."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_") or "value"


def new_tags(picks: Iterable[Pick], machine: str, connection: str, taken: Iterable[str]) -> list[Tag]:
    """One tag for each pick, with a name that no other tag has."""
    used, made = set(taken), []
    for pick in picks:
        stem = name = f"{machine}/{short_name(pick.name)}"
        number = 2
        while name in used:
            name, number = f"{stem}_{number}", number + 1
        used.add(name)
        made.append(
            Tag(
                name,
                machine,
                connection,
                pick.address,
                discrete=bool(pick.states),
                states=pick.states,
            )
        )
    return made
