"""The line at the top of every window: search, alarms, what waits to be sent, how old the values are, who works."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.domain.alarms import alarm_words
from app.domain.people import Actor
from ui.actions import ActionSet
from ui.bridge.annunciator import Annunciator
from ui.bridge.desk import Desk
from ui.bridge.live import LiveDesk
from ui.bridge.values_now import ALL_THERE, LinksLost
from ui.models.sharing_words import headline
from ui.models.wording import age as age_words
from ui.theme import Density
from ui.widgets.alarm_strip import AlarmStrip
from ui.widgets.buttons import ActionButton, IconButton
from ui.widgets.themed import RoleLabel, ThemedWidget

USER_ACTIONS = ("switch-user", "lock", "change-password", "theme", "density", "help", "reset-layout")


NARROW = 1200
SEARCH = "Search or do…   Ctrl+K"
WIDE = 1500  # px at 100 %: below it words that the status strip says too are cut short
SHORT_SEARCH = "Search   Ctrl+K"


def age_text(seconds: float | None, lost: LinksLost = ALL_THERE) -> str:
    """How old the newest sign of life from the machines is, for a narrow place; `lost` are the links that are down."""
    if seconds is None:
        return "○ no live data"
    shown = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    if seconds > 5:
        return f"○ stale {shown}"
    if lost.lost and lost.lost == lost.known:
        return f"○ {lost.words}"
    return f"◐ live {shown} · {lost.words}" if lost.lost else f"● live {shown}"


class TopStrip(ThemedWidget):
    """Shows; what is clicked comes out as the key of an action or a place."""

    action_requested = Signal(str)
    place_requested = Signal(str, object)
    navigation_toggled = Signal()

    def __init__(self, desk: Desk, live: LiveDesk, sound: Annunciator, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("topStrip")
        self._desk, self._live, self._sound = desk, live, sound
        self.menu_button = IconButton("list", "Show or hide the words of the navigation")
        self.search_button = ActionButton(SEARCH, icon="magnifying-glass")
        self.search_button.setAccessibleName("Search or do")
        self.search_button.setToolTip("Search or do… (Ctrl+K)")
        self.alarms = AlarmStrip()
        self.mute = ActionButton("")
        self.mute.setObjectName("muteAlarms")
        self.unsent = ActionButton("")
        self.unsent.setFlat(True)
        self.age = RoleLabel("", "meta", "text2")
        self.clock = RoleLabel("", "strong")
        self.user = ActionButton("", icon="user")
        self._menu = QMenu(self)
        self._changes = self._conflicts = 0
        self._lay_out()
        self.menu_button.clicked.connect(self.navigation_toggled)
        self.search_button.clicked.connect(partial(self._ask, "palette"))
        self.alarms.clicked.connect(self._to_alarms)
        self.mute.clicked.connect(partial(self._ask, "mute"))
        self.unsent.clicked.connect(self._to_sharing)
        self.user.setMenu(self._menu)
        desk.actor_changed.connect(self._on_actor)
        live.alarms_changed.connect(self.show_alarms)
        live.collector_changed.connect(self._on_collector)
        sound.changed.connect(self.show_sound)
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self.tick)
        self._second.start()
        self._on_actor(desk.actor)
        desk.sharing.changed.connect(self.show_unsent)
        self.show_unsent()
        self.show_alarms()
        self.show_sound()
        self.tick()

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 5)
        layout.setSpacing(8)
        self.clock.setToolTip(datetime.now().astimezone().strftime("Local time, %Z (UTC%z)"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout.addWidget(self.menu_button)
        layout.addWidget(self.search_button)
        layout.addWidget(self.alarms, 1)
        layout.addWidget(self.mute)
        layout.addWidget(self.unsent)
        layout.addWidget(self.age)
        layout.addWidget(self.clock)
        layout.addWidget(self.user)

    def fill_menu(self, actions: ActionSet) -> None:
        """Take the user menu from the window's actions."""
        self._menu.clear()
        for key in USER_ACTIONS:
            self._menu.addAction(actions.action(key))

    def show_unsent(self, _sharing: object = None) -> None:
        """Changes and conflicts that are on their way; nothing where nothing waits or nothing is shared."""
        sharing = self._desk.sharing.now
        self._changes, self._conflicts = sharing.to_send, sharing.conflicts
        self._word_unsent()
        self.unsent.setToolTip(headline(sharing, self._desk.house.door.clock()).text)
        self.unsent.setVisible(sharing.joined and bool(self._changes or self._conflicts))

    def _is_wide(self) -> bool:
        return self.width() >= WIDE * self.theme.density.type_scale

    def _word_unsent(self) -> None:
        wide = self._is_wide()
        parts = [f"⇅ {self._changes:,}{' to send' if wide else ''}"] if self._changes else []
        if self._conflicts:
            noun = "conflict" if self._conflicts == 1 else "conflicts"
            parts.append(f"⚡ {self._conflicts:,}{f' {noun}' if wide else ''}")
        self.unsent.setText("  ".join(parts))
        self.unsent.setAccessibleName(
            f"{self._changes:,} changes to send, {self._conflicts:,} conflicts to settle"
        )

    def set_locked(self, locked: bool) -> None:
        """While nobody is logged in only alarms, ages and the clock are shown."""
        for widget in (self.menu_button, self.search_button, self.user):
            widget.setVisible(not locked)

    def show_alarms(self) -> None:
        self.alarms.set_counts(self._live.alarm_counts)
        newest = self._live.newest_alarm
        if newest is None:
            self.alarms.set_newest("")
            heard, unheard = self._live.collector_state.live, self._live.links_lost.unheard
            quiet = f"No alarm is known of; nothing is heard of {unheard}" if unheard else "No active alarms"
            self.alarms.set_quiet_text(quiet if heard else "The collector is not heard")
        else:
            age = age_words(newest.raised_at, self._live.now())
            self.alarms.set_newest(alarm_words(newest, self._live.plant), age, newest.priority)

    def show_sound(self) -> None:
        """The twin of the sound for the eye: what sounds can be muted, what is muted says for how long."""
        left = round(self._sound.muted_seconds)
        sounding = self._sound.sounding is not None
        self.mute.setVisible(sounding or left > 0)
        self.mute.setEnabled(sounding)
        words = "Mute" if sounding else f"Muted {left // 60}:{left % 60:02d}"
        self.mute.setText(words)
        self.mute.setAccessibleName("Mute the alarm sound" if sounding else f"Alarm sound {words.lower()}")
        self.mute.setToolTip(
            "Mute the alarm sound for 2 minutes (Ctrl+M)"
            if sounding
            else "New alarms are heard all the same; the muted ones again when the time is over."
        )

    def tick(self) -> None:
        """What changes each second: clock and ages."""
        self.clock.setText(datetime.now().astimezone().strftime("%H:%M:%S"))
        lost = self._live.links_lost
        words = age_text(self._live.data_age, lost)
        self.age.setText(words if self._is_wide() or lost.lost == lost.known else words.partition(" · ")[0])
        self.age.setToolTip(f"{self._live.collector_state.sentence} {words[2:]}")
        if self._live.newest_alarm is not None:
            self.show_alarms()
        self.show_sound()

    def _on_collector(self, _state: object) -> None:
        self.show_alarms()
        self.tick()

    def _on_actor(self, actor: Actor | None) -> None:
        self.user.setText(actor.name if actor else "")
        self.user.setToolTip(f"{actor.name}, {actor.role.value}" if actor else "")
        self.user.setAccessibleName(f"{actor.name}, {actor.role.value}: account and look" if actor else "")

    def _ask(self, key: str, _checked: bool = False) -> None:
        self.action_requested.emit(key)

    def _to_alarms(self) -> None:
        self.place_requested.emit("alarms", None)

    def _to_sharing(self, _checked: bool = False) -> None:
        self.place_requested.emit("sharing", None)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            painter.fillRect(self.rect(), self.tokens.panel)
            painter.fillRect(0, self.height() - 1, self.width(), 1, self.tokens.divider)
        finally:
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._word()

    def _word(self) -> None:
        """Where it is narrow the alarms get the room; the key for the search is in its tooltip.

        Who wears gloves presses no key: there its name needs no room either.
        """
        narrow = self.width() < NARROW
        short = SHORT_SEARCH if self.theme.density is not Density.TOUCH else SHORT_SEARCH.split(" ", 1)[0]
        self.search_button.setText("" if narrow else SEARCH if self._is_wide() else short)
        self.age.setVisible(not narrow)
        self._word_unsent()

    def restyle(self) -> None:
        self.setMinimumHeight(self.theme.density.control_height + 9)
        self._word()
