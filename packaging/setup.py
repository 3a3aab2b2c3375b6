#!/usr/bin/env python3
"""Makes a fresh checkout runnable: virtual environment, locked packages, and the system libraries that Qt needs.

Needs nothing but Python 3.11 and its standard library. Safe to run again at any time and by several processes at
once; when nothing changed it returns within milliseconds. As root on Debian it installs missing system packages;
an ordinary user is shown the one line to run. Run it with `python3 packaging/setup.py`, or through `make`.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OLDEST_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.11", "python3.12", "python3.13", "python3.14")
UV_VERSION = "0.13.8"

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "lineside-setup.stamp"
LOCK = ROOT / "build" / "setup.lock"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

# Library → Debian package. Without the first group Qt does not even load.
LIBRARIES_TO_LOAD_QT = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
}
# Without these there is no window on a screen; pictures and tests without a display work all the same.
LIBRARIES_FOR_A_WINDOW = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
FONT_PACKAGE = "fonts-dejavu-core"

QT_TRIAL = "from PySide6 import QtNetwork, QtSvg, QtWidgets; QtWidgets.QApplication(['trial'])"


class CannotSetUp(Exception):
    """Set-up cannot go on; the text says what to do, in plain sentences."""


def main() -> int:
    try:
        if sys.version_info < OLDEST_PYTHON:
            start_again_with_a_newer_python()
        if up_to_date():
            return 0
        with one_at_a_time():
            if not up_to_date():
                set_up()
    except CannotSetUp as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; run the command again to go on.", file=sys.stderr)
        return 1
    return 0


def set_up() -> None:
    say("Setting up Lineside (once; it takes a minute or two).")
    STAMP.unlink(missing_ok=True)
    provide_system_packages()
    make_virtual_environment()
    install_locked_packages()
    try_qt()
    STAMP.write_text(fingerprint(), encoding="utf-8")
    say("Set-up is complete.")


def say(sentence: str) -> None:
    print(sentence, flush=True)


# ── when is there nothing to do ──────────────────────────────────────────────────────────────────────────────


def fingerprint() -> str:
    """What the environment was made from: place, interpreter, this script, and what the lock file says."""
    digest = hashlib.sha256()
    for part in (str(ROOT), sys.base_prefix, "{}.{}.{}".format(*sys.version_info[:3])):
        digest.update(part.encode() + b"\0")
    for file in (Path(__file__), ROOT / "pyproject.toml", ROOT / "uv.lock"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def up_to_date() -> bool:
    try:
        return STAMP.read_text(encoding="utf-8") == fingerprint() and venv_python().exists()
    except OSError:
        return False


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a file lock, so that two `make` at once do not build the same environment."""
    try:
        LOCK.parent.mkdir(exist_ok=True)
        handle = LOCK.open("w", encoding="utf-8")
    except OSError as error:
        raise CannotSetUp(f"This folder cannot be written to: {error}. Use a copy of your own.") from error
    with handle:
        if os.name == "posix":
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say("Another set-up of this folder is running; waiting for it.")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# ── Python and the system ────────────────────────────────────────────────────────────────────────────────────


def start_again_with_a_newer_python() -> None:
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])
    raise CannotSetUp(f"Lineside needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")


def provide_system_packages() -> None:
    """Installs what is missing as root, or tells an ordinary user the one line that does it."""
    if sys.platform != "linux":
        return
    needed = missing_for_python() + missing_libraries(LIBRARIES_TO_LOAD_QT) + missing_fonts()
    for_a_window = missing_libraries(LIBRARIES_FOR_A_WINDOW)
    if not needed and not for_a_window:
        return
    if shutil.which("apt-get") is None:
        if needed:
            say(f"These seem to be missing on this system (names as on Debian): {' '.join(needed)}.")
        return
    if os.geteuid() == 0:
        install_system_packages(needed + for_a_window)
        return
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(needed + for_a_window)}"
    if shutil.which("sudo"):
        line = f"sudo sh -c '{line}'"
    if needed or has_display:
        raise CannotSetUp(
            "A few system packages are missing and only root may install them. Run this line"
            f"{'' if shutil.which('sudo') else ' as root'}, then try again:\n\n    {line}\n"
        )
    say("Everything but a window on a screen will work; for that, root would have to run:\n    " + line)


def missing_for_python() -> list[str]:
    if venv_works() and (venv_has("pip") or importlib.util.find_spec("ensurepip")):
        return []
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return []
    return ["python{}.{}-venv".format(*sys.version_info[:2])]


def missing_libraries(libraries: dict[str, str]) -> list[str]:
    missing = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing


def missing_fonts() -> list[str]:
    for folder in FONT_FOLDERS:
        for ending in ("ttf", "otf", "ttc"):
            if next(folder.rglob(f"*.{ending}"), None):
                return []
    return [FONT_PACKAGE]


def install_system_packages(packages: Sequence[str]) -> None:
    say(f"  System packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    # An update that fails in part (one dead source among several) may still be enough for what we need.
    run(["apt-get", *wait, "update", "-q"], environment)
    done = run(["apt-get", *wait, "install", "-y", "-q", "--no-install-recommends", *packages], environment)
    if done.returncode:
        raise CannotSetUp(f"apt-get could not install {' '.join(packages)}.\n{tail(done)}")


# ── virtual environment and packages ─────────────────────────────────────────────────────────────────────────


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def venv_works() -> bool:
    if not venv_python().exists():
        return False
    code = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r} or sys.prefix == sys.base_prefix)"
    return run([str(venv_python()), "-c", code]).returncode == 0


def venv_has(module: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return run([str(venv_python()), "-c", code]).returncode == 0


def make_virtual_environment() -> None:
    if not venv_works():
        say(f"  Virtual environment: {VENV.name} with Python {sys.version.split()[0]}")
        importlib.invalidate_caches()
        done = run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        if done.returncode:
            raise CannotSetUp(f"The virtual environment {VENV} could not be made.\n{tail(done)}")
    if not os.access(VENV, os.W_OK):
        raise CannotSetUp(
            f"{VENV} belongs to someone else and cannot be changed; use a checkout of your own."
        )
    if not venv_has("pip"):
        done = run([str(venv_python()), "-m", "ensurepip"])
        if done.returncode:
            raise CannotSetUp(
                f"pip could not be put into {VENV}; delete that folder and try again.\n{tail(done)}"
            )


def install_locked_packages() -> None:
    """Installs what uv.lock says, neither more nor less, and Lineside itself as a link to this folder."""
    environment = network_environment()
    say("  Packages: exactly those of uv.lock")
    pip = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "-q"]
    done = run([*pip, "install", f"uv=={UV_VERSION}"], environment)
    if done.returncode:
        raise CannotSetUp(f"pip could not install uv {UV_VERSION}; is the network reachable?\n{tail(done)}")
    uv = [str(venv_python()), "-m", "uv", "--no-progress"]
    done = run([*uv, "sync", "--frozen", "--python", str(venv_python())], environment)
    if done.returncode == 0:
        return
    # uv goes to the addresses in the lock file. Where only a mirror set up for pip is reachable, pip installs the
    # same files, checked by the same hashes.
    say("  uv did not succeed; trying with pip and the same hashes.")
    listing = ROOT / "build" / "locked-requirements.txt"
    exported = run([*uv, "export", "--frozen", "-q", "--no-emit-project", "-o", str(listing)], environment)
    for arguments in (["--require-hashes", "-r", str(listing)], ["--no-deps", "-e", str(ROOT)]):
        by_pip = run([*pip, "install", *arguments], environment) if exported.returncode == 0 else exported
        if by_pip.returncode:
            raise CannotSetUp(f"The packages could not be installed.\n{tail(done)}\n{tail(by_pip)}")


def network_environment() -> dict[str, str]:
    """The caller's environment, with one place for certificates that pip and uv both honour."""
    environment = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    environment["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment.setdefault("UV_LINK_MODE", "copy")
    certificates = environment.get("PIP_CERT") or setting_of_pip("global.cert")
    if not certificates and SYSTEM_CERTIFICATES.exists():
        certificates = str(SYSTEM_CERTIFICATES)
    if certificates:
        environment.setdefault("PIP_CERT", certificates)
        environment.setdefault("SSL_CERT_FILE", certificates)
    return environment


def setting_of_pip(name: str) -> str:
    done = run([str(venv_python()), "-m", "pip", "config", "get", name])
    return done.stdout.strip() if done.returncode == 0 else ""


def try_qt() -> None:
    say("  Trial start of Qt")
    done = run([str(venv_python()), "-c", QT_TRIAL], {**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    if done.returncode:
        raise CannotSetUp(
            f"Qt does not start on this machine; a system library may be missing.\n{tail(done)}"
        )


# ── running programs ─────────────────────────────────────────────────────────────────────────────────────────


def run(
    command: Sequence[str], environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def tail(done: subprocess.CompletedProcess[str], lines: int = 12) -> str:
    return "\n".join("    " + line for line in done.stdout.strip().splitlines()[-lines:])


if __name__ == "__main__":
    sys.exit(main())
