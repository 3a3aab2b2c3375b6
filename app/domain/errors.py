"""Failures, split by what the reader must do: a person acts, the world is retried, anything else is a bug."""

from __future__ import annotations


class LinesideError(Exception):
    """A failure that Lineside expects; `sentence` is one plain sentence for the person at the screen."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Refused(LinesideError):
    """The person must act: a wrong value, an illegal move. `field` names the input that the sentence belongs to."""

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Denied(Refused):
    """The person's role does not allow it."""


class WrongPassword(Refused):
    """Somebody who is logged in does not know their password: counted like a login that failed."""


class NotFound(Refused):
    """What was asked for does not exist (any more)."""


class Stale(Refused):
    """The row was changed by someone else since the person looked at it; nothing was overwritten.

    `now` is what stands there in place of what was seen, where the person may still put their own over it.
    """

    def __init__(self, sentence: str, *, field: str | None = None, now: object = None) -> None:
        super().__init__(sentence, field=field)
        self.now = now


class WorldFault(LinesideError):
    """Network, disk or machine failed; the caller retries and the status strip shows the sentence."""
