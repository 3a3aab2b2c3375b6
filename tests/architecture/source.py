"""The source of Lineside as the architecture tests look at it: modules, their syntax trees, their places."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("app", "ui", "migrations")
EVERYTHING = (*PRODUCT, "tests", "packaging")
Node = ast.AST


@dataclass(frozen=True)
class Module:
    """One source file; `place` is its path from the top of the project."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def line(self, node: ast.AST) -> str:
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


@cache
def modules(*tops: str) -> tuple[Module, ...]:
    """All Python files below the given top folders, in a stable order."""
    paths = sorted(
        path for top in tops for path in (ROOT / top).rglob("*.py") if "__pycache__" not in path.parts
    )
    return tuple(
        Module(path, text, ast.parse(text)) for path in paths for text in [path.read_text(encoding="utf-8")]
    )


def places(found: Callable[[ast.AST], bool], *tops: str) -> list[str]:
    """Where in the given folders a node of the wanted kind stands."""
    return [module.line(node) for module in modules(*tops) for node in ast.walk(module.tree) if found(node)]


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of a function or method with one of these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) in names:
            yield node


def called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
