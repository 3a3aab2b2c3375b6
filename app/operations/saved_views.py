"""Saved views: how a person arranged a place, to come back to it by name, for themselves or for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import Denied, Refused
from app.domain.orders import check_text
from app.domain.people import Permission
from app.operations.change import Change, operation
from app.store.tables import SavedView


@operation(Permission.OWN_ACCOUNT)
def save_view(
    change: Change, /, *, place: str, name: str, content: Mapping[str, object], shared: bool = False
) -> UUID:
    """Keep a view under a name; one's own view of that name is replaced."""
    name = check_text(name, "name", "name", longest=80)
    view = _of_name(change, place, name)
    if view is None:
        view = SavedView(id=change.new_id(), place=place, name=name, owner=change.actor.name)
        change.session.add(view)
    view.content, view.shared = dict(content), shared
    change.label = f"Saved the view {name}"
    return view.id


@operation(Permission.OWN_ACCOUNT)
def rename_view(change: Change, /, *, view_id: UUID, name: str) -> None:
    """Give one's own view another name."""
    view = _own(change, view_id)
    name = check_text(name, "name", "name", longest=80)
    other = _of_name(change, view.place, name)
    if other is not None and other.id != view.id:
        raise Refused(f"You have a view named {name} already.", field="name")
    change.label = f"Renamed the view {view.name} to {name}"
    view.name = name


@operation(Permission.OWN_ACCOUNT)
def share_view(change: Change, /, *, view_id: UUID, shared: bool) -> None:
    """Offer one's own view to everybody, or keep it to oneself again."""
    view = _own(change, view_id)
    view.shared = shared
    change.label = f"{'Shared' if shared else 'Stopped sharing'} the view {view.name}"


@operation(Permission.OWN_ACCOUNT)
def delete_view(change: Change, /, *, view_id: UUID) -> None:
    """Take one's own view away, also from those it was shared with."""
    view = _own(change, view_id)
    view.deleted = True
    change.label = f"Deleted the view {view.name}"


def _of_name(change: Change, place: str, name: str) -> SavedView | None:
    mine = (SavedView.place == place) & (SavedView.owner == change.actor.name) & (SavedView.name == name)
    return change.session.execute(select(SavedView).where(mine, ~SavedView.deleted)).scalar_one_or_none()


def _own(change: Change, view_id: UUID) -> SavedView:
    view: SavedView = change.get(SavedView, view_id, "view")
    if view.owner != change.actor.name:
        raise Denied(f"Only {view.owner} may change this view; save a copy under your own name.")
    return view
