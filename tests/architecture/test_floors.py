"""Who may import whom: the contracts of pyproject.toml, and what they cannot say."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import grimp
import pytest

from tests.architecture.source import ROOT

SLOW_LIBRARIES = (
    "PySide6",
    "alembic",
    "asyncua",
    "numpy",
    "openpyxl",
    "pandas",
    "pymodbus",
    "pyqtgraph",
    "sqlalchemy",
)
# What the parts of the window that show things may know of app. Only cli, window, bridge and tasks know more.
READING_AND_WRITING = (
    "app.domain",
    "app.operations",
    "app.settings",
    "app.store.history",
    "app.store.queries",
)
SHOWING = ("ui.actions", "ui.models", "ui.screens")


def is_within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("app", "ui", cache_dir=None)


def test_every_module_keeps_to_its_floor() -> None:
    code = "from importlinter.cli import lint_imports_command as check; check()"
    command = [sys.executable, "-c", code, "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_screens_read_through_queries_and_history_and_write_through_operations() -> None:
    graph = imports()
    strays = [
        f"{module} imports {imported}"
        for module in graph.modules
        if is_within(module, SHOWING)
        for imported in graph.find_modules_directly_imported_by(module)
        if is_within(imported, ("app",)) and not is_within(imported, READING_AND_WRITING)
    ]
    assert not strays, "\n".join(sorted(strays))


def test_only_drivers_and_the_simulated_plant_speak_with_machines() -> None:
    graph = imports()
    strays = [
        f"{module} imports {imported}"
        for module in graph.modules
        if is_within(module, ("app", "ui")) and not is_within(module, ("app.drivers",))
        for imported in graph.find_modules_directly_imported_by(module)
        if is_within(imported, ("asyncua", "pymodbus", "aiomqtt"))
    ]
    allowed = "app.demo"
    assert not [stray for stray in strays if not stray.startswith(allowed)], "\n".join(sorted(strays))


@pytest.mark.parametrize("entrance", ["ui.cli", "app.domain", "app.settings"])
def test_the_command_line_starts_without_slow_libraries(entrance: str) -> None:
    code = f"import sys, {entrance}; print(*sorted(set(sys.modules) & {set(SLOW_LIBRARIES)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
