"""What the shop floor demands of a planned import beyond its cells: lengths, windows, and no way back for a status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from app.domain.orders import LARGEST_QUANTITY
from app.domain.sheets.cells import cell_name
from app.domain.sheets.plan import Action, CellError, ImportPlan, PlannedRow
from app.domain.sheets.values import Value
from app.operations.import_orders import goes_back

_LONGEST = {
    "number": 60,
    "product": 120,
    "product_name": 200,
    "lot": 60,
    "customer": 120,
    "area": 60,
    "assignee": 120,
    "title": 200,
    "equipment": 120,
    "description": 4000,
    "feedback": 4000,
}
Held = Mapping[str, Mapping[str, Value]]


def settled(plan: ImportPlan, held: Held) -> ImportPlan:
    """The plan with these rules applied; `held` are the rows of the store by identity."""
    rows: list[PlannedRow] = []
    found: list[CellError] = []
    kept_status = 0
    for row in plan.rows:
        after = row
        if row.action in ("create", "change"):
            faults = list(_faults(plan, row, held.get(row.identity, {})))
            found += faults
            if faults:
                after = replace(row, action="error", changes={})
            elif row.action == "change":
                after, kept = _without_way_back(row)
                kept_status += kept
        rows.append(after)
    if not found and all(before is after for before, after in zip(plan.rows, rows, strict=True)):
        return plan
    counts: dict[Action, int] = {**dict.fromkeys(plan.counts, 0), "skip": len(plan.skipped)}
    for row in rows:
        counts[row.action] += 1
    warnings = plan.warnings
    if kept_status:
        orders = "1 order has" if kept_status == 1 else f"{kept_status:,} orders have"
        warnings = (*warnings, f"{orders} gone further than the file says; that status stays.")
    errors = tuple(sorted((*plan.errors, *found), key=_place))
    return replace(plan, rows=tuple(rows), errors=errors, warnings=warnings, counts=counts)


def _place(error: CellError) -> tuple[int, int, str]:
    return error.row, len(error.cell), error.cell


def _faults(plan: ImportPlan, row: PlannedRow, old: Mapping[str, Value]) -> Iterator[CellError]:
    for key, longest in _LONGEST.items():
        value = row.values.get(key)
        if isinstance(value, str) and len(value) > longest:
            yield _fault(plan, row, key, f"This has {len(value):,} characters; at most {longest:,} fit.")
    quantity = row.values.get("quantity")
    if isinstance(quantity, int) and quantity > LARGEST_QUANTITY:
        yield _fault(plan, row, "quantity", f"The quantity may be at most {LARGEST_QUANTITY:,}.")
    if row.action != "change" or not row.changes.keys() & {"planned_start", "planned_end"}:
        return
    start = row.values.get("planned_start", old.get("planned_start"))
    end = row.values.get("planned_end", old.get("planned_end"))
    if isinstance(start, datetime) and isinstance(end, datetime) and start >= end:
        key = "planned_end" if "planned_end" in row.changes else "planned_start"
        yield _fault(
            plan, row, key, f"The order would end ({end:%Y-%m-%d}) before it starts ({start:%Y-%m-%d})."
        )


def _fault(plan: ImportPlan, row: PlannedRow, key: str, sentence: str) -> CellError:
    column = plan.mapping.columns.get(key, 0)
    return CellError(
        plan.mapping.sheet,
        cell_name(row.row, column),
        row.row,
        key,
        plan.mapping.header_of(key),
        str(row.values.get(key, ""))[:200],
        plan.target.spec(key).describe(),
        sentence,
        "",
    )


def _without_way_back(row: PlannedRow) -> tuple[PlannedRow, bool]:
    """The row without a status that the floor has left behind, and without a person whose name differs in case only."""
    changes, kept = dict(row.changes), False
    if "status" in changes and _is_order(row) and goes_back(*changes["status"]):
        del changes["status"]
        kept = True
    if "assignee" in changes:
        before, after = changes["assignee"]
        if str(before).casefold() == str(after).casefold():
            del changes["assignee"]
    if len(changes) == len(row.changes):
        return row, False
    return replace(row, action="change" if changes else "same", changes=changes), kept


def _is_order(row: PlannedRow) -> bool:
    return "product" in row.values
