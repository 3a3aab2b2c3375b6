"""The key with which one computer may read and write the store of photos and files, where that is S3."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from app.domain.errors import Refused

_LONGEST = 256


@dataclass(frozen=True, slots=True)
class FilesKey:
    """An access key as S3 and its like give them out: its public `id`, and its `secret`."""

    id: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for text, what in ((self.id, "ID"), (self.secret, "secret")):
            if (
                not text
                or len(text) > _LONGEST
                or not text.isascii()
                or not text.isprintable()
                or " " in text
            ):
                raise Refused(f"This is no {what} of an access key; copy it again, all of it.", field="key")

    def packed(self) -> str:
        """As one text, for a keyring."""
        return json.dumps([self.id, self.secret])


def unpacked(text: str) -> FilesKey:
    """What `packed` made. Raises `Refused` for anything else."""
    try:
        key_id, secret = json.loads(text)
        return FilesKey(str(key_id), str(secret))
    except (ValueError, TypeError):
        raise Refused("The kept key of the store of photos and files is damaged; set it again.") from None
