"""A workbook of 50,000 rows from the file to committed orders with their stages, against a plain solution."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.domain.people import THE_PLANT, Actor, Role
from app.operations.import_runs import begin_draft
from app.operations.imports import apply_import
from app.operations.people import create_first_admin
from app.operations.undo import undo
from app.plant import opened_house
from app.store.workbooks import read_workbook, write_workbook
from tests.bench.figures import Figure

ROWS = 50_000
_PLAIN_SHARE = 10  # the plain solution runs on a tenth of the rows: it would take minutes
_HEADERS = (
    "Auftragsnummer",
    "Artikelnummer",
    "Artikelbezeichnung",
    "Charge",
    "Menge",
    "Priorität",
    "Kunde",
    "Start",
    "Liefertermin",
    "Linie",
)


def bench_workbook_to_committed() -> Iterator[Figure]:
    """Seconds from the file to the end of the commit, the parts of it, and the undo of all of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = _workbook(folder / "orders.xlsx", ROWS)
        plain = _plain_seconds(_workbook(folder / "tenth.xlsx", ROWS // _PLAIN_SHARE), folder) * _PLAIN_SHARE
        with opened_house(folder / "store") as house:
            user_id = house.door.perform(
                create_first_admin(name="Bench", password="many rows at once"), THE_PLANT
            ).result
            actor = Actor(user_id, "Bench", Role.ADMIN)
            started = time.perf_counter()
            book = read_workbook(path)
            read = time.perf_counter()
            draft = begin_draft(house.store, book)
            checked = time.perf_counter()
            outcome = house.door.perform(apply_import(plan=draft.plan, file_name=book.name), actor)
            done = time.perf_counter()
            yield Figure(
                "workbook of 50,000 rows: file → checked → committed",
                done - started,
                "s",
                8.0,
                against=plain,
                against_what="pandas, openpyxl and an ORM row by row",
                goal_ratio=8.0,
            )
            yield Figure("  of it reading", read - started, "s")
            yield Figure("  of it checking", checked - read, "s")
            yield Figure("  of it writing 50,000 orders and 250,000 stages", done - checked, "s")
            house.door.perform(undo(change_id=outcome.change_id), actor)
            yield Figure("undo of all of it", time.perf_counter() - done, "s")


def _workbook(path: Path, rows: int) -> Path:
    first = datetime(2026, 1, 5, 6, tzinfo=UTC)
    lines = [
        (
            f"WO-{n:06d}",
            f"P-{n % 400:04d}",
            f"Rahmen {n % 400}",
            f"L{n % 90:03d}",
            1 + n % 500,
            1 + n % 5,
            f"Kunde {n % 300}",
            first + timedelta(hours=n % 4000),
            first + timedelta(hours=n % 4000 + 104),
            f"Linie {n % 6}",
        )
        for n in range(rows)
    ]
    write_workbook(path, [("Auftraege", _HEADERS, lines)])
    return path


def _plain_seconds(path: Path, folder: Path) -> float:
    """What a first try looks like: pandas with openpyxl, then one object a row and its five stages, one flush each."""
    import pandas
    from sqlalchemy import ForeignKey, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Plain(DeclarativeBase):
        pass

    class PlainOrder(Plain):
        __tablename__ = "plain_order"
        id: Mapped[int] = mapped_column(primary_key=True)
        number: Mapped[str] = mapped_column(unique=True)
        product: Mapped[str]
        quantity: Mapped[int]
        start: Mapped[datetime]
        due: Mapped[datetime]

    class PlainStage(Plain):
        __tablename__ = "plain_stage"
        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("plain_order.id"))
        name: Mapped[str]

    engine = create_engine(f"sqlite:///{folder / 'plain.sqlite'}")
    Plain.metadata.create_all(engine)
    started = time.perf_counter()
    frame = pandas.read_excel(path, engine="openpyxl")
    with Session(engine) as session:
        for _, row in frame.iterrows():
            order = PlainOrder(
                number=row["Auftragsnummer"],
                product=row["Artikelnummer"],
                quantity=int(row["Menge"]),
                start=row["Start"].to_pydatetime(),
                due=row["Liefertermin"].to_pydatetime(),
            )
            session.add(order)
            session.flush()
            for name in ("Cut", "Weld", "Paint", "Inspect", "Pack"):
                session.add(PlainStage(order_id=order.id, name=name))
                session.flush()
        session.commit()
    engine.dispose()
    return time.perf_counter() - started
