"""All commands of `lineside` in one tree, and what their failures turn into."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from app.domain.errors import LinesideError
from ui.cli import (
    alarms,
    collector,
    files_key,
    history,
    lists,
    machines,
    people,
    plant,
    sending,
    server,
    service,
    spreadsheets,
    sync,
    upkeep,
    window,
)
from ui.cli.session import SESSION, tame

_DATA_DIR, _JSON, _PASSWORD_STDIN = "--data-dir", "--json", "--password-stdin"

root = typer.Typer(
    no_args_is_help=False,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # a sentence in a box is broken into lines, which no script can look for
)


@root.callback()
def start(
    context: typer.Context,
    data_dir: Path | None = typer.Option(
        None, _DATA_DIR, help="Folder of the data; LINESIDE_DATA_DIR otherwise."
    ),
    as_json: bool = typer.Option(False, _JSON, help="Print JSON."),
    password_stdin: bool = typer.Option(
        False, _PASSWORD_STDIN, help="Read the password of --as from standard input."
    ),
) -> None:
    """Lineside supervises a workshop. Without a command it opens the window."""
    SESSION.folder = data_dir
    SESSION.as_json = as_json
    SESSION.password_stdin = password_stdin
    if context.invoked_subcommand is None:
        window.desktop()


root.command()(window.desktop)
root.command()(window.demo)
root.command()(window.simulate)
root.command()(collector.collect)
root.add_typer(people.commands, name="user", help="Accounts.")
root.add_typer(plant.commands, name="plant", help="Equipment, connections, tags and limits as a file.")
root.add_typer(collector.commands, name="collector", help="The running collector.")
root.add_typer(service.commands, name="service", help="The collector as a service of this computer.")
root.add_typer(
    machines.connections, name="connection", help="Try a connection to a machine, keep its password."
)
root.add_typer(machines.tags, name="tag", help="Read values from a machine, send one.")
machines.connections.command("password")(sending.password)
machines.tags.command("write")(sending.write)
root.add_typer(history.commands, name="history", help="Samples kept on this computer.")
root.add_typer(alarms.commands, name="alarms", help="The alarm list.")
root.command("import")(spreadsheets.import_words)
root.command("list")(lists.list_entity)
root.command("export")(lists.export)
root.command("do")(lists.do)
root.command()(sync.join)
root.command("sync")(sync.sync)
root.command("files-key")(files_key.set_files_key)
root.add_typer(server.commands, name="server", help="The shared server, for whoever runs the database.")
server.commands.command("join")(sync.join)
server.commands.command("leave")(sync.leave)
root.add_typer(sync.audit, name="audit", help="The audit trail.")
root.add_typer(upkeep.backups, name="backup", help="Copies of the data.")
root.command()(upkeep.doctor)
root.command()(upkeep.version)


def hoisted(arguments: list[str]) -> list[str]:
    """The same command with the options for all in front, where typer wants them; people write them anywhere."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            rest += [argument, *pending]
        elif argument in (_JSON, _PASSWORD_STDIN) or argument.startswith(_DATA_DIR + "="):
            front.append(argument)
        elif argument == _DATA_DIR:
            value = next(pending, None)
            if value is None:
                return [*front, argument]  # alone at the end, where it is told that its value is missing
            front += [argument, value]
        else:
            rest.append(argument)
    return front + rest


def run(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        root(hoisted(arguments), prog_name="lineside")
    except LinesideError as error:
        sys.stderr.write(tame(error.sentence) + "\n")
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:  # a full disk behind standard output, a file that vanished: the world, no bug
        sys.stderr.write(f"{error.filename or 'The command'} failed: {error.strerror or error}.\n")
        return 1
    except SystemExit as end:  # how typer ends: 0 done, 1 stopped, 2 wrong usage, or a command's own code
        return end.code if isinstance(end.code, int) else 0
    return 0
