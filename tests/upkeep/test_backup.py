"""Backups taken in use, proven sound, put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.errors import LinesideError, Refused
from app.domain.people import THE_PLANT
from app.domain.plant import Connection, Equipment, Limits, Plant, Tag
from app.live.store_source import StorePlantSource
from app.operations.alarms import acknowledge_alarm
from app.operations.attachments import attach_file
from app.operations.orders import create_work_order
from app.operations.plant import apply_plant
from app.plant import opened_house
from app.store.blobs import BlobFolder
from app.store.history import AlarmBatch, HistoryReader, HistoryWriter
from app.store.machine_writes import WriteResults
from app.store.read_only import ReadOnlyStore
from app.store.tables import WorkOrder
from app.upkeep import backup
from app.upkeep.backup import create_backup, restore_backup, verify_backup
from app.upkeep.doctor import examine
from tests.store.test_history_sealing import LATER, SOON, T0, at, seal_all


def _products(folder: Path) -> list[str]:
    with opened_house(folder) as house, house.store.reader() as session:
        return list(session.execute(select(WorkOrder.product).order_by(WorkOrder.product)).scalars())


def test_a_backup_taken_while_the_store_is_open_holds_all_that_was_saved(data_dir: Path) -> None:
    with opened_house(data_dir) as house:
        for product in ("A", "B"):
            house.door.perform(create_work_order(product=product, quantity=1), THE_PLANT)
        report = create_backup(data_dir)
        house.door.perform(create_work_order(product="C", quantity=1), THE_PLANT)
    assert report.work_orders == 2
    assert verify_backup(Path(report.file)).audit_lines == 2


def test_a_restore_brings_the_backup_back_and_keeps_what_it_replaced(data_dir: Path, tmp_path: Path) -> None:
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="OLD", quantity=1), THE_PLANT)
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="YOUNG", quantity=1), THE_PLANT)
    kept = restore_backup(data_dir, Path(report.file))
    assert _products(data_dir) == ["OLD"]
    assert verify_backup(kept).work_orders == 2


def _attached(folder: Path, content: bytes) -> str:
    with opened_house(folder) as house:
        order = house.door.perform(create_work_order(product="A", quantity=1), THE_PLANT).result
        blob = BlobFolder(folder).add(content)
        intent = attach_file(
            owner="work_order", owner_id=order, name="photo.jpg", sha256=blob.sha256, size=blob.size
        )
        house.door.perform(intent, THE_PLANT)
    return blob.sha256


def test_photos_go_along_and_come_back(data_dir: Path, tmp_path: Path) -> None:
    sha256 = _attached(data_dir, b"light and shade")
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    assert report.files == 1
    BlobFolder(data_dir).remove(sha256)
    lost = next(finding for finding in examine(data_dir) if finding.subject == "Photos and files")
    assert not lost.well
    assert "1 are missing" in lost.seen
    restore_backup(data_dir, Path(report.file))
    assert BlobFolder(data_dir).read(sha256) == b"light and shade"
    assert all(finding.well for finding in examine(data_dir) if finding.subject == "Photos and files")
    restore_backup(tmp_path / "elsewhere", Path(report.file))
    assert BlobFolder(tmp_path / "elsewhere").is_sound(sha256)


def test_a_damaged_photo_in_a_backup_is_found(data_dir: Path, tmp_path: Path) -> None:
    sha256 = _attached(data_dir, b"light and shade")
    create_backup(data_dir, tmp_path / "copy.sqlite")
    photo = tmp_path / "copy.files" / sha256
    photo.unlink()
    photo.write_bytes(b"dust")
    with pytest.raises(Refused, match="is damaged"):
        verify_backup(tmp_path / "copy.sqlite")


_KEEPS_OPEN = """
import sys
from pathlib import Path
from app.store.read_only import ReadOnlyStore
from app.store.sessions import Store
store = {"window": Store, "collector": ReadOnlyStore}[sys.argv[1]](Path(sys.argv[2]))
print("open", flush=True)
sys.stdin.read()
store.close()
"""


def test_after_a_restore_without_history_acts_on_alarms_are_still_heard(
    data_dir: Path, tmp_path: Path
) -> None:
    def act(count: int) -> None:
        with opened_house(data_dir) as house:
            for _ in range(count):
                house.door.perform(acknowledge_alarm(alarm="M/t"), THE_PLANT)

    plant = Plant(
        (Equipment("M", "Machine"),),
        (Connection("c", "opcua", "opc.tcp://127.0.0.1:4840"),),
        (Tag("M/t", "M", "c", "ns=2;s=t", limits=Limits(hi=80.0)),),
    )
    with opened_house(data_dir) as house:
        house.door.perform(apply_plant(plant=plant), THE_PLANT)
    act(2)
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    act(3)
    with closing(ReadOnlyStore(data_dir)) as store:
        done = [action.id for action in StorePlantSource(store).alarm_actions(())]
    with HistoryWriter(data_dir / "history.sqlite") as writer:
        writer.write([], AlarmBatch(acts=done))
    results = WriteResults(data_dir / "history.sqlite")
    results.begin("w", 7, "M/t", T0)
    restore_backup(data_dir, Path(report.file))
    act(1)
    with HistoryWriter(data_dir / "history.sqlite") as writer, closing(ReadOnlyStore(data_dir)) as store:
        acts = StorePlantSource(store).alarm_actions(writer.alarm_acts())
    assert (len(done), len(acts)) == (5, 1)
    assert results.last_number() == 0
    results.close()


@pytest.mark.parametrize("who", ["window", "collector"])
def test_a_restore_is_refused_while_another_process_has_the_store_open(
    data_dir: Path, tmp_path: Path, who: str
) -> None:
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="MINE", quantity=1), THE_PLANT)
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", _KEEPS_OPEN, who, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(backup.__file__).parents[2],
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        inode = (data_dir / "lineside.sqlite").stat().st_ino
        with pytest.raises(Refused, match="Close Lineside on this computer first"):
            restore_backup(data_dir, Path(report.file))
        assert (data_dir / "lineside.sqlite").stat().st_ino == inode
        other.stdin.close()
        assert other.wait(30) == 0
    restore_backup(data_dir, Path(report.file))
    assert _products(data_dir) == ["MINE"]


def test_a_restore_into_a_missing_folder_makes_it_for_its_owner_only(data_dir: Path, tmp_path: Path) -> None:
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="MOVED", quantity=1), THE_PLANT)
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    folder = tmp_path / "new" / "data"
    restore_backup(folder, Path(report.file))
    assert _products(folder) == ["MOVED"]
    assert [path.stat().st_mode & 0o077 for path in (folder, folder / "lineside.sqlite")] == [0, 0]


def test_a_backup_with_a_flipped_byte_is_found_out(data_dir: Path, tmp_path: Path) -> None:
    with opened_house(data_dir) as house:
        for _ in range(40):
            house.door.perform(create_work_order(product="P" * 100, quantity=1), THE_PLANT)
    copy = tmp_path / "copy.sqlite"
    create_backup(data_dir, copy)
    content = bytearray(copy.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 12] = b"\xff" * 12
    copy.write_bytes(content)
    with pytest.raises(LinesideError):
        verify_backup(copy)
    with pytest.raises(LinesideError):
        restore_backup(data_dir, copy)
    assert len(_products(data_dir)) == 40


def test_a_backup_never_overwrites_a_file(data_dir: Path, tmp_path: Path) -> None:
    with opened_house(data_dir):
        pass
    (tmp_path / "mine.sqlite").write_text("precious")
    with pytest.raises(Refused, match="exists already"):
        create_backup(data_dir, tmp_path / "mine.sqlite")
    assert (tmp_path / "mine.sqlite").read_text() == "precious"


def test_the_doctor_names_a_wrong_setting_and_a_damaged_store(data_dir: Path) -> None:
    with opened_house(data_dir):
        pass
    assert all(finding.well for finding in examine(data_dir))
    (data_dir / "settings.toml").write_text("station = 7")
    (data_dir / "lineside.sqlite").write_bytes(b"broken" * 1000)
    ill = {finding.subject for finding in examine(data_dir) if not finding.well}
    assert ill == {"Settings", "Store"}


def _values(folder: Path) -> list[object]:
    with HistoryReader(folder / "history.sqlite") as reader:
        return [sample.value for sample in reader.samples("M/x", T0, LATER)]


def test_the_history_is_backed_up_while_it_is_written_and_put_back_with_the_store(
    data_dir: Path, tmp_path: Path
) -> None:
    with opened_house(data_dir):
        pass
    with HistoryWriter(data_dir / "history.sqlite", keeping=SOON) as writer:
        writer.write([at(s, float(s)) for s in range(100)])
        seal_all(writer)
        writer.write([at(100, 100.0)])
        report = create_backup(data_dir, tmp_path / "copy.sqlite", with_history=True)
        writer.write([at(101, 101.0)])
    assert report.history_samples == 101
    assert verify_backup(tmp_path / "copy.sqlite") == report
    kept = restore_backup(data_dir, tmp_path / "copy.sqlite")
    assert _values(data_dir) == [float(s) for s in range(101)]
    assert verify_backup(kept).history_samples == 102
    with pytest.raises(Refused, match="exists already"):
        create_backup(data_dir, tmp_path / "copy.sqlite", with_history=True)


def test_a_damaged_chunk_in_a_backup_is_found_out_before_anything_is_replaced(
    data_dir: Path, tmp_path: Path
) -> None:
    with opened_house(data_dir):
        pass
    with HistoryWriter(data_dir / "history.sqlite", keeping=SOON) as writer:
        writer.write([at(s, float(s)) for s in range(100)])
        seal_all(writer)
    report = create_backup(data_dir, tmp_path / "copy.sqlite", with_history=True)
    with closing(sqlite3.connect(report.history_file)) as db:
        db.execute("UPDATE chunk_data SET body = zeroblob(length(body))")
        db.commit()
    with pytest.raises(Refused, match="damaged"):
        restore_backup(data_dir, tmp_path / "copy.sqlite")
    assert len(_values(data_dir)) == 100


def test_a_restore_cut_off_at_any_step_leaves_the_old_store_or_the_new_one(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="OLD", quantity=1), THE_PLANT)
    report = create_backup(data_dir, tmp_path / "copy.sqlite")
    with opened_house(data_dir) as house:
        house.door.perform(create_work_order(product="YOUNG", quantity=1), THE_PLANT)
    for module, step in ((shutil, "copyfile"), (os, "fsync"), (os, "link"), (Path, "replace")):
        with monkeypatch.context() as broken:
            broken.setattr(module, step, _cut_off)
            with pytest.raises(_CutOff):
                restore_backup(data_dir, Path(report.file))
        assert _products(data_dir) == ["OLD", "YOUNG"], step
    restore_backup(data_dir, Path(report.file))
    assert _products(data_dir) == ["OLD"]


class _CutOff(BaseException):
    pass


def _cut_off(*_arguments: object, **_options: object) -> None:
    raise _CutOff
