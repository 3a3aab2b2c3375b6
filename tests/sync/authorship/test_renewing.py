"""Somebody who stays logged in for weeks goes on signing; a new password or a disabled account ends that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from app.domain.errors import Refused
from app.operations.people import disable_user, reset_password
from app.plant import utc_now
from app.store.tables import LoginGrant
from app.sync.status import PAUSED, SyncStatus, write_status
from tests.sync.authorship.workshop import ADMIN, NEW, PLANNER, Place

if TYPE_CHECKING:
    from tests.sync.conftest import ServerDatabase

LATER = timedelta(days=10)


def let_days_pass(server: ServerDatabase, place: Place) -> None:
    """As if the logins here were of `LATER` ago, on both sides."""
    with server.connect() as connection:
        connection.execute(
            "UPDATE sync.login_grant SET until = until - %s, logged_in_at = logged_in_at - %s", (LATER, LATER)
        )
        connection.execute("UPDATE sync.credential SET changed_at = changed_at - 2 * %s", (LATER,))

    def earlier(session: Session) -> None:
        for grant in session.query(LoginGrant):
            grant.until -= LATER

    place.house.store.submit(earlier).result()


def days_left(server: ServerDatabase, place: Place) -> tuple[int, int]:
    """Of the planner's grant, on the server and here."""
    user_id = place.account(PLANNER).id
    with server.connect() as connection:
        row = connection.execute(
            "SELECT until - clock_timestamp() FROM sync.login_grant WHERE user_id = %s", (user_id,)
        ).fetchone()
    (here,) = [grant.until for grant in place.rows(LoginGrant) if grant.user_id == user_id]
    assert row is not None
    return round(row[0] / timedelta(days=1)), round((here - place.house.door.clock()) / timedelta(days=1))


def test_who_stays_logged_in_gets_more_time_but_no_fresh_login(server: ServerDatabase, hall: Place) -> None:
    hall.log_in(PLANNER)
    assert days_left(server, hall) == (14, 14)
    let_days_pass(server, hall)
    assert days_left(server, hall) == (4, 4)
    hall.house.renew_login(hall.people[PLANNER])
    assert days_left(server, hall) == (14, 14)
    with server.connect() as connection:
        fresh = connection.execute(
            "SELECT count(*) FROM sync.login_grant WHERE logged_in_at > clock_timestamp() - interval '1 day'"
        ).fetchone()
    assert fresh == (0,)


def test_who_works_offline_on_purpose_or_logged_out_asks_for_nothing(
    server: ServerDatabase, hall: Place
) -> None:
    actor = hall.log_in(PLANNER).actor
    let_days_pass(server, hall)
    write_status(hall.house.folder, SyncStatus(state=PAUSED))
    hall.house.renew_login(actor)
    (hall.house.folder / "sync.json").unlink()
    hall.log_out(PLANNER)
    hall.house.renew_login(actor)
    assert days_left(server, hall) == (4, 4)


def test_a_server_that_cannot_be_reached_is_asked_again_later(
    server: ServerDatabase, hall: Place, free_port: int
) -> None:
    actor = hall.log_in(PLANNER).actor
    let_days_pass(server, hall)
    hall.lead_to(free_port)
    hall.house.renew_login(actor)
    assert days_left(server, hall) == (4, 4)


@pytest.mark.parametrize("what", ["password", "account"])
def test_a_new_password_or_a_disabled_account_ends_it(
    server: ServerDatabase, office: Place, hall: Place, what: str
) -> None:
    actor = hall.log_in(PLANNER).actor
    let_days_pass(server, hall)
    office.log_in(ADMIN)
    user_id = office.account(PLANNER).id
    office.do(
        disable_user(user_id=user_id) if what == "account" else reset_password(user_id=user_id, password=NEW)
    )
    office.sync()
    hall.house.renew_login(actor)  # there are some days left
    assert days_left(server, hall) == (4, 4)
    hall.house.door.clock = lambda: utc_now() + timedelta(days=3)
    with pytest.raises(Refused, match="disabled" if what == "account" else "password was changed since"):
        hall.house.renew_login(actor)
