"""Some stations of `bench_stations` in one process: each with its folder, its sync service and somebody who edits.

Reads one line of JSON: `{"stations": [{"folder", "secret", "orders": [ids]}…], "person", "name", "every": seconds,
"watch": how many of them are watched}`. Says `{"ready"}` when all are connected. After the line `go SECONDS` somebody
edits for that long, then it says `{"made": {change: time}, "edit": [seconds…]}`. After one more line the services end,
and it says `{"seen": [{change: time}…]}`.
"""

from __future__ import annotations

import json
import logging
import random
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import UUID

import structlog

from app.domain.people import Actor, Role
from app.operations.orders import edit_work_orders
from app.plant import House, open_house
from app.sync.membership import server_url, station_address
from app.sync.service import SyncService
from app.sync.status import ONLINE, read_status
from app.sync.wire import ServerConnection
from tests.bench.shared_server import Watch

_CONNECT_SECONDS = 120.0


def main() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    told = json.loads(sys.stdin.readline())
    actor = Actor(UUID(told["person"]), told["name"], Role.ADMIN)
    houses = [open_house(Path(one["folder"])) for one in told["stations"]]
    for house, one in zip(houses, told["stations"], strict=True):
        house.signing.unlock(UUID(told["person"]), bytes.fromhex(one["secret"]))
    services = [_service(house) for house in houses]
    threads = [threading.Thread(target=service.run) for service in services]
    for thread in threads:
        thread.start()
    _until_online(houses)
    with ExitStack() as stack:
        watches = [stack.enter_context(Watch(house.folder)) for house in houses[: told["watch"]]]
        print(json.dumps({"ready": len(houses)}), flush=True)
        seconds = float(sys.stdin.readline().split()[1])
        orders = [[UUID(order) for order in one["orders"]] for one in told["stations"]]
        made, took = _edit(list(zip(houses, orders, strict=True)), actor, told["every"], seconds)
        print(json.dumps({"made": made, "edit": took}), flush=True)
        sys.stdin.readline()  # everything has arrived, or the time for that is over
        for service in services:
            service.stop()
        for thread in threads:
            thread.join()
    for house in houses:
        house.close()
    print(
        json.dumps({"seen": [{str(c): at for c, at in watch.seen.items()} for watch in watches]}), flush=True
    )


def _service(house: House) -> SyncService:
    url = server_url(house.folder, station_address(house.folder))
    return SyncService(house.folder, house.store, partial(ServerConnection.open, url))


def _until_online(houses: list[House]) -> None:
    deadline = time.monotonic() + _CONNECT_SECONDS
    while not all(_online(house) for house in houses):
        if time.monotonic() > deadline:
            raise RuntimeError("not every station reached the server")
        time.sleep(0.1)


def _online(house: House) -> bool:
    status = read_status(house.folder)
    return status is not None and status.state == ONLINE


def _edit(
    places: list[tuple[House, list[UUID]]], actor: Actor, every: float, seconds: float
) -> tuple[dict[str, float], list[float]]:
    """One person walks from station to station, so that each has an edit every `every` seconds in the mean."""
    chance = random.Random(places[0][0].folder.name)
    made: dict[str, float] = {}
    took: list[float] = []
    due = begins = time.monotonic()
    while due < begins + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        house, orders = chance.choice(places)
        began = time.monotonic()
        note = f"Note {len(made)} of {house.folder.name}"
        done = house.door.perform(edit_work_orders(ids=[chance.choice(orders)], note=note), actor)
        made[str(done.change_id)] = time.monotonic()
        took.append(made[str(done.change_id)] - began)
        due += chance.expovariate(len(places) / every)
    return made, took


if __name__ == "__main__":
    main()
