"""Opens the data folder on a worker thread: the store, the log, and the modules that a window needs next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.plant import House


@dataclass(frozen=True)
class Opened:
    """An open house, and whether anybody has an account in it."""

    house: House
    has_users: bool


def open_data(folder: Path) -> Opened:
    """Open or create everything in `folder`. Raises `Refused` or `WorldFault` with one plain sentence."""
    from app.domain.errors import WorldFault
    from app.journal_log import start_logging
    from app.plant import open_house
    from app.store.queries.accounts import has_users

    house = open_house(folder)
    try:
        settings = house.settings
        try:
            start_logging(
                folder / "logs",
                process="desktop",
                level=settings.log_level,
                megabytes=settings.log_megabytes,
            )
        except OSError as error:
            raise WorldFault(
                f"The folder {folder / 'logs'} cannot be written ({error.strerror}); check its permissions."
            ) from error
        with house.store.reader() as session:
            known = has_users(session)
    except BaseException:
        house.close()
        raise
    # The login needs these next; a thread that reads them now saves the GUI thread half a second.
    import ui.window.open_desk  # noqa: F401  (imported for what it loads)

    return Opened(house, known)


def load_window() -> None:
    """Read what the main window is made of, while the person types their name."""
    import ui.window.main_window  # noqa: F401  (imported for what it loads)
