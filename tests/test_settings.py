"""Settings from file and environment, and the sentence for a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import Refused
from app.settings import data_dir as chosen_data_dir
from app.settings import load_settings


def test_a_folder_without_settings_has_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert (settings.station, settings.idle_lock_minutes) == ("A", 15)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_text('station = "B7"\nidle_lock_minutes = 5\n')
    monkeypatch.setenv("LINESIDE_STATION", "C1")
    settings = load_settings(tmp_path)
    assert (settings.station, settings.idle_lock_minutes) == ("C1", 5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("station = 'lower'", "station"),
        ("idle_lock_minutes = 0", "idle_lock_minutes"),
        ("typo = 1", "typo"),
        ("= 3", "TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(Refused, match=named):
        load_settings(tmp_path)


def test_the_data_folder_is_the_given_one_or_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINESIDE_DATA_DIR", str(tmp_path / "environment"))
    assert chosen_data_dir(tmp_path / "given") == tmp_path / "given"
    assert chosen_data_dir() == tmp_path / "environment"
