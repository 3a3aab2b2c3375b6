"""The history of every machine, wherever it is collected: from this computer where it is here, else from the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

from app.domain.corrections import Correction
from app.domain.errors import LinesideError, WorldFault
from app.domain.samples import Sample
from app.store.history import Buckets, HistoryReader
from app.store.history.schema import moment
from app.sync.machines.lease_book import LeaseBook
from app.sync.machines.server_history import ServerHistory
from app.sync.membership import address_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.sync.wire import ServerConnection


class SharedHistory:
    """Curves and samples of all tags. `reader` reads the plant of the data folder; methods may wait for the network.

    Of a machine that this station holds, what is older than its own history comes from the server. Of one that another
    station holds, everything does; without the server there is what this station itself once collected, and where that
    is nothing, WorldFault says why.
    """

    def __init__(
        self,
        local: HistoryReader,
        folder: Path,
        reader: Callable[[], AbstractContextManager[Session]],
        connect: Callable[[], ServerConnection] | None = None,
    ) -> None:
        self.local, self._folder, self._reader = local, folder, reader
        self._server = ServerHistory(connect or self._own_connection)

    def _own_connection(self) -> ServerConnection:
        from app.sync.machines.forwarding import own_connection

        return own_connection(self._folder)

    def buckets(
        self, tag: str, start: datetime, end: datetime, pixels: int, corrections: Sequence[Correction] = ()
    ) -> Buckets:
        """The curve of a tag as `HistoryReader.buckets` gives it."""
        here = self.local.buckets(tag, start, end, pixels, corrections)
        holder = self._holder(tag)
        if holder is None or (not holder and here.before is not None):
            return here
        begins = moment(int(here.t[0])) if len(here.t) and not holder else end
        if begins <= start:
            return here
        try:
            there = self._server.buckets(tag, start, begins, pixels, corrections)
        except LinesideError as fault:
            return here if _any(here) or not holder else _tell(tag, holder, fault)
        return _joined(there, here) if begins < end else there

    def samples(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        limit: int = 1_000_000,
        corrections: Sequence[Correction] = (),
    ) -> list[Sample]:
        """Samples of a tag with start <= source time < end, oldest first; at most `limit`."""
        here = self.local.samples(tag, start, end, limit, corrections)
        holder = self._holder(tag)
        if holder is None or (not holder and self.local.before(tag, start) is not None):
            return here
        begins = here[0].source_time if here and not holder else end
        try:
            there = self._server.samples(tag, start, begins, limit, corrections)
        except LinesideError as fault:
            return here if here or not holder else _tell(tag, holder, fault)
        return (there + here if begins < end else there)[:limit]

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample of a tag older than `time`; None when there is none."""
        here = self.local.before(tag, time)
        holder = self._holder(tag)
        if holder is None or (not holder and here is not None):
            return here
        try:
            there = self._server.before(tag, time)
        except LinesideError as fault:
            return here if here is not None or not holder else _tell(tag, holder, fault)
        return (
            there if here is None or (there is not None and there.source_time >= here.source_time) else here
        )

    def close(self) -> None:
        """Hang up; the local history is its owner's to close."""
        self._server.close()

    def _holder(self, tag: str) -> str | None:
        """Which other station holds the machine of a tag, empty for this one; None where nothing is shared."""
        address = address_of(self._folder)
        if address is None:
            return None
        book = LeaseBook(self._folder)
        book.read(address.station)
        connection = self._connection_of(tag)
        held = None if connection is None else book.held.get(connection)
        return "" if held is None or held.station == address.station else held.station

    def _connection_of(self, tag: str) -> UUID | None:
        from sqlalchemy import select

        from app.store.tables import Tag

        with self._reader() as session:
            return session.scalar(select(Tag.connection_id).where(Tag.name == tag, ~Tag.deleted))


def _any(buckets: Buckets) -> bool:
    return len(buckets.t) > 0 or buckets.before is not None


def _tell(tag: str, holder: str, fault: LinesideError) -> NoReturn:
    raise WorldFault(
        f"{tag} is collected by station {holder}; its history is on the server. {fault.sentence}"
    ) from fault


def _joined(earlier: Buckets, later: Buckets) -> Buckets:
    """Two stretches of one curve as one."""
    import numpy as np

    arrays = (f.name for f in fields(Buckets) if f.name != "before")
    columns = {name: np.concatenate((getattr(earlier, name), getattr(later, name))) for name in arrays}
    return Buckets(**columns, before=earlier.before)
