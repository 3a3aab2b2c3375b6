"""The history of every machine, wherever it is collected: from this computer where it is here, else from the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

from app.domain.corrections import Correction
from app.domain.errors import LinesideError, WorldFault
from app.domain.samples import Sample
from app.store.history import Buckets, HistoryReader
from app.store.history.schema import micros, moment
from app.sync.machines.lease_book import LeaseBook
from app.sync.machines.server_history import ServerHistory
from app.sync.membership import address_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.sync.wire import ServerConnection

_EVER = datetime(1, 1, 1, tzinfo=UTC)
_TERMS_SECONDS = 60.0  # for so long the answer who held a machine is believed


@dataclass(frozen=True, slots=True)
class _Where:
    """Who holds a machine (None: nothing is shared), and until when its samples in a range are the server's."""

    holder: str | None
    until: datetime

    @property
    def others(self) -> bool:
        """Whether another station holds it now."""
        return bool(self.holder)


class SharedHistory:
    """Curves and samples of all tags. `reader` reads the plant of the data folder; methods may wait for the network.

    Of a machine that this station holds, what is older than its own history comes from the server, and what was
    collected up to the last time that another station held it. Of one that another station holds, everything does;
    without the server there is what this station itself once collected, and where that is nothing, WorldFault says why.
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
        self._terms: dict[UUID, tuple[float, list[tuple[datetime, datetime | None]]]] = {}

    def _own_connection(self) -> ServerConnection:
        from app.sync.machines.forwarding import own_connection

        return own_connection(self._folder)

    def buckets(
        self,
        tag: str,
        start: datetime,
        end: datetime,
        pixels: int,
        corrections: Sequence[Correction] = (),
        *,
        exact: bool = False,
    ) -> Buckets:
        """The curve of a tag as `HistoryReader.buckets` gives it."""
        here = self.local.buckets(tag, start, end, pixels, corrections, exact=exact)
        first = moment(int(here.t[0])) if len(here.t) else None
        where = self._where(tag, start, end, start if here.before is not None else first)
        if where.until <= start:
            return here
        try:
            there = self._server.buckets(tag, start, where.until, pixels, corrections, exact=exact)
        except LinesideError as fault:
            return here if _any(here) or not where.others else _tell(tag, where, fault)
        return there if where.until >= end else _joined(there, _since(here, micros(where.until)))

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
        where = self._where(tag, start, end, self._begins(tag, start, here))
        if where.until <= start:
            return here
        try:
            there = self._server.samples(tag, start, where.until, limit, corrections)
        except LinesideError as fault:
            return here if here or not where.others else _tell(tag, where, fault)
        if where.until < end and len(there) < limit:
            there += self.local.samples(tag, where.until, end, limit - len(there), corrections)
        return there

    def blocks(
        self, tag: str, start: datetime, end: datetime, corrections: Sequence[Correction] = ()
    ) -> Iterator[list[Sample]]:
        """What `samples` gives, some ten thousand at a time; a server that is lost on the way is told."""
        where = self._where(tag, start, end, self._begins(tag, start, self.local.samples(tag, start, end, 1)))
        since = start
        if where.until > start:
            try:
                for block in self._server.blocks(tag, start, where.until, corrections):
                    since = where.until
                    yield block
            except LinesideError as fault:
                if since > start or where.others:
                    _tell(tag, where, fault)
        yield from self.local.blocks(tag, since, end, corrections)

    def before(self, tag: str, time: datetime) -> Sample | None:
        """The newest sample of a tag older than `time`; None when there is none."""
        here = self.local.before(tag, time)
        where = self._where(tag, _EVER, time, None if here is None else here.source_time)
        if where.until <= _EVER or (
            not where.others and here is not None and here.source_time >= where.until
        ):
            return here
        try:
            there = self._server.before(tag, time)
        except LinesideError as fault:
            return here if here is not None or not where.others else _tell(tag, where, fault)
        return (
            there if here is None or (there is not None and there.source_time >= here.source_time) else here
        )

    def _begins(self, tag: str, start: datetime, here: Sequence[Sample]) -> datetime | None:
        """Since when this station has samples of a range, None for none."""
        if self.local.before(tag, start) is not None:
            return start
        return here[0].source_time if here else None

    def _where(self, tag: str, start: datetime, end: datetime, begins: datetime | None) -> _Where:
        """Where the samples of a range are, of which this station has those since `begins`."""
        address = address_of(self._folder)
        if address is None:
            return _Where(None, start)
        book = LeaseBook(self._folder)
        book.read(address.station)
        connection = self._connection_of(tag)
        held = None if connection is None else book.held.get(connection)
        if held is not None and held.station != address.station:
            return _Where(held.station, end)
        until = end if begins is None else begins
        if connection is not None and held is not None and held.epoch > 1:
            for granted, ended in self._others(connection, address.station):
                if granted < end and (ended is None or ended > start):
                    until = max(until, ended or end)
        return _Where("", min(until, end))

    def _others(self, connection: UUID, station: str) -> list[tuple[datetime, datetime | None]]:
        """When others held a machine that is this station's now; nothing where the server cannot say it."""
        asked_at, known = self._terms.get(connection, (-_TERMS_SECONDS, []))
        if monotonic() - asked_at >= _TERMS_SECONDS:
            try:
                known = self._server.held_by_others(connection, station)
            except LinesideError:
                return known
            self._terms[connection] = (monotonic(), known)
        return known

    def close(self) -> None:
        """Hang up; the local history is its owner's to close."""
        self._server.close()

    def _connection_of(self, tag: str) -> UUID | None:
        from sqlalchemy import select

        from app.store.tables import Tag

        with self._reader() as session:
            return session.scalar(select(Tag.connection_id).where(Tag.name == tag, ~Tag.deleted))


def _any(buckets: Buckets) -> bool:
    return len(buckets.t) > 0 or buckets.before is not None


def _since(buckets: Buckets, first: int) -> Buckets:
    """Those that begin at `first` (µs) or later."""
    at = int(buckets.t.searchsorted(first))
    columns = {f.name: getattr(buckets, f.name)[at:] for f in fields(Buckets) if f.name != "before"}
    return Buckets(**columns, before=buckets.before)


def _tell(tag: str, where: _Where, fault: LinesideError) -> NoReturn:
    by = f"is collected by station {where.holder}" if where.others else "was collected by other stations too"
    raise WorldFault(f"{tag} {by}; its history is on the server. {fault.sentence}") from fault


def _joined(earlier: Buckets, later: Buckets) -> Buckets:
    """Two stretches of one curve as one."""
    import numpy as np

    arrays = (f.name for f in fields(Buckets) if f.name != "before")
    columns = {name: np.concatenate((getattr(earlier, name), getattr(later, name))) for name in arrays}
    return Buckets(**columns, before=earlier.before)
