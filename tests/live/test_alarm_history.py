"""Alarms in the history file: settled together, searched, counted inside the database, read from an older file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alarm_load import Raised, count_raisings
from app.domain.alarms import Event, Kind, Limit, Phase, Urgency
from app.domain.plant import Equipment, Plant, Tag
from app.store.history import AlarmBatch, AlarmRecord, HistoryReader, HistoryWriter, JournalLine, Settled
from app.store.history.alarm_journal import PAGE, JournalQuery
from app.store.history.alarm_writer import drop_before
from tests.chance import examples
from tests.store.first_history import FIRST_TABLES

T0 = datetime(2026, 3, 4, tzinfo=UTC)
PLANT = Plant((Equipment("OVEN-2", "Große Oven"),), (), (Tag("OVEN-2/t", "OVEN-2", "c", "a", label="heat"),))


def moment(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


def record(number: int, second: float = 0, phase: Phase = Phase.NORMAL, **more: object) -> AlarmRecord:
    made: dict[str, object] = {
        "id": f"a{number}", "key": "OVEN-2/t", "tag": "OVEN-2/t", "kind": Kind.VALUE, "occurrence": number,
        "priority": 2, "urgency": Urgency.WARNING, "limit": Limit.HI, "value": 81.0, "phase": phase,
        "raised_at": moment(second),
    }  # fmt: skip
    return AlarmRecord(**(made | more))  # type: ignore[arg-type]  # fields by name


def line(
    second: float,
    event: Event,
    key: str = "OVEN-2/t",
    alarm: str | None = "a1",
    actor: str = "",
    reason: str = "",
) -> JournalLine:
    what = (Phase.UNACK, Urgency.WARNING, Limit.HI, 81.0)
    return JournalLine(moment(second), key, alarm, event.value, *what, actor, reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.fixture
def writer(path: Path) -> Iterator[HistoryWriter]:
    with HistoryWriter(path) as opened:
        yield opened


@pytest.fixture
def reader(path: Path) -> Iterator[HistoryReader]:
    with HistoryReader(path) as opened:
        yield opened


def test_a_record_comes_back_with_all_that_people_said(writer: HistoryWriter, reader: HistoryReader) -> None:
    full = record(
        1, phase=Phase.OUT_OF_SERVICE, comment="on my way", unseen=3, unseen_since=T0, one_shot=True,
        aside_since=moment(5), aside_by="anna", aside_reason="new sensor", permit="P-17", shelved_until=moment(99),
    )  # fmt: skip
    writer.write([], AlarmBatch([full]))
    assert reader.alarms() == [full]
    assert (reader.alarm("a1"), reader.alarm("a2")) == (full, None)


def test_one_acknowledgement_settles_all_earlier_raisings(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    earlier = [record(n, n, Phase.RTN_UNACK) for n in (1, 2, 3)]
    other = record(9, 1, Phase.UNACK, id="other", key="M/x", tag="M/x", occurrence=1)
    writer.write([], AlarmBatch([*earlier, record(4, 4, Phase.UNACK), other]))
    assert {r.id for r in reader.alarms(active_only=True)} == {"a4", "other"}
    done = Settled("OVEN-2/t", 4, moment(60), "anna", "seen")
    writer.write([], AlarmBatch([record(4, 4, Phase.ACKED)], settled=[done]))
    assert {r.id for r in reader.alarms(active_only=True)} == {"a4", "other"}
    first = reader.alarm("a1")
    assert first is not None
    assert (first.phase, first.acked_at, first.acked_by, first.comment) == (
        Phase.NORMAL,
        moment(60),
        "anna",
        "seen",
    )


def test_the_journal_is_searched_by_whatever_stands_in_it_and_by_the_names_of_machines(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    lines = [
        line(0, Event.RAISED),
        line(1, Event.ACKNOWLEDGED, actor="Anna", reason="100 % sure_thing"),
        line(2, Event.RAISED, "M/x!comm", "b"),
        line(3, Event.SHELVED, "M/x!comm", "b", actor="Bert", reason="cable is moved"),
    ]
    writer.write([], AlarmBatch([record(1)], lines))

    def found(search: str) -> list[int]:
        page = reader.journal_page(JournalQuery(search=search, plant=PLANT))
        return sorted(lines.index(one) for one in page)

    assert (found("anna"), found("raised"), found("cable bert")) == ([1], [0, 2], [3])
    assert (found("OVEN"), found("große"), found("heat acknow")) == ([0, 1], [0, 1], [1])
    assert (found("100 %"), found("sure_"), found("_"), found("!comm"), found("'")) == (
        [1],
        [1],
        [1],
        [2, 3],
        [],
    )
    by = JournalQuery
    assert len(reader.journal_page(by(events=(Event.RAISED, Event.SHELVED)))) == 3
    assert [x.priority for x in reader.journal_page(by(priority=2))] == [2, 2]
    assert len(reader.journal_page(by(start=moment(1), end=moment(3)))) == 2
    assert len(reader.journal_page(by(key="M/x!comm"))) == 2


def test_the_journal_is_read_page_by_page_and_nothing_comes_twice(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    writer.write([], AlarmBatch([], [line(n, Event.RAISED) for n in range(2 * PAGE + 5)]))
    first = reader.journal_page(JournalQuery(), 3)
    writer.write([], AlarmBatch([], [line(9999, Event.CLEARED)]))
    second = reader.journal_page(JournalQuery(before=first[-1].n), 3)
    assert [x.n for x in (*first, *second)] == list(range(2 * PAGE + 5, 2 * PAGE - 1, -1))
    numbers = [x.n for x in reader.journal_lines(JournalQuery())]
    assert numbers == list(range(2 * PAGE + 6, 0, -1))


raisings = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.integers(1, 4),
        st.integers(-90_000, 200_000),
        st.one_of(st.none(), st.integers(0, 40), st.integers(80_000, 100_000)),
    ),
    max_size=40,
)


@given(raisings)
@examples(60, same_fixtures=True)
def test_the_database_counts_as_the_definition_does(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int, int, int | None]]
) -> None:
    path = tmp_path_factory.mktemp("load") / "history.sqlite"
    start, end = T0, T0 + timedelta(days=2)
    kept = [
        Raised(key, priority, moment(at), None if lasting is None else min(end, moment(at + lasting)))
        for key, priority, at, lasting in found
    ]
    rows = [
        record(
            n, id=f"r{n:03}", key=r.key, priority=r.priority, raised_at=r.raised_at, returned_at=r.returned_at,
            occurrence=n + 1,
        )
        for n, r in enumerate(kept)
    ]  # fmt: skip
    with HistoryWriter(path) as writer, HistoryReader(path) as reader:
        writer.write([], AlarmBatch(rows))
        counted, expected = reader.alarm_counts(start, end), count_raisings(kept, start, end)
        assert counted.minutes == expected.minutes
        assert sorted(counted.sources, key=repr) == sorted(expected.sources, key=repr)
        assert sorted(counted.standing) == sorted(expected.standing)
        assert reader.alarm_load(start, end).count == sum(expected.minutes.values())


def test_an_alarm_that_was_only_put_aside_counts_as_none(
    writer: HistoryWriter, reader: HistoryReader
) -> None:
    writer.write([], AlarmBatch([record(1, occurrence=0, phase=Phase.SHELVED)]))
    assert reader.alarm_load(T0, T0 + timedelta(days=3)).count == 0


def test_what_is_over_for_long_is_dropped_and_what_still_waits_is_not(
    writer: HistoryWriter, reader: HistoryReader, path: Path
) -> None:
    records = [record(1), record(2, 5, Phase.UNACK), record(3, 60)]
    writer.write([], AlarmBatch(records, [line(0, Event.RAISED), line(60, Event.CLEARED)]))
    db = sqlite3.connect(path)
    with db:
        assert [drop_before(db, moment(30), most=1), drop_before(db, moment(30))] == [2, 0]
    db.close()
    assert {r.id for r in reader.alarms()} == {"a2", "a3"}
    assert [x.event for x in reader.journal()] == ["cleared"]


FIRST_VERSION = f"""
{FIRST_TABLES}INSERT INTO alarm VALUES ('a1', 'OVEN-2/t', 'OVEN-2/t', 'value', 1, 2, 1, 'hi', 81.0, 'unacknowledged',
  1772582400000000, NULL, NULL, '', NULL);
PRAGMA user_version = 1;
"""


def test_alarms_of_the_first_version_are_there_once_a_collector_opened_the_file(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript(FIRST_VERSION)
    db.close()
    with HistoryWriter(path) as writer, HistoryReader(path) as reader:
        assert reader.alarms(active_only=True) == [record(1, phase=Phase.UNACK)]
        later = record(2, 9, Phase.UNACK, unseen=1)
        writer.write([], AlarmBatch([later]))
        assert reader.alarms()[0] == later
