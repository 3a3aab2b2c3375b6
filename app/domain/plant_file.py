"""Reads and writes plant.yaml; every mistake is answered with one sentence that names its place."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.errors import Refused
from app.domain.plant import Connection, Equipment, Plant, Tag
from app.domain.plant_node import WHOLE_FILE, Node, meant, refuse
from app.domain.plant_reading import read_connection, read_equipment, read_tag
from app.domain.plant_writing import connection_entry, equipment_entry, tag_entry


def parse_plant(text: str) -> Plant:
    """The plant that `text` (plant.yaml) describes; raises Refused with the place of the first mistake."""
    import yaml  # 40 ms that a start without a plant file must not pay for

    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a moment such as 2024-02-31
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else WHOLE_FILE
        problem = getattr(error, "problem", None) or "unreadable"
        raise Refused(f"{place}: this is not valid YAML ({problem}).") from error
    root = Node(WHOLE_FILE, {} if data is None else data)
    root.only(("equipment", "connections", "tags"))
    plant = Plant(
        equipment=tuple(read_equipment(node) for node in root.items("equipment")),
        connections=tuple(read_connection(node) for node in root.items("connections")),
        tags=tuple(read_tag(node) for node in root.items("tags")),
    )
    check_plant(plant)
    return plant


def dump_plant(plant: Plant) -> str:
    """The text of a plant.yaml that `parse_plant` turns back into an equal plant."""
    import yaml

    data = {
        "equipment": [equipment_entry(e) for e in plant.equipment],
        "connections": [connection_entry(c) for c in plant.connections],
        "tags": [tag_entry(t) for t in plant.tags],
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(
        yaml.dump(
            data, Dumper=dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=110
        )
    )


def check_plant(plant: Plant) -> None:
    """Raises Refused when a name occurs twice or a reference leads nowhere."""
    codes = _unique("equipment", "code", (e.code for e in plant.equipment))
    names = _unique("connections", "name", (c.name for c in plant.connections))
    _unique("tags", "name", (t.name for t in plant.tags))
    for i, tag in enumerate(plant.tags):
        if tag.equipment not in codes:
            refuse(
                f"tags[{i}].equipment",
                f"there is no equipment “{tag.equipment}”" + meant(tag.equipment, codes),
            )
        if tag.connection not in names:
            refuse(
                f"tags[{i}].connection",
                f"there is no connection “{tag.connection}”" + meant(tag.connection, names),
            )
        _check_other_tags(f"tags[{i}].alarm", tag, plant)


def _check_other_tags(place: str, tag: Tag, plant: Plant) -> None:
    """What a tag's alarm looks at must be another tag of the plant."""
    looked_at: dict[str, str] = {}
    if tag.alarm.deviation is not None and isinstance(tag.alarm.deviation.target, str):
        looked_at["deviation.target"] = tag.alarm.deviation.target
    if tag.alarm.suppress is not None:
        looked_at["suppress.when"] = tag.alarm.suppress.when
    for key, name in looked_at.items():
        if name == tag.name:
            refuse(f"{place}.{key}", "a tag cannot look at itself here; name another tag")
        if plant.tag(name) is None:
            refuse(f"{place}.{key}", f"there is no tag “{name}”" + meant(name, (t.name for t in plant.tags)))


def check_equipment(machine: Equipment) -> Equipment:
    """As a plant file would have it; raises Refused with the field that is wrong."""
    return read_equipment(Node(machine.code or "machine", equipment_entry(machine)))


def check_connection(connection: Connection) -> Connection:
    """As a plant file would have it; raises Refused with the field that is wrong."""
    return read_connection(Node(connection.name or "connection", connection_entry(connection)))


def check_tag(tag: Tag) -> Tag:
    """As a plant file would have it; raises Refused with the field that is wrong."""
    return read_tag(Node(tag.name or "tag", tag_entry(tag)))


def _unique(section: str, key: str, names: Iterable[str]) -> set[str]:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            refuse(f"{section}[{i}].{key}", f"“{name}” is already used by {section}[{seen[name]}]")
        seen[name] = i
    return set(seen)
