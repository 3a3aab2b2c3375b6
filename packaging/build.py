"""Builds the executable into dist/lineside and tries it: `make package`.

Works on Linux and Windows alike; `--no-trial` only builds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import setup as ground

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "dist" / "lineside"
EXECUTABLE = BUNDLE / ("lineside.exe" if os.name == "nt" else "lineside")
PICTURES = ROOT / "build" / "package-smoke"
SECONDS_TO_RUN = 20
SECONDS_TO_END = 240


def main() -> int:
    try:
        provide_tools()
        build()
        if "--no-trial" not in sys.argv:
            trial()
    except ground.CannotSetUp as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    return 0


def provide_tools() -> None:
    """PyInstaller asks objdump which libraries a file needs."""
    if sys.platform != "linux" or shutil.which("objdump"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        ground.install_system_packages(["binutils"])
        return
    raise ground.CannotSetUp("Packaging needs objdump. As root, run: apt-get install -y binutils")


def build() -> None:
    started = time.monotonic()
    ground.say("Building the executable; this takes a few minutes.")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    folders = ["--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build" / "pyinstaller")]
    done = subprocess.run(
        [*command, *folders, str(ROOT / "packaging" / "lineside.spec")], cwd=ROOT, check=False
    )
    if done.returncode:
        raise ground.CannotSetUp("PyInstaller could not build the executable; its messages are above.")
    size = (
        sum(file.stat().st_size for file in BUNDLE.rglob("*") if file.is_file() and not file.is_symlink())
        / 1e6
    )
    ground.say(f"Built {EXECUTABLE.relative_to(ROOT)}: {size:.0f} MB in {time.monotonic() - started:.0f} s.")


def trial() -> None:
    """Runs the executable as a person would: its version, words about sharing, then the demo over every screen."""
    environment = {**os.environ}
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Nothing of this checkout may help: the executable has to stand on its own.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LINESIDE_DATA_DIR"):
        environment.pop(name, None)
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    tour = ["demo", "--seconds", str(SECONDS_TO_RUN), "--screenshots", str(PICTURES)]
    alone = ["--data-dir", str(PICTURES / "alone"), "sync", "--status"]
    for arguments in (["version"], ["server", "--help"], alone, tour):
        ground.say(f"Trying: lineside {' '.join(arguments)}")
        try:
            done = subprocess.run(
                [str(EXECUTABLE), *arguments],
                cwd=PICTURES,
                env=environment,
                stdin=subprocess.DEVNULL,
                timeout=SECONDS_TO_END,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ground.CannotSetUp(f"lineside {arguments[0]} did not end in {SECONDS_TO_END} s.") from error
        if done.returncode:
            raise ground.CannotSetUp(f"lineside {arguments[0]} ended with {done.returncode}.")
    pictures = sorted(PICTURES.glob("**/*.png"))
    if not pictures:
        raise ground.CannotSetUp(f"The demo left no pictures in {PICTURES.relative_to(ROOT)}.")
    ground.say(
        f"The executable works; {len(pictures)} pictures of its screens are in {PICTURES.relative_to(ROOT)}."
    )


if __name__ == "__main__":
    sys.exit(main())
