"""Runs the benchmarks and prints their figures: `make bench`, or `python -m tests.bench [PART OF A NAME…] [--json]`.

Every `bench_*.py` in this folder is a module with functions called `bench_…`; each returns one Figure or several.
They are no tests: a slow machine fails nothing, and `make test` never runs them. The exit code is 1 only when a
benchmark could not be run.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from tests.bench.figures import Figure

HERE = Path(__file__).parent


def main(arguments: list[str]) -> int:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    as_json = "--json" in arguments
    if not as_json:
        print(
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        )
    figures: list[Figure] = []
    failed = 0
    for name, bench in benches(wanted):
        started = time.monotonic()
        try:
            measured = list(figures_of(bench()))
        except Exception:  # noqa: BLE001
            # One benchmark that cannot run must not hide the figures of the others.
            failed += 1
            print(f"\n{name} could not be run:\n{traceback.format_exc()}", file=sys.stderr)
            continue
        figures += measured
        if not as_json:
            print(f"\n{name} ({time.monotonic() - started:.1f} s)")
            print("\n".join(line_of(figure) for figure in measured), flush=True)
    if as_json:
        print(json.dumps([{**asdict(f), "ratio": f.ratio, "reached": f.reached} for f in figures], indent=2))
    elif not figures and not failed:
        print("No benchmark has such a name." if wanted else "There are no benchmarks yet.")
    return 1 if failed else 0


def benches(wanted: list[str]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The benchmarks whose name contains one of the wanted parts; all of them when nothing is wanted."""
    for file in sorted(HERE.glob("bench_*.py")):
        module = importlib.import_module(f"tests.bench.{file.stem}")
        for name, bench in vars(module).items():
            full_name = f"{file.stem}.{name}"
            if (
                name.startswith("bench_")
                and callable(bench)
                and (not wanted or any(p in full_name for p in wanted))
            ):
                yield full_name, bench


def figures_of(result: object) -> Iterable[Figure]:
    if isinstance(result, Figure):
        return [result]
    if isinstance(result, Iterable):
        return [figure for figure in result if isinstance(figure, Figure)]
    return []


def line_of(figure: Figure) -> str:
    """One line: what, how much, how that compares, and whether the goal is reached."""
    line = f"  {figure.what:<58} {figure.value:>12,.4g} {figure.unit:<12}"
    if figure.ratio is not None:
        line += f" {figure.ratio:.2f} × {figure.against_what} ({figure.against:,.4g})"
    if figure.goal is not None:
        line += f"  goal {'≥' if figure.more_is_better else '≤'} {figure.goal:,.4g}"
    if figure.goal_ratio is not None:
        line += f"  goal ≥ {figure.goal_ratio:g} ×"
    if figure.goal is not None or figure.goal_ratio is not None:
        line += "  reached" if figure.reached else "  NOT REACHED"
    return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
