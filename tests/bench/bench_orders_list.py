"""A list of 1,000,000 work orders: opened, filtered, sorted, its end reached; beside plain SELECT … OFFSET."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from app.plant import open_house
from app.store.queries.listing import MANY, ListReader, ListRequest
from app.store.queries.lists import WORK_ORDERS
from app.store.sessions import STORE_NAME, Store
from tests.bench.figures import Figure, median_seconds

ROWS = 1_000_000
PAGE = 200
NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
_PEER = "plain SELECT … OFFSET"


def _rows() -> Iterator[tuple[object, ...]]:
    chance = Random(1)
    products = ["Frame", "Rail", "Bracket", "Housing"]
    for n in range(ROWS):
        start = NOW + timedelta(minutes=chance.randint(-400_000, 400_000))
        end = start + timedelta(hours=chance.randint(4, 200))
        status = chance.choices(["planned", "in_progress", "blocked", "done"], [30, 5, 1, 64])[0]
        yield (
            UUID(int=n << 64 | chance.getrandbits(60)).hex,
            f"WO-{n:07}",
            f"P-{n % 5000}",
            products[n % 4],
            f"L{n % 70_000}",
            chance.randint(1, 900),
            chance.randint(1, 5),
            f"Customer {n % 300}",
            start.strftime("%Y-%m-%d %H:%M:%S.%f"),
            end.strftime("%Y-%m-%d %H:%M:%S.%f"),
            status,
        )


def _fill(file: Path) -> None:
    """A million rows in one transaction; indexes and the text index are built after them."""
    store = sqlite3.connect(file)
    kept = store.execute(
        "SELECT name, sql, type FROM sqlite_master "
        "WHERE tbl_name = 'work_order' AND type IN ('index', 'trigger') AND sql NOT NULL"
    ).fetchall()
    for name, _sql, kind in kept:
        store.execute(f"DROP {kind.upper()} {name}")
    store.executemany(
        "INSERT INTO work_order (id, number, product, product_name, lot, quantity, quantity_done, priority, customer,"
        " line, note, planned_start, planned_end, status, created_at, import_key, version, deleted)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, '', '', ?9, ?10, ?11, ?9, '', 1, 0)",
        _rows(),
    )
    for _name, sql, _kind in kept:
        store.execute(sql)
    store.execute("INSERT INTO work_order_text(work_order_text) VALUES ('rebuild')")
    store.commit()
    store.close()


def _first_page(store: Store, request: ListRequest) -> int:
    """What the screen waits for: is it long, and its first rows."""
    reader = ListReader(WORK_ORDERS, request, NOW, UTC)
    with store.reader() as session:
        some = reader.count(session, at_most=MANY + 1)
        many = some > MANY
        return len(reader.window(session, 0, PAGE, None if many else some, many=many))


def _last_page(store: Store, request: ListRequest, total: int) -> int:
    reader = ListReader(WORK_ORDERS, request, NOW, UTC)
    with store.reader() as session:
        return len(reader.window(session, total - PAGE, PAGE, total))


def _plain(store: Store, where: str, order: str, offset: int) -> int:
    sql = f"SELECT * FROM work_order WHERE deleted = 0 AND {where} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}"
    with store.reader() as session:
        connection = session.connection()
        connection.exec_driver_sql(
            f"SELECT count(*) FROM work_order WHERE deleted = 0 AND {where}"
        ).scalar_one()
        return len(connection.exec_driver_sql(sql).all())


def bench_orders_list() -> list[Figure]:
    """Times from asking to having the rows of a page, without the window."""
    with TemporaryDirectory() as folder:
        open_house(Path(folder)).close()
        _fill(Path(folder) / STORE_NAME)
        house = open_house(Path(folder))
        try:
            return list(_figures(house.store))
        finally:
            house.close()


def _figures(store: Store) -> Iterator[Figure]:
    everything = ListRequest("", "planned_end")
    cases = [
        ("open 1,000,000 orders", everything, "1", "planned_end, id", 100.0),
        ("filter them: a word in a quarter of them", ListRequest("frame", "planned_end"),
         "product_name LIKE '%frame%'", "planned_end, id", 300.0),
        ("filter them: status and priority", ListRequest("status:planned priority<=2", "planned_end"),
         "status = 'planned' AND priority <= 2", "planned_end, id", 300.0),
        ("filter them: one lot", ListRequest("L4711", "planned_end"), "lot LIKE '%L4711%'", "planned_end, id", 300.0),
        ("sort them by quantity", ListRequest("", "quantity", True), "1", "quantity DESC, id DESC", 300.0),
    ]  # fmt: skip
    for what, request, where, order, goal in cases:
        ours = median_seconds(partial(_first_page, store, request)) * 1000
        peer = median_seconds(partial(_plain, store, where, order, 0), rounds=3) * 1000
        yield Figure(what, ours, "ms", goal, against=peer, against_what=_PEER)
    ours = median_seconds(lambda: _last_page(store, everything, ROWS)) * 1000
    peer = median_seconds(lambda: _plain(store, "1", "planned_end, id", ROWS - PAGE), rounds=3) * 1000
    yield Figure("jump to the end of them", ours, "ms", 300.0, against=peer, against_what=_PEER)
