"""From the addresses of tags to the nodes and elements behind them, and their values right now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.domain.samples import Quality
from app.drivers.faults import BadAddress
from app.drivers.opcua_session import OpcUaSession
from app.drivers.opcua_values import Index, node_id, reading, split_index
from app.drivers.protocol import Reading

if TYPE_CHECKING:
    from asyncua import ua

_UNKNOWN = (int(Quality.BAD_NODE_ID_UNKNOWN), 0x8033_0000)  # BadNodeIdUnknown, BadNodeIdInvalid


@dataclass(slots=True)
class Spot:
    """An address found on the server: its node, the element within a list, and what it showed when looked up."""

    address: str
    node: ua.NodeId | None
    index: Index = ()
    data: ua.DataValue | None = None
    fault: BadAddress | None = None

    @property
    def unknown(self) -> bool:
        """Whether the server has no such node."""
        return (
            self.data is not None
            and self.data.StatusCode is not None
            and self.data.StatusCode.value in _UNKNOWN
        )

    def reading(self, now: datetime) -> Reading:
        """What the spot showed."""
        if self.fault is not None and self.node is None:
            return Reading(self.address, None, Quality.BAD_CONFIGURATION_ERROR, now, now)
        return reading(self.address, self.data, now, self.index)


async def find(session: OpcUaSession, addresses: Sequence[str]) -> list[Spot]:
    """Where each address leads, in order, with its value.

    Many controllers have a node of its own for each element and call it "Arr[3]"; only where there is none, the
    bracket means an element of the list "Arr".
    """
    spots = [_parsed(address) for address in addresses]
    await _look(session, [spot for spot in spots if spot.node is not None])
    elements = []
    for spot in spots:
        whole, index = split_index(spot.address.strip())
        if spot.unknown and index:
            spot.node, spot.index = node_id(whole), index
            elements.append(spot)
    await _look(session, elements)
    return spots


def _parsed(address: str) -> Spot:
    try:
        return Spot(address, node_id(address))
    except BadAddress as fault:
        return Spot(address, None, fault=fault)


async def _look(session: OpcUaSession, spots: Sequence[Spot]) -> None:
    if not spots:
        return
    values = await session.values([spot.node for spot in spots if spot.node is not None])
    for spot, data in zip(spots, values, strict=True):
        spot.data = data


async def read(session: OpcUaSession, addresses: Sequence[str]) -> list[Reading]:
    """The current value of each address; an unknown one comes back with its bad status, nonsense raises BadAddress."""
    spots = await find(session, addresses)
    for spot in spots:
        if spot.node is None and spot.fault is not None:
            raise spot.fault
    now = datetime.now(UTC)
    return [spot.reading(now) for spot in spots]
