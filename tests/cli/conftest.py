"""Commands of `lineside` run in this process, on a store with one person of each role."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.operations.shop import open_shop
from ui.cli.root import run


@dataclass(frozen=True)
class Answer:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Lineside = Callable[..., Answer]


@pytest.fixture
def lineside(capsys: pytest.CaptureFixture[str]) -> Lineside:
    """Runs one command; every word an argument."""

    def command(*words: object) -> Answer:
        capsys.readouterr()
        code = run([str(word) for word in words])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return command


@pytest.fixture
def done(lineside: Lineside) -> Lineside:
    """Runs one command that must succeed without a word of complaint."""

    def command(*words: object) -> Answer:
        answer = lineside(*words)
        assert (answer.code, answer.err) == (0, ""), f"{words}: {answer}"
        return answer

    return command


@pytest.fixture
def refused(lineside: Lineside) -> Callable[..., str]:
    """Runs one command that must end with 1 and one plain sentence, which it gives."""

    def command(*words: object) -> str:
        answer = lineside(*words)
        assert answer.code == 1, f"{words}: {answer}"
        assert answer.err.endswith("\n")
        assert answer.err.count("\n") == 1, answer.err
        assert "Traceback" not in answer.err
        assert "Error(" not in answer.err
        return answer.err.strip()

    return command


@pytest.fixture
def misused(lineside: Lineside) -> Callable[..., str]:
    """Runs one command that must end with 2; gives what it says about its usage."""

    def command(*words: object) -> str:
        answer = lineside(*words)
        assert answer.code == 2, f"{words}: {answer}"
        assert answer.out == ""
        assert "Traceback" not in answer.err
        return answer.err.strip().rpartition("Error: ")[2]

    return command


@pytest.fixture
def shop(data_dir: Path) -> Path:
    """A data folder with one person of each role, called like the role."""
    with open_shop(data_dir):
        pass
    return data_dir
