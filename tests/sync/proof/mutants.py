"""Plants bugs and shows that the proof finds each: `python -m tests.sync.proof.mutants [NAME …] [--examples N]`.

Every bug lives in a process of its own, where our sources are changed as they are read; nothing on the disk is touched.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType

ROOT = Path(__file__).parents[3]
FOUND, MISSED = 0, 1


@dataclass(frozen=True, slots=True)
class Edit:
    """In the file of this path, `old` becomes `new`; it must stand there once."""

    file: str
    old: str
    new: str

    def source(self) -> str:
        """The file as it is."""
        return (ROOT / self.file).read_text(encoding="utf-8")

    def applied(self, text: str) -> str:
        if text.count(self.old) != 1:
            raise SystemExit(f"{self.file} does not hold this once any more: {self.old}")
        return text.replace(self.old, self.new)


_SQL, _SYNC = "migrations/server/functions/", "app/sync/"

MUTANTS: Mapping[str, tuple[Edit, ...]] = {
    "no_base_check": (Edit(_SQL + "rows.sql", "ELSIF cur->f = base->f THEN", "ELSIF true THEN"),),
    "no_digest_check": (
        Edit(
            _SQL + "push.sql",
            "IF v_known.digest IS DISTINCT FROM sha256(convert_to(p_bodies[i], 'UTF8')) THEN",
            "IF false THEN",
        ),
    ),
    "cursor_before_apply": (
        Edit(
            _SYNC + "pulling.py",
            "            station.write(partial(_apply, station, found))",
            "            station.write(lambda c: set_cursor(c, found.cursor, found.hash))\n"
            "            station.write(partial(_apply, station, found))",
        ),
    ),
    "no_hash_check": (
        Edit(
            _SYNC + "pulling.py",
            "if not lines or (lines[0].seq, lines[0].hash) != (cursor, known):",
            "if False:",
        ),
        Edit(
            _SYNC + "pulling.py",
            "if line.seq != cursor + 1 or chained(known, line.body) != line.hash:",
            "if False:",
        ),
    ),
    "not_offered_again_after_restore": (
        Edit(_SYNC + "reconciling.py", "(PENDING, source.hex, last, PENDING)", "(PENDING, source.hex, 10**9, PENDING)"),
        Edit(_SYNC + "baseline.py", "(PENDING, source, last, PENDING)", "(PENDING, source, 10**9, PENDING)"),
    ),
    "acknowledged_without_the_feed": (
        Edit(
            _SYNC + "pushing.py",
            "PARKED if answer.verdict != APPLIED else DONE if answer.seq <= cursor else ACKNOWLEDGED",
            "PARKED if answer.verdict != APPLIED else DONE",
        ),
    ),
    "conflict_not_logged": (
        Edit(
            _SQL + "push.sql",
            "v_seq := sync._log(v_record, v_rows);",
            "IF v_verdict = 'applied' THEN v_seq := sync._log(v_record, v_rows); ELSE v_seq := 0; END IF;",
        ),
    ),
    "change_known_by_source_only": (
        Edit(
            _SQL + "push.sql",
            "SELECT * INTO v_before FROM sync.txn WHERE change_id = v_change;",
            "SELECT * INTO v_before FROM sync.txn WHERE change_id = v_change AND src = p_src;",
        ),
        Edit(_SQL + "push.sql", "VALUES (p_src, p_n, v_change, d,", "VALUES (p_src, p_n, NULL, d,"),
    ),
    "groups_ignored": (
        Edit(_SQL + "rows.sql", "IF others IS NOT NULL THEN  -- fields", "IF false THEN  -- fields"),
        Edit(
            "app/domain/sharing.py",
            "return frozenset().union(*groups) - touched",
            "return frozenset() if groups else frozenset()",
        ),
    ),
    "ghosts_removed_at_once": (
        Edit(
            _SYNC + "shared_rows.py",
            "f'UPDATE \"{self.entity}\" SET deleted=1, version={GHOST} WHERE id=?', gone",
            "f'DELETE FROM \"{self.entity}\" WHERE id=?', gone",
        ),
    ),
    "refused_change_stays_on_screen": (
        Edit(
            _SYNC + "pushing.py",
            "if state != ACKNOWLEDGED and not place.baseline:",
            "if state == DONE and not place.baseline:",
        ),
    ),
    "settlement_not_noted": (
        Edit(
            _SQL + "push.sql",
            "UPDATE sync.txn SET settled_seq = p_seq WHERE src = v.src AND n = v.n;",
            "PERFORM 1;",
        ),
    ),
    "outbox_out_of_order": (
        Edit(_SYNC + "unconfirmed.py", "'acknowledged') ORDER BY position", "'acknowledged') ORDER BY change_id"),
        Edit(_SYNC + "reconciling.py", "IN ({marks}) ORDER BY position", "IN ({marks}) ORDER BY change_id"),
    ),
}  # fmt: skip


class _EditedLoader(SourceFileLoader):
    """Reads a module past the cache of compiled ones, with edits."""

    edits: Sequence[Edit] = ()

    def get_code(self, fullname: str) -> CodeType:
        text = Path(self.path).read_text(encoding="utf-8")
        for edit in self.edits:
            text = edit.applied(text)
        code: CodeType = self.source_to_code(text.encode(), self.path)
        return code


class _Planting(MetaPathFinder):
    def __init__(self, edits: Sequence[Edit]) -> None:
        self._edits = edits

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: object = None
    ) -> ModuleSpec | None:
        file = f"{fullname.replace('.', '/')}.py"
        here = [edit for edit in self._edits if edit.file == file]
        if not here:
            return None
        spec = PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        loader = _EditedLoader(fullname, spec.origin)
        loader.edits = here
        spec.loader = loader
        return spec


def plant(edits: Sequence[Edit], folder: Path) -> None:
    """Have this process import our modules, and make servers, with these bugs."""
    sys.meta_path.insert(0, _Planting([edit for edit in edits if edit.file.endswith(".py")]))
    from app.sync.server import creation

    shutil.copytree(creation.MIGRATIONS, folder / "server")
    for edit in edits:
        if edit.file.endswith(".sql"):
            file = folder / "server" / "functions" / Path(edit.file).name
            file.write_text(edit.applied(file.read_text(encoding="utf-8")), encoding="utf-8")
    creation.MIGRATIONS = folder / "server"


def hunt(name: str, examples: int, steps: int) -> int:
    """Run the proof with one bug in this process; tells how it was found."""
    with TemporaryDirectory() as folder:
        plant(MUTANTS[name], Path(folder))
        from tests.sync.proof.seeds import failures

        try:
            number, error = next(failures(range(examples), steps), (0, None))
        except Exception as broken:  # noqa: BLE001 - not even the ground can be laid
            number, error = 0, broken
    if error is None:
        sys.stdout.write(f"MISSED {name}\n")
        return MISSED
    told = str(error).strip().splitlines() or [""]
    sys.stdout.write(f"FOUND {name} in run {number}: {type(error).__name__}: {told[0][:200]}\n")
    return FOUND


def found(name: str, examples: int = 60, steps: int = 60) -> tuple[bool, str]:
    """Whether the proof finds this bug, and the last line of what it says."""
    command = [sys.executable, "-m", "tests.sync.proof.mutants", name, "--here"]
    words = ["--examples", str(examples), "--steps", str(steps)]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    return done.returncode == FOUND and lines[-1].startswith("FOUND"), lines[-1] if lines else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MUTANTS, []])
    parser.add_argument("--examples", type=int, default=60)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--here", action="store_true")
    options = parser.parse_args()
    if options.here:
        return hunt(options.names[0], options.examples, options.steps)
    missed = 0
    for name in options.names or MUTANTS:
        began = time.monotonic()
        right, line = found(name, options.examples, options.steps)
        missed += not right
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {line}\n")
        sys.stdout.flush()
    return MISSED if missed else FOUND


if __name__ == "__main__":
    sys.exit(main())
