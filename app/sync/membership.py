"""Which server a data folder shares, under which name, and where the two secrets of that are kept."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from app.domain.errors import Refused, WorldFault
from app.store.machine_secrets import SecretsPlace
from app.store.private_file import toml_text, write_private
from app.sync.files_key import FilesKey, unpacked

FILE_NAME = "server.toml"
AUTHORITY_NAME = "server-ca.pem"
"""The certificate of the authority that vouches for the server, beside the data."""
PASSWORD_VARIABLE, KEY_VARIABLE = "LINESIDE_SERVER_PASSWORD", "LINESIDE_STATION_KEY"
_STATION = re.compile(r"[A-Z0-9]{1,6}")
_PASSWORD_NAME, _KEY_NAME, _FILES_NAME = "@server", "@station-key", "@files-key"
KEY_FORM = re.compile(r"(?:[0-9a-f]{2}){16,64}")


def check_station(name: str) -> str:
    """The name of a station, which opens the numbers that it makes; raises `Refused`."""
    tidy = name.strip().upper()
    if not _STATION.fullmatch(tidy):
        raise Refused(f"“{name}” cannot name a station; use one to six letters A–Z and digits.", field="name")
    return tidy


@dataclass(frozen=True, slots=True)
class Address:
    """How a station reaches its server: a URL that holds no password, its name, its own place in the keyring."""

    station: str
    url: str
    keyring: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """The password of the station's database role, and the key (hex) with which the plant itself signs."""

    password: str = field(repr=False)
    station_key: str = field(repr=False)


def address_of(folder: Path) -> Address | None:
    """What `server.toml` says, None for a folder that shares nothing. Raises `Refused` for a damaged file."""
    file = folder / FILE_NAME
    try:
        facts = tomllib.loads(file.read_text(encoding="utf-8"))
        url = _with_own_authority(str(facts["url"]), folder)
        return Address(check_station(str(facts["station"])), url, str(facts["keyring"]))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, Refused):
        raise Refused(f"{file} is damaged; join the server again with a new line from it.") from None
    except OSError as error:
        raise WorldFault(f"{file} cannot be read: {error.strerror}.") from error


def _with_own_authority(url: str, folder: Path) -> str:
    """A data folder may have been moved or copied: the authority in it is named where it lies now."""
    parts = urlsplit(url)
    query = [
        (
            name,
            str(folder / AUTHORITY_NAME)
            if name == "sslrootcert" and Path(value).name == AUTHORITY_NAME
            else value,
        )
        for name, value in parse_qsl(parts.query)
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))


def station_address(folder: Path) -> Address:
    """`address_of` where there must be one; raises `Refused` when it was lost."""
    address = address_of(folder)
    if address is None:
        raise Refused(
            f"{folder / FILE_NAME} is missing, so the server cannot be found; join again with a new line from it."
        )
    return address


def keep_address(folder: Path, address: Address) -> None:
    """Write `server.toml`, for its owner only."""
    facts = {"station": address.station, "url": address.url, "keyring": address.keyring}
    head = "# The server that this station shares. Its password lies in the keyring, or in secrets.toml.\n"
    write_private(folder / FILE_NAME, head + "".join(f"{n} = {toml_text(v)}\n" for n, v in facts.items()))


def forget_address(folder: Path) -> None:
    (folder / FILE_NAME).unlink(missing_ok=True)


def _place(folder: Path, address: Address) -> SecretsPlace:
    return SecretsPlace(folder, address.keyring)


def keep_secrets(folder: Path, address: Address, secrets: Secrets) -> str:
    """Keep both in the keyring of this computer, else in `secrets.toml`; returns where they are, in a sentence."""
    place = _place(folder, address)
    place.set_password(_PASSWORD_NAME, secrets.password)
    place.set_password(_KEY_NAME, secrets.station_key)
    return place.sentence_about("The password of the server and the key of this station")


def forget_secrets(folder: Path, address: Address) -> None:
    place = _place(folder, address)
    place.set_password(_PASSWORD_NAME, "")
    place.set_password(_KEY_NAME, "")
    place.set_password(_FILES_NAME, "")


def keep_files_key(folder: Path, address: Address, key: FilesKey | None) -> str:
    """Keep this station's key of the store of photos and files, None to forget it; returns where it is, in a sentence.

    Takes effect at the next try to reach the store.
    """
    place = _place(folder, address)
    place.set_password(_FILES_NAME, key.packed() if key else "")
    return place.sentence_about("Keys of the store of photos and files")


def files_key_of(folder: Path, address: Address) -> FilesKey | None:
    """The kept key, None where there is none. Raises `WorldFault` when a keyring does not answer."""
    kept = _place(folder, address).kept(_FILES_NAME)
    return unpacked(kept) if kept else None


def secrets_of(folder: Path, address: Address) -> Secrets:
    """Both secrets: from the environment, the keyring or the file. Blocks for seconds at most.

    Raises `Refused` when this computer does not have them, `WorldFault` when a keyring does not answer.
    """
    place = _place(folder, address)
    password = os.environ.get(PASSWORD_VARIABLE) or place.kept(_PASSWORD_NAME)
    key = os.environ.get(KEY_VARIABLE) or place.kept(_KEY_NAME)
    missing = PASSWORD_VARIABLE if not password else KEY_VARIABLE if not key else ""
    if missing:
        raise Refused(
            f"This computer does not have the password of station {address.station}; join again with a new line "
            f"from the server, or set {missing}."
        )
    return Secrets(password, key)


def server_url(folder: Path, address: Address) -> str:
    """The URL of the server with the password in it: for the connection, never for logs or a screen."""
    return with_password(address.url, secrets_of(folder, address).password)


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{host}"))


def split_password(url: str) -> tuple[str, str]:
    """The URL without its password, and the password."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=f"{name}@{host}" if name else host)), unquote(password)
