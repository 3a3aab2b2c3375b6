"""Photos and files on the screen: added by drop, paste and button, seen closely, saved, removed, undone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QListView, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.domain.attachments import AttachmentState
from app.domain.people import Actor
from app.operations.change import Outcome
from app.plant import House
from app.store.blobs import BlobFolder
from app.store.queries.attachments import AttachedFile
from app.store.tables import Attachment, Meta
from app.sync.status import SyncStatus, Transfer, write_status
from ui.bridge.desk import Desk
from ui.models.attachment_card import thumbnail_of
from ui.models.attachments import AttachmentPanel
from ui.theme import Density, Theme
from ui.widgets.attachment_strip import AttachmentStrip, Tile, tile_size


def jpeg(width: int = 600, height: int = 400, colour: str = "navy") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "JPEG")
    return written.getvalue()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "weld seam.jpg"
    file.write_bytes(jpeg())
    return file


@pytest.fixture
def panel(qtbot: QtBot, desk: Desk, order: Callable[..., UUID]) -> Iterator[AttachmentPanel]:
    made = AttachmentPanel(desk, "work_order")
    qtbot.addWidget(made)
    made.resize(420, 300)
    made.show_row(order())
    made.show()
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)
    yield made
    if made.card is not None:
        made.card.close()
    qtbot.waitUntil(lambda: desk.tasks.idle, timeout=5000)


@pytest.mark.usefixtures("qapp")
def test_a_small_picture_that_would_unpack_to_gigabytes_is_not_unpacked() -> None:
    def attached(thumbnail: bytes) -> AttachedFile:
        at = datetime(2026, 4, 12, 10, tzinfo=UTC)
        return AttachedFile(
            uuid4(), "a.jpg", "image/jpeg", 1, "ab" * 32, thumbnail, "Eve", at, AttachmentState.SENT
        )

    assert thumbnail_of(attached(jpeg(320, 240))).width() == 320
    assert thumbnail_of(attached(jpeg(3000, 2000))).isNull()
    assert thumbnail_of(attached(b"")).isNull()


def drop(panel: AttachmentPanel, *files: Path) -> None:
    content = QMimeData()
    content.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    event = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        content,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.strip.dropEvent(event)
    assert event.isAccepted()


def shows(qtbot: QtBot, panel: AttachmentPanel, *names: str) -> None:
    qtbot.waitUntil(lambda: sorted(t.name for t in panel.strip.tiles.shown) == sorted(names), timeout=5000)


def test_dropped_files_are_added_with_small_pictures(
    qtbot: QtBot, panel: AttachmentPanel, photo: Path, tmp_path: Path
) -> None:
    assert panel.strip.hint.isVisible()
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.4 not much")
    drop(panel, photo, report)
    shows(qtbot, panel, "weld seam.jpg", "report.pdf")
    tiles = {tile.name: tile for tile in panel.strip.tiles.shown}
    assert tiles["weld seam.jpg"].picture.width() == 320
    assert tiles["report.pdf"].picture.isNull()
    assert "added by Ada Boss" in tiles["report.pdf"].tip
    assert not panel.strip.hint.isVisible()


def test_a_picture_on_the_clipboard_is_pasted_by_key(qtbot: QtBot, panel: AttachmentPanel) -> None:
    image = QImage(80, 60, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    QTest.keyClick(panel.strip, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(panel.files) == 1, timeout=5000)
    assert panel.files[0].mime == "image/png"
    assert panel.files[0].name.startswith("Picture 2")
    QGuiApplication.clipboard().clear()


def test_the_button_opens_a_dialog_that_blocks_nothing(
    qtbot: QtBot, panel: AttachmentPanel, photo: Path
) -> None:
    panel.strip.add_button.click()
    dialog = panel.findChild(QFileDialog, "attachment-dialog")
    assert dialog is not None
    assert dialog.isVisible()
    dialog.filesSelected.emit([str(photo)])
    dialog.close()
    shows(qtbot, panel, "weld seam.jpg")


def test_what_cannot_be_added_is_said_in_a_sentence(
    qtbot: QtBot, desk: Desk, panel: AttachmentPanel, tmp_path: Path
) -> None:
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    with qtbot.waitSignal(desk.refused, timeout=5000) as refused:
        drop(panel, program)
    assert refused.args is not None
    assert "programs cannot be attached" in refused.args[0]


def test_delete_removes_and_undo_brings_back(
    qtbot: QtBot, desk: Desk, panel: AttachmentPanel, photo: Path
) -> None:
    done: list[Outcome[Any]] = []
    desk.performed.connect(done.append)
    drop(panel, photo)
    shows(qtbot, panel, "weld seam.jpg")
    panel.strip.list.setCurrentIndex(panel.strip.tiles.index(0))
    QTest.keyClick(panel.strip.list, Qt.Key.Key_Delete)
    shows(qtbot, panel)
    qtbot.waitUntil(lambda: len(done) == 2, timeout=5000)
    desk.undo(done[-1].change_id)
    shows(qtbot, panel, "weld seam.jpg")


def test_a_click_shows_the_photo_large_and_the_wheel_enlarges_it(
    qtbot: QtBot, panel: AttachmentPanel, photo: Path
) -> None:
    photo.write_bytes(jpeg(2400, 1600))
    drop(panel, photo)
    shows(qtbot, panel, "weld seam.jpg")
    panel.strip.open_requested.emit(panel.files[0].id)
    card = panel.card
    assert card is not None
    qtbot.waitUntil(lambda: card.view.has_picture, timeout=5000)
    fitted = card.view.zoom
    assert fitted < 1
    card.view.zoom_in()
    assert card.view.zoom > fitted
    QTest.keyClick(card.view, Qt.Key.Key_0)
    assert card.view.zoom == fitted
    QTest.keyClick(card.view, Qt.Key.Key_Plus)
    QTest.keyClick(card.view, Qt.Key.Key_Right)
    QTest.keyClick(card, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.card is None, timeout=5000)


def test_a_copy_is_saved_and_removing_closes_the_card(
    qtbot: QtBot, panel: AttachmentPanel, photo: Path, tmp_path: Path
) -> None:
    drop(panel, photo)
    shows(qtbot, panel, "weld seam.jpg")
    panel.open_file(panel.files[0].id)
    card = panel.card
    assert card is not None
    qtbot.waitUntil(card.save_button.isEnabled, timeout=5000)
    target = tmp_path / "copy.jpg"
    card.save_copy(str(target))
    qtbot.waitUntil(lambda: "Saved a copy" in card.words.text(), timeout=5000)
    assert target.read_bytes() == photo.read_bytes()
    card.remove_button.click()
    shows(qtbot, panel)
    qtbot.waitUntil(lambda: panel.card is None, timeout=5000)


def test_a_damaged_file_is_said_and_not_shown(
    qtbot: QtBot, house: House, panel: AttachmentPanel, photo: Path
) -> None:
    drop(panel, photo)
    shows(qtbot, panel, "weld seam.jpg")
    BlobFolder(house.folder).file(panel.files[0].sha256).write_bytes(b"rust")
    panel.open_file(panel.files[0].id)
    card = panel.card
    assert card is not None
    qtbot.waitUntil(lambda: bool(card.view.words) and card.view.words != "Opening…", timeout=5000)
    assert not card.view.has_picture
    assert not card.save_button.isEnabled()


class _Control:
    """The sync process, as far as a card asks it."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def sync_now(self) -> None: ...

    def work_offline(self, offline: bool) -> None: ...

    def look_at(self, entity: str, row_id: UUID | None, actor: str = "", editing: bool = False) -> None: ...

    def fetch_file(self, sha256: str) -> None:
        self.fetched.append(sha256)


def _remote(house: House, row_id: UUID, data: bytes, *, stored: bool = True) -> str:
    import hashlib

    sha256 = hashlib.sha256(data).hexdigest()
    row = Attachment(
        id=uuid4(), owner="work_order", owner_id=row_id, name="from 07.jpg", mime="image/jpeg", size=len(data),
        sha256=sha256, stored=stored, at=house.door.clock(), author="Bo",
    )  # fmt: skip

    def write(session: Any) -> None:
        session.add(row)
        session.merge(Meta(key="sync.station", value="08"))
        session.merge(Meta(key="sync.server_id", value=str(UUID(int=1))))

    house.store.submit(write).result()
    return sha256


def test_a_photo_of_another_station_is_fetched_when_it_is_opened(
    qtbot: QtBot, desk: Desk, house: House, panel: AttachmentPanel
) -> None:
    data = jpeg(colour="darkgreen")
    row_id = panel._row
    assert row_id is not None
    sha256 = _remote(house, row_id, data)
    panel.show_row(row_id)
    shows(qtbot, panel, "from 07.jpg")
    assert panel.strip.tiles.shown[0].state == "☁ not here"
    control = _Control()
    desk.sharing.control = control
    write_status(house.folder, SyncStatus(pid=1, written_at=house.door.clock()))
    qtbot.waitUntil(lambda: desk.sharing.now.heard is not None, timeout=10_000)
    panel.open_file(panel.files[0].id)
    card = panel.card
    assert card is not None
    qtbot.waitUntil(lambda: control.fetched == [sha256], timeout=5000)
    assert "Fetching" in card.view.words
    BlobFolder(house.folder).add(data)
    qtbot.waitUntil(lambda: card.view.has_picture, timeout=5000)
    qtbot.waitUntil(card.save_button.isEnabled, timeout=5000)


def test_a_photo_that_is_still_at_its_station_says_so(
    qtbot: QtBot, house: House, panel: AttachmentPanel
) -> None:
    row_id = panel._row
    assert row_id is not None
    _remote(house, row_id, jpeg(), stored=False)
    panel.show_row(row_id)
    shows(qtbot, panel, "from 07.jpg")
    assert panel.files[0].state is AttachmentState.ELSEWHERE
    panel.open_file(panel.files[0].id)
    card = panel.card
    assert card is not None
    assert "still on the station that added it" in card.view.words


def test_what_is_on_its_way_shows_how_far_it_is(
    qtbot: QtBot, desk: Desk, house: House, panel: AttachmentPanel, photo: Path
) -> None:
    row_id = panel._row
    assert row_id is not None
    drop(panel, photo)
    shows(qtbot, panel, "weld seam.jpg")
    _remote(house, row_id, jpeg(colour="black"))
    panel.show_row(row_id)
    shows(qtbot, panel, "weld seam.jpg", "from 07.jpg")
    mine = next(file for file in panel.files if file.name == "weld seam.jpg")
    qtbot.waitUntil(lambda: _state(panel, mine.id) == "⇅ waiting", timeout=5000)
    moving = Transfer(mine.sha256, True, 42, 100)
    write_status(house.folder, SyncStatus(pid=1, written_at=house.door.clock(), transfers=(moving,)))
    qtbot.waitUntil(lambda: _state(panel, mine.id) == "⇅ 42 %", timeout=10_000)


def _state(panel: AttachmentPanel, key: UUID) -> str:
    return next(tile.state for tile in panel.strip.tiles.shown if tile.key == key)


def test_nobody_at_the_screen_adds_nothing(
    qtbot: QtBot, desk: Desk, admin: Actor, panel: AttachmentPanel
) -> None:
    desk.set_actor(None)
    assert not panel.strip.add_button.isEnabled()
    desk.set_actor(admin)
    assert panel.strip.add_button.isEnabled()


def test_tiles_are_large_enough_for_gloves(theme: Theme, panel: AttachmentPanel) -> None:
    theme.set_density(Density.TOUCH)
    assert tile_size().width() >= 64
    assert panel.strip.add_button.minimumHeight() >= 64


@pytest.mark.parametrize(("window_height", "rows"), [(700, 1), (1100, 2)])
def test_photos_leave_room_for_what_they_belong_to(
    qtbot: QtBot, theme: Theme, window_height: int, rows: int
) -> None:
    theme.set_density(Density.TOUCH)
    window = QWidget()
    qtbot.addWidget(window)
    strip = AttachmentStrip()
    column = QVBoxLayout(window)
    column.addStretch(1)
    column.addWidget(strip)
    window.resize(340, window_height)
    window.show()
    strip.set_tiles([Tile(uuid4(), f"{n}.jpg", QPixmap(), "file", "", "") for n in range(5)])
    tiles = strip.findChild(QListView)
    assert tiles is not None
    qtbot.waitUntil(lambda: tiles.height() == rows * tile_size().height() + 4, timeout=5000)
