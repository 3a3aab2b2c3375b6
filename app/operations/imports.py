"""Imports: a checked plan becomes rows in one change, is remembered as a run, and can be taken back as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Refused, Stale
from app.domain.orders import check_text
from app.domain.people import Permission
from app.domain.sheets.plan import ImportPlan, PlannedRow
from app.domain.sheets.targets import target_of
from app.operations.change import Change, operation
from app.operations.import_maintenance import change_maintenance, create_maintenance
from app.operations.import_orders import change_orders, create_orders
from app.operations.import_tags import change_tags, create_tags
from app.store.queries.imports import ExistingRow, find_existing
from app.store.tables import ImportRun, ImportTemplate

Progress = Callable[[int, int], None]
Changed = Sequence[tuple[PlannedRow, ExistingRow]]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did; `change_id` is what an undo takes back, `run` its number such as A-IM-000001."""

    run: str
    target: str
    file_name: str
    created: int
    changed: int
    same: int
    skipped: int
    errors_left_out: int
    change_id: UUID

    @property
    def sentence(self) -> str:
        """For example `Created 18 work orders, changed 2; 4 were there already.`"""
        target = target_of(self.target)
        words = [f"created {self.created:,} {target.one if self.created == 1 else target.many}"]
        if self.changed:
            words.append(f"changed {self.changed:,}")
        text = ", ".join(words)
        rest = [f"{self.same:,} were there already"] if self.same else []
        if self.skipped:
            rest.append(f"{self.skipped:,} rows were left out")
        return text[0].upper() + text[1:] + ("; " + ", ".join(rest) if rest else "") + "."


@operation(Permission.IMPORT)
def apply_import(
    change: Change,
    /,
    *,
    plan: ImportPlan,
    file_name: str,
    digest: str = "",
    skip_errors: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Do what a dry run planned: all of it or nothing.

    Raises `Refused` while the plan has errors (unless `skip_errors`, by which those rows are left out), and `Stale`
    when a row of the plan was made or changed in the store since. `progress(done, total)` may raise to stop it all.
    """
    if not isinstance(plan, ImportPlan):
        raise Refused("An import needs a checked file; use “lineside import FILE”.", field="plan")
    if plan.errors and not skip_errors:
        count = len(plan.errors)
        cells = "1 cell has" if count == 1 else f"{count:,} cells have"
        raise Refused(f"{cells} an error, the first is {plan.errors[0].cell}; fix or skip them first.")
    creates = [row for row in plan.rows if row.action == "create"]
    changes = [row for row in plan.rows if row.action == "change"]
    if not creates and not changes:
        raise Refused("There is nothing to import: every row is there already or is left out.")
    existing = find_existing(change.session, plan.target, [row.identity for row in (*creates, *changes)])
    _check_unmoved(plan, creates, changes, existing)
    creating, changing = _WORKERS[plan.target.key]
    tell = progress or _silent
    creating(change, creates, tell)
    changing(change, [(row, existing[row.identity]) for row in changes], tell)
    return _remember(change, plan, file_name, digest)


def _silent(_done: int, _total: int) -> None:
    """Nobody watches."""


_Creating = Callable[[Change, Sequence[PlannedRow], Progress], None]
_Changing = Callable[[Change, Changed, Progress], None]
_WORKERS: Mapping[str, tuple[_Creating, _Changing]] = {
    "work-orders": (create_orders, change_orders),
    "maintenance": (create_maintenance, change_maintenance),
    "tags": (create_tags, change_tags),
}


def _check_unmoved(
    plan: ImportPlan,
    creates: Sequence[PlannedRow],
    changes: Sequence[PlannedRow],
    existing: Mapping[str, ExistingRow],
) -> None:
    one = plan.target.one
    for row in creates:
        if row.identity in existing:
            number = existing[row.identity].columns["number"]
            raise Stale(f"Row {row.row}: {one} {number} was made meanwhile; check the file again.")
    for row in changes:
        held = existing.get(row.identity)
        if held is None:
            raise Stale(f"Row {row.row}: the {one} {row.identity} is gone meanwhile; check the file again.")
        for key, (before, _) in row.changes.items():
            if held.values.get(key) != before:
                title = plan.target.spec(key).title.lower()
                raise Stale(
                    f"Row {row.row}: the {title} of {held.columns['number']} was changed meanwhile; check again."
                )


def _remember(change: Change, plan: ImportPlan, file_name: str, digest: str) -> ImportSummary:
    counts = plan.counts
    skipped = counts.get("skip", 0) + counts.get("error", 0)
    run = ImportRun(
        id=change.new_id(),
        number=change.next_number(ImportRun, "IM"),
        file_name=file_name,
        digest=digest,
        target=plan.target.key,
        created_rows=counts.get("create", 0),
        changed_rows=counts.get("change", 0),
        same_rows=counts.get("same", 0),
        skipped_rows=skipped,
        change_id=change.id,
        at=change.now,
        actor=change.actor.name,
    )
    change.session.add(run)
    summary = ImportSummary(
        run.number,
        run.target,
        file_name,
        run.created_rows,
        run.changed_rows,
        run.same_rows,
        counts.get("skip", 0),
        counts.get("error", 0),
        change.id,
    )
    change.label = f"Imported {file_name}: {summary.sentence[0].lower()}{summary.sentence[1:-1]}"
    return summary


@operation(Permission.IMPORT)
def save_import_template(
    change: Change,
    /,
    *,
    name: str,
    target: str,
    headers: Mapping[str, str],
    sheet: str = "",
    header_row: int = 0,
    answers: Mapping[str, str] | None = None,
) -> UUID:
    """Keep a mapping (header → field key, empty for a column left out) with its answers under a name; replaces it."""
    title = check_text(name, "name of the mapping", "name", longest=120)
    try:
        known = {spec.key for spec in target_of(target).fields}
    except KeyError:
        raise Refused(f"There is no list “{target}” to import into.", field="target") from None
    for header, key in headers.items():
        if key and key not in known:
            raise Refused(f"“{header}” cannot become “{key}”: there is no such field.", field="headers")
    kept: dict[str, object] = {
        "headers": dict(headers),
        "sheet": sheet,
        "header_row": header_row,
        "answers": dict(answers or {}),
    }
    template = change.session.execute(
        select(ImportTemplate).where(ImportTemplate.name == title, ~ImportTemplate.deleted)
    ).scalar_one_or_none()
    if template is None:
        template = ImportTemplate(id=change.new_id(), name=title, target=target, mapping=kept)
        change.session.add(template)
    else:
        template.target, template.mapping = target, kept
    change.label = f"Saved the mapping {title}"
    return template.id
