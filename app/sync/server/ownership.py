"""Who made the roles and who owns the tables: both may have come another way than by `lineside server init`.

Roles belong to a whole PostgreSQL and are in no dump of a database. After a restore somewhere else they may be missing,
or be made by a superuser; from version 16 on, whoever did not make a role may not hand it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.errors import Refused

if TYPE_CHECKING:
    import psycopg

_FOREIGN = """
SELECT r.rolname FROM pg_roles r
WHERE (r.rolname IN (%(prefix)s || '_owner', %(prefix)s || '_station')
       OR starts_with(r.rolname, %(prefix)s || '_st_'))
  AND NOT pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
  AND (current_setting('server_version_num')::integer >= 160000 OR r.rolsuper)
  AND NOT (r.rolname = %(prefix)s || '_owner' AND pg_has_role(r.oid, 'USAGE'))
ORDER BY 1
"""
# Everything in both schemas that has an owner of its own and did not come with an extension or with its table.
_OTHERS = """
WITH ours AS (SELECT n.oid FROM pg_namespace n WHERE n.nspname IN ('sync', 'lineside')),
things (command, owner, place) AS (
  SELECT format('SCHEMA %%I', n.nspname), n.nspowner, 1 FROM pg_namespace n JOIN ours USING (oid)
  UNION ALL
  SELECT format('%%s %%s', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
      WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, c.oid::regclass), c.relowner, 2
  FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                    AND (d.deptype = 'e' OR (d.deptype IN ('a', 'i') AND c.relkind = 'S')))
  UNION ALL
  SELECT format('ROUTINE %%s', p.oid::regprocedure), p.proowner, 3
  FROM pg_proc p JOIN ours ON ours.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
)
SELECT command, pg_get_userbyid(owner), pg_has_role(owner, 'USAGE') FROM things
WHERE pg_get_userbyid(owner) <> %(owner)s ORDER BY place, command
"""


def foreign_roles(connection: psycopg.Connection[Any], prefix: str) -> list[str]:
    """Roles of the server that others made, so that this user may neither hand them out nor change them."""
    return [role for (role,) in connection.execute(_FOREIGN, {"prefix": prefix})]


def grant_sentence(connection: psycopg.Connection[Any], roles: list[str]) -> str:
    """What a superuser has to run so that this user can look after these roles."""
    me = connection.execute("SELECT quote_ident(current_user)").fetchone()
    assert me is not None
    return (
        "Somebody else made the roles of this server, so this user may not hand them out. "
        f"Let a superuser run: GRANT {', '.join(roles)} TO {me[0]} WITH ADMIN OPTION;"
    )


def require_roles(connection: psycopg.Connection[Any], prefix: str, *needed: str) -> None:
    """Raise `Refused`, with the grant that is missing, when others made one of the `needed` roles."""
    foreign = foreign_roles(connection, prefix)
    if set(needed) & set(foreign):
        raise Refused(grant_sentence(connection, foreign))


def require_owner(connection: psycopg.Connection[Any]) -> None:
    """Raise `Refused` when this user may not act as whoever owns the tables."""
    row = connection.execute(
        "SELECT pg_get_userbyid(nspowner), pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'sync'"
    ).fetchone()
    owner, usable = row or ("", True)
    if owner.endswith("_owner"):
        require_roles(connection, owner.removesuffix("_owner"), owner)
    elif not usable:
        raise Refused(_belongs_to(owner))


def _belongs_to(holder: str) -> str:
    return f"What was restored belongs to {holder}; restore it again as this user, or give the address of {holder}."


def make_group_roles(connection: psycopg.Connection[Any], prefix: str) -> None:
    """The owner of the tables and the group of all stations, where they are missing."""
    from psycopg import sql

    for role in (f"{prefix}_owner", f"{prefix}_station"):
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def become(connection: psycopg.Connection[Any], owner: str) -> None:
    """Be able to act as the owner of the schemas, which is no superuser."""
    from psycopg import sql

    # Who made the role is its administrator, but from 16 on no member of it. A superuser is a member of every role.
    found = connection.execute("SELECT pg_has_role(%s::name, 'USAGE')", (owner,)).fetchone()
    if found != (True,):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))


def take_over(connection: psycopg.Connection[Any], owner: str) -> None:
    """Give everything that a restore without owners (`pg_restore --no-owner`) left to somebody else to `owner`."""
    from psycopg import sql

    found = connection.execute(_OTHERS, {"owner": owner}).fetchall()
    for command, holder, usable in found:
        if not usable:
            raise Refused(_belongs_to(holder))
        connection.execute(sql.SQL("ALTER {} OWNER TO {}").format(sql.SQL(command), sql.Identifier(owner)))
