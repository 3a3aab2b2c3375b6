"""`lineside service …`: the collector as a service of this computer (systemd); `print` shows the unit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from app.domain.errors import Refused, WorldFault
from ui.cli.session import folder, say, system_user

commands = typer.Typer(no_args_is_help=True)

_BOOTED_WITH_SYSTEMD = Path("/run/systemd/system")  # as sd_booted(3) looks for it
_SYSTEM = typer.Option(
    False, "--system", help="For the whole computer, from its start on; asks for administrator rights."
)
_USER = typer.Option("", "--user", help="The account that it runs as, with --system.")


def _unit(system: bool, user: str) -> str:
    from app.upkeep.service_unit import Service

    if getattr(sys, "frozen", False):
        command = [sys.executable, "collect"]
    else:
        command = [str(Path(sys.executable).with_name("lineside")), "collect"]
    account = (user or system_user()) if system else ""
    return Service(command, folder(), account).unit()


def _place(system: bool) -> Path:
    from app.upkeep.service_unit import UNIT_NAME

    home = Path("/etc/systemd/system") if system else Path.home() / ".config/systemd/user"
    return home / UNIT_NAME


def _no_systemd() -> Refused:
    return Refused(
        "This computer has no systemd; docs/collector-service.md says how to run the collector on Windows."
    )


def _systemctl(system: bool, *words: str) -> subprocess.CompletedProcess[str]:
    if not _BOOTED_WITH_SYSTEMD.exists():  # the program may be there all the same, as in most containers
        raise _no_systemd()
    scope = [] if system else ["--user"]
    try:
        return subprocess.run(
            ["systemctl", *scope, *words], capture_output=True, text=True, timeout=60, check=False
        )
    except FileNotFoundError:
        raise _no_systemd() from None
    except subprocess.TimeoutExpired as error:
        raise WorldFault("systemd does not answer; try again in a moment.") from error


def _ordered(system: bool, *words: str) -> None:
    done = _systemctl(system, *words)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise WorldFault(f"systemctl {' '.join(words)} failed: {said[0].rstrip('.')}.")


@commands.command("print")
def print_unit(system: bool = _SYSTEM, user: str = _USER) -> None:
    """Write the unit for this data folder to standard output, to be looked at or put in place by hand."""
    say({"unit": _unit(system, user), "path": str(_place(system))}, _unit(system, user).rstrip("\n"))


@commands.command()
def install(system: bool = _SYSTEM, user: str = _USER) -> None:
    """Put the unit in place, start it now and with every start of the computer (or of your session)."""
    from app.upkeep.service_unit import UNIT_NAME

    place = _place(system)
    _systemctl(system, "--version")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_unit(system, user), encoding="utf-8")
    except OSError as error:
        raise Refused(f"{place} cannot be written ({error.strerror}); use sudo with --system.") from error
    _ordered(system, "daemon-reload")
    _ordered(system, "enable", "--now", UNIT_NAME)
    say({"path": str(place)}, f"The collector runs as a service; its unit is {place}.")


@commands.command()
def remove(system: bool = _SYSTEM) -> None:
    """Stop the service and take its unit away."""
    from app.upkeep.service_unit import UNIT_NAME

    place = _place(system)
    if not place.exists():
        raise Refused(f"There is no service: {place} does not exist.")
    _ordered(system, "disable", "--now", UNIT_NAME)
    try:
        place.unlink()
    except OSError as error:
        raise Refused(f"{place} cannot be removed ({error.strerror}).") from error
    _ordered(system, "daemon-reload")
    say({"removed": str(place)}, "The collector does not run as a service any more.")


@commands.command()
def status(system: bool = _SYSTEM) -> None:
    """Say whether the service runs."""
    from app.upkeep.service_unit import UNIT_NAME

    state = _systemctl(system, "is-active", UNIT_NAME).stdout.strip() or "unknown"
    say({"state": state, "installed": _place(system).exists()}, f"The service is {state}.")
