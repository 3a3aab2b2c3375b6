"""`lineside user …`: accounts."""

from __future__ import annotations

import os
import secrets
import sys
from typing import TYPE_CHECKING

import typer

from app.domain.people import Role
from ui.cli.session import PASSWORD_VARIABLE, SESSION, account, actor, house, say, say_rows

if TYPE_CHECKING:
    from app.plant import House

commands = typer.Typer(no_args_is_help=True)
_NEW_VARIABLE = "LINESIDE_NEW_PASSWORD"
_AS = typer.Option(None, "--as", help="In whose name; this computer's user otherwise.")


def _password(opened: House) -> tuple[str, bool]:
    """A password from the environment, the terminal or standard input, or a made-up one; and whether it was made up.

    On a station that shares a server LINESIDE_PASSWORD and --password-stdin are those of whoever acts.
    """
    given = os.environ.get(_NEW_VARIABLE)
    if not given and opened.station is None:
        given = os.environ.get(PASSWORD_VARIABLE)
    if given:
        return given, False
    if SESSION.password_stdin:
        return secrets.token_urlsafe(12), True
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True)), False
    line = sys.stdin.readline().rstrip("\n")
    return (line, False) if line else (secrets.token_urlsafe(12), True)


def _tell(name: str, done: str, password: str, made_up: bool) -> None:
    shown = {"name": name, "one_time_password": password} if made_up else {"name": name}
    hint = f"\nOne-time password: {password} (asked to change at the first login)" if made_up else ""
    say(shown, f"{done}{hint}")


@commands.command()
def add(
    name: str,
    role: Role = typer.Option(..., "--role", help="What the person may do."),
    acting: str | None = _AS,
) -> None:
    """Add an account. The password is asked for, or read from standard input or LINESIDE_NEW_PASSWORD, or made up."""
    from app.operations.people import add_user

    with house() as opened:
        who = actor(opened, acting)
        password, made_up = _password(opened)
        intent = add_user(name=name, role=role, password=password, must_change_password=made_up)
        opened.door.perform(intent, who)
    _tell(name, f"Added {name} as {role.value}.", password, made_up)


@commands.command("list")
def list_users() -> None:
    """Show all accounts."""
    from app.plant import utc_now
    from app.store.queries.listing import ListReader, ListRequest
    from app.store.queries.lists import USERS

    with house() as opened, opened.store.reader() as session:
        rows = ListReader(USERS, ListRequest(), utc_now()).window(session, 0, 10_000)
    titles = {column.key: column.title for column in USERS.columns}
    say_rows(
        [row.values for row in rows],
        titles,
        "There are no users yet; `lineside user add NAME --role admin` makes one.",
    )


@commands.command()
def disable(name: str, acting: str | None = _AS) -> None:
    """Close an account."""
    from app.operations.people import disable_user

    with house() as opened:
        target = account(opened, name)
        assert target.user_id is not None
        opened.door.perform(disable_user(user_id=target.user_id), actor(opened, acting))
    say({"name": name}, f"Disabled {name}.")


@commands.command("reset-password")
def reset(name: str, acting: str | None = _AS) -> None:
    """Give a person a new password, to be changed at the next login."""
    from app.operations.people import reset_password

    with house() as opened:
        target, who = account(opened, name), actor(opened, acting)
        assert target.user_id is not None
        password, made_up = _password(opened)
        opened.door.perform(reset_password(user_id=target.user_id, password=password), who)
    _tell(name, f"Reset the password of {name}.", password, made_up)
