"""Chance is kept out of `make test`: property tests look at the same examples in every run, a search at others."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.architecture.source import ROOT, modules

DRAWN = """
from tests import chance
chance.load_profile()
from hypothesis import given, settings, strategies as st
drawn = []
@chance.examples(15)
@given(st.integers())
def test(number):
    drawn.append(number)
test()
print(settings.default.max_examples, len(drawn), hash(tuple(drawn)))
"""


def drawn(times: str) -> list[int]:
    """How many examples a test has that says nothing, how many one has that names 15, and which these were."""
    done = subprocess.run(
        [sys.executable, "-c", DRAWN],
        cwd=ROOT,
        env={**os.environ, "LINESIDE_SEARCH": times, "HYPOTHESIS_STORAGE_DIRECTORY": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_property_test_draws_the_same_examples_in_every_run() -> None:
    assert drawn("0") == drawn("0")
    assert drawn("0")[:2] == [100, 15]


def test_a_search_draws_others_each_time_and_more_of_them() -> None:
    first, second = drawn("3"), drawn("3")
    assert first[:2] == second[:2] == [300, 45]
    assert first[2] != second[2]


def test_how_many_examples_there_are_is_said_through_one_decorator() -> None:
    # This file speaks of it, and the proof of sharing is led by figures of its own.
    allowed = ("tests/architecture/test_chance.py", "tests/chance.py", "tests/sync/proof/")
    strays = [
        module.place
        for module in modules("tests")
        if "max_examples=" in module.text and not module.place.startswith(allowed)
    ]
    assert not strays, "use tests.chance.examples: a search could not widen these"
