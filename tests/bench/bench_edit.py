"""An edit at this station: until it is durable, until the board shows it; and a board of 2,000 open orders."""

from __future__ import annotations

import gc
import sqlite3
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import select

from app.domain.people import THE_PLANT, Actor, Role
from app.domain.stages import StageStatus
from app.operations.import_runs import begin_draft
from app.operations.imports import apply_import
from app.operations.people import create_first_admin
from app.operations.stages import move_stage
from app.plant import House, opened_house
from app.store.queries.board import BoardFilter, read_board
from app.store.tables import Stage
from app.store.workbooks import read_workbook, write_workbook
from tests.bench.figures import Figure, median_seconds
from tests.bench.processes import running
from tests.bench.window_probe import NAME, PASSWORD

FEW, MANY = 200, 2000
ROUNDS = 30
_PEER = "a bare sqlite3 transaction, synchronous=FULL"


def bench_edit() -> Iterator[Figure]:
    """Moves of stages through the door and on a board of 200 orders; then the board of 2,000."""
    with TemporaryDirectory() as name:
        few, many = Path(name) / "few", Path(name) / "many"
        peer = _bare_transaction(Path(name) / "bare.sqlite") * 1000
        with opened_house(few) as house:
            actor = _plan(house, FEW)
            yield Figure(
                "a stage moved: through the door → committed",
                median_seconds(_moves(house, actor), rounds=ROUNDS) * 1000,
                "ms",
                against=peer,
                against_what=_PEER,
            )
        with running("tests.bench.board_probe", str(few), NAME, str(ROUNDS + 1)) as board:
            rounds = board.hear()["rounds"][1:]
        committed, painted = ([r[what] * 1000 for r in rounds] for what in ("committed", "painted"))
        yield Figure("  key pressed on the board → committed, median", statistics.median(committed), "ms")
        yield Figure(
            "  key pressed on the board → painted, median",
            statistics.median(painted),
            "ms",
            50.0,
            against=peer,
            against_what=_PEER,
        )
        yield Figure("  the same, p95", statistics.quantiles(painted, n=20)[-1], "ms")
        with opened_house(many) as house:
            _plan(house, MANY)
            gc.collect()
            gc.freeze()  # as the window does after its start
            yield from _board(house)
            gc.unfreeze()


def _plan(house: House, orders: int) -> Actor:
    """An administrator, and so many open orders from a workbook."""
    user_id = house.door.perform(create_first_admin(name=NAME, password=PASSWORD), THE_PLANT).result
    actor = Actor(user_id, NAME, Role.ADMIN)
    start = datetime.now(UTC).replace(microsecond=0)
    headers = ("Order number", "Product", "Quantity", "Priority", "Customer", "Planned start", "Planned end")
    rows = [
        (
            f"WO-{n:05}",
            f"P-{n % 40}",
            1 + n % 90,
            1 + n % 5,
            f"Customer {n % 30}",
            start + timedelta(hours=n % 300),
            start + timedelta(hours=72 + n % 300),
        )
        for n in range(orders)
    ]
    file = house.folder / "plan.xlsx"
    write_workbook(file, [("Plan", headers, rows)])
    book = read_workbook(file)
    house.door.perform(apply_import(plan=begin_draft(house.store, book).plan, file_name=book.name), actor)
    return actor


def _moves(house: House, actor: Actor) -> Callable[[], object]:
    """A function that begins the first stage of one order after the other."""
    first = select(Stage.id).where(Stage.position == 1).order_by(Stage.id.desc())
    with house.store.reader() as session:
        stages: Iterator[UUID] = iter(list(islice(session.execute(first).scalars(), ROUNDS + 1)))
    return lambda: house.door.perform(move_stage(stage_id=next(stages), to=StageStatus.IN_PROGRESS), actor)


def _bare_transaction(file: Path) -> float:
    """The same durability without rules, audit or types: one row changed, two written."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE stage (id INTEGER PRIMARY KEY, status TEXT)")
    db.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, entry TEXT)")
    db.execute("CREATE TABLE audit (id INTEGER PRIMARY KEY, line TEXT)")
    db.execute("INSERT INTO stage VALUES (1, 'planned')")

    def transact() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE stage SET status = 'in_progress' WHERE id = 1")
        db.execute("INSERT INTO outbox (entry) VALUES (?)", ("x" * 500,))
        db.execute("INSERT INTO audit (line) VALUES (?)", ("x" * 500,))
        db.execute("COMMIT")

    seconds = median_seconds(transact, rounds=ROUNDS)
    db.close()
    return seconds


def _board(house: House) -> Iterator[Figure]:
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def read() -> int:
        with house.store.reader() as session:
            return len(read_board(session, BoardFilter(), day).orders)

    def plain() -> int:
        with house.store.reader() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT o.*, s.* FROM work_order o JOIN stage s ON s.work_order_id = o.id WHERE o.deleted = 0 "
                "AND o.status IN ('planned', 'in_progress', 'blocked') ORDER BY o.planned_end, s.position"
            )
            return len(rows.all())

    if read() != MANY:
        raise RuntimeError("the board does not show every order")
    yield Figure(
        "board of 2,000 open orders read",
        median_seconds(read) * 1000,
        "ms",
        150.0,
        against=median_seconds(plain) * 1000,
        against_what="the plain rows of one join",
    )
