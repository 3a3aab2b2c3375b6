"""The address space of an OPC UA server, one level at a time, with what a person needs to choose a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.drivers.faults import BadAddress, MachineFault
from app.drivers.opcua_reading import find
from app.drivers.opcua_session import OpcUaSession
from app.drivers.opcua_values import plain_or_none, standard_node
from app.drivers.protocol import BrowseNode

if TYPE_CHECKING:
    from asyncua import ua

PAGE = 1000  # references in one answer; more would stop everything else for too long
_OBJECTS, _HIERARCHICAL, _HAS_PROPERTY = 85, 33, 46
_OBJECT, _VARIABLE = 1, 2  # NodeClass
_DATA_TYPE, _VALUE_RANK, _ACCESS = 14, 15, 18  # attributes; the access that this user has
_READ, _WRITE = 1, 2  # AccessLevel
_RESULT = 63  # everything about a reference
_ABSTRACT = range(24, 30)  # BaseDataType, Number, Integer, UInteger, Enumeration, Structure lie here
_UNFIT = re.compile(r"[\s/\\]+")


@dataclass(slots=True)
class _Kind:
    """A data type: its name and, for an enumeration, what its numbers mean."""

    name: str
    states: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Browser:
    """Looks around in one session; what it has learned about data types it asks only once."""

    session: OpcUaSession
    _kinds: dict[ua.NodeId, _Kind] = field(default_factory=dict)

    async def level(self, address: str | None) -> list[BrowseNode]:
        """The objects and variables below a node, or below the Objects folder."""
        start = standard_node(_OBJECTS) if address is None else await self._node(address)
        references = await self._below(start)
        variables = [r.NodeId for r in references if r.NodeClass == _VARIABLE]
        facts = await self._facts(variables)
        return [self._shown(r, facts) for r in references]

    async def _node(self, address: str) -> ua.NodeId:
        (spot,) = await find(self.session, [address])
        if spot.node is None or spot.unknown:
            raise spot.fault or BadAddress(address, "the machine does not know this node")
        return spot.node

    async def _below(self, node: ua.NodeId) -> list[ua.ReferenceDescription]:
        """All children once, however many ways lead to them and however many answers they take."""
        from asyncua import ua

        wish = ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=ua.BrowseDirection.Forward,
            ReferenceTypeId=standard_node(_HIERARCHICAL),
            IncludeSubtypes=True,
            NodeClassMask=ua.UInt32(_OBJECT | _VARIABLE),
            ResultMask=ua.UInt32(_RESULT),
        )
        parameters = ua.BrowseParameters(
            View=ua.ViewDescription(), RequestedMaxReferencesPerNode=ua.Counter(PAGE), NodesToBrowse=[wish]
        )
        found: dict[str, ua.ReferenceDescription] = {}
        results = await self.session.ask(self.session.services.browse(parameters), patience=2.0)
        while results:
            results[0].StatusCode.check()
            for reference in results[0].References or ():
                if not getattr(
                    reference.NodeId, "ServerIndex", 0
                ):  # a node of another server cannot be read here
                    found.setdefault(reference.NodeId.to_string(), reference)
            point = results[0].ContinuationPoint
            results = await self._next(point) if point else []
        return list(found.values())

    async def _next(self, point: bytes, *, release: bool = False) -> list[ua.BrowseResult]:
        from asyncua import ua

        parameters = ua.BrowseNextParameters(ReleaseContinuationPoints=release, ContinuationPoints=[point])
        return await self.session.ask(self.session.services.browse_next(parameters), patience=2.0)

    async def _facts(self, variables: Sequence[ua.NodeId]) -> dict[str, tuple[_Kind, int, int]]:
        """Data type, value rank and access of each variable."""
        answers = await self.session.values(variables, (_DATA_TYPE, _VALUE_RANK, _ACCESS))
        values = [None if a.Value is None else a.Value.Value for a in answers]
        types, ranks, access = values[::3], values[1::3], values[2::3]
        await self._learn([t for t in types if t is not None])
        actual = await self._actual([n for n, t in zip(variables, types, strict=True) if _is_abstract(t)])
        facts = {}
        for node, kind, rank, level in zip(variables, types, ranks, access, strict=True):
            text = node.to_string()
            known = self._kinds.get(kind, _Kind("unknown")) if kind is not None else _Kind("unknown")
            shown = _Kind(actual.get(text, known.name), known.states)
            facts[text] = (shown, -1 if rank is None else int(rank), _READ if level is None else int(level))
        return facts

    async def _actual(self, nodes: Sequence[ua.NodeId]) -> dict[str, str]:
        """The type that the current value has, where the node itself says only "a number" or "anything"."""
        values = await self.session.values(nodes)
        pairs = zip(nodes, values, strict=True)
        return {
            n.to_string(): v.Value.VariantType.name for n, v in pairs if v.Value is not None and _holds(v)
        }

    async def _learn(self, types: Iterable[ua.NodeId]) -> None:
        """Names of data types that were not met before, and the words of those that are enumerations."""
        new = [kind for kind in dict.fromkeys(types) if kind not in self._kinds]
        names = await self.session.values(new, (4,))  # DisplayName
        for kind, name in zip(new, names, strict=True):
            text = name.Value.Value.Text if name.Value is not None and name.Value.Value is not None else None
            states = await self.states(kind) if kind.NamespaceIndex else ()
            self._kinds[kind] = _Kind(text or kind.to_string(), states)

    async def states(self, kind: ua.NodeId) -> tuple[tuple[int, str], ...]:
        """What the numbers of a data type mean (Part 3 8.14: EnumStrings or EnumValues); nothing for most."""
        try:
            below = await self._below(kind)
        except MachineFault:
            return ()
        named = {r.BrowseName.Name: r.NodeId for r in below}
        wanted = [named[name] for name in ("EnumValues", "EnumStrings") if name in named]
        answers = await self.session.values(wanted)
        for answer in answers:
            listed = answer.Value.Value if answer.Value is not None else None
            if isinstance(listed, list) and listed:
                return tuple(_state(number, entry) for number, entry in enumerate(listed))
        return ()

    def _shown(
        self, reference: ua.ReferenceDescription, facts: dict[str, tuple[_Kind, int, int]]
    ) -> BrowseNode:
        address = reference.NodeId.to_string()
        name = reference.DisplayName.Text or reference.BrowseName.Name or address
        path = _UNFIT.sub("_", name.strip())
        if reference.NodeClass != _VARIABLE:
            return BrowseNode(address, name, readable=False, has_children=True, detail="folder", path=path)
        kind, rank, access = facts[address]
        words = [kind.name + _rank_words(rank), _access_words(access)]
        if kind.states:
            words.append(", ".join(f"{number} {word}" for number, word in kind.states))
        return BrowseNode(
            address=address,
            name=name,
            readable=bool(access & _READ),
            has_children=reference.ReferenceTypeId.Identifier != _HAS_PROPERTY,
            detail=" · ".join(words),
            writable=bool(access & _WRITE),
            states=kind.states,
            path=path,
        )


def _is_abstract(kind: ua.NodeId | None) -> bool:
    return kind is None or (kind.NamespaceIndex == 0 and kind.Identifier in _ABSTRACT)


def _holds(data: ua.DataValue) -> bool:
    return data.Value is not None and data.Value.Value is not None


def _state(number: int, entry: Any) -> tuple[int, str]:
    """EnumStrings are counted from 0, EnumValues bring their number along."""
    value, name = getattr(entry, "Value", None), getattr(entry, "DisplayName", entry)
    return (value if isinstance(value, int) else number), str(plain_or_none(name) or number)


def _rank_words(rank: int) -> str:
    if rank < 0:
        return ""
    return " list" if rank <= 1 else f" table of {rank} dimensions"


def _access_words(access: int) -> str:
    if access & _READ and access & _WRITE:
        return "readable and writable"
    if access & _WRITE:
        return "only writable"
    return "readable" if access & _READ else "not readable"
