"""A station at the server's counter: it signs entries as their authors would and hands them in one by one."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    import psycopg

    from app.domain.people import Actor

_GRANT = """
INSERT INTO sync.login_grant (user_id, station, secret, key_inner, key_outer, until)
  SELECT %(user)s, s.name, k, sync._inner_key(k), sync._outer_key(k), now() + interval '14 days'
  FROM sync.station s, sync._grant_secret(%(user)s, s.name, s.generation) k WHERE s.name = %(station)s
  ON CONFLICT (user_id, station) DO UPDATE SET until = excluded.until
  RETURNING secret
"""


def signed(secret: bytes, body: str) -> str:
    return hmac.new(secret, body.encode(), hashlib.sha256).hexdigest()


@dataclass
class Counter:
    """`connection` is the station's own, `owner` may do everything; `key` is the station's."""

    connection: psycopg.Connection[Any]
    owner: psycopg.Connection[Any]
    station: str
    key: bytes
    source: UUID = field(default_factory=uuid4)
    n: int = 0
    _secrets: dict[UUID, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Offer what follows under a source of its own."""
        self.source, self.n = uuid4(), 0
        self.connection.execute("SELECT sync.open_source(%s, 1)", (self.source,))

    def secret(self, user_id: UUID) -> bytes:
        """What this person signs with here, as if they had logged in."""
        if user_id not in self._secrets:
            found = self.owner.execute(_GRANT, {"user": user_id, "station": self.station}).fetchone()
            assert found is not None
            self._secrets[user_id] = bytes(found[0])
        return self._secrets[user_id]

    def mac(self, body: str, user_id: UUID | None) -> str:
        return signed(self.key if user_id is None else self.secret(user_id), body)

    def push(self, body: str, user_id: UUID | None, mac: str | None = None) -> dict[str, Any]:
        """The server's answer to the next entry, signed by this person (None: by the station)."""
        mac = self.mac(body, user_id) if mac is None else mac
        statement = "SELECT sync.push(%s, %s, %s, %s)"
        answer = self.connection.execute(statement, (self.source, self.n + 1, body, mac)).fetchone()
        assert answer is not None
        self.n += 1
        result: dict[str, Any] = answer[0]
        return result

    def push_rows(self, actor: Actor, *rows: dict[str, Any], **head: Any) -> dict[str, Any]:
        return self.push(entry(actor, *rows, **head), actor.user_id)

    def record(self, seq: int) -> dict[str, Any]:
        """The record of the log with this number."""
        found = self.connection.execute("SELECT body FROM sync.log WHERE seq = %s", (seq,)).fetchone()
        assert found is not None
        result: dict[str, Any] = json.loads(found[0])
        return result

    def row(self, entity: str, row_id: UUID) -> dict[str, Any]:
        """A row as the server has it."""
        found = self.connection.execute(
            f"SELECT to_jsonb(t) FROM lineside.{entity} t WHERE id = %s", (row_id,)
        ).fetchone()
        assert found is not None
        result: dict[str, Any] = found[0]
        return result


def entry(actor: Actor, *rows: dict[str, Any], **head: Any) -> str:
    """The body of an entry with these rows."""
    facts = {
        "f": 2,
        "schema": 1,
        "change": str(uuid4()),
        "operation": "test",
        "label": "Test",
        "actor": actor.name,
        "actor_id": str(actor.user_id) if actor.user_id else None,
        "at": "2026-04-15T12:00:00.000000Z",
        "needs": None,
        "undoable": True,
        **head,
        "rows": list(rows),
    }
    return json.dumps(facts)


def created(entity: str, row_id: UUID, **fields: Any) -> dict[str, Any]:
    return {
        "e": entity,
        "id": str(row_id),
        "k": "c",
        "v": 1,
        "set": {f: [None, v] for f, v in fields.items()},
    }


def changed(entity: str, row_id: UUID, version: int, **fields: tuple[Any, Any]) -> dict[str, Any]:
    """`fields` map a column to (value before, value after); `version` is the row's version after the change."""
    return {
        "e": entity,
        "id": str(row_id),
        "k": "u",
        "v": version,
        "set": {f: list(v) for f, v in fields.items()},
    }
