"""`lineside files-key`: this computer's key of the store in which the shared photos and files lie."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from app.domain.errors import LinesideError, WorldFault
from ui.cli.session import folder, say

if TYPE_CHECKING:
    from app.sync.files_key import FilesKey


def set_files_key(
    forget: bool = typer.Option(False, "--forget", help="Keep none any more."),
) -> None:
    """Keep this computer's key of the S3 store of photos and files, and try it; asks for ID and secret, or reads two
    lines from standard input.
    """
    from app.sync.attachments.key_trial import store_of_server, try_key
    from app.sync.control import SyncControl
    from app.sync.membership import keep_files_key, station_address

    here = station_address(folder())
    if forget:
        keep_files_key(folder(), here, None)
        say({"kept": False}, "This computer has no key of the store of photos and files any more.")
        return
    try:
        address, unreached = store_of_server(folder()), ""
    except WorldFault as fault:
        address, unreached = None, fault.sentence
    key = asked_files_key()
    where = keep_files_key(folder(), here, key)
    with suppress(LinesideError):  # where nothing runs, nothing has to hurry
        SyncControl(folder()).sync_now()
    if address is None:
        say({"kept": True, "tried": False, "place": where}, f"{where} It was not tried: {unreached}")
        return
    try:
        try_key(address, key)
    except WorldFault as fault:
        raise WorldFault(f"The key is kept, but: {fault.sentence}") from fault
    say({"kept": True, "tried": True, "place": where}, f"{address.bare} takes this key. {where}")


def asked_files_key() -> FilesKey:
    """A key from whoever sits here, or two lines from standard input: its ID and its secret. Raises `Refused`."""
    from app.sync.files_key import FilesKey

    if not sys.stdin.isatty():
        return FilesKey(sys.stdin.readline().strip(), sys.stdin.readline().strip())
    key_id = str(typer.prompt("Access key ID"))
    return FilesKey(key_id.strip(), str(typer.prompt("Secret access key", hide_input=True)).strip())
