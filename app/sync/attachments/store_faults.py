"""What a store beside the database answers when it does not do it, as sentences that say who has to do what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import NotFound, WorldFault
from app.sync.attachments.store_address import StoreAddress

STATION_KEY = "`lineside files-key` sets the key of this station"
OWNER_KEY = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where you type this"

_CODE = re.compile(r"<Code>(\w+)</Code>|\(code: (\w+)\)")
_STATUS = re.compile(r"status code: (\d{3})")
_KEY_IS_WRONG = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
)
_IS_FULL = ("QuotaExceeded", "XMinioStorageFull", "EntityTooLarge", "ServiceQuotaExceededException")
_WRONG_REGION = (
    "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"
)  # fmt: skip


class ObjectMissing(NotFound):
    """The store answers, and does not have this object."""


@contextmanager
def plain_faults(address: StoreAddress, key_advice: str) -> Iterator[None]:
    """Turns the errors of a store inside into `ObjectMissing` and `WorldFault`; `key_advice` says how to set a key."""
    from obstore.exceptions import BaseError, NotFoundError

    try:
        yield
    except (BaseError, OSError) as error:
        missing = isinstance(error, (FileNotFoundError, NotFoundError))
        if missing and _found(_CODE, error) not in ("NoSuchBucket", "ContainerNotFound"):
            raise ObjectMissing("The store of photos and files does not have this one.") from error
        raise WorldFault(_sentence(address, key_advice, error)) from error


def _sentence(address: StoreAddress, key_advice: str, error: Exception) -> str:
    code, status, store = _found(_CODE, error), _found(_STATUS, error), f"The store {address.bare}"
    if code in ("NoSuchBucket", "ContainerNotFound"):
        return f"{store} for photos and files does not exist; an administrator has to make the bucket."
    if code == "RequestTimeTooSkewed":
        return f"{store} refuses because the clock of this computer is wrong; set it."
    if code in _KEY_IS_WRONG:
        return f"{store} for photos and files does not accept this key; {key_advice}."
    if code in _WRONG_REGION or "incorrectly configured region" in str(error):
        return f"{store} lies in another region; an administrator adds ?region=… to its address."
    if code in _IS_FULL or status == "507":
        return f"{store} for photos and files is full; an administrator has to make room."
    if status in ("401", "403") or code == "AccessDenied":
        return f"{store} for photos and files does not allow this; {key_advice}, or its rules have to be changed."
    if status in ("429", "503"):
        return f"{store} for photos and files is busy; it is tried again."
    if "InvalidCertificate" in str(error):
        return (
            f"The certificate of the store {address.bare} is not signed by an authority that this computer knows, has "
            "expired, or is made out to another name."
        )
    return f"{store} for photos and files does not answer ({_reason(error)}); it is tried again."


def _found(pattern: re.Pattern[str], error: Exception) -> str:
    found = pattern.search(str(error))
    return next((group for group in found.groups() if group), "") if found else ""


def _reason(error: Exception) -> str:
    """The first line of an error without the address and the figures in it."""
    text = str(error).strip()
    if "error sending request" in text or "error decoding response" in text:
        return "nobody there, or the line is cut"
    return text.splitlines()[0][:200] if text else type(error).__name__
