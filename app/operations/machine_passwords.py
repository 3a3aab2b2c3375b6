"""Setting the password of a machine: permission and audit through the door, the password itself to the keyring."""

from __future__ import annotations

from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.people import Actor, Permission
from app.operations.change import Change, operation
from app.operations.door import Door
from app.store.machine_secrets import SecretsPlace
from app.store.tables import Connection


@operation(Permission.CONFIGURE_PLANT, undoable=False)
def note_machine_password(change: Change, /, *, connection: str) -> None:
    """Write down that the password of a connection is set anew; the password never comes near the store."""
    found = select(Connection.id).where(Connection.name == connection, ~Connection.deleted)
    if change.session.execute(found).scalar_one_or_none() is None:
        raise NotFound(f"There is no connection called {connection}.", field="connection")
    change.label = f"Set the password of {connection}"


def set_machine_password(
    door: Door, secrets: SecretsPlace, actor: Actor, connection: str, password: str
) -> str:
    """Keep the password of a connection's user (empty: forget it); returns where it is kept, in a sentence.

    Blocks; raises Denied or NotFound before anything is kept, WorldFault when neither keyring nor file can keep it.
    """
    door.perform(note_machine_password(connection=connection), actor)
    return secrets.set_password(connection, password)


def move_machine_password(door: Door, secrets: SecretsPlace, actor: Actor, was: str, name: str) -> None:
    """A connection has another name now: keep its password under that. Blocks; raises as `set_machine_password`."""
    kept = secrets.kept(was)
    if kept:
        set_machine_password(door, secrets, actor, name, kept)
        secrets.set_password(was, "")
