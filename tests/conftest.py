"""What every test gets: a home of its own, no display, and a check that nothing is left behind."""

from __future__ import annotations

import gc
import logging
import os
import socket
from typing import TYPE_CHECKING

import pytest
import structlog

from tests import chance, leaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Before anything imports Qt.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
# A test never asks for or keeps a password in the keyring of the person who runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

chance.load_profile()


def pytest_configure() -> None:
    # As in the window (ui/window/garbage.py): a cycle with widgets in it must not be collected on a worker thread.
    gc.disable()
    leaks.watch_tasks()
    leaks.watch_timers()
    # Until a test sets up logging as the program does, log lines go where the error check sees them.
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Collect on the main thread, between tests: all of it after a test with widgets, else what is young.

    What survives a full collection is set aside for good: otherwise each one would look again at all that the imports
    of hundreds of tests have piled up, seconds at a time.
    """
    if {"qapp", "qtbot"} & set(getattr(item, "fixturenames", ())):
        gc.collect(2)
        gc.freeze()
    else:
        gc.collect(1)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    surroundings = leaks.Surroundings()
    yield
    left = surroundings.left_behind()
    if left:
        surroundings.end_new_processes()
        pytest.fail("The test left behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def _errors_are_not_logged(request: pytest.FixtureRequest) -> Iterator[leaks.ErrorLines]:
    root = logging.getLogger()
    handlers, level, structure = list(root.handlers), root.level, structlog.get_config()
    lines = leaks.ErrorLines()
    root.addHandler(lines)
    yield lines
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.configure(**structure)
    if lines.records and "expected_errors" not in request.fixturenames:
        told = "\n  ".join(f"{record.name}: {record.getMessage()}" for record in lines.records)
        pytest.fail(
            f"The test logged errors (ask for the fixture expected_errors if it should):\n  {told}",
            pytrace=False,
        )


@pytest.fixture
def expected_errors(_errors_are_not_logged: leaks.ErrorLines) -> list[logging.LogRecord]:
    """Allows this test to log errors; holds the records, to be looked at."""
    return _errors_are_not_logged.records


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name, folder in {
        "HOME": home,
        "USERPROFILE": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_DATA_HOME": home / ".local/share",
        "XDG_STATE_HOME": home / ".local/state",
        "XDG_RUNTIME_DIR": home,
        "LINESIDE_DATA_DIR": tmp_path / "data",
    }.items():
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("LINESIDE_ALARM_SOUND", "false")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder for Lineside's files; LINESIDE_DATA_DIR already points to it."""
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def next_free_port() -> Callable[[], int]:
    """Gives a loopback port that nobody listens on, another one with every call."""
    given: set[int] = set()

    def find() -> int:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in given:
                given.add(port)
                return port

    return find


@pytest.fixture
def free_port(next_free_port: Callable[[], int]) -> int:
    """A loopback port that nobody listens on."""
    return next_free_port()
