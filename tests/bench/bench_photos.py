"""What an edit loses while a photo of 20 MB is on its way to an S3, and while that S3 has fallen silent."""

from __future__ import annotations

import random
from collections.abc import Iterator

from app.operations.attachments import attach_file
from app.operations.orders import create_work_order
from app.store.blobs import BlobFolder
from app.store.incoming_files import take_bytes
from app.sync.membership import keep_files_key, station_address
from tests.bench.bench_sync_latency import edits_of
from tests.bench.figures import Figure
from tests.bench.shared_server import Watch, shared_world, sync_process
from tests.sync.attachments.blobs import eventually, proxied
from tests.sync.attachments.bucket import Bucket, running_s3
from tests.sync.harness import SyncedStation

EDITS, PAUSE = 40, (0.05, 0.45)
LIMIT = 1000.0  # ms, p95
PHOTO = 20 * 1024 * 1024
RATE = 500_000
"""Bytes a second to the store and back: the photo is on its way for longer than the edits take."""


def bench_photos() -> Iterator[Figure]:
    """The same edits without a photo, beside one that is being sent, and beside one that cannot be."""
    with shared_world() as world, running_s3() as s3:
        bucket = Bucket(s3, "photos")
        a, b = world.station("A"), world.station("B")
        with proxied(bucket.port) as (proxy, on_loop):
            with world.server.connect() as owner:
                owner.execute("UPDATE sync.blob_terms SET store_url = %s", (bucket.url(proxy.port),))
            keep_files_key(a.folder, station_address(a.folder), bucket.key)
            with sync_process(a), sync_process(b), Watch(b.folder) as watch:
                edits_of(a, watch, 3, PAUSE)
                alone = edits_of(a, watch, EDITS, PAUSE)
                on_loop(lambda: proxy.throttle(RATE))
                _attach(a)
                eventually(lambda: len(bucket.names()) > 0)
                beside = edits_of(a, watch, EDITS, PAUSE)
                if len(bucket.names()) * 2**20 >= PHOTO:
                    raise RuntimeError("the photo arrived before the edits were done")
                on_loop(proxy.half_open)
                on_loop(proxy.cut)
                mute = edits_of(a, watch, EDITS, PAUSE)
    yield Figure(
        "an edit seen elsewhere while 20 MB go to an S3, p95", beside.p95, "ms", LIMIT,
        against=alone.p95, against_what="the same without a photo",
    )  # fmt: skip
    yield Figure(
        "  the same, p50", beside.p50, "ms", against=alone.p50, against_what="the same without a photo"
    )
    yield Figure(
        "an edit seen elsewhere while the S3 is silent, p95", mute.p95, "ms", LIMIT,
        against=alone.p95, against_what="the same without a photo",
    )  # fmt: skip
    yield Figure(
        "  the same, p50", mute.p50, "ms", against=alone.p50, against_what="the same without a photo"
    )


def _attach(station: SyncedStation) -> None:
    order = station.do(create_work_order(product="FRAME-M", quantity=60)).result
    assert order is not None
    taken = take_bytes(BlobFolder(station.folder), "large.bin", random.Random(1).randbytes(PHOTO))
    station.do(
        attach_file(
            owner="work_order", owner_id=order, name="large.bin", sha256=taken.sha256, size=taken.size
        )
    )
