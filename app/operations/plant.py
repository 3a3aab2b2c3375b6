"""The configured plant: a whole plant.yaml or single edits, each one change; taking a machine out for maintenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from app.domain import plant as model
from app.domain.errors import NotFound, Refused
from app.domain.people import Permission
from app.domain.plant_changes import (
    PlantChanges,
    carried_over,
    compare_plants,
    plant_with,
    with_renamed_connection,
    with_renamed_tag,
    without_connection,
    without_tags,
)
from app.domain.plant_file import check_connection, check_equipment, check_plant, check_tag
from app.operations.change import Change, operation
from app.operations.plant_check import check_addresses, check_url
from app.operations.plant_rows import rename_row, write_plant
from app.store.queries.plant import read_plant
from app.store.tables import Connection, Equipment, Tag


@operation(Permission.CONFIGURE_PLANT)
def apply_plant(change: Change, /, *, plant: model.Plant) -> PlantChanges:
    """Make the configured plant equal to `plant`: add, change and remove by name. The collector follows by itself."""
    check_plant(plant)
    check_addresses(plant)
    present = read_plant(change.session)
    write_plant(change, present, plant)
    change.label = f"Applied a plant of {len(plant.equipment)} machines and {len(plant.tags)} tags"
    return compare_plants(present, plant)


@operation(Permission.CONFIGURE_PLANT)
def save_machine(
    change: Change,
    /,
    *,
    connection: model.Connection,
    equipment: Sequence[model.Equipment] = (),
    tags: Sequence[model.Tag] = (),
    connection_was: str = "",
) -> PlantChanges:
    """Add or change a connection together with machines and tags, as one change; what else there is stays.

    `connection_was` is the name it has now, when it gets another one.
    """
    present = _renamed(change, connection_was, connection.name)
    check_url(check_connection(connection))
    wanted = plant_with(present, [connection], [check_equipment(e) for e in equipment], tags)
    _write_checked(change, present, wanted, tags)
    _require_readable(wanted, connection)
    verb = "Changed" if any(c.name == connection.name for c in present.connections) else "Added"
    change.label = f"{verb} the connection {connection.name}" + (f" with {_tags(len(tags))}" if tags else "")
    return compare_plants(present, wanted)


def _renamed(change: Change, was: str, name: str) -> model.Plant:
    """The present plant, after the connection was given its new name."""
    present = read_plant(change.session)
    if not was or was == name:
        return present
    _require(was in {c.name for c in present.connections}, f"There is no connection {was} any more.")
    _require(
        name not in {c.name for c in present.connections},
        f"There is a connection {name} already; choose another name.",
        "name",
    )
    rename_row(change, Connection, "name", was, name)
    return with_renamed_connection(present, was, name)


def _require_readable(plant: model.Plant, connection: model.Connection) -> None:
    """Another protocol or another way of counting must still be able to read the tags that are there."""
    check_addresses(plant, plant.tags_of(connection.name))


@operation(Permission.CONFIGURE_PLANT)
def save_equipment(change: Change, /, *, equipment: model.Equipment) -> None:
    """Add a machine, or change the one that has this code."""
    present = read_plant(change.session)
    write_plant(change, present, plant_with(present, equipment=[check_equipment(equipment)]))
    change.label = f"Saved the machine {equipment.name}"


@operation(Permission.CONFIGURE_PLANT)
def save_tags(
    change: Change,
    /,
    *,
    tags: Sequence[model.Tag],
    removed: Sequence[str] = (),
    seen: Sequence[model.Tag] = (),
) -> PlantChanges:
    """Add tags, or change those that have these names, and take the `removed` ones away; all of it or nothing.

    `seen` are tags as the person found them: only what they made different is set, and `Stale` is raised where somebody
    else set the same meanwhile.
    """
    _require(bool(tags or removed), "There are no tags to save.")
    present = read_plant(change.session)
    found = {tag.name: tag for tag in seen}
    tags = [carried_over(t, found[t.name], present.tag(t.name)) if t.name in found else t for t in tags]
    wanted = plant_with(without_tags(present, frozenset(removed)), tags=tags)
    _write_checked(change, present, wanted, tags)
    changes = compare_plants(present, wanted)
    touched = [t for t in tags if present.tag(t.name) != t]
    change.label = f"Saved {touched[0].name}" if len(touched) == 1 else f"Saved {_tags(len(touched))}"
    if removed:
        change.label += f", took {_tags(len(removed))} away"
    return changes


@operation(Permission.CONFIGURE_PLANT)
def rename_tag(change: Change, /, *, tag: str, name: str) -> None:
    """Give a tag another name; rules of other tags follow. What was recorded stays under the old name."""
    present = read_plant(change.session)
    _known_tag(present, tag)
    _require(present.tag(name) is None, f"There is a tag {name} already; choose another name.", "name")
    wanted = with_renamed_tag(present, tag, name)
    rename_row(change, Tag, "name", tag, name)
    renamed = [t for t in wanted.tags if t not in present.tags]
    _write_checked(change, read_plant(change.session), wanted, renamed)
    change.label = f"{tag} is now called {name}"


@operation(Permission.CONFIGURE_PLANT)
def delete_tags(change: Change, /, *, tags: Sequence[str]) -> None:
    """Take tags out of the plant; what was recorded of them stays in the history."""
    present = read_plant(change.session)
    for name in tags:
        _known_tag(present, name)
    wanted = without_tags(present, frozenset(tags))
    _require_unused(wanted, f"{_tags(len(tags))} cannot be deleted")
    write_plant(change, present, wanted)
    change.label = f"Deleted {tags[0]}" if len(tags) == 1 else f"Deleted {_tags(len(tags))}"


@operation(Permission.CONFIGURE_PLANT)
def delete_connection(change: Change, /, *, connection: str) -> None:
    """Take a connection and its tags out of the plant; what was recorded stays in the history."""
    present = read_plant(change.session)
    _known_connection(present, connection)
    gone = len(present.tags_of(connection))
    wanted = without_connection(present, connection)
    _require_unused(wanted, f"The connection {connection} cannot be deleted")
    write_plant(change, present, wanted)
    change.label = f"Deleted the connection {connection}" + (f" and its {_tags(gone)}" if gone else "")


@operation(Permission.CONFIGURE_PLANT)
def enable_connection(change: Change, /, *, connection: str, enabled: bool) -> None:
    """Read a machine again, or leave it alone; its tags and limits stay as they are."""
    present = read_plant(change.session)
    known = _known_connection(present, connection)
    write_plant(change, present, plant_with(present, [replace(known, enabled=enabled)]))
    change.label = f"{connection} is {'read again' if enabled else 'switched off'}"


@operation(Permission.CONFIGURE_PLANT)
def set_limits(
    change: Change,
    /,
    *,
    tag: str,
    hihi: float | None = None,
    hi: float | None = None,
    lo: float | None = None,
    lolo: float | None = None,
) -> None:
    """Set all four limits of a tag, in its unit; one that is not given is switched off."""
    present = read_plant(change.session)
    changed = replace(_known_tag(present, tag), limits=model.Limits(hihi, hi, lo, lolo))
    _write_checked(change, present, plant_with(present, tags=[changed]), [changed])
    change.label = f"Set the limits of {tag}"


@operation(Permission.CONFIGURE_PLANT)
def set_maintenance(change: Change, /, *, equipment: str, in_maintenance: bool) -> None:
    """Take the machine with the code `equipment` out for maintenance, or put it back to work."""
    row = change.session.execute(
        select(Equipment).where(Equipment.code == equipment, ~Equipment.deleted)
    ).scalar_one_or_none()
    if row is None:
        raise Refused(f"There is no machine with the code {equipment}.", field="equipment")
    row.in_maintenance = in_maintenance
    change.label = f"{row.name} {'is in maintenance' if in_maintenance else 'is back from maintenance'}"


def _write_checked(
    change: Change, present: model.Plant, wanted: model.Plant, tags: Sequence[model.Tag]
) -> None:
    """Write a plant of which `tags` are new or changed, after the checks that a plant file goes through."""
    for tag in tags:
        check_tag(tag)
    check_plant(wanted)
    check_addresses(wanted, tags)
    write_plant(change, present, wanted)


def _require(holds: bool, sentence: str, field: str | None = None) -> None:
    if not holds:
        raise Refused(sentence, field=field)


def _require_unused(plant: model.Plant, what: str) -> None:
    try:
        check_plant(plant)
    except Refused as refusal:
        raise Refused(f"{what}, because another tag's alarm looks at it ({refusal.sentence})") from None


def _known_tag(plant: model.Plant, name: str) -> model.Tag:
    found = plant.tag(name)
    if found is None:
        raise NotFound(f"There is no tag {name}.")
    return found


def _known_connection(plant: model.Plant, name: str) -> model.Connection:
    found: Mapping[str, model.Connection] = {c.name: c for c in plant.connections}
    if name not in found:
        raise NotFound(f"There is no connection {name}.")
    return found[name]


def _tags(count: int) -> str:
    return "1 tag" if count == 1 else f"{count:,} tags"
