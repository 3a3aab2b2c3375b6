"""A server whose tables are those of an older version, brought up to date while stations are connected."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg

from app.operations.notes import write_note
from app.operations.orders import create_work_order, edit_work_orders
from app.sync.server.creation import upgrade
from app.sync.server.status import status
from tests.sync.conftest import ServerDatabase
from tests.sync.harness import START, World

_BACK_TO_0004 = """
DROP TABLE IF EXISTS sync.collector;
ALTER TABLE sync.station DROP COLUMN generation, DROP COLUMN removed;
ALTER TABLE sync.login_grant ADD COLUMN generation integer NOT NULL DEFAULT 1, DROP COLUMN logged_in_at;
DROP TABLE sync.fresh;
DELETE FROM sync.parent a USING sync.parent b
  WHERE a.entity = b.entity AND a.field = b.field AND a.parent > b.parent;
ALTER TABLE sync.parent DROP COLUMN outlives, DROP CONSTRAINT parent_pkey, ADD PRIMARY KEY (entity, field);
DROP INDEX lineside.ix_issue_stage, lineside.ix_issue_work_order, lineside.ix_inspection_stage,
  lineside.ix_inspection_work_order, lineside.ix_inspection_result_inspection, lineside.ix_tag_equipment,
  lineside.ix_tag_connection, lineside.ix_attachment_owner, lineside.ix_attachment_sha256,
  lineside.ux_route_stage_place;
UPDATE sync.schema_version SET version_num = '0004';
"""
_CATALOG = """
SELECT c.oid::regclass::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace IN ('sync'::regnamespace, 'lineside'::regnamespace) AND c.relkind IN ('r', 'p', 'v')
UNION ALL
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint
WHERE connamespace IN ('sync'::regnamespace, 'lineside'::regnamespace)
UNION ALL
SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid), '', '' FROM pg_index
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace IN ('sync'::regnamespace, 'lineside'::regnamespace))
"""


def _catalog(server: ServerDatabase) -> set[tuple[Any, ...]]:
    with server.connect() as connection:
        return set(connection.execute(_CATALOG).fetchall())


def _put_back(owner: psycopg.Connection[Any]) -> None:
    with owner.transaction():
        owner.execute(_BACK_TO_0004.encode())


def test_stations_that_are_connected_go_on_and_the_tables_become_those_of_a_new_server(world: World) -> None:
    one, two = world.station("01"), world.station("02")
    order = one.do(create_work_order(product="FRAME-M", quantity=1)).result
    world.settle()
    new = _catalog(world.server)
    with world.server.connect() as owner:
        _put_back(owner)
        owner.execute("UPDATE sync.login_grant SET generation = 3 WHERE station = '02'")
        assert _catalog(world.server) != new
    found = status(world.server.url)
    assert (found.revision, found.broken, len(found.stations)) == ("0004", None, 3)
    one.do(edit_work_orders(ids=[order], note="made before the upgrade"))
    assert not one.server.closed
    assert not two.server.closed
    upgrade(world.server.url)
    assert _catalog(world.server) == new
    two.do(edit_work_orders(ids=[order], customer="made after it"))
    world.settle()
    world.check()
    with world.server.connect() as owner:
        generations = dict(owner.execute("SELECT name, generation FROM sync.station").fetchall())
    assert generations == {"00": 1, "01": 1, "02": 3}
    assert set(one.states()) == set(two.states()) == {"done"}


def test_of_two_routes_of_a_product_the_first_stays_and_everybody_hears_of_it(world: World) -> None:
    one = world.station("01")
    one.do(write_note(at=START, text="before"))
    world.settle()
    first, second = sorted((uuid4(), uuid4()))
    with world.server.connect() as owner:
        _put_back(owner)
        for row_id in (first, second):
            owner.execute(
                "INSERT INTO lineside.route_stage (id, product, position, name, planned_minutes)"
                " VALUES (%s, 'FRAME-M', 1, 'Cut', 5)",
                (row_id,),
            )
        upgrade(world.server.url)
        left = owner.execute("SELECT id FROM lineside.route_stage WHERE NOT deleted").fetchall()
    assert left == [(first,)]
    last = world.log()[-1]
    assert (last["k"], last["operation"]) == ("system", "tidy_routes")
    assert [(row["id"], row["set"]) for row in last["rows"]] == [(str(second), {"deleted": True})]
    assert status(world.server.url).broken is None
