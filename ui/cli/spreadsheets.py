"""`lineside import FILE` and `import undo RUN`: Excel and CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.domain.errors import Refused
from ui.cli.session import actor, house, say

if TYPE_CHECKING:
    from app.operations.import_runs import ImportChoices, ImportReport
    from app.plant import House

_SHOWN_ERRORS = 50


def import_words(
    words: list[str] = typer.Argument(
        ..., metavar="FILE | undo RUN", help="A file, or undo and the run's number."
    ),
    into: str = typer.Option("", "--into", help="work-orders, maintenance or tags; found out otherwise."),
    sheet: str = typer.Option("", "--sheet", help="Name of the sheet; found out otherwise."),
    header_row: int = typer.Option(
        0, "--header-row", min=0, help="Row of the headers, from 1; found out otherwise."
    ),
    maps: list[str] | None = typer.Option(
        None, "--map", metavar="Header=field", help="Field of a column; empty: none."
    ),
    answers: list[str] | None = typer.Option(
        None, "--answer", metavar="key=value", help="Answer to a question."
    ),
    template: str = typer.Option("", "--template", help="Use a remembered mapping."),
    save_template: str = typer.Option("", "--save-template", help="Remember this mapping under a name."),
    skip_errors: bool = typer.Option(False, "--skip-errors", help="Leave rows with errors out."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, change nothing."),
    acting: str | None = typer.Option(None, "--as", help="In whose name; this computer's user otherwise."),
) -> None:
    """Check a file and apply it as one change, or take a whole import back."""
    if len(words) == 2 and words[0] == "undo":
        _undo(words[1], acting)
        return
    if len(words) != 1:
        raise typer.BadParameter("Give one file, or “undo” and the number of a run.")
    from app.domain.sheets.targets import TARGETS
    from app.operations.import_runs import ImportChoices, import_file
    from app.store.queries.imports import template_named

    _require_known(into, [target.key for target in TARGETS], "list to import into")
    with house() as opened:
        choices = ImportChoices(into, sheet, header_row, _pairs(maps), _pairs(answers))
        if template:
            with opened.store.reader() as session:
                target, known = template_named(session, template)
            choices = ImportChoices(
                target, sheet, header_row, _pairs(maps), {**known.answers, **_pairs(answers)}, known
            )
        person = actor(opened, acting)
        file = Path(words[0])
        report = import_file(
            opened.store, opened.door, person, file, choices, dry_run=dry_run, skip_errors=skip_errors
        )
        if save_template:
            _remember(opened, file, choices, save_template, acting)
    _tell(report, dry_run=dry_run, skip_errors=skip_errors)


def _require_known(word: str, known: Sequence[str], what: str) -> None:
    if word and word not in known:
        raise Refused(f"There is no {what} called {word}; there are {', '.join(known)}.")


def _pairs(words: Sequence[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words or ():
        key, equals, value = word.rpartition("=")
        if not equals:
            raise typer.BadParameter(f"“{word}” is not of the form name=value.")
        pairs[key] = value
    return pairs


def _undo(run: str, acting: str | None) -> None:
    from app.operations.undo import undo
    from app.store.queries.imports import change_of_run

    with house() as opened:
        with opened.store.reader() as session:
            change_id = change_of_run(session, run)
        outcome = opened.door.perform(undo(change_id=change_id), actor(opened, acting))
    say({"undone": run, "change_id": outcome.change_id}, outcome.label)


def _remember(opened: House, file: Path, choices: ImportChoices, name: str, acting: str | None) -> None:
    from app.operations.import_runs import begin_draft
    from app.operations.imports import save_import_template
    from app.store.workbooks import read_workbook

    draft = begin_draft(opened.store, read_workbook(file), choices)
    kept = draft.template(name)
    intent = save_import_template(
        name=name,
        target=draft.target.key,
        headers=kept.headers,
        sheet=kept.sheet,
        header_row=kept.header_row,
        answers=kept.answers,
    )
    opened.door.perform(intent, actor(opened, acting))


def _tell(report: ImportReport, *, dry_run: bool, skip_errors: bool) -> None:
    plan, summary = report.plan, report.summary
    facts: Mapping[str, object] = {
        "into": plan.target.key,
        "sheet": report.layout.sheet,
        "header_row": report.layout.header_row,
        "fields": {plan.mapping.headers[column]: key for key, column in plan.mapping.columns.items()},
        "counts": plan.counts,
        "warnings": plan.warnings,
        "questions": [
            {"key": q.key, "question": q.sentence, "answer": q.answer, "answered": q.answered}
            for q in plan.questions
        ],
        "errors": plan.errors,
        "run": summary.run if summary else None,
        "change_id": summary.change_id if summary else None,
    }
    lines = [
        f"Sheet “{report.layout.sheet}”, headers in row {report.layout.header_row}, into {plan.target.key}."
    ]
    lines += [f"Question ({q.key}): {q.sentence} Taken: {q.answer}." for q in plan.questions]
    lines += [f"Note: {warning}" for warning in plan.warnings]
    lines += [f"{error.sheet}!{error.cell}: {error.sentence}" for error in plan.errors[:_SHOWN_ERRORS]]
    if len(plan.errors) > _SHOWN_ERRORS:
        lines.append(f"… and {len(plan.errors) - _SHOWN_ERRORS:,} more errors.")
    lines.append(f"{summary.sentence} Run {summary.run}." if summary else f"Dry run: {plan.sentence}.")
    say(facts, "\n".join(lines))
    if plan.errors and not dry_run and not skip_errors:
        count = len(plan.errors)
        cells = "1 cell has an error" if count == 1 else f"{count:,} cells have errors"
        raise Refused(
            f"{cells}, so nothing was imported; fix the file or leave those rows out with --skip-errors."
        )
