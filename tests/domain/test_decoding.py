"""Threads that meet a class for the first time together do not crash the interpreter, and nothing goes round that."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Fifty pairs of new classes, each met by four threads at once.
MEET = """
import sys
from dataclasses import field, make_dataclass
from threading import Barrier, Thread
from app.domain.decoding import convert, json_decoder

def meet(gate, kind):
    gate.wait()
    convert({"a": {}, "b": "x", "c": {}}, kind)
    json_decoder(kind).decode('{"a": {}, "b": 1.5, "c": {"f0": 3}}')

sys.setswitchinterval(1e-6)
for n in range(50):
    inner = make_dataclass(f"Inner{n}", [(f"f{i}", "int | None", field(default=None)) for i in range(10)])
    outer = make_dataclass(f"Outer{n}", [("a", inner), ("b", "str | float"), ("c", inner)])
    gate = Barrier(4)
    threads = [Thread(target=meet, args=(gate, outer)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("all there")
"""


def test_threads_meet_a_class_for_the_first_time_together() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", MEET], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert (ended.returncode, ended.stdout) == (0, "all there\n"), ended.stderr


def test_nothing_asks_msgspec_for_a_class_but_by_the_lock() -> None:
    """`msgspec.json.decode(text)` without a class is fine."""
    found = []
    for file in [*ROOT.glob("app/**/*.py"), *ROOT.glob("ui/**/*.py")]:
        if file == ROOT / "app/domain/decoding.py":
            continue
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            asked = ast.unparse(call.func)
            with_class = asked.startswith("msgspec.") and asked.endswith((".convert", ".Decoder"))
            decodes = asked.startswith("msgspec.") and asked.endswith(".decode")
            if with_class or (decodes and any(k.arg == "type" for k in call.keywords)):
                found.append(f"{file.relative_to(ROOT)}:{call.lineno} {asked}")
    assert not found
