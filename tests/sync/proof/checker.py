"""Proves from histories alone that nothing was lost and that all agree: what was done, the server's log, each store.

The test notes every local commit in a `Ledger`. All else is read from the server and from the stations' files; nothing
of the engine is asked but how a value is written.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from app.domain.sharing import Sharing
from app.store.journal import first_broken_line
from app.store.tables import Record
from app.sync.shared_rows import shared_tables
from tests.sync.proof.replay import Histories, Key, Line, Step, Tables, entry_steps

if TYPE_CHECKING:
    import psycopg

    from app.store.sessions import Store

PENDING, ACKNOWLEDGED, DONE, PARKED = "pending", "acknowledged", "done", "parked"


@dataclass(frozen=True, slots=True)
class Made:
    """One local commit, as the station wrote it down."""

    change: str
    station: str
    body: str

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.body.encode()).digest()


@dataclass
class Ledger:
    """Every local commit. `gone` are those that only a restored backup made vanish: no file and no server held them."""

    made: dict[str, Made] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def note(self, made: Made) -> None:
        self.made[made.change] = made


# ── what is looked at ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sent:
    """One entry of an outbox."""

    change: str
    source: str
    n: int
    state: str
    seq: int | None
    body: str


@dataclass(frozen=True, slots=True)
class StationView:
    """What a station's file holds at one moment."""

    name: str
    rows: Mapping[Key, Mapping[str, Any]]
    outbox: Sequence[Sent]
    conflicts: Mapping[tuple[str, int], tuple[bool, str]]
    cursor: int
    hash: str
    baseline: str
    unfit: Sequence[Any]
    audit_broken: int | None
    ghosts: int

    @classmethod
    def of(cls, name: str, store: Store, *, whole: bool = False) -> StationView:
        """`whole`: with what takes longer, the references of all rows and the chain of the audit trail."""
        with store.reader() as session:
            connection = session.connection()

            def ask(statement: str) -> list[Any]:
                return list(connection.exec_driver_sql(statement).all())

            rows = {
                (entity, row_id): row
                for entity, table in shared_tables().items()
                for row_id, row in table.read(connection, [i for (i,) in ask(f'SELECT id FROM "{entity}"')])
            }
            outbox = [
                Sent(_dashed(change), source, n, state, seq, body)
                for change, source, n, state, seq, body in ask(
                    "SELECT change_id, source, n, state, seq, body FROM outbox ORDER BY position"
                )
            ]
            conflicts = {
                (source, n): (settled is None, body)
                for source, n, settled, body in ask("SELECT source, n, settled_seq, body FROM conflict")
            }
            meta = dict(ask("SELECT key, value FROM meta"))
            unfit = ask("PRAGMA foreign_key_check") if whole else []
            broken = first_broken_line(session) if whole else None
            tables = " UNION ALL ".join(f'SELECT 1 FROM "{e}" WHERE version=0' for e in shared_tables())
            ghosts = len(ask(tables)) if whole else 0
        place = int(meta.get("sync.cursor", "0")), meta.get("sync.hash", ""), meta.get("sync.baseline", "")
        return cls(name, rows, outbox, conflicts, *place, unfit, broken, ghosts)


def _dashed(hexed: str) -> str:
    return f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"


@dataclass(frozen=True, slots=True)
class ServerView:
    """What the server holds at one moment. `answers`: (source hex, n) to (change or "", digest, verdict, settled)."""

    lines: Sequence[Line]
    answers: Mapping[tuple[str, int], tuple[str, bytes, str, bool]]
    rows: Mapping[Key, Mapping[str, Any]]
    broken: int | None

    @classmethod
    def of(cls, connection: psycopg.Connection[Any], histories: Histories) -> ServerView:
        connection.execute("SET timezone = 'UTC'")
        lines = read_log(connection, histories)
        answers = {
            (src.hex, n): (str(change or ""), bytes(digest), verdict, settled is not None)
            for src, n, change, digest, verdict, settled in connection.execute(
                "SELECT src, n, change_id, digest, verdict, settled_seq FROM sync.txn"
            )
        }
        rows = {
            (entity, row_id.hex): table.heard(row)
            for entity, table in shared_tables().items()
            for row_id, row in connection.execute(
                f'SELECT id, to_jsonb(t) FROM lineside."{entity}" t'.encode()
            )
        }
        broken = connection.execute("SELECT sync.verify()").fetchone()
        return cls(lines, answers, rows, None if broken is None else broken[0])


def read_log(connection: psycopg.Connection[Any], histories: Histories) -> list[Line]:
    return histories.learn(
        connection.execute("SELECT seq, encode(hash,'hex'), body FROM sync.log ORDER BY seq").fetchall()
    )


# ── at every moment ──────────────────────────────────────────────────────────────────────────────────────────


def in_custody(stations: Iterable[StationView], lines: Iterable[Line]) -> set[str]:
    """The changes that somebody holds: a file in its outbox, or the server in its log."""
    return {sent.change for station in stations for sent in station.outbox} | {line.change for line in lines}


def prove_custody(ledger: Ledger, stations: Iterable[StationView], lines: Iterable[Line]) -> None:
    """I1 while it goes on: no change ever is nowhere, but for those that a restored backup took away."""
    lost = ledger.made.keys() - ledger.gone - in_custody(stations, lines)
    assert not lost, f"nobody holds these changes any more: {sorted(lost)}"


def prove_shown(station: StationView, histories: Histories) -> bool:
    """I6: what is shown is the server's rows at this station's place, with every own change on top that is not in them.

    False where that cannot be told: the station knows that its rows have to be fetched anew.
    """
    if station.baseline or not histories.knows(station.hash):
        return False
    answered = histories.changes(station.hash)
    for sent in station.outbox:
        line = answered.get(sent.change)
        assert sent.state != DONE or line is not None, f"{station.name} shows {sent.change} as done too early"
        assert line is None or line.applied or sent.state in (PARKED, PENDING)
    waiting = [s for s in station.outbox if s.change not in answered and s.state in (PENDING, ACKNOWLEDGED)]
    echo = [s for s in station.outbox if s.change in answered and s.state in (PENDING, ACKNOWLEDGED)]
    expected: dict[Key, Mapping[str, Any]] = dict(histories.tables(station.hash))
    for sent in waiting:
        for step in entry_steps(sent.body):
            _lay_on_top(expected, step)
    unsure = {step.key for sent in echo for step in entry_steps(sent.body)}
    if _clash(expected):
        unsure |= {step.key for sent in waiting for step in entry_steps(sent.body)}
    for key in (expected.keys() | station.rows.keys()) - unsure:
        ours, theirs = expected.get(key), station.rows.get(key)
        assert (ours is None) == (theirs is None), f"{station.name}: {key} is {theirs}, not {ours}"
        wrong = {n: (v, theirs[n]) for n, v in (ours or {}).items() if theirs and theirs[n] != v}
        assert not wrong, f"{station.name} shows other values of {key} than its own: {wrong}"
    return True


def _lay_on_top(rows: dict[Key, Mapping[str, Any]], step: Step) -> None:
    row = rows.get(step.key)
    if row is None and not step.creates:
        return
    wanted = {name: new for name, (_, new) in step.fields.items()}
    born = row if row is not None else {"version": step.version - 1, "deleted": False}
    rows[step.key] = {**born, **shared_tables()[step.key[0]].heard(wanted), "version": born["version"] + 1}


@cache
def _numbers() -> Mapping[str, Sequence[tuple[str, ...]]]:
    """By table, the columns of which two living rows cannot have the same."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for entity in shared_tables():
        for index in Record.metadata.tables[entity].indexes:
            if index.unique:
                found[entity].append(tuple(str(column.name) for column in index.columns))
    return found


def _clash(rows: Mapping[Key, Mapping[str, Any]]) -> bool:
    """Whether two living rows have the same number or name, so that one of them cannot be shown."""
    seen: set[tuple[Any, ...]] = set()
    for (entity, _), row in rows.items():
        for columns in () if row["deleted"] else _numbers().get(entity, ()):
            named = (entity, columns, *(row.get(name) for name in columns))
            if named in seen:
                return True
            seen.add(named)
    return False


# ── at rest ──────────────────────────────────────────────────────────────────────────────────────────────────


def prove_log(server: ServerView, histories: Histories, ledger: Ledger) -> None:
    """I3 and I4: gapless, the chain holds, the tables are what the log says, and nothing was overwritten unseen."""
    assert server.broken is None, f"the server's own check finds the log broken at {server.broken}"
    head = server.lines[-1].hash if server.lines else ""
    told = histories.tables(head)
    assert told.keys() == server.rows.keys(), "the tables hold other rows than the log tells of"
    for key, row in told.items():
        wrong = {
            name: (row.get(name), value) for name, value in server.rows[key].items() if row.get(name) != value
        }
        assert not wrong, f"{key} is not what the log says: {wrong}"
    for line in server.lines:
        made = ledger.made.get(line.change)
        if made is not None:
            _prove_head(line, made)
        if made is not None and line.applied:
            _prove_as_asked(line, made, histories.before(line), histories.tables(line.hash))


def _prove_head(line: Line, made: Made) -> None:
    """Who did it where stands as it was; a refused entry stands there whole."""
    asked = json.loads(made.body)
    said = (line.said["station"], line.said["actor_id"], line.said["operation"])
    assert said == (made.station, asked["actor_id"], asked["operation"]), (
        f"record {line.seq} names others: {said}"
    )
    if not line.applied:
        assert line.said["entry"] == asked, f"the refused entry {line.seq} is not kept as it was written"
        assert not line.said.get("rows"), f"the refused entry {line.seq} changed rows"


def _prove_as_asked(line: Line, made: Made, before: Tables, then: Tables) -> None:
    asked: dict[Key, list[Step]] = defaultdict(list)
    for step in entry_steps(made.body):
        asked[step.key].append(step)
    done = Counter(step.key for step in line.steps())
    assert done == Counter({key: len(steps) for key, steps in asked.items()}), (
        f"record {line.seq} is about other rows"
    )
    rows = dict(before)
    for key, wanted in asked.items():
        table = shared_tables()[key[0]]
        for step in wanted:
            _prove_groups(line, step)
            row = rows.get(key, {})
            base = table.heard({name: pair[0] for name, pair in step.fields.items()})
            # What the server alone sets, it sets as it knows it, whatever an author says.
            by_author = step.fields.keys() - _sharing()[key[0]].by_server
            new = table.heard({name: step.fields[name][1] for name in by_author})
            for name, value in new.items():
                known = step.creates or row[name] in (base[name], value)
                assert known, (
                    f"record {line.seq} overwrote {name} of {key} unseen: {row[name]!r}, not {base[name]!r}, "
                    f"became {value!r}"
                )
            rows[key] = {**row, **new}
        ours = rows[key].keys() - _sharing()[key[0]].by_server - {"version"}
        end = {name: (rows[key][name], then[key][name]) for name in ours}
        changed = {name: pair for name, pair in end.items() if pair[0] != pair[1]}
        assert not changed, f"record {line.seq} did to {key} what nobody asked for: {changed}"


def _prove_groups(line: Line, step: Step) -> None:
    """Fields that belong together are judged together, also those that stay as they were seen."""
    moved = frozenset(name for name, (before, now) in step.fields.items() if before != now)
    if not step.creates and moved != {"deleted"}:
        groups = [group for group in _sharing()[step.key[0]].together if group & moved]
        left = frozenset().union(*groups) - step.fields.keys()
        assert not left, f"record {line.seq} changes {sorted(moved)} of {step.key} without {sorted(left)}"


@cache
def _sharing() -> Mapping[str, Sharing]:
    classes = [m.class_ for m in Record.registry.mappers if issubclass(m.class_, Record)]
    return {row_class.__tablename__: row_class.sharing for row_class in classes}


def prove_ledger(server: ServerView, stations: Sequence[StationView], ledger: Ledger) -> None:
    """I1 at rest: every change is in the log once, applied or parked; whoever made it knows the same."""
    in_log = {line.change: line for line in server.lines if line.change}
    for change, made in ledger.made.items():
        line = in_log.get(change)
        if line is None:
            assert change in ledger.gone, f"{made.station} made {change}, and it is lost: {made.body[:300]}"
            continue
        answers = [answer for answer in server.answers.values() if answer[0] == change]
        assert len(answers) == 1, f"{change} was answered {len(answers)} times"
        verdict = "applied" if line.applied else line.said["verdict"]
        assert answers[0][1:3] == (made.digest, verdict), f"{change} was answered with another verdict"
    for station in stations:
        for sent in station.outbox:
            answer = server.answers.get((sent.source, sent.n))
            assert answer is not None, f"{station.name} did not hand in {sent.change}"
            assert answer[1] == hashlib.sha256(sent.body.encode()).digest(), (
                f"another entry is kept for {sent.change}"
            )
            line = in_log[sent.change]
            assert sent.state == (DONE if line.applied else PARKED), (
                f"{station.name} takes {sent.change} for {sent.state}"
            )


def prove_all_agree(server: ServerView, stations: Sequence[StationView]) -> None:
    """I2 and I5: every station shows what the server has, row by row, waits for nothing, and sees every conflict."""
    head = server.lines[-1] if server.lines else None
    parked = {
        (line.said["src"].replace("-", ""), line.said["n"]): line for line in server.lines if not line.applied
        and line.said["k"] == "parked"
    }  # fmt: skip
    settled = {(s.replace("-", ""), n) for line in server.lines for s, n in line.said.get("resolves") or ()}
    for station in stations:
        missing = {k: v for k, v in server.rows.items() if station.rows.get(k) != v}
        assert not missing, f"{station.name} shows other rows: {_first(missing, station.rows)}"
        more = station.rows.keys() - server.rows.keys()
        assert not more, f"{station.name} shows rows that the server does not have: {sorted(more)[:3]}"
        assert head is None or (station.cursor, station.hash) == (head.seq, head.hash), station.name
        assert not [s for s in station.outbox if s.state in (PENDING, ACKNOWLEDGED)], f"{station.name} waits"
        assert {
            key for key, (is_open, _) in station.conflicts.items() if is_open
        } == parked.keys() - settled, f"{station.name} sees other conflicts than there are"
        assert station.conflicts.keys() == parked.keys(), f"{station.name} forgot conflicts"
        for key, line in parked.items():
            kept = station.conflicts[key][1]
            assert json.loads(kept) == line.said["entry"], f"{station.name} does not keep what was refused"
        assert not station.unfit, f"{station.name}: rows refer to nothing: {station.unfit[:3]}"
        assert station.audit_broken is None, f"{station.name}: audit line {station.audit_broken}"


def prove_tidy(stations: Sequence[StationView]) -> None:
    """After a comparison at rest: nothing stands for rows that no server has, and nothing missed them."""
    for station in stations:
        assert not station.ghosts, f"{station.name} keeps {station.ghosts} rows that no server has"
        assert not station.unfit, f"{station.name}: rows refer to nothing: {station.unfit[:3]}"


def _first(missing: Mapping[Key, Any], shown: Mapping[Key, Any]) -> list[Any]:
    found: list[Any] = []
    for key, theirs in list(missing.items())[:3]:
        ours = shown.get(key) or {}
        found.append((key, {n: (ours.get(n), v) for n, v in theirs.items() if ours.get(n) != v}))
    return found


def prove_at_rest(
    server: ServerView, stations: Sequence[StationView], histories: Histories, ledger: Ledger
) -> None:
    """Everything at once."""
    prove_log(server, histories, ledger)
    prove_ledger(server, stations, ledger)
    prove_all_agree(server, stations)
