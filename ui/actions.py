"""One table of everything that can be done from the window: menus, buttons, the palette, keys and `?` come from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.domain.people import Permission
from ui.bridge.desk import Desk
from ui.widgets.buttons import ActionButton


@dataclass(frozen=True)
class Place:
    """A screen that the navigation lists; `letter` follows G (go to), `digit` its place in the list."""

    key: str
    title: str
    icon: str
    letter: str
    permission: Permission | None = None


PLACES = (
    Place("dashboard", "Dashboard", "gauge", "D"),
    Place("orders", "Work orders", "list-bullets", "O"),
    Place("board", "Stage board", "columns", "B"),
    Place("equipment", "Machines", "factory", "M"),
    Place("charts", "Charts", "chart-line", "C"),
    Place("alarms", "Alarms", "bell", "A"),
    Place("inspections", "Inspections", "check-square", "I"),
    Place("issues", "Issues", "warning", "S"),
    Place("maintenance", "Maintenance", "wrench", "T"),
    Place("machines", "Connections", "tree-structure", "N"),
    Place("import", "Import", "file-arrow-down", "X", Permission.IMPORT),
    Place("users", "Users", "users", "U", Permission.MANAGE_USERS),
    Place("sharing", "Sharing", "arrows-down-up", "H"),
    Place("system", "System", "activity", "Y"),
)


@dataclass(frozen=True)
class ActionSpec:
    """One action: `place` is where it works (empty: everywhere); `primary` is the one main button."""

    key: str
    title: str
    place: str = ""
    shortcut: str = ""
    permission: Permission | None = None
    icon: str = ""
    primary: bool = False


ACTIONS = (
    ActionSpec("palette", "Search or do…", shortcut="Ctrl+K"),
    ActionSpec("undo", "Undo", shortcut="Ctrl+Z"),
    ActionSpec("help", "Show all keys", shortcut="?"),
    ActionSpec("filter", "Filter this list", shortcut="/"),
    ActionSpec("back", "Back", shortcut="Alt+Left"),
    ActionSpec("next-alarm", "Next unacknowledged alarm", shortcut="F8"),
    ActionSpec("mute", "Mute the alarm sound for 2 minutes", shortcut="Ctrl+M"),
    ActionSpec("test-sound", "Test the alarm sound"),
    ActionSpec("wall", "Wall mode", shortcut="F11"),
    ActionSpec("new-window", "Second window", shortcut="Ctrl+Shift+N"),
    ActionSpec("lock", "Lock", shortcut="Ctrl+L"),
    ActionSpec("switch-user", "Switch user", shortcut="Ctrl+Shift+L"),
    ActionSpec("theme", "Switch light and dark", shortcut="Ctrl+Shift+D"),
    ActionSpec("density", "Switch desk and touch size", shortcut="Ctrl+Shift+T"),
    ActionSpec("change-password", "Change my password", permission=Permission.OWN_ACCOUNT),
    ActionSpec("reset-layout", "Reset the layout"),
    ActionSpec("refresh", "Refresh", shortcut="F5"),
    ActionSpec("orders.new", "New order", "orders", "Ctrl+N", Permission.PLAN_ORDERS, "plus", primary=True),
    ActionSpec("orders.edit", "Edit", "orders", "E", Permission.PLAN_ORDERS, "pencil-simple"),
    ActionSpec("orders.advance", "Next step", "orders", "S", Permission.MOVE_OWN_STAGES, "arrow-right"),
    ActionSpec("orders.duplicate", "Duplicate", "orders", "Ctrl+D", Permission.PLAN_ORDERS, "copy"),
    ActionSpec("orders.cancel", "Cancel orders", "orders", "", Permission.PLAN_ORDERS, "prohibit"),
    ActionSpec("orders.delete", "Delete", "orders", "Del", Permission.DELETE_ORDERS, "trash"),
    ActionSpec("orders.import", "Import…", "orders", "Ctrl+O", Permission.IMPORT, "file-arrow-down"),
    ActionSpec("orders.export", "Export…", "orders", "Ctrl+E", None, "file-arrow-up"),
    ActionSpec("board.move", "Move…", "board", "", Permission.MOVE_OWN_STAGES, "arrow-right", primary=True),
    ActionSpec("board.advance", "Next step", "board", "S", Permission.MOVE_OWN_STAGES, "arrow-right"),
    ActionSpec("board.block", "Block…", "board", "B", Permission.MOVE_OWN_STAGES, "prohibit"),
    ActionSpec("board.unblock", "Unblock", "board", "U", Permission.MOVE_OWN_STAGES, "check"),
    ActionSpec("board.limits", "Limits of the columns…", "board", "", Permission.ASSIGN_STAGES),
    ActionSpec("board.assign", "Assign…", "board", "A", Permission.ASSIGN_STAGES, "user"),
    ActionSpec("board.issue", "Raise issue…", "board", "Ctrl+I", Permission.RAISE_ISSUES, "warning"),
    ActionSpec("board.inspect", "Log inspection…", "board", "Q", Permission.INSPECT, "check-square"),
    ActionSpec("equipment.chart", "Chart", "equipment", "C", None, "chart-line", primary=True),
    ActionSpec(
        "equipment.maintenance", "In maintenance", "equipment", "", Permission.CONFIGURE_PLANT, "wrench"
    ),
    ActionSpec(
        "equipment.write",
        "Send a value…",
        "equipment",
        "",
        Permission.WRITE_TO_MACHINES,
        "paper-plane-tilt",
    ),
    ActionSpec(
        "equipment.apply", "Apply a plant file…", "equipment", "", Permission.CONFIGURE_PLANT, "factory"
    ),
    ActionSpec("machines.tags", "Tags", "machines", "T", None, "list-bullets"),
    ActionSpec("machines.browse", "Add tags…", "machines", "A", Permission.CONFIGURE_PLANT, "plus"),
    ActionSpec("machines.edit", "Edit", "machines", "E", Permission.CONFIGURE_PLANT, "pencil-simple"),
    ActionSpec(
        "machines.new",
        "New connection…",
        "machines",
        "Ctrl+N",
        Permission.CONFIGURE_PLANT,
        "plus",
        primary=True,
    ),
    ActionSpec("machines.test", "Test", "machines", "", Permission.CONFIGURE_PLANT, "broadcast"),
    ActionSpec("machines.password", "Password…", "machines", "", Permission.CONFIGURE_PLANT, "key"),
    ActionSpec("machines.enable", "Switch off", "machines", "", Permission.CONFIGURE_PLANT, "prohibit"),
    ActionSpec("machines.takeover", "Take over…", "machines", "", Permission.CONFIGURE_PLANT, "swap"),
    ActionSpec("machines.delete", "Delete", "machines", "Del", Permission.CONFIGURE_PLANT, "trash"),
    ActionSpec("machines.export", "Export the plant…", "machines", "Ctrl+E", None, "file-arrow-up"),
    ActionSpec("charts.freeze", "Freeze", "charts", "Space", None, "pause"),
    ActionSpec("charts.live", "Jump to live", "charts", "L", None, "play", primary=True),
    ActionSpec("charts.zoom-in", "Shorter time", "charts", "+", None, "plus"),
    ActionSpec("charts.zoom-out", "Longer time", "charts", "-", None, "minus"),
    ActionSpec("charts.back", "Zoom back (in a chart also Ctrl+Z)", "charts", "Backspace"),
    ActionSpec("charts.fit", "Fit: everything as it was chosen", "charts", "0", None, "arrows-out"),
    ActionSpec("charts.pan", "Earlier, later", "charts", "Left, Right"),
    ActionSpec("charts.point", "Move the crosshair", "charts", "Shift+Left, Shift+Right"),
    ActionSpec("charts.home", "To the oldest data", "charts", "Home"),
    ActionSpec("charts.end", "To the newest data", "charts", "End"),
    ActionSpec("charts.range", "From … to …", "charts", "Ctrl+G"),
    ActionSpec("charts.cursor-a", "Cursor A here", "charts", "A"),
    ActionSpec("charts.cursor-b", "Cursor B here", "charts", "B"),
    ActionSpec("charts.no-cursors", "Remove the cursors", "charts", "Shift+A"),
    ActionSpec("charts.compare", "Compare with another time", "charts", "C"),
    ActionSpec("charts.events", "Choose which events are shown", "charts", "E"),
    ActionSpec("charts.event-before", "Event before", "charts", "["),
    ActionSpec("charts.event-after", "Event after", "charts", "]"),
    ActionSpec("charts.open-event", "Open the event", "charts", "Ctrl+Return"),
    ActionSpec("charts.note", "Note here…", "charts", "N", Permission.WRITE_NOTES, "note-pencil"),
    ActionSpec("charts.correct", "Correct between A and B…", "charts", "K", Permission.CORRECT_HISTORY),
    ActionSpec("charts.table", "Curves as a table", "charts", "T", None, "table"),
    ActionSpec("charts.multiples", "One chart for each signal", "charts", "M"),
    ActionSpec("charts.values", "Range of values…", "charts", "R"),
    ActionSpec("charts.up", "Move the chart up", "charts", "Alt+Up"),
    ActionSpec("charts.down", "Move the chart down", "charts", "Alt+Down"),
    ActionSpec("charts.views", "Saved views", "charts", "V"),
    ActionSpec("charts.save-view", "Save view…", "charts", "Ctrl+S", Permission.OWN_ACCOUNT),
    ActionSpec("charts.data", "Export data…", "charts", "Ctrl+E", None, "file-arrow-up"),
    ActionSpec("charts.picture", "Save picture…", "charts", "Ctrl+Shift+E", None, "image"),
    ActionSpec("charts.copy", "Copy picture", "charts", "Ctrl+C", None, "copy"),
    ActionSpec("charts.clear", "Clear selection", "charts", "", None, "x"),
    ActionSpec(
        "alarms.ack",
        "Acknowledge",
        "alarms",
        "Shift+F8",
        Permission.ACKNOWLEDGE_ALARMS,
        "check",
        primary=True,
    ),
    ActionSpec(
        "alarms.ack-visible", "Acknowledge visible", "alarms", "", Permission.ACKNOWLEDGE_ALARMS, "checks"
    ),
    ActionSpec(
        "alarms.comment",
        "Acknowledge with comment…",
        "alarms",
        "",
        Permission.ACKNOWLEDGE_ALARMS,
        "note-pencil",
    ),
    ActionSpec("alarms.unshelve", "Unshelve", "alarms", "", Permission.SHELVE_ALARMS, "tray"),
    ActionSpec("alarms.shelve", "Shelve…", "alarms", "H", Permission.SHELVE_ALARMS, "archive"),
    ActionSpec(
        "alarms.reset", "Reset", "alarms", "R", Permission.ACKNOWLEDGE_ALARMS, "arrow-counter-clockwise"
    ),
    ActionSpec("alarms.take-out", "Take out of service…", "alarms", "", Permission.TAKE_ALARMS_OUT, "wrench"),
    ActionSpec("alarms.put-back", "Back in service", "alarms", "", Permission.TAKE_ALARMS_OUT, "tray"),
    ActionSpec("alarms.group", "Group by machine", "alarms", "M", None, "factory"),
    ActionSpec("alarms.export", "Save the journal…", "alarms", "Ctrl+E", None, "file-arrow-up"),
    ActionSpec("alarms.chart", "Chart", "alarms", "C", None, "chart-line"),
    ActionSpec("alarms.pause", "Pause list", "alarms", "P", None, "pause"),
    ActionSpec(
        "inspections.new", "Log inspection", "inspections", "Ctrl+N", Permission.INSPECT, "plus", primary=True
    ),
    ActionSpec("issues.acknowledge", "Acknowledge", "issues", "A", Permission.HANDLE_ISSUES, "check"),
    ActionSpec(
        "issues.resolve", "Resolve…", "issues", "R", Permission.HANDLE_ISSUES, "check-square", primary=True
    ),
    ActionSpec("issues.reopen", "Reopen", "issues", "", Permission.HANDLE_ISSUES, "arrow-counter-clockwise"),
    ActionSpec(
        "maintenance.new",
        "Plan maintenance",
        "maintenance",
        "Ctrl+N",
        Permission.PLAN_MAINTENANCE,
        "plus",
        primary=True,
    ),
    ActionSpec("import.choose", "Choose file…", "import", "Ctrl+O", Permission.IMPORT, "folder-open"),
    ActionSpec("import.back", "Back", "import", "Alt+B", None, "arrow-left"),
    ActionSpec("import.next", "Next", "import", "Alt+N", None, "arrow-right", primary=True),
    ActionSpec("import.error", "Next error", "import", "F7"),
    ActionSpec("import.apply", "Import", "import", "Ctrl+Return", Permission.IMPORT, "check", primary=True),
    ActionSpec("import.undo", "Undo this import", "import", "", Permission.IMPORT, "arrow-counter-clockwise"),
    ActionSpec("sharing.mine", "Take mine", "sharing", "1", None, "user"),
    ActionSpec("sharing.theirs", "Take theirs", "sharing", "2", None, "users"),
    ActionSpec("sharing.other", "Other values", "sharing", "3", None, "pencil-simple"),
    ActionSpec("sharing.next", "Next conflict", "sharing", "N", None, "arrow-right"),
    ActionSpec("sharing.apply", "Settle", "sharing", "Ctrl+Return", None, "check", primary=True),
    ActionSpec("sharing.bring-back", "Bring back", "sharing", "", None, "arrow-counter-clockwise"),
    ActionSpec("sharing.now", "Sync now", "sharing", "", None, "arrows-clockwise"),
    ActionSpec("sharing.offline", "Work offline", "sharing", "", None, "cloud-slash"),
    ActionSpec("users.new", "Add user", "users", "Ctrl+N", Permission.MANAGE_USERS, "plus", primary=True),
    ActionSpec("users.role", "Change role…", "users", "E", Permission.MANAGE_USERS, "user-gear"),
    ActionSpec("users.disable", "Disable", "users", "", Permission.MANAGE_USERS, "prohibit"),
    ActionSpec("users.enable", "Enable", "users", "", Permission.MANAGE_USERS, "check"),
    ActionSpec("users.reset", "Reset password…", "users", "", Permission.MANAGE_USERS, "key"),
)

SPECS: dict[str, ActionSpec] = {spec.key: spec for spec in ACTIONS}


class ActionSet(QObject):
    """The actions of one widget: keys that work while it has the focus, buttons, and why each is not available.

    An action is available when the person may use it and `unavailable` (see `set_unavailable`) gives no reason.
    """

    changed = Signal()

    def __init__(self, host: QWidget, desk: Desk, handlers: Mapping[str, Callable[[], None]]) -> None:
        super().__init__(host)
        self._desk = desk
        self._host = host
        self._handlers = dict(handlers)
        self._actions: dict[str, QAction] = {}
        self._buttons: dict[str, ActionButton] = {}
        self._unavailable: dict[str, str] = {}
        for key in handlers:
            self._actions[key] = self._make(SPECS[key])
        desk.actor_changed.connect(self._on_actor)
        self._refresh()

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.title, self)
        action.setObjectName(f"action-{spec.key}")
        if spec.shortcut:
            action.setShortcut(QKeySequence(spec.shortcut))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(partial(self.trigger, spec.key))
        self._host.addAction(action)
        return action

    def button(self, key: str) -> ActionButton:
        """The button of an action; it shows the reason when the action is not available."""
        spec = SPECS[key]
        button = ActionButton(spec.title, primary=spec.primary, icon=spec.icon or None)
        button.setObjectName(f"button-{key}")
        button.clicked.connect(partial(self.trigger, key))
        self._buttons[key] = button
        self._refresh()
        return button

    def action(self, key: str) -> QAction:
        """The QAction, for menus."""
        return self._actions[key]

    def rename(self, key: str, title: str) -> None:
        """Word an action by what it would do now; its button and menu entry follow."""
        if self._actions[key].text() == title:
            return
        self._actions[key].setText(title)
        if key in self._buttons:
            self._buttons[key].setText(title)
        self._refresh()

    def keys(self) -> list[str]:
        return list(self._handlers)

    def reason(self, key: str) -> str | None:
        """Why the action is not available now; None when it is."""
        permission = SPECS[key].permission
        denied = self._desk.denial(permission) if permission is not None else None
        return denied or self._unavailable.get(key)

    def set_unavailable(self, key: str, reason: str | None) -> None:
        """Say why an action cannot be done now (nothing is selected, say); None lifts it."""
        if self._unavailable.get(key) == reason:
            return
        if reason is None:
            self._unavailable.pop(key, None)
        else:
            self._unavailable[key] = reason
        self._refresh()

    def trigger(self, key: str, _checked: bool = False) -> None:
        """Do it, or say why not."""
        reason = self.reason(key)
        if reason is None:
            self._handlers[key]()
        else:
            self._desk.refused.emit(reason)

    def _on_actor(self, _actor: object) -> None:
        self._refresh()

    def _refresh(self) -> None:
        for key, action in self._actions.items():
            reason = self.reason(key)
            # The action itself stays enabled so that its key can answer with the reason.
            action.setToolTip(reason or action.text())
            if key in self._buttons:
                if reason is not None and self._buttons[key].hasFocus():
                    # Else Qt hands it to whatever comes next, out of reach of the keys of this place.
                    self._host.setFocus(Qt.FocusReason.OtherFocusReason)
                self._buttons[key].refuse(reason)
                if reason is None and SPECS[key].shortcut:
                    self._buttons[key].setToolTip(f"{SPECS[key].title} ({SPECS[key].shortcut})")
        self.changed.emit()
