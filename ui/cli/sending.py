"""`lineside tag write` and `lineside connection password`: what goes to a machine, and what opens it."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from app.domain.errors import Refused, WorldFault
from ui.cli.session import actor, folder, house, plain, say

_AS = typer.Option(None, "--as", help="In whose name; this computer's user otherwise.")


def write(
    tag: str,
    value: str,
    reason: str = typer.Option("", "--reason", help="Why, for the audit trail."),
    wait: float = typer.Option(40.0, "--wait", min=0.0, help="Seconds to wait for the machine's answer."),
    acting: str | None = _AS,
) -> None:
    """Send VALUE, in the tag's unit, to the machine behind the tag NAME, and say what became of it."""
    from app.live.asking import await_write
    from app.operations.machines import write_to_machine

    with house() as opened:
        intent = write_to_machine(tag=tag, value=value, reason=reason)
        id = str(opened.door.perform(intent, actor(opened, acting)).result)
        answer = await_write(opened.folder, id, wait) if wait else None
    if wait and answer is None:
        raise WorldFault(f"Nothing was heard of it within {wait:g} s: look at the machine.")
    if answer is None:
        say({"id": id}, f"Handed to the collector as {id}.")
        return
    if not answer.ok:
        raise Refused(answer.sentence)
    say(plain(asdict(answer)), answer.sentence)


def password(
    connection: str,
    stdin: bool = typer.Option(False, "--stdin", help="Read it from standard input; one line."),
    forget: bool = typer.Option(False, "--forget", help="Keep none any more."),
    acting: str | None = _AS,
) -> None:
    """Keep the password of a connection's user in the keyring of this computer, or say where else it is kept."""
    from app.live.asking import poke
    from app.operations.machine_passwords import set_machine_password
    from app.store.queries.secrets_place import secrets_place

    with house() as opened:
        who = actor(opened, acting)
        given = "" if forget else _asked(connection, stdin)
        with opened.store.reader() as session:
            place = secrets_place(opened.folder, session)
        had = forget and bool(place.kept(connection))
        sentence = set_machine_password(opened.door, place, who, connection, given)
    poke(folder())
    done = f"Kept the password of {connection}."
    if forget:
        done = f"Forgot the password of {connection}." if had else f"{connection} had no password here."
    say({"connection": connection, "kept": not forget, "place": sentence}, f"{done} {sentence}")


def _asked(connection: str, stdin: bool) -> str:
    if stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    else:
        given = str(typer.prompt(f"Password of {connection}", hide_input=True, confirmation_prompt=True))
    if not given:
        raise Refused("An empty password is none; use --forget to keep none any more.", field="password")
    return given
