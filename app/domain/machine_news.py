"""What is told of machines beside their values: how a link does, what became of a sent value, orders to take over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.samples import Value


class LinkState(StrEnum):
    """How a connection to a machine is doing."""

    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"


class LinkStatus(msgspec.Struct, tag=True, frozen=True):
    """How a connection is doing; `outages` counts since the collector started, `attempts` within this outage.

    `station` is who talks to the machine, empty when that is this station; while that one is not `heard`, all that is
    known of the machine is only what it said last.
    """

    connection: str
    state: LinkState
    sentence: str
    since: datetime
    outages: int = 0
    attempts: int = 0
    station: str = ""
    heard: bool = True


class WriteAnswered(msgspec.Struct, tag=True, frozen=True):
    """What became of a value sent to a machine; `id` is the id of its row, `read_back` what was read afterwards."""

    id: str
    tag: str
    ok: bool
    sentence: str
    at: datetime
    read_back: Value = None


@dataclass(frozen=True, slots=True)
class Takeover:
    """A person's order that `station` shall talk to a machine."""

    id: UUID
    connection: str
    station: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What stations have to agree on: the id of each connection by its name, those that the server cannot know yet,
    what people ordered lately; `station` is the name of this one, empty as long as it shares nothing."""

    ids: Mapping[str, UUID] = field(default_factory=dict)
    unsent: frozenset[str] = frozenset()
    takeovers: tuple[Takeover, ...] = ()
    station: str = ""
