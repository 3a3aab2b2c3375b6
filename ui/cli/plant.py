"""`lineside plant …`: equipment, connections, tags and limits as a file."""

from __future__ import annotations

from pathlib import Path

import typer

from app.domain.errors import Refused
from app.domain.plant import Plant
from app.domain.plant_changes import compare_plants
from app.domain.plant_file import dump_plant, parse_plant
from ui.cli.session import actor, house, say

commands = typer.Typer(no_args_is_help=True)


def read_plant_file(file: Path) -> Plant:
    """Raises `Refused` with the place of the first mistake."""
    try:
        return parse_plant(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is no UTF-8 text; save it as UTF-8 and try again.") from error


@commands.command()
def apply(
    file: Path,
    dry_run: bool = typer.Option(False, "--dry-run", help="Check the file and say what would change."),
    acting: str | None = typer.Option(None, "--as", help="In whose name; this computer's user otherwise."),
) -> None:
    """Make the configured plant equal to FILE. A running collector follows by itself."""
    from app.operations.plant import apply_plant
    from app.operations.plant_check import check_addresses
    from app.store.queries.plant import read_plant

    wanted = read_plant_file(file)
    check_addresses(wanted)
    with house() as opened:
        if dry_run:
            with opened.store.reader() as session:
                changes = compare_plants(read_plant(session), wanted)
            say(changes, f"Would add {changes.added}, change {changes.changed}, remove {changes.removed}.")
            return
        outcome = opened.door.perform(apply_plant(plant=wanted), actor(opened, acting))
    done = outcome.result
    say(done, f"{outcome.label}: added {done.added}, changed {done.changed}, removed {done.removed}.")


@commands.command()
def export(
    file: Path | None = typer.Argument(None, help="Where to write; standard output otherwise."),
) -> None:
    """Write the configured plant as a plant file."""
    from app.store.queries.plant import read_plant

    with house() as opened, opened.store.reader() as session:
        text = dump_plant(read_plant(session))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written ({error.strerror}).") from error
    say({"file": str(file)}, f"Wrote {file}.")
