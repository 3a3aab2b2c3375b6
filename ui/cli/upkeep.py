"""`lineside backup`, `doctor`, `version`: looking after an installation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ui.cli.session import folder, say

if TYPE_CHECKING:
    from app.domain.finding import Finding
    from app.upkeep.backup import BackupReport

backups = typer.Typer(no_args_is_help=True)


def program_version() -> str:
    try:
        return distribution_version("lineside")
    except PackageNotFoundError:
        return "unpackaged"


def version() -> None:
    """Say which Lineside this is."""
    say({"version": program_version()}, f"Lineside {program_version()}")


@backups.command("create")
def create(
    file: Path | None = typer.Argument(None, help="The new file; one in the backups folder otherwise."),
    with_history: bool = typer.Option(
        False, "--with-history", help="Samples and alarms too, in a second file."
    ),
) -> None:
    """Copy the data while it is in use, and check the copy."""
    from app.upkeep.backup import create_backup

    report = create_backup(folder(), file, with_history=with_history)
    held = f"{report.work_orders:,} work orders{_files_words(report)}"
    text = f"Wrote {report.file} ({report.bytes / 1e6:,.1f} MB, {held})"
    say(report, f"{text}{_history_words(report)}.")


def _sharing(data: Path) -> list[Finding]:
    """How sharing goes; nothing of a folder that shares nothing, or whose store cannot be read: that is said above."""
    from app.domain.errors import LinesideError
    from app.sync.check_up import check_up

    try:
        return check_up(data)
    except LinesideError:
        return []


def _files_words(report: BackupReport) -> str:
    return f", {report.files:,} photos and files" if report.files else ""


def _history_words(report: BackupReport) -> str:
    if report.history_samples is None:
        return "; it is without the history"
    return f", and {report.history_samples:,} samples in {report.history_file}"


@backups.command("verify")
def verify(file: Path) -> None:
    """Read every page of a backup."""
    from app.upkeep.backup import verify_backup

    report = verify_backup(file)
    text = (
        f"{file} is sound: schema {report.schema}, {report.work_orders:,} work orders{_files_words(report)}"
    )
    say(report, f"{text}{_history_words(report)}.")


@backups.command("restore")
def restore(file: Path) -> None:
    """Put a backup in the place of the data; the replaced data is kept. Close Lineside first."""
    from app.upkeep.backup import restore_backup

    kept = restore_backup(folder(), file)
    before = f"; what was there before is in {kept}" if kept.exists() else ""
    facts = {"restored": str(file), "kept": str(kept) if before else None}
    say(facts, f"Restored {file}{before}.{_join_again()}")


def _join_again() -> str:
    """A backup holds no secrets: on another computer the station has to be told them."""
    from contextlib import closing

    from app.store.read_only import ReadOnlyStore
    from app.store.sharing import joined_station
    from app.sync.membership import address_of

    with closing(ReadOnlyStore(folder())) as store, store.reader() as session:
        station = joined_station(session)
    if station is None or address_of(folder()) is not None:
        return ""
    return (
        f"\nIt is station {station} of a shared server, whose address and password are not in a backup: "
        f"`lineside join` with a new line (`lineside server add-station {station}` prints one)."
    )


def doctor() -> None:
    """Look at settings, folder, disk, store and sharing, and say what to do about what is not well."""
    from app.upkeep.doctor import examine

    findings = examine(folder()) + _sharing(folder())
    rows = [{"subject": f.subject, "well": f.well, "seen": f.seen, "advice": f.advice} for f in findings]
    width = max(len(f.subject) for f in findings)
    lines = []
    for found in findings:
        lines.append(f"{'well' if found.well else 'NOT WELL':<8}  {found.subject:<{width}}  {found.seen}")
        if found.advice:
            lines.append(f"{'':<{width + 10}}  {found.advice}")
    say(rows, "\n".join(lines))
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)
