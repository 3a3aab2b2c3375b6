"""Sends one value to an OPC UA node: only what fits its type, and only when the node lets itself be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.errors import Refused
from app.domain.samples import Value
from app.drivers.faults import BadAddress, DeviceTrouble, Unconfirmed, Unreachable
from app.drivers.opcua_browse import Browser
from app.drivers.opcua_reading import Spot, find
from app.drivers.opcua_session import OpcUaSession
from app.drivers.opcua_values import encoded, standard_node

if TYPE_CHECKING:
    from asyncua import ua

_DATA_TYPE, _VALUE_RANK, _ACCESS = 14, 15, 18
_WRITE = 2
_HAS_SUBTYPE = 45
_LAST_BUILT_IN = 25
_ENUMERATION = 29
_INT32 = 6
_DEEPEST = 10  # levels of types above a type before it is given up
# What a gateway says when the machine behind it did not answer.
_UNCLEAR = (
    "BadTimeout",
    "BadCommunicationError",
    "BadNoCommunication",
    "BadRequestTimeout",
    "BadDeviceFailure",
)
_REFUSALS = {
    "BadNotWritable": "the machine does not let it be written",
    "BadUserAccessDenied": "this user may not write it",
    "BadTypeMismatch": "the machine wants another kind of value",
    "BadOutOfRange": "the machine does not allow this value",
    "BadWriteNotSupported": "the machine cannot take it this way",
    "BadIndexRangeInvalid": "the list has no such place",
    "BadIndexRangeNoData": "the list has no such place",
    "BadNodeIdUnknown": "the machine does not know this node",
}


async def write(session: OpcUaSession, browser: Browser, address: str, value: Value) -> None:
    """Write and wait for the server's word; raises Refused with the reason, or a MachineFault."""
    from asyncua import ua
    from asyncua.ua.attribute_ids import AttributeIds

    spot = await _found(session, address)
    assert spot.node is not None
    kind, rank = await _kind(session, browser, spot, value)
    _check_shape(spot, rank)
    wish = ua.WriteValue(NodeId=spot.node, AttributeId=AttributeIds.Value)
    variant = encoded(value, kind, address)
    if spot.index:
        await _check_element(session, spot)
        variant = ua.Variant([variant.Value], kind)
        wish.IndexRange = ",".join(str(position) for position in spot.index)
    # Neither status nor times: many controllers refuse a value that brings them along.
    wish.Value = ua.DataValue(variant, StatusCode=None)
    parameters = ua.WriteParameters(NodesToWrite=[wish])
    try:
        (status,) = await session.ask(session.services.write(parameters))
    except Unreachable as fault:
        session.give_up(fault)
        raise
    if status.name in _UNCLEAR:
        raise Unconfirmed(session.place, f"it answers {status.name} for {address}")
    if not status.is_good():
        reason = _REFUSALS.get(status.name)
        if reason is None:
            raise DeviceTrouble(session.place, f"it did not take the value for {address} ({status.name})")
        raise Refused(f"{address} was not written: {reason}.")


async def _found(session: OpcUaSession, address: str) -> Spot:
    (spot,) = await find(session, [address])
    if spot.fault is not None:
        raise spot.fault
    if spot.node is None or spot.unknown:
        raise BadAddress(address, "the machine does not know this node")
    return spot


async def _kind(
    session: OpcUaSession, browser: Browser, spot: Spot, value: Value
) -> tuple[ua.VariantType, int]:
    """The type and the rank of a node; raises Refused when it may not be written or is an enumeration without it."""
    from asyncua import ua

    assert spot.node is not None
    answers = await session.values([spot.node], (_DATA_TYPE, _VALUE_RANK, _ACCESS))
    data_type, rank, access = (None if a.Value is None else a.Value.Value for a in answers)
    if access is not None and not access & _WRITE:
        raise Refused(f"{spot.address} was not written: the machine does not let it be written.")
    if isinstance(data_type, ua.NodeId) and data_type.NamespaceIndex:
        states = await browser.states(data_type)
        if states and value not in [number for number, _ in states]:
            words = ", ".join(f"{number} {word}" for number, word in states)
            raise Refused(
                f"{spot.address} was not written: {value!r} is none of its states, which are {words}."
            )
    return await _built_in(session, data_type, spot), (-1 if rank is None else int(rank))


async def _built_in(session: OpcUaSession, data_type: object, spot: Spot) -> ua.VariantType:
    """The type on the wire: the node's own, else that of its value, else the one that its type is made from."""
    from asyncua import ua

    if isinstance(data_type, ua.NodeId):
        kind = _wire_type(data_type)
        if kind is not None:
            return kind
    shown = spot.data.Value if spot.data is not None else None
    if shown is not None and isinstance(shown.VariantType, ua.VariantType) and shown.VariantType.value:
        return shown.VariantType
    for _ in range(_DEEPEST):
        if not isinstance(data_type, ua.NodeId):
            break
        data_type = await _parent(session, data_type)
        kind = _wire_type(data_type) if isinstance(data_type, ua.NodeId) else None
        if kind is not None:
            return kind
    raise Refused(f"{spot.address} was not written: the machine does not say what kind of value it takes.")


def _wire_type(data_type: ua.NodeId) -> ua.VariantType | None:
    from asyncua import ua

    number = data_type.Identifier
    if data_type.NamespaceIndex or not isinstance(number, int):
        return None
    if number == _ENUMERATION:
        return ua.VariantType(_INT32)
    return ua.VariantType(number) if 0 < number < _LAST_BUILT_IN - 1 else None


async def _parent(session: OpcUaSession, data_type: ua.NodeId) -> ua.NodeId | None:
    from asyncua import ua

    wish = ua.BrowseDescription(
        NodeId=data_type,
        BrowseDirection=ua.BrowseDirection.Inverse,
        ReferenceTypeId=standard_node(_HAS_SUBTYPE),
        IncludeSubtypes=True,
        ResultMask=ua.UInt32(63),
    )
    parameters = ua.BrowseParameters(View=ua.ViewDescription(), NodesToBrowse=[wish])
    (result,) = await session.ask(session.services.browse(parameters))
    return result.References[0].NodeId if result.References else None


def _check_shape(spot: Spot, rank: int) -> None:
    shown = spot.data.Value if spot.data is not None else None
    is_list = rank >= 0 or (shown is not None and isinstance(shown.Value, list))
    if is_list and not spot.index:
        raise Refused(
            f"{spot.address} was not written: it is a list; write one of its values, like {spot.address}[0]."
        )


async def _check_element(session: OpcUaSession, spot: Spot) -> None:
    """Refuses when the machine does not know single elements: it would take one value for the whole list."""
    from asyncua import ua
    from asyncua.ua.attribute_ids import AttributeIds

    wish = ua.ReadValueId(
        NodeId=spot.node,
        AttributeId=AttributeIds.Value,
        IndexRange=",".join(str(position) for position in spot.index),
    )
    parameters = ua.ReadParameters(MaxAge=0.0, NodesToRead=[wish])
    (answer,) = await session.ask(session.services.read(parameters))
    found = answer.Value.Value if answer.Value is not None else None
    while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if not isinstance(found, list) or len(found) != 1:
        raise Refused(f"{spot.address} was not written: the machine cannot take a single value of a list.")
