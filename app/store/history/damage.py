"""That the history is not what was written into it."""

from __future__ import annotations


class Damaged(Exception):
    """What lies in a chunk is not what was put there."""
