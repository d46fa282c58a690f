"""Calendars by secret address, as calendar programs and strangers meet them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import ics  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from sqlalchemy import event, text

from marketplace.booking.queries import Purpose, Reservation
from marketplace.booking.rules.ical import EVENTS_MAX, MASKED
from marketplace.booking.use_cases import CancelReservation, cancel_reservation
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.observe import Observed
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import RevokeRole, revoke_role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_closure,
    a_reservation,
    at_hours,
)
from tests.builders.parties import an_actor, bearer
from tests.http.refusals import refused

_keys = count()


@dataclass
class Lab:
    """A provider with an instrument, a customer, and somebody who has nothing to do with it."""

    api: httpx.AsyncClient
    database: Database
    services: Services
    instrument_id: int
    manager: Actor
    technician: Actor
    customer: Actor
    stranger: Actor

    def headers(self, actor: Actor) -> dict[str, str]:
        return bearer(self.services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}

    async def make(self, actor: Actor, **body: Any) -> str:
        """The address of a new calendar, as a path."""
        answer = await self.api.post(
            "/api/v1/calendar-feeds", json=body, headers=self.headers(actor)
        )
        assert answer.status_code == 201, answer.text
        found = answer.json()
        assert found["webcal_url"] == found["url"].replace("http://", "webcal://")
        return str(httpx.URL(found["url"]).path)

    async def read(self, path: str, **headers: str) -> ics.Calendar:
        answer = await self.api.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        return ics.Calendar(answer.text)

    async def do(self, use_case: Any, command: Any, by: Actor = TEST) -> Any:
        return await atomically(self.database, use_case, command, actor=by)

    async def reserve(self, day: int, **changes: Any) -> Reservation:
        asked: dict[str, Any] = {
            "purpose": Purpose.EXTERNAL,
            "organisation_id": self.customer.organisation_id,
            "person_id": self.customer.person_id,
        } | changes
        return await a_reservation(
            self.database,
            instrument_id=self.instrument_id,
            during=at_hours(day, 9, 11),
            **asked,
        )


@pytest_asyncio.fixture
async def lab(api: httpx.AsyncClient, database: Database, services: Services) -> AsyncIterator[Lab]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    provider_id = manager.organisation_id
    yield Lab(
        api,
        database,
        services,
        await a_bookable_instrument(database, provider_id=provider_id),
        manager,
        await an_actor(database, Role.TECHNICIAN, organisation_id=provider_id),
        await an_actor(database, Role.BUYER),
        await an_actor(database, Role.BUYER),
    )


def statuses(calendar: ics.Calendar) -> dict[str, str]:
    return {each.uid.partition("@")[0]: each.status for each in calendar.events}


async def test_each_reader_sees_what_is_theirs_to_see(lab: Lab):
    theirs = await lab.reserve(2)
    own = await lab.reserve(
        3,
        purpose=Purpose.OWN_RESEARCH,
        organisation_id=lab.manager.organisation_id,
        person_id=lab.technician.person_id,
    )
    await a_closure(lab.database, instrument_id=lab.instrument_id, during=at_hours(5, 0, 24))

    person = await lab.read(await lab.make(lab.customer, kind="person"))
    provider = await lab.read(await lab.make(lab.manager, kind="provider"))
    instrument = {"kind": "instrument", "instrument_id": lab.instrument_id}
    outside = await lab.read(await lab.make(lab.stranger, **instrument))
    customers = await lab.read(await lab.make(lab.customer, **instrument))
    inside = await lab.read(await lab.make(lab.technician, **instrument))

    both = {f"reservation-{theirs.id}", f"reservation-{own.id}"}
    assert statuses(person).keys() == {f"reservation-{theirs.id}"}
    assert statuses(provider).keys() == both
    for calendar in (outside, customers, inside):
        assert len(statuses(calendar)) == 3
        assert statuses(calendar).keys() > both
    names = {each.name for each in outside.events}
    assert names == {MASKED, "停用 Closed: new detector"}
    assert sorted(each.name == MASKED for each in customers.events) == [False, False, True]
    assert not any(each.name == MASKED for each in inside.events)
    (first,) = person.events
    assert (first.begin.datetime, first.end.datetime) == (theirs.starts_at, theirs.ends_at)
    assert first.name == "场发射扫描电子显微镜"


async def test_an_operator_finds_what_they_attend_in_their_own_calendar(lab: Lab):
    placed = await lab.reserve(2)

    async def assign(tx: Tx, _: None) -> None:
        await tx.execute(text(f"update reservation set operator_id = {lab.technician.person_id}"))

    await lab.do(assign, None)
    calendar = await lab.read(await lab.make(lab.technician, kind="person"))

    assert statuses(calendar).keys() == {f"reservation-{placed.id}"}
    assert "操作 operating" in next(iter(calendar.events)).name


async def test_a_subscribed_calendar_learns_of_changes_and_asks_cheaply_when_there_are_none(
    lab: Lab, clock: SetClock
):
    placed = await lab.reserve(2)
    path = await lab.make(lab.customer, kind="person")
    first = await lab.api.get(path)
    etag = first.headers["etag"]
    again = await lab.api.get(path, headers={"If-None-Match": f'W/"other", {etag}'})
    clock.set(clock.now() + timedelta(hours=2))
    later = await lab.api.get(path, headers={"If-None-Match": etag})
    await lab.do(
        cancel_reservation,
        CancelReservation(placed.id, "not needed any more", by_provider=True),
    )
    changed = await lab.api.get(path, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert later.status_code == 304
    assert changed.status_code == 200
    assert statuses(ics.Calendar(changed.text)) == {f"reservation-{placed.id}": "CANCELLED"}
    assert sequence(changed) > sequence(first)
    assert stamp(changed) > stamp(first)
    # It stays long enough for every calendar to have taken it out.
    clock.set(clock.now() + timedelta(days=59))
    assert statuses(await lab.read(path)) == {f"reservation-{placed.id}": "CANCELLED"}
    clock.set(clock.now() + timedelta(days=2))
    assert statuses(await lab.read(path)) == {}


def sequence(answer: httpx.Response) -> int:
    found = re.search(r"^SEQUENCE:(\d+)", answer.text, re.M)
    assert found
    return int(found[1])


def stamp(answer: httpx.Response) -> str:
    found = re.search(r"^LAST-MODIFIED:(\S+)", answer.text, re.M)
    assert found
    return found[1]


async def test_an_address_is_shown_once_kept_as_a_digest_and_dies_when_rotated_or_revoked(
    lab: Lab,
):
    path = await lab.make(lab.manager, kind="provider", name="所有仪器")
    secret = path.removeprefix("/api/v1/calendars/").removesuffix(".ics")
    listed = await lab.api.get("/api/v1/calendar-feeds", headers=lab.headers(lab.manager))
    (feed,) = listed.json()["results"]
    address = f"/api/v1/calendar-feeds/{feed['id']}"
    rotated = await lab.api.post(f"{address}/rotate", headers=lab.headers(lab.manager))
    other = str(httpx.URL(rotated.json()["url"]).path)

    # 24 bytes of it are 192 bits.
    assert len(secret) == 32
    assert secret not in listed.text
    assert feed["name"] == "所有仪器"
    assert await kept_secrets(lab.database, secret) == 0
    refused(await lab.api.get(path), 404, "calendar-feed-missing")
    assert (await lab.api.get(other)).status_code == 200
    colleague = await lab.api.post(f"{address}/rotate", headers=lab.headers(lab.technician))
    refused(colleague, 404)

    gone = await lab.api.delete(address, headers=lab.headers(lab.manager))
    assert gone.json()["revoked_at"] is not None
    assert (await lab.api.delete(address, headers=lab.headers(lab.manager))).json() == gone.json()
    refused(await lab.api.get(other), 404, "calendar-feed-missing")
    again = await lab.api.post(f"{address}/rotate", headers=lab.headers(lab.manager))
    refused(again, 409, "calendar-feed-revoked")
    refused(await lab.api.get(other.removesuffix(".ics")), 404, "calendar-feed-missing")


async def kept_secrets(database: Database, secret: str) -> int:
    """In how many rows of any table the secret stands, in plain sight."""
    async with database.engine.connect() as connection:
        tables = await connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public'")
        )
        found = 0
        for name in tables:
            found += await connection.scalar(
                text(f'select count(*) from "{name}" t where t::text like :secret'),
                {"secret": f"%{secret}%"},
            )
    return found


async def test_whoever_keeps_an_organisation_sees_and_revokes_its_feeds_but_never_reads_them(
    lab: Lab,
):
    path = await lab.make(lab.technician, kind="person")
    own = await lab.api.get("/api/v1/calendar-feeds", headers=lab.headers(lab.manager))
    every = await lab.api.get(
        "/api/v1/calendar-feeds",
        params={"whole_organisation": True, "kind": "person"},
        headers=lab.headers(lab.manager),
    )
    (feed,) = every.json()["results"]
    address = f"/api/v1/calendar-feeds/{feed['id']}"

    assert own.json()["total"] == 0
    rotated = await lab.api.post(f"{address}/rotate", headers=lab.headers(lab.manager))
    refused(rotated, 403)
    assert (await lab.api.get(path)).status_code == 200
    gone = await lab.api.delete(address, headers=lab.headers(lab.manager))
    assert gone.status_code == 200
    refused(await lab.api.get(path), 404)
    revoked = await lab.api.get(
        "/api/v1/calendar-feeds",
        params={"revoked": True, "instrument_id": 1},
        headers=lab.headers(lab.technician),
    )
    assert revoked.json()["results"] == []


async def test_an_address_lives_no_longer_than_its_makers_place_in_the_organisation(lab: Lab):
    path = await lab.make(lab.technician, kind="provider")
    assert (await lab.api.get(path)).status_code == 200
    leave = RevokeRole(lab.technician.person_id, lab.technician.organisation_id, Role.TECHNICIAN)
    await lab.do(revoke_role, leave)

    refused(await lab.api.get(path), 404, "calendar-feed-missing")


async def test_what_cannot_be_subscribed_to_says_why(lab: Lab):
    async def ask(actor: Actor, **body: Any) -> httpx.Response:
        return await lab.api.post("/api/v1/calendar-feeds", json=body, headers=lab.headers(actor))

    refused(await ask(lab.customer, kind="provider"), 403)
    refused(await ask(lab.customer, kind="instrument"), 400)
    refused(await ask(lab.customer, kind="person", instrument_id=1), 400)
    refused(await ask(lab.customer, kind="instrument", instrument_id=999_999), 404)

    async def fill(tx: Tx, _: None) -> None:
        await tx.execute(
            text(
                "insert into calendar_feed"
                " (kind, organisation_id, person_id, name, secret_sha256, made_at)"
                f" select 'person', {lab.customer.organisation_id}, {lab.customer.person_id}, 'x',"
                " sha256(n::text::bytea), now() from generate_series(1, 50) n"
            )
        )

    await lab.do(fill, None)
    body = refused(await ask(lab.customer, kind="person"), 422, "too-many-calendar-feeds")
    assert (body["limit"], body["asked"]) == (50, 51)


async def test_a_withdrawn_instrument_is_hidden_from_subscribers_of_other_organisations(lab: Lab):
    instrument = {"kind": "instrument", "instrument_id": lab.instrument_id}
    outside = await lab.make(lab.stranger, **instrument)
    inside = await lab.make(lab.technician, **instrument)

    async def withdraw(tx: Tx, _: None) -> None:
        await tx.execute(text("update instrument set status = 'withdrawn'"))

    await lab.do(withdraw, None)

    refused(await lab.api.get(outside), 404)
    assert (await lab.api.get(inside)).status_code == 200


async def test_a_reservation_is_taken_over_as_a_file_by_those_who_may_see_it(lab: Lab):
    placed = await lab.reserve(2)
    path = f"/api/v1/reservations/{placed.id}/calendar.ics"

    answer = await lab.api.get(path, headers=lab.headers(lab.customer))
    (one,) = ics.Calendar(answer.text).events

    assert answer.headers["content-disposition"] == (
        f'attachment; filename="reservation-{placed.id}.ics"'
    )
    assert "METHOD:PUBLISH" in answer.text
    assert one.organizer.email == "no-reply@127.0.0.1"
    assert (one.uid, one.begin.datetime) == (f"reservation-{placed.id}@127.0.0.1", placed.starts_at)
    refused(await lab.api.get(path, headers=lab.headers(lab.stranger)), 404)


@pytest.mark.parametrize("rows", [20, EVENTS_MAX + 20])
async def test_however_much_a_feed_shows_it_is_bounded_and_asks_the_same_few_questions(
    lab: Lab, rows: int
):
    async def fill(tx: Tx, _: None) -> None:
        # Two hours each, from 50 days ago on.
        await tx.execute(
            text(
                "insert into reservation (instrument_id, provider_id, calendar_id, seat, during,"
                " blocked, status, organisation_id, person_id, user_class, purpose, placed_at,"
                " confirmed_at, changed_at)"
                f" select {lab.instrument_id}, {lab.manager.organisation_id}, {lab.instrument_id},"
                " 1, span, span, 'confirmed', o, p, 'own_unit', 'own_research', at, at, at from ("
                "   select tstzrange(begins, begins + interval '1 hour') as span,"
                f"         {lab.manager.organisation_id} as o, {lab.manager.person_id} as p,"
                "          cast(:now as timestamptz) as at"
                "     from (select cast(:now as timestamptz) - interval '50 days'"
                "                  + n * interval '90 minutes' as begins"
                "             from generate_series(1, cast(:rows as int)) n) as made) as rows"
            ).bindparams(now=tx.now, rows=rows)
        )

    await lab.do(fill, None)
    path = await lab.make(lab.manager, kind="provider")
    asked: list[str] = []
    event.listen(
        lab.database.engine.sync_engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: asked.append(statement),
    )
    answer = await lab.api.get(path)
    first = list(asked)
    unchanged = await lab.api.get(path, headers={"If-None-Match": answer.headers["etag"]})

    assert answer.text.count("BEGIN:VEVENT") == min(rows, EVENTS_MAX)
    assert ("Shows the nearest 5000" in answer.text) == (rows > EVENTS_MAX)
    assert len([each for each in first if each.startswith(("SELECT", "UPDATE"))]) <= 10
    assert unchanged.status_code == 304


async def test_no_log_holds_the_secret_of_an_address(
    lab: Lab, api: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    import structlog

    path = await lab.make(lab.customer, kind="person")
    secret = path.rpartition("/")[2]
    app: Any = Observed(api._transport.app)  # type: ignore[attr-defined]
    structlog.reset_defaults()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform.test") as client:
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        await client.get(path)
        await client.get(f"{path}x")
        structlog.get_logger().info("control", path="/api/v1/instruments/1")
    said = capsys.readouterr()

    assert "/api/v1/calendars/…" in said.out + said.err
    assert "/api/v1/instruments/1" in said.out + said.err
    assert secret.removesuffix(".ics") not in said.out + said.err
