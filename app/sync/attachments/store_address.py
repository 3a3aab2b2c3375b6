"""Where a store beside the database is: one URL, the same at every station, in which nothing is secret."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from app.domain.errors import Refused

SCHEMES = ("s3", "az", "gs", "file")
_S3_OPTIONS = ("region", "endpoint")


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """`s3://bucket/folder?region=…&endpoint=https://…`, `az://…`, `gs://…`, `file:///folder`.

    `endpoint` is where an S3 that is not Amazon's answers. The server tells the URL to all stations, so a secret in it
    is refused.
    """

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            secret = parts.username or parts.password
        except ValueError:
            raise Refused(f"{self.url} is no address of a store.", field="store") from None
        if parts.scheme not in SCHEMES:
            raise Refused(
                f"{self.url} is no store for photos and files; it begins with s3://, az://, gs:// or file://.",
                field="store",
            )
        if secret:
            raise Refused(
                "Every station sees the address of the store, so it must not hold a key or password.",
                field="store",
            )
        if unknown := [name for name in self.options if parts.scheme != "s3" or name not in _S3_OPTIONS]:
            raise Refused(f"The address of a store knows no “{unknown[0]}”.", field="store")
        if self.is_s3 and not parts.netloc:
            raise Refused("The address names no bucket; s3://bucket/folder does.", field="store")
        if urlsplit(self.options.get("endpoint", "https://x")).scheme not in ("http", "https"):
            raise Refused("The endpoint of a store begins with https:// or http://.", field="store")

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def is_s3(self) -> bool:
        return self.scheme == "s3"

    @property
    def is_folder(self) -> bool:
        return self.scheme == "file"

    @property
    def bare(self) -> str:
        """Without its options."""
        return urlunsplit(urlsplit(self.url)._replace(query=""))

    @property
    def options(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def in_clear(self) -> bool:
        """Whether photos travel unencrypted."""
        return self.options.get("endpoint", "").startswith("http://")
