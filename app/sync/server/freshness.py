"""What the owner of a server demands of logins: for some tables, one that is not older than so many hours."""

from __future__ import annotations

from app.domain.errors import Refused
from app.sync.server.address import connect
from app.sync.server.creation import require_server
from app.sync.server.sentences import plain_errors

ANY_LOGIN = 0


def set_fresh_hours(url: str, table: str, hours: int) -> dict[str, int]:
    """Demand a login of the last `hours` for entries that write to `table` (`ANY_LOGIN`: no more); what is demanded.

    What counts is when an entry arrives, and when its author last logged in on that station while the server could be
    reached. An entry that comes later is not lost: it becomes a conflict, to be settled after a new login.
    """
    if hours < ANY_LOGIN:
        raise Refused("A login is at least one hour old; 0 demands nothing.", field="hours")
    with plain_errors(), connect(url, seconds=10, program="lineside server") as connection:
        require_server(connection)
        with connection.transaction():
            if not connection.execute("SELECT 1 FROM sync.entity WHERE name = %s", (table,)).fetchone():
                raise Refused(f"The server shares no table {table}.", field="table")
            connection.execute("DELETE FROM sync.fresh WHERE entity = %s", (table,))
            if hours:
                connection.execute("INSERT INTO sync.fresh (entity, hours) VALUES (%s, %s)", (table, hours))
        return dict(connection.execute("SELECT entity, hours FROM sync.fresh ORDER BY entity").fetchall())
