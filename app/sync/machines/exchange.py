"""The talk between stations about their machines: tells, hears, and doubts whoever falls silent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog

from app.domain.alarms import split_key
from app.domain.decoding import convert
from app.domain.errors import LinesideError
from app.domain.machine_news import LinkState, LinkStatus, WriteAnswered
from app.domain.plant import Plant
from app.domain.samples import Quality, Sample
from app.store.fellows import AlarmNews, Ears
from app.sync.machines import alarm_states, live_values
from app.sync.machines.alarm_states import Postbag, Standing
from app.sync.machines.leases import Leases
from app.sync.machines.live_values import HEARD_SECONDS, Heard, Outgoing, Told, doubted
from app.sync.machines.server_link import ServerLink

log = structlog.get_logger(__name__)

TELL_SECONDS = 0.25
_ALIVE_SECONDS = 2.0  # a holder with nothing to say shows so often that it is there
HEAR_SECONDS = 0.3
_HEAR_ALONE_SECONDS = 2.0  # nobody looks
_NO_SERVER = "The server is not reached; station {} reads"
_SHARE_OF_TIME = 3  # telling takes at most a fourth of the time


class Exchange:
    """Called on the event loop; `names` maps ids of connections to their names and is kept by whoever made this."""

    def __init__(
        self,
        station: str,
        leases: Leases,
        ears: Ears,
        *,
        names: Mapping[UUID, str],
        seconds: Callable[[], float],
        clock: Callable[[], datetime],
    ) -> None:
        self._station, self._leases, self._ears = station, leases, ears
        self._names, self._seconds, self._clock = names, seconds, clock
        self._connections: dict[str, UUID] = {}
        self._ids: dict[str, UUID] = {}
        self._out, self._bag, self._heard = Outgoing(), Postbag(), Heard()
        self._own_links: dict[UUID, LinkStatus] = {}
        self._links_told: str | None = None
        self._everything = True
        self._news_rev = 0
        self._heard_at = seconds()
        self._doubted: set[str] = set()
        self._statuses: dict[UUID, LinkStatus] = {}
        self._tell, self._hear = asyncio.Event(), asyncio.Event()
        self._foreign_answers: set[str] = set()
        self._server_up = False

    def follow(self, plant: Plant, ids: Mapping[str, UUID]) -> None:
        """Which tag comes over which connection."""
        self._ids = dict(ids)
        self._connections = {t.name: ids[t.connection] for t in plant.tags if t.connection in ids}
        self.look_around()

    # Telling --------------------------------------------------------------------------------------------------------

    def tell_samples(self, samples: Sequence[Sample]) -> None:
        """New values; those of machines that are driven elsewhere are not ours to tell."""
        for sample in samples:
            id = self._connections.get(sample.tag)
            if id is not None and self._leases.drives(id):
                self._out.add(id, sample)
        self._tell.set()

    def tell_link(self, status: LinkStatus) -> None:
        """How a link does."""
        id = self._ids.get(status.connection)
        if id is not None:
            self._own_links[id] = status
            self._tell.set()

    def tell_alarms(self, alarms: Sequence[AlarmNews], acts: Sequence[str]) -> None:
        """Where alarms stand."""
        self._bag.put((self._standing(news) for news in alarms), acts)
        self._tell.set()

    def _standing(self, news: AlarmNews) -> Standing:
        id = self._connections.get(split_key(news.key)[0])
        return Standing("" if id is None else str(id), news.key, news.record, news.state)

    def tell_answer(self, answer: WriteAnswered) -> None:
        """What became of a value that was sent; what others answered is not told again."""
        if answer.id not in self._foreign_answers:
            self._bag.answer(msgspec.to_builtins(answer))
            self._tell.set()

    def came_up(self) -> None:
        """The server is reached again: it is told everything, since nobody knows what it missed."""
        self._server_up = True
        self.tell_everything()
        self._hear.set()

    def tell_everything(self) -> None:
        """Whoever held these machines before may have told values that hold no more."""
        self._everything = True
        self._tell.set()

    def went_down(self, _sentence: str) -> None:
        """The server is gone; what others said is doubted after a while."""
        self._server_up = False
        self._hear.set()

    async def keep_telling(self, link: ServerLink) -> None:
        """Tell what is new, a few times a second at most; ends by being cancelled."""
        while True:
            self._tell.clear()
            began = self._seconds()
            if link.up:
                try:
                    await self._tell_all(link)
                except LinesideError as fault:
                    log.debug("not told to other stations", reason=fault.sentence)
            took = self._seconds() - began
            await asyncio.sleep(max(TELL_SECONDS, _SHARE_OF_TIME * took))
            try:
                async with asyncio.timeout(_ALIVE_SECONDS):
                    await self._tell.wait()
            except TimeoutError:
                continue

    async def _tell_all(self, link: ServerLink) -> None:
        if self._everything:
            self._gather_everything()
        values, links = self._out.take(), self._links()
        if self._leases.fence:
            return
        if values or links != self._links_told or self._leases.mine():
            told = Told(values, links if links != self._links_told else None)
            try:
                run = self._leases.marks.run
                forgotten = await link.ask(lambda c: live_values.put(c, told, run))
            except LinesideError:
                self._out.give_back(values)
                raise
            self._links_told = links
            if forgotten and not self._everything:
                self._everything = True
                self._tell.set()
        self._everything = self._everything and bool(len(self._out))
        await self._post(link)
        if len(self._out):
            self._tell.set()

    async def _post(self, link: ServerLink) -> None:
        run = self._leases.marks.run
        while self._bag:
            standings, acts, answers = self._bag.take()
            try:
                await link.ask(lambda c, s=standings, a=acts, w=answers: alarm_states.post(c, s, a, w, run))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            except LinesideError:
                self._bag.give_back(standings, acts, answers)
                raise

    def _gather_everything(self) -> None:
        samples, links, alarms = self._ears.everything()
        known, now = {sample.tag: sample for sample in samples}, self._clock()
        mine = [(tag, id) for tag, id in self._connections.items() if self._leases.drives(id)]
        self._out.give_back((id, known.get(tag) or _not_known_yet(tag, now)) for tag, id in mine)
        self._own_links = {self._ids[s.connection]: s for s in links if s.connection in self._ids}
        self._links_told = None
        self._bag.give_back([self._standing(news) for news in alarms], [], [])
        self._everything = False

    def _links(self) -> str:
        """The links of machines that are driven here, as JSON."""
        links = [
            {"connection": str(id)} | msgspec.to_builtins(status) | {"connection": str(id)}
            for id, status in sorted(self._own_links.items())
            if self._leases.drives(id)
        ]
        return json.dumps(links)

    # Hearing --------------------------------------------------------------------------------------------------------

    def hear_now(self) -> None:
        """The server called out that there is news."""
        self._hear.set()

    async def keep_hearing(self, link: ServerLink) -> None:
        """Read what others say, more often while somebody looks; ends by being cancelled."""
        while True:
            self._hear.clear()
            if link.up:
                try:
                    await self._listen(link)
                except LinesideError as fault:
                    log.debug("other stations not heard", reason=fault.sentence)
            self.look_around()
            pause = HEAR_SECONDS if self._ears.listeners() else _HEAR_ALONE_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._hear.wait()
                await asyncio.sleep(TELL_SECONDS / 5)  # a burst of hints is one look
            except TimeoutError:
                continue

    async def _listen(self, link: ServerLink) -> None:
        cursors, rev = dict(self._heard.cursors), self._news_rev
        speakers, values = await link.ask(lambda c: live_values.read(c, self._station, cursors))
        news = await link.ask(lambda c: alarm_states.read_news(c, self._station, rev))
        self._heard_at = self._seconds()
        fresh = self._heard.take(speakers, values)
        self._ears.samples_told([s for s in fresh if self._is_believed(self._heard.samples[s.tag][0])])
        self._news_rev = news.rev
        if news.records:
            self._ears.alarms_told(news.records)
        if news.answers:
            self._foreign_answers.update(answer.id for answer in news.answers)
            self._ears.answers_told(news.answers)

    # Believing ------------------------------------------------------------------------------------------------------

    def _silence(self, station: str) -> float:
        """Seconds since anything was heard of a station, here as well as at the server."""
        speaker = self._heard.speakers.get(station)
        own = self._seconds() - self._heard_at
        return HEARD_SECONDS + own if speaker is None else speaker.age + own

    def _is_believed(self, station: str) -> bool:
        return self._silence(station) < HEARD_SECONDS

    def look_around(self) -> None:
        """Say how it goes with the machines of others; the values of a station that is not heard are only the last."""
        for id, name in list(self._names.items()):
            if not self._leases.drives(id):
                status = self._status(id, name)
                if status != self._statuses.get(id):
                    self._statuses[id] = status
                    self._ears.link_told(status)
            else:
                self._statuses.pop(id, None)
        self._judge_values()

    def _judge_values(self) -> None:
        silent = {s for s in {s for s, _ in self._heard.samples.values()} if not self._is_believed(s)}
        changed = silent ^ self._doubted
        self._doubted = silent
        if not changed:
            return
        samples = [
            doubted(sample) if station in silent else sample
            for station, sample in self._heard.samples.values()
            if station in changed
        ]
        self._ears.samples_told(samples)

    def _status(self, id: UUID, name: str) -> LinkStatus:
        station, before = self._leases.holder(id), self._statuses.get(id)
        if self._leases.fence and station in ("", self._station):
            return self._unheard(before, name, "", self._leases.fence)
        if not station:
            return self._since(
                before, name, LinkState.CONNECTING, "No station talks to this machine yet.", ""
            )
        if not self._is_believed(station):
            where = "Station {} is not heard; it reads" if self._server_up else _NO_SERVER
            return self._unheard(before, name, station, f"{where.format(station)} this machine.")
        told = next((one for one in self._links_of(station) if one["connection"] == str(id)), None)
        if told is None:
            sentence = f"Station {station} has this machine."
            return self._since(before, name, LinkState.CONNECTING, sentence, station)
        own = {"connection": name, "station": station, "heard": True}
        try:
            status: LinkStatus = convert(told | own, LinkStatus)
        except msgspec.ValidationError:
            return self._unheard(before, name, station, f"Station {station} tells nonsense of this machine.")
        return msgspec.structs.replace(status, sentence=f"By station {station}: {status.sentence}")

    def _unheard(self, before: LinkStatus | None, name: str, station: str, sentence: str) -> LinkStatus:
        """Nobody knows how the machine is; since when stays as it was first told."""
        if before is not None and not before.heard and before.station == station:
            return msgspec.structs.replace(before, sentence=sentence)
        at = self._clock() - timedelta(seconds=self._silence(station) if station else 0.0)
        return LinkStatus(name, LinkState.OFFLINE, sentence, at, station=station, heard=False)

    def _links_of(self, station: str) -> Sequence[dict[str, Any]]:
        speaker = self._heard.speakers.get(station)
        return () if speaker is None else speaker.links

    def _since(
        self, before: LinkStatus | None, name: str, state: LinkState, sentence: str, station: str
    ) -> LinkStatus:
        """A status that keeps its time as long as it says the same."""
        same = before is not None and (before.state, before.sentence) == (state, sentence)
        since = before.since if same and before is not None else self._clock()
        return LinkStatus(name, state, sentence, since, station=station)


def _not_known_yet(tag: str, now: datetime) -> Sample:
    """Ends what was told of a tag before, by an earlier collector or by whoever held the machine."""
    return Sample(tag, now, now, None, Quality.BAD_WAITING_FOR_INITIAL_DATA)
