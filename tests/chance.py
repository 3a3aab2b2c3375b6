"""How far chance goes in the property tests: the same examples every time, or a search with many new ones.

`make test` proves what is known, so it must not fail by luck on what has nothing to do with a change. `make search`
looks for what nobody knows yet: LINESIDE_SEARCH=20 means other examples with every run, and twenty times as many.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("LINESIDE_SEARCH", "0"))
# Two cores shared with real servers make examples slow now and then; the test's own time limit is enough.
SLOW = [HealthCheck.too_slow]


def examples(usual: int, *, same_fixtures: bool = False) -> settings:
    """Decorates a property test: `usual` examples in `make test`, as many times more as a search asks for.

    With `same_fixtures` all examples share the fixtures of the test, which then has to see to what they leave there.
    """
    shared = [HealthCheck.function_scoped_fixture] if same_fixtures else []
    return settings(max_examples=usual * max(TIMES, 1), suppress_health_check=SLOW + shared)


def load_profile() -> None:
    """What holds for each property test that says nothing itself; before any test module is imported."""
    settings.register_profile(
        "lineside",
        derandomize=not TIMES,
        max_examples=100 * max(TIMES, 1),
        deadline=None,
        print_blob=True,
        suppress_health_check=SLOW,
    )
    settings.load_profile("lineside")
