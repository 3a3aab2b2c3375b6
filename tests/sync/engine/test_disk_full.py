"""A disk that is full while much comes from the server: said in a sentence, nothing half done, tried again."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.domain.errors import WorldFault
from app.sync.place import want_baseline
from app.sync.staging import FILE_NAME
from tests.sync.engine.test_bulk import write_many_notes
from tests.sync.harness import World


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Writing past `size` bytes into any file fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("anew", [True, False])
def test_a_full_disk_is_borne_and_tried_again(world: World, anew: bool) -> None:
    one, two = world.station("01"), world.station("02")
    one.do(write_many_notes(count=6000))
    one.sync()
    before = two.rows()
    if anew:
        two.engine.write(lambda connection: want_baseline(connection, "to see what happens"))
    largest = max(file.stat().st_size for file in two.folder.glob("lineside.sqlite*"))
    with no_file_above(largest + 50_000), pytest.raises(WorldFault):
        two.sync()
    assert not (two.folder / FILE_NAME).exists()
    assert two.rows() == before
    two.sync()
    world.settle()
    world.check()
    assert len(two.rows()["note"]) == 6000
