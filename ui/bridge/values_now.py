"""What the collector said last of every tag and link, and how far it can be believed now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from app.domain.equipment import STALE_AFTER
from app.domain.machine_news import LinkState, LinkStatus
from app.domain.plant import Connection, Plant, Tag
from app.domain.samples import Quality, Sample, is_bad, is_good, is_left_over
from ui.bridge.machines import SignalNow, why_stale
from ui.bridge.rings import Ring, flags, number

_NOBODY_HEARD = "nothing is heard from the collector"
_NOTHING_KNOWN = "nothing is known of its connection yet"
_NO_MESSAGE = "no message arrived for long"


@dataclass(frozen=True, slots=True)
class LinksLost:
    """Links to machines that give no data, of how many; `stations` are the silent ones that have some of them."""

    lost: int = 0
    known: int = 0
    stations: tuple[str, ...] = ()
    silent: int = 0

    @property
    def words(self) -> str:
        """What to say of it in a narrow place; empty when all is well."""
        if not self.lost:
            return ""
        if self.stations and self.silent == self.lost:
            return f"{self.unheard} not heard"
        if self.lost < self.known:
            return f"{self.lost} of {self.known} links down"
        return f"no machine answers, {self.unheard} not heard" if self.stations else "no machine answers"

    @property
    def unheard(self) -> str:
        """Of whom nothing is heard: `station 07`, `stations 07, 08`; `3 connections` of a copied folder that may not
        talk to them; empty when all are."""
        if self.stations:
            return f"station{'s' if len(self.stations) > 1 else ''} {', '.join(self.stations)}"
        return f"{self.silent} connection{'s' if self.silent > 1 else ''}" if self.silent else ""


ALL_THERE = LinksLost()


class ValuesNow:
    """Newest values, curves and links. `live` says whether the collector is heard, `heard_at` when it last was."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._latest: dict[str, Sample] = {}
        self._usable: dict[str, Sample] = {}
        self._held: dict[str, datetime] = {}
        self._told: set[str] = set()
        self._spoke: dict[tuple[str, str], datetime] = {}
        self._plant = Plant()
        self._connections: dict[str, Connection] = {}
        self.rings: dict[str, Ring] = {}
        self.links: dict[str, LinkStatus] = {}
        self.live = False
        self.heard_at: datetime | None = None

    def follow(self, plant: Plant) -> None:
        """The connections and tags that there are."""
        self._plant = plant
        self._connections = {c.name: c for c in plant.connections}

    def take(self, sample: Sample) -> None:
        """A newer sample."""
        if is_bad(sample.quality):
            self._note([sample.tag])
        else:
            self._usable[sample.tag] = sample
            self._held.pop(sample.tag, None)
        self._latest[sample.tag] = sample
        self._told.add(sample.tag)
        tag = self._plant.tag(sample.tag)
        if tag is not None:
            self._spoke[tag.connection, tag.equipment] = sample.receive_time
        ring = self.rings.get(sample.tag)
        if ring is None:
            ring = self.rings[sample.tag] = Ring()
        ring.add(sample.source_time.timestamp(), number(sample), flags(sample.quality))

    def take_stored(self, samples: Iterable[Sample]) -> None:
        """What is on the disk, where nothing newer was heard."""
        for sample in samples:
            known = self._latest.get(sample.tag)
            if known is None or known.source_time < sample.source_time:
                self._latest[sample.tag] = sample

    def tags(self) -> Iterable[str]:
        """All tags of which there is a value."""
        return self._latest.keys()

    def latest(self, tag: str) -> Sample | None:
        """The newest sample of a tag, good or bad."""
        return self._latest.get(tag)

    def _note(self, tags: Iterable[str]) -> None:
        """Remember until when the values of tags held, before something is heard that ends it."""
        for name in tags:
            tag, sample = self._plant.tag(name), self._latest.get(name)
            if tag is None or sample is None or is_bad(sample.quality):
                continue
            until = self.confirmed(tag)
            if until is not None:
                self._held[name] = until

    # -- links ---------------------------------------------------------------------------------------

    def take_link(self, status: LinkStatus) -> None:
        """How a connection does now."""
        if status.state is not LinkState.ONLINE and status.heard:
            self._note(tag.name for tag in self._plant.tags_of(status.connection))
        self.links[status.connection] = status

    def begin_anew(self) -> None:
        """A collector begins to tell everything that it knows: what was told before is only what was said last."""
        self._note(self._latest)
        self._told.clear()
        self.links.clear()

    def links_lost(self) -> LinksLost:
        """How many of the links that are known of do not deliver, and whose those are."""
        known = [s for s in self.links.values() if self._is_wanted(s.connection)]
        lost = [s for s in known if s.state is LinkState.OFFLINE]
        silent = [s.station for s in lost if not s.heard]
        return LinksLost(len(lost), len(known), tuple(sorted(set(silent) - {""})), len(silent))

    def _is_wanted(self, connection: str) -> bool:
        known = self._connections.get(connection)
        return known is not None and known.enabled

    def link_fault(self, connection: str) -> str:
        """Why a connection does not deliver; empty when it does or nothing is known of it."""
        status = self.links.get(connection)
        return "" if status is None or status.state is LinkState.ONLINE else status.sentence

    def is_down(self, connection: str) -> bool:
        """Whether somebody who is heard says that the machine does not answer."""
        status = self.links.get(connection)
        return self.live and status is not None and status.heard and status.state is LinkState.OFFLINE

    def vouches(self, tag: Tag) -> bool:
        """Whether somebody looks: tells that the machine does not answer, or would tell if the value changed."""
        connection = self._connections.get(tag.connection)
        if connection is not None and not connection.enabled:
            return self.live  # nobody reads it, and everybody knows
        status = self.links.get(tag.connection)
        if not self.live or status is None or not status.heard:
            return False
        if status.state is LinkState.OFFLINE:
            return True
        return status.state is LinkState.ONLINE and not self._says_nothing(tag)

    def _says_nothing(self, tag: Tag) -> bool:
        """Whether silence proves nothing: of a value that this collector never had, and of a machine that said nothing
        for long over a broker which knows no last will, and so does not tell that it is gone."""
        connection = self._connections.get(tag.connection)
        if tag.name in self._latest and tag.name not in self._told:
            return True
        if connection is None or connection.driver != "mqtt" or connection.status_topic:
            return False
        spoke = self._spoke.get((tag.connection, tag.equipment))
        return spoke is not None and self._clock() - spoke > STALE_AFTER

    # -- values --------------------------------------------------------------------------------------

    def confirmed(self, tag: Tag) -> datetime | None:
        """When the newest value was last known to hold: while the link lives, silence means that nothing changed."""
        sample = self._latest.get(tag.name)
        if sample is None:
            return None
        status, told = self.links.get(tag.connection), sample.receive_time
        if status is not None and status.state is LinkState.ONLINE and is_good(sample.quality):
            if self.heard_at is not None and not self._says_nothing(tag):
                told = self.heard_at
        elif status is not None and not status.heard and is_left_over(sample.quality):
            told = status.since  # it held as long as its station was heard
        return max(sample.receive_time, told, self._held.get(tag.name, told))

    def signal(self, tag: Tag) -> SignalNow:
        """A tag as it is to be shown now."""
        sample, confirmed = self._latest.get(tag.name), self.confirmed(tag)
        reason = why_stale(sample, self.link_fault(tag.connection), "" if self.live else _NOBODY_HEARD)
        if not reason and not self.vouches(tag):
            reason = _NO_MESSAGE if tag.connection in self.links else _NOTHING_KNOWN
        if sample is not None and is_bad(sample.quality):
            sample = self._last_good(tag, sample)
            confirmed = self._held.get(tag.name, sample.receive_time)
        link = self.links.get(tag.connection)
        age = None if confirmed is None else max(0.0, (self._clock() - confirmed).total_seconds())
        return SignalNow(tag, sample, age, bool(reason), reason, "" if link is None else link.station)

    def _last_good(self, tag: Tag, bad: Sample) -> Sample:
        """For the eye: the last value that was there, greyed by whoever draws it, with its own time."""
        if tag.name in self._usable:
            return replace(self._usable[tag.name], quality=bad.quality)
        ring = self.rings.get(tag.name)
        if ring is None:
            return bad
        t, y = ring.view()
        known = np.flatnonzero(np.isfinite(y))
        if not len(known):
            return bad
        moment = datetime.fromtimestamp(float(t[known[-1]]), tz=bad.receive_time.tzinfo)
        return Sample(tag.name, moment, moment, float(y[known[-1]]), bad.quality)

    def quality(self, tag: Tag) -> int | None:
        """What to judge a tag by: its own quality, bad where its machine does not answer, None before any value."""
        sample = self._latest.get(tag.name)
        if self.is_down(tag.connection) and (sample is None or not is_bad(sample.quality)):
            return Quality.BAD_NO_COMMUNICATION
        return None if sample is None else sample.quality
