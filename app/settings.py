"""The settings of one station: a file in the data folder, overridden by the environment, validated at start."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.domain.decoding import convert
from app.domain.errors import Refused, WorldFault

SETTINGS_NAME = "settings.toml"
DATA_DIR_VARIABLE = "LINESIDE_DATA_DIR"
_PREFIX = "LINESIDE_"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings with their defaults; each can be set as LINESIDE_<NAME> in the environment too."""

    # Declared with msgspec, which the live stream needs anyway: pydantic takes a third of a second to load.
    station: Annotated[
        str, Meta(pattern=r"^[A-Z0-9]{1,6}$", description="opens the numbers made on this station")
    ] = "A"
    theme: Literal["system", "light", "dark"] = "system"
    density: Literal["desk", "touch", "wall"] = "desk"
    idle_lock_minutes: Annotated[int, Meta(ge=1, le=720)] = 15
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_megabytes: Annotated[int, Meta(ge=1, le=1000, description="size of one log file; five are kept")] = 10
    alarm_sound: Annotated[
        bool, Meta(description="whether unacknowledged alarms are heard on this station")
    ] = True
    history_seal_minutes: Annotated[
        int, Meta(ge=1, le=1440, description="age at which samples are compressed")
    ] = 60
    history_keep_days: Annotated[
        int, Meta(ge=7, le=36500, description="how long samples are kept; their figures stay for years")
    ] = 400
    history_max_gb: Annotated[
        float, Meta(ge=0.1, le=100_000, description="size at which the oldest samples give way")
    ] = 20.0
    photos_max_gb: Annotated[
        float, Meta(ge=0.1, le=100_000, description="photos and files kept here that the server has too")
    ] = 5.0
    photos_send_kb: Annotated[
        int, Meta(ge=0, le=1_000_000, description="kilobytes a second at which they are sent; 0 for no limit")
    ] = 0
    collect_here: Annotated[
        bool, Meta(description="whether the window starts the collector of this station")
    ] = True


def data_dir(given: Path | None = None) -> Path:
    """The data folder: as given, or from LINESIDE_DATA_DIR, or the user's own application folder."""
    if given is not None:
        return given.expanduser().absolute()
    if os.environ.get(DATA_DIR_VARIABLE):
        return Path(os.environ[DATA_DIR_VARIABLE]).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("lineside", appauthor=False)


def load_settings(folder: Path) -> Settings:
    """Read and check the settings of `folder`. Raises `Refused` with the wrong line named."""
    file = folder / SETTINGS_NAME
    values: dict[str, Any] = {}
    try:
        if file.exists():
            values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{file} is not valid TOML: {error}.") from error
    except OSError as error:
        raise WorldFault(f"{file} cannot be read ({error.strerror}); check its permissions.") from error
    names = {_PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    values |= {name: os.environ[variable] for variable, name in names.items() if variable in os.environ}
    try:
        return convert(values, Settings, strict=False)  # not strict: the environment is all text
    except msgspec.ValidationError as error:
        wrong = str(error).replace("`$.", "`").replace("Object contains", "there is an")
        raise Refused(f"A setting in {file} or in the environment is wrong: {wrong}.") from error
