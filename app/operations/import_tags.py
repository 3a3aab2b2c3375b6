"""Tags from an import plan: what its cells mean for a tag, and the same checks as for a plant file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import Refused
from app.domain.people import Permission, require
from app.domain.plant import Connection, DeadbandRule, Equipment, Plant, Scale, Tag
from app.domain.plant_changes import plant_with
from app.domain.plant_file import check_plant, check_tag
from app.domain.plant_node import parse_duration
from app.domain.sheets.cells import cell_name
from app.domain.sheets.plan import Action, CellError, ImportPlan, PlannedRow
from app.domain.sheets.values import Value
from app.operations.change import Change
from app.operations.plant_check import address_trouble, check_addresses
from app.operations.plant_rows import write_plant
from app.store.queries.imports import ExistingRow
from app.store.queries.plant import read_plant

_TEXTS = ("equipment", "connection", "address", "unit", "label")
_LIMITS = ("hihi", "hi", "lo", "lolo")
_ALARM = ("priority", "on_delay", "hysteresis", "consequence", "response")
_SCALE = ("raw_lo", "raw_hi", "eu_lo", "eu_hi")


def settled_tags(plan: ImportPlan, plant: Plant) -> ImportPlan:
    """The plan with every row that cannot become a tag of `plant` marked at its cell."""
    connections = {c.name: c for c in plant.connections}
    rows: list[PlannedRow] = []
    found: list[CellError] = []
    for row in plan.rows:
        after = row
        if row.action in ("create", "change"):
            try:
                tag = checked_tag(row.values, plant.tag(row.identity), connections)
            except Refused as refusal:
                found.append(_fault(plan, row, refusal))
                after = replace(row, action="error", changes={})
            else:
                if tag == plant.tag(row.identity):
                    after = replace(row, action="same", changes={})
        rows.append(after)
    counts: dict[Action, int] = {**dict.fromkeys(plan.counts, 0), "skip": len(plan.skipped)}
    for row in rows:
        counts[row.action] += 1
    errors = tuple(sorted((*plan.errors, *found), key=_place))
    return replace(plan, rows=tuple(rows), errors=errors, counts=counts)


def _place(error: CellError) -> tuple[int, int, str]:
    return error.row, len(error.cell), error.cell


def _fault(plan: ImportPlan, row: PlannedRow, refusal: Refused) -> CellError:
    known = {spec.key for spec in plan.target.fields}
    words = [word for word in reversed((refusal.field or "").split(".")) if word in known]
    # A scale is four cells; the machine's sentence names both, the first of them is marked.
    key = words[0] if words else ("raw_lo" if "scale" in (refusal.field or "") else "name")
    sentence = refusal.sentence.removeprefix(f"{refusal.field}: ")
    return CellError(
        plan.mapping.sheet,
        cell_name(row.row, plan.mapping.columns.get(key, 0)),
        row.row,
        key,
        plan.mapping.header_of(key) if key in plan.mapping.columns else plan.target.spec(key).title,
        str(row.values.get(key, ""))[:200],
        plan.target.spec(key).describe(),
        sentence[0].upper() + sentence[1:],
        "",
    )


def checked_tag(
    values: Mapping[str, Value], present: Tag | None, connections: Mapping[str, Connection]
) -> Tag:
    """The tag that the cells of a row describe, put over the `present` one; raises Refused with the field."""
    name = str(values["name"])
    tag = present or Tag(name, "", "", "")
    texts: dict[str, Any] = {key: str(values[key]) for key in _TEXTS if key in values}
    tag = replace(tag, **texts)
    if "scan" in values:
        tag = replace(tag, scan=_seconds(str(values["scan"])))
    if "deadband" in values:
        tag = replace(tag, deadband=_deadband(str(values["deadband"]), tag.deadband))
    numbers = {key: float(str(values[key])) for key in (*_LIMITS, *_SCALE) if key in values}
    limits: dict[str, Any] = {key: numbers[key] for key in _LIMITS if key in numbers}
    alarm: dict[str, Any] = {key: values[key] for key in _ALARM if key in values}
    tag = check_tag(
        replace(
            tag,
            scale=_scale(numbers, tag.scale),
            limits=replace(tag.limits, **limits),
            alarm=replace(tag.alarm, **alarm),
        )
    )
    connection = connections.get(tag.connection)
    if connection is None:
        known = ", ".join(connections) or "none yet; make it first"
        raise Refused(f"There is no connection “{tag.connection}”; there is {known}.", field="connection")
    why = address_trouble(connection, tag.address)
    if why:
        raise Refused(why, field="address")
    return tag


def _seconds(text: str) -> float:
    words = text.strip().replace(",", ".").replace(" ", "")
    try:
        return float(words) if words.replace(".", "", 1).isdigit() else parse_duration(words)
    except ValueError as error:
        raise Refused(f"{error}.", field="scan") from None


def _deadband(text: str, present: DeadbandRule) -> DeadbandRule:
    words = text.strip().replace(",", ".")
    try:
        amount = float(words.removesuffix("%"))
    except ValueError:
        raise Refused(
            f"“{text}” is no deadband; write a number, or a share like 1%.", field="deadband"
        ) from None
    return replace(present, amount=amount, percent=words.endswith("%"))


def _scale(numbers: Mapping[str, float], present: Scale | None) -> Scale | None:
    given: dict[str, Any] = {key: numbers[key] for key in _SCALE if key in numbers}
    if not given:
        return present
    if present is None and len(given) < len(_SCALE):
        missing = next(key for key in _SCALE if key not in given)
        raise Refused("A scale needs four numbers: raw low and high, and what they mean.", field=missing)
    return replace(present or Scale(0.0, 1.0, 0.0, 1.0), **given)


def create_tags(change: Change, rows: Sequence[PlannedRow], progress: Callable[[int, int], None]) -> None:
    """Add the tags of new rows, and the machines that they name and nobody described yet."""
    if rows:
        _write(change, [row.values for row in rows])
        progress(len(rows), len(rows))


def change_tags(
    change: Change, rows: Sequence[tuple[PlannedRow, ExistingRow]], progress: Callable[[int, int], None]
) -> None:
    """Change the tags that are there."""
    if rows:
        _write(change, [row.values for row, _ in rows])
        progress(len(rows), len(rows))


def _write(change: Change, rows: Sequence[Mapping[str, Value]]) -> None:
    require(change.actor, Permission.CONFIGURE_PLANT)
    change.needs = Permission.CONFIGURE_PLANT
    present = read_plant(change.session)
    connections = {c.name: c for c in present.connections}
    tags = [checked_tag(values, present.tag(str(values["name"])), connections) for values in rows]
    codes = {e.code for e in present.equipment}
    fresh = {t.equipment: Equipment(t.equipment, t.equipment) for t in tags if t.equipment not in codes}
    wanted = plant_with(present, equipment=fresh.values(), tags=tags)
    check_plant(wanted)
    check_addresses(wanted, tags)
    write_plant(change, present, wanted)
