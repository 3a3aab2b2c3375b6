"""How a value inside MQTT messages is addressed: topic#path.in.json@path.of.its.time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from app.drivers.faults import BadAddress

Step = str | int
LONGEST_TOPIC = 65_535  # bytes (MQTT 3.1.1, 1.5.3)
_PLAIN_KEY = re.compile(r'[^.\[\]@"\s]+')
_INDEX = re.compile(r"\[(0|[1-9][0-9]{0,8})\]")
_HOW = "write it like plant/oven2#temp.value, or plant/oven2 when the whole message is the value"


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """A topic, the way to the value in the JSON of its messages, and the way to the time the machine gives it.

    `path` is empty when the whole message is the value; `time_path` is empty when messages carry no time.
    """

    text: str
    topic: str
    path: tuple[Step, ...] = ()
    time_path: tuple[Step, ...] = ()


def parse_address(text: str) -> MqttAddress:
    """The address that `text` spells; raises BadAddress.

    Keys are separated by dots, places in a list are written as [0]; a key with a dot, a bracket, a blank or an @ in it
    is written as ["the key"].
    """
    topic, separator, rest = text.strip().partition("#")
    _check_topic(topic, text)
    if not separator or not rest:
        return MqttAddress(text, topic)
    path, at = _path(text, rest, 0)
    time_path: tuple[Step, ...] = ()
    if at < len(rest):
        if rest[at] != "@":
            raise BadAddress(text, f"“{rest[at:]}” cannot be understood; {_HOW}")
        time_path, at = _path(text, rest, at + 1)
        if at < len(rest) or not time_path:
            raise BadAddress(text, "after the @ stands where the time is found, as in plant/oven2#temp@time")
    return MqttAddress(text, topic, path, time_path)


def spell_path(path: tuple[Step, ...]) -> str:
    """The text that `parse_address` turns back into the same path."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step)}]"
    return text


def spell_address(topic: str, path: tuple[Step, ...], time_path: tuple[Step, ...] = ()) -> str:
    """An address as a tag would carry it."""
    if not path and not time_path:
        return topic
    return f"{topic}#{spell_path(path)}" + (f"@{spell_path(time_path)}" if time_path else "")


def find(document: object, path: tuple[Step, ...]) -> object:
    """What stands at `path` in a parsed JSON document; raises LookupError when there is nothing."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list):
                raise LookupError(f"there is no list for [{step}]")
            document = document[step]
        else:
            if not isinstance(document, dict):
                raise LookupError(f"there is nothing called “{step}”")
            document = document[step]
    return document


def _check_topic(topic: str, text: str) -> None:
    if not topic:
        raise BadAddress(text, f"the topic is missing; {_HOW}")
    if "+" in topic or "\0" in topic:
        raise BadAddress(text, "a tag belongs to one topic, so it cannot have the wildcards + and #")
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        raise BadAddress(text, "the topic has characters that cannot be sent") from None
    if size > LONGEST_TOPIC:
        raise BadAddress(text, "the topic is too long")


def _path(text: str, rest: str, at: int) -> tuple[tuple[Step, ...], int]:
    """The steps that begin at `at`, and where they end: at an @ or at the end."""
    steps: list[Step] = []
    while at < len(rest) and rest[at] != "@":
        if index := _INDEX.match(rest, at):
            steps.append(int(index[1]))
            at = index.end()
        elif rest.startswith('["', at):
            key, at = _quoted(text, rest, at + 1)
            steps.append(key)
        else:
            start = at + 1 if steps and rest[at] == "." else at
            key_found = _PLAIN_KEY.match(rest, start) if start != at or not steps else None
            if key_found is None:
                raise BadAddress(text, f"“{rest[at:]}” cannot be understood; {_HOW}")
            steps.append(key_found[0])
            at = key_found.end()
    return tuple(steps), at


def _quoted(text: str, rest: str, at: int) -> tuple[str, int]:
    try:
        key, end = json.JSONDecoder().raw_decode(rest, at)
    except ValueError:
        key, end = None, at
    if not isinstance(key, str) or not rest.startswith("]", end):
        raise BadAddress(text, 'a key in quotes is written as ["the key"]')
    return key, end + 1
