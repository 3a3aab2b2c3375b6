"""Tries a station's key of the store of photos and files, so that whoever sets it hears at once whether it fits."""

from __future__ import annotations

from pathlib import Path

from app.domain.errors import Refused
from app.sync.attachments.shelf import ServerShelf
from app.sync.attachments.store_address import StoreAddress
from app.sync.attachments.stores import OutsideStore
from app.sync.files_key import FilesKey
from app.sync.membership import server_url, station_address
from app.sync.server.address import connect


def store_of_server(folder: Path) -> StoreAddress:
    """The store that the server of this station names. Raises `Refused` where it wants no key, `WorldFault`."""
    shelf = ServerShelf(
        lambda: connect(server_url(folder, station_address(folder)), program="lineside files")
    )
    try:
        url = shelf.terms().store_url
    finally:
        shelf.close()
    if not url:
        raise Refused("The server keeps photos and files in its database, so no key is needed.")
    address = StoreAddress(url)
    if not address.is_s3:
        raise Refused(f"The server keeps photos and files in {url}; only S3 takes a key that is kept here.")
    return address


def try_key(address: StoreAddress, key: FilesKey) -> None:
    """Look into the store with this key. Raises `WorldFault` with the reason why that does not work."""
    OutsideStore(address.url, key).look()
