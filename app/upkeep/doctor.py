"""A check of one installation: each finding says what was looked at, whether it is well, and what to do if not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from app.domain.errors import LinesideError
from app.domain.finding import Finding
from app.settings import load_settings
from app.store import schema
from app.store.blobs import BlobFolder
from app.store.sessions import STORE_NAME
from app.store.sharing import STATION

_WAL_BUG_FIXED = (3, 51, 3)
_ENOUGH_BYTES = 2_000_000_000


def examine(folder: Path) -> list[Finding]:
    """Look at settings, folder, disk, SQLite and store of `folder` without changing anything."""
    findings = [_settings(folder), _folder(folder), _sqlite()]
    if folder.exists():
        findings.append(_disk(folder))
    if (folder / STORE_NAME).exists():
        findings += _store(folder / STORE_NAME)
        findings += _photos(folder)
    return findings


def _photos(folder: Path) -> list[Finding]:
    """Photos and files: how many, how large, and whether one is missing that no server has."""
    with closing(sqlite3.connect(f"file:{quote(str(folder / STORE_NAME))}?mode=ro", uri=True)) as db:
        try:
            rows = db.execute(
                "SELECT sha256, min(stored) FROM attachment WHERE NOT deleted GROUP BY sha256"
            ).fetchall()
            joined = db.execute("SELECT 1 FROM meta WHERE key = ?", (STATION,)).fetchone() is not None
        except sqlite3.Error:
            return []  # what is wrong with the store is said above; an old one has no photos
    held = BlobFolder(folder).held()
    here = sum(held[sha256][0] for sha256, _ in rows if sha256 in held)
    away = sum(1 for sha256, stored in rows if not stored and sha256 not in held)
    seen = f"{len(rows):,}, of which {here / 1e6:,.1f} MB lie here"
    if not away:
        return [Finding("Photos and files", True, seen)]
    if joined:
        return [Finding("Photos and files", True, f"{seen}; {away:,} are on their way from other stations")]
    advice = "Restore a backup: it brings missing photos and files back and leaves the others as they are."
    return [Finding("Photos and files", False, f"{seen}; {away:,} are missing", advice)]


def _settings(folder: Path) -> Finding:
    try:
        load_settings(folder)
    except LinesideError as error:
        return Finding("Settings", False, error.sentence, "Correct the setting.")
    return Finding("Settings", True, "readable and valid")


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        return Finding("Data folder", True, f"{folder} does not exist yet; the first start makes it")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "Data folder", False, f"{folder} cannot be written", "Give yourself the right to write there."
        )
    return Finding("Data folder", True, str(folder))


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1e9:,.1f} GB free"
    if free < _ENOUGH_BYTES:
        return Finding("Disk", False, seen, "Free some space: Lineside keeps machine data for years.")
    return Finding("Disk", True, seen)


def _sqlite() -> Finding:
    seen = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < _WAL_BUG_FIXED:
        # Not a fault of the installation: Lineside writes through one connection under a lock.
        return Finding(
            "SQLite", True, f"{seen} (has the WAL-reset bug; one writer under a lock keeps clear of it)"
        )
    return Finding("SQLite", True, seen)


def _store(path: Path) -> list[Finding]:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        verdict = str(connection.execute("PRAGMA quick_check").fetchone()[0])
        revision = str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except sqlite3.Error as error:
        return [Finding("Store", False, str(error), schema.damaged(path))]
    finally:
        connection.close()
    known = schema.known_revisions()
    sound = Finding("Store", verdict == "ok", verdict, "" if verdict == "ok" else schema.damaged(path))
    version = Finding(
        "Schema",
        revision in known,
        f"{revision} (this program: {known[-1]})",
        "" if revision in known else "Install the newer Lineside that wrote this data.",
    )
    return [sound, version]
