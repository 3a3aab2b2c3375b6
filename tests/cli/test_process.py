"""What only a process of its own can show: exit codes, broken pipes, broken surroundings, and how fast it starts."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, Lineside

ROOT = Path(__file__).parents[2]
MISTRUSTFUL = Path("/proc/1")
WINDOW_LIBRARIES = ("PySide6", "sqlalchemy", "pandas", "asyncua", "pyqtgraph")


def process(*words: object) -> Answer:
    """One command as the shell runs it."""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore::DeprecationWarning", "-m", "ui", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Answer(ended.returncode, ended.stdout, ended.stderr)


def test_a_command_ends_with_0_and_a_refused_one_with_1_and_a_sentence(shop: Path, tmp_path: Path) -> None:
    first = process("user", "add", "Ada", "--role", "planner", "--data-dir", shop)
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("Added Ada as planner.")
    second = process("--data-dir", shop, "user", "add", "Ada", "--role", "planner")
    assert second == Answer(1, "", "There is already a user called Ada; choose another name.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fly",), "No such command 'fly'"),
        (("version", "--data-dir"), "'--data-dir' requires an argument"),
        (("version", "--colour"), "--colour"),
        (("list",), "Missing argument 'ENTITY'"),
        (("server", "stand"), "No such command 'stand'"),
    ],
)
def test_wrong_usage_ends_with_2_and_opens_nothing(
    misused: Callable[..., str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert said.casefold() in misused(*words).casefold()
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_the_version_is_told_without_loading_what_a_window_or_a_store_needs() -> None:
    code = (
        "import sys; from ui.cli.root import run; code = run(['version', '--json']);"
        f"sys.stderr.write(' '.join(sorted(set(sys.modules) & set({WINDOW_LIBRARIES!r})))); sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert '"version"' in ended.stdout


def test_a_reader_that_goes_away_ends_it_without_a_word() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ui", "do", "--list"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.close()
        complaint = command.stderr.read()
        assert command.wait(60) == 1
    assert complaint == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_an_answer_to_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "ui", "version"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert "No space left" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_data_folder_that_cannot_be_is_said(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made" in refused("list", "users", "--data-dir", tmp_path / "file" / "data")
    assert "cannot be made" in refused("list", "users", "--data-dir", tmp_path / "file")


@pytest.mark.skipif(not MISTRUSTFUL.exists(), reason="no folder that even root cannot write")
def test_a_read_only_folder_is_said(refused: Callable[..., str]) -> None:
    assert "cannot be written" in refused("list", "users", "--data-dir", MISTRUSTFUL)
    refused("user", "add", "Ada", "--role", "admin", "--data-dir", MISTRUSTFUL)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_said(refused: Callable[..., str], data_dir: Path) -> None:
    data_dir.chmod(0o500)
    try:
        assert "cannot be written" in refused("list", "users")
    finally:
        data_dir.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"station = 7", "station"),
        (b'station = "A"\nstation = "B"', "not valid TOML"),
        (b"station = ", "not valid TOML"),
        (b"cows = 3", "cows"),
        (b"idle_lock_minutes = 0", "idle_lock_minutes"),
        (b"\xff\xfe", "not valid TOML"),
    ],
)
def test_wrong_settings_are_named(
    refused: Callable[..., str], lineside: Lineside, shop: Path, content: bytes, said: str
) -> None:
    (shop / "settings.toml").write_bytes(content)
    assert said in refused("list", "users")
    assert said in refused("collect", "--seconds", "1")
    report = lineside("doctor", "--json")
    assert report.code == 1
    assert [row["subject"] for row in report.json if not row["well"]] == ["Settings"]


@pytest.mark.parametrize("content", [b"broken" * 2000, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_damaged_store_is_left_alone_and_said(
    refused: Callable[..., str], lineside: Lineside, shop: Path, content: bytes
) -> None:
    store = shop / "lineside.sqlite"
    store.write_bytes(content)
    for words in (
        ("list", "users"),
        ("audit", "verify"),
        ("backup", "create"),
        ("collect", "--seconds", "1"),
    ):
        assert refused(*words)
    assert store.read_bytes() == content
    assert lineside("doctor").code == 1


def test_a_store_of_a_newer_lineside_is_left_alone_and_said(refused: Callable[..., str], shop: Path) -> None:
    with closing(sqlite3.connect(shop / "lineside.sqlite")) as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
        store.commit()
    assert "newer Lineside" in refused("list", "users")
    assert "newer Lineside" in refused("plant", "export")


def test_a_backup_is_made_verified_and_put_back(
    shop: Path, done: Lineside, refused: Callable[..., str], tmp_path: Path
) -> None:
    order = ("do", "create_work_order", "--as", "planner", "product=X", "quantity=1")
    done(*order)
    copy = tmp_path / "copy.sqlite"
    assert done("backup", "create", copy, "--json").json["work_orders"] == 1
    assert "exists already" in refused("backup", "create", copy)
    assert done("backup", "verify", copy, "--json").json["audit_lines"] == 1
    done(*order)
    kept = Path(done("backup", "restore", copy, "--json").json["kept"])
    assert len(done("list", "work-orders", "--json").json) == 1
    assert done("backup", "verify", kept, "--json").json["work_orders"] == 2
    done("audit", "verify")
    done("doctor")
    assert Path(done("backup", "create", "--json").json["file"]).parent == shop / "backups"


def test_what_is_no_backup_is_refused_and_the_data_stays(
    shop: Path, done: Lineside, refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "noise.sqlite").write_bytes(b"noise" * 1000)
    with closing(sqlite3.connect(tmp_path / "foreign.sqlite")) as foreign:
        foreign.execute("CREATE TABLE cow (name)")
        foreign.commit()
    for name in ("noise.sqlite", "foreign.sqlite", "missing.sqlite", "data"):
        assert refused("backup", "verify", tmp_path / name)
        assert refused("backup", "restore", tmp_path / name)
    assert len(done("list", "users", "--json").json) == 7
    assert "nothing to back up" in refused("backup", "create", "--data-dir", tmp_path / "empty")
    assert "failed" in refused("backup", "create", tmp_path / "noise.sqlite" / "x.sqlite")


def test_the_first_command_in_an_empty_place_makes_the_store(done: Lineside, tmp_path: Path) -> None:
    place = tmp_path / "new" / "place"
    assert "no users yet" in done("user", "list", f"--data-dir={place}").out
    assert (place / "lineside.sqlite").exists()
    assert done("sync", "--status", "--json", "--data-dir", place).json == {"server": None, "waiting": 0}


def test_sending_without_a_server_is_refused(shop: Path, refused: Callable[..., str]) -> None:
    assert "No server is joined" in refused("sync", "--once")
    assert "No server is joined" in refused("sync")
