"""Who may do what: roles, the one permission table, password rules, lock-out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from app.domain.errors import Denied, Refused


class Role(StrEnum):
    """The seven roles of a workshop (domain facts of the shop floor)."""

    ADMIN = "admin"
    MANAGER = "manager"
    PLANNER = "planner"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"
    INSPECTOR = "inspector"
    OPERATOR = "operator"


class Permission(StrEnum):
    """One thing that a person can be allowed to do; the value is the wording for people."""

    MANAGE_USERS = "manage users"
    CONFIGURE_PLANT = "change machines, connections and limits"
    PLAN_ORDERS = "create and change work orders"
    DELETE_ORDERS = "delete work orders"
    IMPORT = "import workbooks"
    MOVE_STAGES = "move any stage"
    MOVE_OWN_STAGES = "move the stages assigned to them"
    ASSIGN_STAGES = "assign stages to people"
    RAISE_ISSUES = "raise issues"
    HANDLE_ISSUES = "acknowledge, resolve and reopen issues"
    INSPECT = "log inspections"
    PLAN_MAINTENANCE = "plan maintenance"
    ACKNOWLEDGE_ALARMS = "acknowledge alarms"
    SHELVE_ALARMS = "shelve alarms"
    TAKE_ALARMS_OUT = "take alarms out of service"
    WRITE_TO_MACHINES = "send values to machines"
    CORRECT_HISTORY = "correct measured values"
    WRITE_NOTES = "write notes on curves"
    REMOVE_ATTACHMENTS = "remove photos and files that others added"
    SETTLE_CONFLICTS = "settle conflicts of others"
    SEE_AUDIT = "see the audit trail"
    OWN_ACCOUNT = "change their own password"


_A, _M, _P, _S, _T, _I, _O = Role
_EVERYONE = frozenset(Role)

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    Permission.MANAGE_USERS: frozenset({_A}),
    Permission.CONFIGURE_PLANT: frozenset({_A, _M, _T}),
    Permission.PLAN_ORDERS: frozenset({_A, _M, _P, _S}),
    Permission.DELETE_ORDERS: frozenset({_A, _M, _P}),
    Permission.IMPORT: frozenset({_A, _M, _P, _S}),
    Permission.MOVE_STAGES: frozenset({_A, _M, _P, _S}),
    Permission.MOVE_OWN_STAGES: frozenset({_A, _M, _P, _S, _T, _O}),
    Permission.ASSIGN_STAGES: frozenset({_A, _M, _P, _S}),
    Permission.RAISE_ISSUES: _EVERYONE,
    Permission.HANDLE_ISSUES: frozenset({_A, _M, _S, _T}),
    Permission.INSPECT: frozenset({_A, _M, _S, _I}),
    Permission.PLAN_MAINTENANCE: frozenset({_A, _M, _P, _S, _T}),
    Permission.ACKNOWLEDGE_ALARMS: frozenset({_A, _M, _S, _T, _O}),
    Permission.SHELVE_ALARMS: frozenset({_A, _M, _S, _T}),
    Permission.TAKE_ALARMS_OUT: frozenset({_A, _M, _T}),
    Permission.WRITE_TO_MACHINES: frozenset({_A, _S, _T}),
    Permission.CORRECT_HISTORY: frozenset({_A, _M, _S, _I}),
    Permission.WRITE_NOTES: _EVERYONE,
    Permission.REMOVE_ATTACHMENTS: frozenset({_A, _M, _S}),
    Permission.SETTLE_CONFLICTS: frozenset({_A, _M, _S}),
    Permission.SEE_AUDIT: frozenset({_A, _M}),
    Permission.OWN_ACCOUNT: _EVERYONE,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account, or the plant itself (`user_id` is None)."""

    user_id: UUID | None
    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        return self.role in PERMISSIONS[permission]


THE_PLANT = Actor(None, "Lineside", Role.ADMIN)
"""The actor of what happens without a person: demo data, the first administrator, scheduled work."""


def denial(role: Role, permission: Permission) -> str | None:
    """Why `role` may not use `permission`, as a sentence for tooltips and refusals; None when it may."""
    if role in PERMISSIONS[permission]:
        return None
    allowed = ", ".join(sorted(other.value for other in PERMISSIONS[permission]))
    return (
        f"The role {role.value} may not {permission.value}; ask someone with one of these roles: {allowed}."
    )


def require(actor: Actor, permission: Permission) -> None:
    """Raise `Denied` with the reason when `actor` may not use `permission`."""
    reason = denial(actor.role, permission)
    if reason is not None:
        raise Denied(reason)


MIN_PASSWORD_LENGTH = 10
_COMMON = frozenset(
    {
        "password",
        "passwort",
        "haslo",
        "motdepasse",
        "qwertyuiop",
        "qwertzuiop",
        "1234567890",
        "lineside",
        "letmein",
        "welcome",
    }
)


def check_password(password: str, user_name: str) -> None:
    """Raise `Refused` with the broken rule; long beats complicated (NIST SP 800-63B, section 5.1.1)."""
    lowered = password.casefold()
    if len(password) < MIN_PASSWORD_LENGTH:
        raise Refused(
            f"Use at least {MIN_PASSWORD_LENGTH} characters; a short sentence works well.", field="password"
        )
    if len(password) > 256:
        raise Refused("Use at most 256 characters.", field="password")
    if len(set(lowered)) < 5:
        raise Refused("Use at least five different characters.", field="password")
    if user_name and user_name.casefold() in lowered:
        raise Refused("Leave your user name out of the password.", field="password")
    if any(word in lowered and len(lowered) < len(word) + 5 for word in _COMMON):
        raise Refused(
            "This password is one of the first that an attacker tries; choose another.", field="password"
        )


FREE_TRIES = 5
_FIRST_LOCK = timedelta(seconds=30)
_LONGEST_LOCK = timedelta(hours=1)


def lock_after(failed_tries: int, now: datetime) -> datetime | None:
    """Until when an account is locked after `failed_tries` wrong passwords in a row; doubles from 30 s up to 1 h."""
    if failed_tries < FREE_TRIES:
        return None
    doublings = min(failed_tries - FREE_TRIES, 16)
    return now + min(_FIRST_LOCK * (1 << doublings), _LONGEST_LOCK)


def say_lock(until: datetime, now: datetime) -> str:
    """What a person is told whose name is locked."""
    seconds = max(1, round((until - now).total_seconds()))
    wait = f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return f"Too many wrong passwords: wait {wait}, or ask an administrator to reset it."


def check_user_name(name: str) -> str:
    """The tidy form of a user name; raises `Refused` when it cannot be one."""
    tidy = " ".join(name.split())
    if not tidy:
        raise Refused("Enter a user name.", field="name")
    if len(tidy) > 60 or any(not character.isprintable() for character in tidy):
        raise Refused("Use at most 60 printable characters for the user name.", field="name")
    return tidy
