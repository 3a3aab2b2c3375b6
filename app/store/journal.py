"""The outbox and the audit trail: appended by the door inside its transaction, read by sync and by auditors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.people import Actor
from app.store.entries import Patch, decode, plain, undo_terms
from app.store.tables import Audit, Meta, Outbox

PENDING, ACKNOWLEDGED, DONE, PARKED = "pending", "acknowledged", "done", "parked"
UNCONFIRMED = (PENDING, ACKNOWLEDGED)
SOURCE, LAST_N = "source", "outbox_last_n"
"""Facts in `meta`: the identity of this database file, and the number of its newest entry."""


def append_outbox(session: Session, change_id: UUID, body: str, mac: str, new_id: Callable[[], UUID]) -> None:
    """Queue one change for the server under this file's source identity, numbered without gaps.

    `mac` is the author's signature over `body` in hex, empty on a station that shares nothing yet.
    """
    source = session.get(Meta, SOURCE)
    if source is None:
        source = Meta(key=SOURCE, value=str(new_id()))
        session.add_all([source, Meta(key=LAST_N, value="0")])
        session.flush()
    last = session.get_one(Meta, LAST_N)
    last.value = str(int(last.value) + 1)
    position = session.execute(select(func.coalesce(func.max(Outbox.position), 0))).scalar_one() + 1
    session.add(
        Outbox(
            change_id=change_id,
            position=position,
            source=UUID(source.value),
            n=int(last.value),
            state=PENDING,
            body=body,
            mac=mac,
        )
    )


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What one line of the audit trail says; `body` is the outbox body of the change, empty for a refusal."""

    at: datetime
    actor: Actor
    operation: str
    outcome: str
    sentence: str
    change_id: UUID | None = None
    undoes: UUID | None = None
    body: str = ""


def append_audit(session: Session, line: AuditLine) -> None:
    """Add one line, chained to the line before it."""
    session.flush()
    previous = session.execute(
        select(Audit.seq, Audit.hash).order_by(Audit.seq.desc()).limit(1)
    ).one_or_none()
    seq, chained = (previous.seq + 1, previous.hash) if previous else (1, "")
    facts = json.dumps(
        {
            "seq": seq,
            "at": plain(line.at),
            "actor": line.actor.name,
            "actor_id": plain(line.actor.user_id),
            "operation": line.operation,
            "outcome": line.outcome,
            "sentence": line.sentence,
            "change": plain(line.change_id),
            "undoes": plain(line.undoes),
            "body": hashlib.sha256(line.body.encode()).hexdigest(),
        },
        ensure_ascii=False,
        sort_keys=True,
    )
    session.add(
        Audit(
            seq=seq,
            at=line.at,
            actor_id=line.actor.user_id,
            actor=line.actor.name,
            operation=line.operation,
            outcome=line.outcome,
            sentence=line.sentence,
            change_id=line.change_id,
            undoes=line.undoes,
            body=facts,
            hash=chain(chained, facts),
        )
    )
    session.flush()


def chain(previous_hash: str, facts: str) -> str:
    return hashlib.sha256(f"{previous_hash}{facts}".encode()).hexdigest()


def first_broken_line(session: Session) -> int | None:
    """The `seq` of the first audit line that does not follow from the lines before it, None when all do."""
    previous = ""
    rows = session.execute(
        select(Audit, Outbox.body).outerjoin(Outbox, Outbox.change_id == Audit.change_id).order_by(Audit.seq)
    )
    for expected, (line, body) in enumerate(rows, start=1):
        facts = json.loads(line.body)
        shown = (
            facts["seq"],
            facts["operation"],
            facts["outcome"],
            facts["sentence"],
            facts["actor"],
            facts["at"],
        )
        kept = (line.seq, line.operation, line.outcome, line.sentence, line.actor, plain(line.at))
        body_fits = body is None or hashlib.sha256(body.encode()).hexdigest() == facts["body"]
        if line.seq != expected or shown != kept or not body_fits or line.hash != chain(previous, line.body):
            return expected
        previous = line.hash
    return None


@dataclass(frozen=True, slots=True)
class PastChange:
    """A committed change as an undo needs it."""

    operation: str
    label: str
    actor_id: UUID | None
    undone: bool
    undoable: bool
    needs: str | None
    patches: list[Patch]


def past_change(session: Session, change_id: UUID) -> PastChange | None:
    """The change with this id, None when this store never made it."""
    row = session.execute(
        select(Audit, Outbox.body)
        .join(Outbox, Outbox.change_id == Audit.change_id)
        .where(Audit.change_id == change_id)
    ).one_or_none()
    if row is None:
        return None
    line, body = row
    undone = session.execute(select(func.count()).where(Audit.undoes == change_id)).scalar_one() > 0
    undoable, needs = undo_terms(body)
    return PastChange(line.operation, line.sentence, line.actor_id, undone, undoable, needs, decode(body))


def waiting_changes(session: Session) -> int:
    """How many changes no server has confirmed yet."""
    return session.execute(select(func.count()).where(Outbox.state == PENDING)).scalar_one()
