"""The checks for what a test leaves behind: each of them is shown a test that leaves something."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

UNTIDY = {
    "thread": """
        import threading, time
        def test_it():
            threading.Thread(target=time.sleep, args=(30,), name="straggler", daemon=True).start()
        """,
    "child process": """
        import subprocess, sys
        kept = []
        def test_it():
            kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        """,
    "open store file": """
        import sqlite3
        kept = []
        def test_it(tmp_path):
            connection = sqlite3.connect(tmp_path / "left.sqlite")
            connection.execute("create table t (a)")
            kept.append(connection)
        """,
    "open socket": """
        import socket
        kept = []
        def test_it():
            kept.append(socket.create_server(("127.0.0.1", 0)))
        """,
    "window": """
        from PySide6.QtWidgets import QWidget
        kept = []
        def test_it(qapp):
            kept.append(QWidget())
        """,
    "running timer": """
        from PySide6.QtCore import QTimer
        kept = []
        def test_it(qapp):
            timer = QTimer()
            timer.start(1000)
            kept.append(timer)
        """,
    "task that was cut short": """
        import asyncio
        kept = []
        async def test_it():
            kept.append(asyncio.create_task(asyncio.sleep(60)))
            await asyncio.sleep(0)
        """,
    "logged errors": """
        import logging
        def test_it():
            logging.getLogger("app").error("something broke")
        """,
    "structured: something broke": """
        import structlog
        def test_it():
            structlog.get_logger("structured").error("something broke", machine="OVEN-2")
        """,
    "Qt messages with level WARNING": """
        from PySide6.QtCore import qWarning
        def test_it(qapp):
            qWarning("something looks odd")
        """,
    "careless": """
        import warnings
        def test_it():
            warnings.warn("careless", UserWarning)
        """,
}

TIDY = """
import asyncio, logging, subprocess, sys, threading
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

def test_threads_and_processes():
    thread = threading.Thread(target=print); thread.start(); thread.join()
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_windows(qtbot):
    widget = QWidget(); qtbot.addWidget(widget)
    timer = QTimer(widget); timer.start(1000)

async def test_tasks():
    await asyncio.create_task(asyncio.sleep(0))

def test_errors(expected_errors):
    logging.getLogger("app").error("as expected")
    assert len(expected_errors) == 1
"""

ENDING_BY_ITSELF = """
import gc, threading, time

def collect_slowly(phase, told):
    if phase == "start" and told["generation"] == 2:
        time.sleep(0.6)

def test_a_thread_that_is_just_ending_while_the_collection_takes_longer_than_the_grace():
    gc.callbacks.append(collect_slowly)
    threading.Thread(target=time.sleep, args=(0.1,), name="soon done", daemon=True).start()

def test_a_thread_that_ends_within_the_grace():
    threading.Thread(target=time.sleep, args=(0.1,), name="soon done", daemon=True).start()
"""

IMPORTS = """
from tests.conftest import *
from tests.conftest import _errors_are_not_logged, _home_of_its_own, _nothing_is_left_behind
"""


def run_pytest(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Runs the code as a test file of this project, in a process of its own."""
    (folder / "test_sample.py").write_text(textwrap.dedent(code))
    (folder / "conftest.py").write_text(IMPORTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(folder),
    ]
    return subprocess.run(
        [
            *command,
            "-o",
            f"pythonpath={ROOT}",
            "-o",
            f"cache_dir={folder}/cache",
            str(folder / "test_sample.py"),
        ],
        cwd=ROOT,
        env={**os.environ, "LINESIDE_TEST_GRACE": "0.2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("complaint", UNTIDY)
def test_a_test_that_leaves_something_behind_fails(tmp_path: Path, complaint: str) -> None:
    done = run_pytest(tmp_path, UNTIDY[complaint])
    assert done.returncode == 1, done.stdout + done.stderr
    assert complaint in done.stdout, done.stdout


def test_a_tidy_test_passes(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TIDY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_what_is_just_ending_gets_its_grace_however_long_the_collection_takes(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, ENDING_BY_ITSELF)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
