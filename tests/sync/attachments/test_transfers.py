"""What windows are told of photos on their way."""

from __future__ import annotations

from app.sync.attachments.transfers import Transfers
from app.sync.attachments.worker import BlobStep


def test_what_moves_and_what_failed_is_told_and_what_arrived_is_not() -> None:
    transfers = Transfers()
    assert [t.done for t in transfers.after(BlobStep("a", True, 1, 10))] == [1]
    assert [t.done for t in transfers.after(BlobStep("a", True, 5, 10))] == [5]
    both = transfers.after(BlobStep("b", False, 0, 0, "It has not reached the server."))
    assert [(t.sha256, t.problem != "") for t in both] == [("a", False), ("b", True)]
    assert [t.sha256 for t in transfers.after(BlobStep("a", True, 10, 10))] == ["b"]
    assert transfers.after(BlobStep("b", False, 10, 10)) == ()


def test_many_that_failed_are_not_all_told() -> None:
    transfers = Transfers()
    for n in range(100):
        told = transfers.after(BlobStep(str(n), True, 0, 10, "The quota is full."))
    assert len(told) == 20
    assert told[-1].sha256 == "99"
