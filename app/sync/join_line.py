"""The one line that is pasted at a new station: where the server is, who the station is, and its two secrets."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.domain.errors import Refused
from app.store.private_file import write_private
from app.sync.files_key import FilesKey, unpacked
from app.sync.membership import (
    AUTHORITY_NAME,
    KEY_FORM,
    Secrets,
    check_station,
    split_password,
    with_password,
)

_OPENING = "lineside-join:"
_CHECK = 4


@dataclass(frozen=True, slots=True)
class JoinLine:
    """What a station needs: `url` holds no password; `authority` is the PEM text of the server's authority, if any.

    `files_key` opens the store of photos and files, where they lie in one that wants a key.
    """

    station: str
    url: str
    secrets: Secrets
    authority: str = ""
    files_key: FilesKey | None = None

    def __str__(self) -> str:
        """One word without signs that a shell or a mail program would change, with a check sum at its end."""
        facts = {"station": self.station, "url": with_password(self.url, self.secrets.password)}
        facts |= {"key": self.secrets.station_key}
        facts |= {"ca": self.authority} if self.authority else {}
        facts |= {"files": self.files_key.packed()} if self.files_key else {}
        packed = json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
        whole = packed + hashlib.sha256(packed).digest()[:_CHECK]
        return _OPENING + base64.urlsafe_b64encode(whole).decode().rstrip("=")

    def __repr__(self) -> str:
        return f"JoinLine({self.station}, {self.url})"


def join_line(station: str, url: str, station_key: str) -> JoinLine:
    """The line of a station whose role and password are in `url`; the authority that it names comes along."""
    bare, password = split_password(url)
    parts = urlsplit(bare)
    query = dict(parse_qsl(parts.query))
    file, authority = query.pop("sslrootcert", ""), ""
    if file and file != "system":
        try:
            authority = Path(file).expanduser().read_text(encoding="ascii")
        except (OSError, ValueError):
            raise Refused(f"The certificate of the authority in {file} cannot be read.") from None
        bare = urlunsplit(parts._replace(query=urlencode(query)))
    return JoinLine(check_station(station), bare, Secrets(password, station_key), authority)


def read_join_line(text: str) -> JoinLine:
    """What somebody pasted, whatever line breaks came along. Raises `Refused` on the field `line`."""
    # Whoever copies the whole command has pasted the line as well.
    word = "".join(text.split())
    word = word[max(word.find(_OPENING), 0) :]
    if not word:
        raise Refused(
            "Paste the line that `lineside server add-station` printed, all of it.",
            field="line",
        )
    if not word.startswith(_OPENING):
        raise Refused(f"This is no join line: it begins with {_OPENING} and is one long word.", field="line")
    broken = Refused(
        "A part of the join line is missing or was changed; copy it again, all of it.", field="line"
    )
    try:
        body = word.removeprefix(_OPENING)
        whole = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        packed, check = whole[:-_CHECK], whole[-_CHECK:]
        if hashlib.sha256(packed).digest()[:_CHECK] != check:
            raise broken
        facts = json.loads(packed)
        url, password = split_password(str(facts["url"]))
        station, key = check_station(str(facts["station"])), str(facts["key"])
        authority = str(facts.get("ca", ""))
        files_key = unpacked(str(facts["files"])) if "files" in facts else None
    except (ValueError, KeyError, TypeError, Refused):
        raise broken from None
    if not password or not KEY_FORM.fullmatch(key):
        raise broken
    return JoinLine(station, url, Secrets(password, key), authority, files_key)


def settled_url(folder: Path, line: JoinLine) -> str:
    """The URL for this computer: the authority of the line is kept beside the data and named in it."""
    if not line.authority:
        return line.url
    file = folder / AUTHORITY_NAME
    write_private(file, line.authority)
    parts = urlsplit(line.url)
    query = [*parse_qsl(parts.query), ("sslrootcert", str(file))]
    return urlunsplit(parts._replace(query=urlencode(query)))
