"""Shows what was heard on an MQTT broker as a tree: topics by their slashes, below them the values in their JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.domain.samples import is_bad
from app.drivers.mqtt_address import MqttAddress, Step, spell_address, spell_path
from app.drivers.mqtt_values import Payload
from app.drivers.protocol import BrowseNode

MOST_TOPICS = 20_000
MOST_LEAVES = 500  # of one message
DEEPEST = 12
LONGEST_DETAIL = 80  # characters


def children(heard: Mapping[str, bytes], parent: str | None) -> list[BrowseNode]:
    """One level below a topic, or the top; a topic's own values stand before the topics under it."""
    nodes = _leaves(parent, heard[parent]) if parent is not None and parent in heard else []
    prefix = "" if parent is None else parent + "/"
    below: dict[str, str] = {}
    for topic in heard:
        if topic.startswith(prefix):
            name, deeper, _ = topic[len(prefix) :].partition("/")
            below.setdefault(name, prefix + name)
            if deeper:
                below[name] = prefix + name
    for name in sorted(below):
        nodes.append(_topic(heard, below[name], name))
    return nodes


def _topic(heard: Mapping[str, bytes], topic: str, name: str) -> BrowseNode:
    has_topics = any(other.startswith(topic + "/") for other in heard)
    raw = heard.get(topic)
    if raw is None:
        return BrowseNode(topic, name or "(no name)", readable=False, has_children=has_topics)
    decoded = Payload(raw).decode(MqttAddress(topic, topic))
    readable = not is_bad(decoded.quality)
    leaves = [] if readable else _leaves(topic, raw)
    detail = _short(decoded.value) if readable else f"{len(leaves)} values" if leaves else "cannot be read"
    return BrowseNode(topic, name or "(no name)", readable, has_topics or bool(leaves), detail)


def _leaves(topic: str, raw: bytes) -> list[BrowseNode]:
    """Every single value in the JSON of a message, with the value it has now as detail."""
    payload = Payload(raw)
    try:
        document = None if payload.too_large else payload.document()
    except ValueError:
        return []
    nodes: list[BrowseNode] = []
    if isinstance(document, (dict, list)):
        for path, value in _walk(document, ()):
            nodes.append(BrowseNode(spell_address(topic, path), spell_path(path), True, False, _short(value)))
            if len(nodes) >= MOST_LEAVES:
                break
    return nodes


def _walk(document: object, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], object]]:
    if len(path) > DEEPEST:
        return
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _walk(value, (*path, str(key)))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from _walk(value, (*path, index))
    elif path:
        yield path, document


def _short(value: object) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"
