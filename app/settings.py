"""The settings of one station: a file in the data folder, overridden by the environment, validated at start."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.domain.errors import Refused, WorldFault

SETTINGS_NAME = "settings.toml"
DATA_DIR_VARIABLE = "LINESIDE_DATA_DIR"


class Settings(BaseSettings):
    """All settings with their defaults; each can be set as LINESIDE_<NAME> in the environment too."""

    model_config = SettingsConfigDict(env_prefix="LINESIDE_", extra="forbid")

    station: str = Field(
        default="A", pattern=r"^[A-Z0-9]{1,6}$", description="opens the numbers made on this station"
    )
    theme: Literal["system", "light", "dark"] = "system"
    density: Literal["desk", "touch", "wall"] = "desk"
    idle_lock_minutes: int = Field(default=15, ge=1, le=720)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_megabytes: int = Field(default=10, ge=1, le=1000, description="size of one log file; five are kept")
    collect_here: bool = Field(
        default=True, description="whether the window starts the collector of this station"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


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
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Refused(
            f"The setting {name} in {file} or in the environment is wrong: {first['msg']}."
        ) from error
