"""Using instruments over HTTP: checking in and out, reporting, repairing, and settled orders."""

from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.booking.queries import visible_reservation
from marketplace.booking.use_cases import close_forgotten_sessions
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.orders.use_cases import AcceptOrder, OpenService, accept_order, open_service
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, clock_at
from tests.builders.orders import a_delivered_order, a_market, an_order, move_to
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

_keys = count()


class Desk:
    """The API as several people call it."""

    def __init__(self, api: httpx.AsyncClient, services: Services) -> None:
        self.api, self.services = api, services

    async def post(self, by: Actor, path: str, **body: Any) -> httpx.Response:
        headers = bearer(self.services, by) | {"Idempotency-Key": f"use-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body, headers=headers)

    async def get(self, by: Actor, path: str, **asked: Any) -> Any:
        headers = bearer(self.services, by)
        answer = await self.api.get(f"/api/v1{path}", params=asked, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def desk(api: httpx.AsyncClient, services: Services) -> Desk:
    return Desk(api, services)


@pytest.fixture
async def manager(database: Database) -> Actor:
    return await an_actor(database, Role.PROVIDER_MANAGER)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_reservation_shows_its_session_and_everything_said_of_it(
    desk: Desk, database: Database, clock: SetClock, manager: Actor
):
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    instrument_id = await a_bookable_instrument(database, provider_id=manager.organisation_id)
    placed = await a_reservation(database, instrument_id=instrument_id, actor=technician)
    at = f"/reservations/{placed.id}"
    clock.set(placed.starts_at)
    opened = await desk.post(technician, f"{at}/open-session?operator_id={manager.person_id}")
    assert (opened.status_code, opened.json()["operator_id"]) == (201, manager.person_id)
    clock.set(placed.ends_at + timedelta(minutes=40))
    closed = await desk.post(
        technician, f"{at}/close-session", post_minutes=10, samples_run=7, note="beam drifts"
    )
    assert (closed.json()["problem"], closed.json()["samples_run"]) == ("overrun", 7)

    queue = await desk.get(technician, "/session-problems", problem="overrun")
    assert [one["session"]["reservation_id"] for one in queue["results"]] == [placed.id]
    reason = {"reason": "the door log says so"}
    forbidden = await desk.post(technician, f"{at}/accept-session", **reason)
    accepted = await desk.post(manager, f"{at}/accept-session", **reason)
    repaired = await desk.post(
        manager, f"{at}/repair-session", closed_at=placed.ends_at.isoformat(), **reason
    )

    detail = await desk.get(technician, at)
    assert (forbidden.status_code, accepted.status_code, repaired.status_code) == (403, 200, 200)
    assert detail["session"]["billable_minutes"] == 120
    assert [one["kind"] for one in detail["repairs"]] == ["acceptance", "repair"]
    assert detail["repairs"][0]["before"]["problem"] == "overrun"
    assert (await desk.get(technician, "/session-problems"))["total"] == 0


async def test_a_buyer_says_when_they_left_and_the_order_settles_on_it_and_stands(
    desk: Desk, database: Database
):
    market = await a_market(database)
    order = await an_order(market)
    found = await market.do(visible_reservation, order.reservation_id or 0, by=market.buyer)
    at = f"/reservations/{found.id}"
    move_to(market, found.starts_at)
    await market.do(open_service, OpenService(order.id), by=market.technician)
    early = await desk.post(
        market.buyer, f"{at}/report-session-end", closed_at=at_iso(1), reason="left early"
    )
    assert problem(early) == (409, "session-still-open")
    move_to(market, clock_at(4, 0))
    await atomically(database, close_forgotten_sessions, None, actor=TEST)

    late = await desk.post(
        market.buyer, f"{at}/report-session-end", closed_at=at_iso(60), reason="left early"
    )
    wrong = await desk.post(
        market.buyer, f"{at}/report-session-end", closed_at=at_iso(-9), reason="left early"
    )
    said = await desk.post(
        market.buyer, f"{at}/report-session-end", closed_at=at_iso(0.5), reason="left early"
    )
    repair_id = said.json()["id"]
    own = await desk.post(market.buyer, f"/session-repairs/{repair_id}/confirm", reason="yes")
    confirmed = await desk.post(
        market.manager, f"/session-repairs/{repair_id}/confirm", reason="door log"
    )
    again = await desk.post(market.manager, f"/session-repairs/{repair_id}/reject", reason="no!")

    assert problem(late) == problem(wrong) == (422, "session-repair-refused")
    assert (said.status_code, said.json()["kind"], own.status_code) == (201, "proposal", 403)
    assert confirmed.json()["after"]["billable_minutes"] == 30
    assert problem(again) == (409, "session-repair-answered")


def at_iso(hours: float) -> str:
    """So many hours after the start of the order of Wednesday morning."""
    return (clock_at(2, 9) + timedelta(hours=hours)).isoformat()


async def test_what_an_order_was_settled_on_is_repaired_by_nobody(desk: Desk, database: Database):
    market = await a_market(database)
    delivered = await a_delivered_order(market, used_minutes=90)
    await market.do(accept_order, AcceptOrder(delivered.id), by=market.buyer)
    at = f"/reservations/{delivered.reservation_id}"

    refused = await desk.post(
        market.manager, f"{at}/repair-session", closed_at=at_iso(1), reason="by the door log"
    )

    session = (await desk.get(market.buyer, at))["session"]
    assert problem(refused) == (409, "session-settled")
    assert (session["billable_minutes"], session["settled_at"] is not None) == (90, True)


async def test_a_user_reports_a_breakdown_and_staff_close_the_instrument_and_mend_it(
    desk: Desk, database: Database, clock: SetClock
):
    market = await a_market(database)
    order = await an_order(market)
    at = f"/reservations/{order.reservation_id}/report-problem"
    bad = await desk.post(market.buyer, at, severity="catastrophe", note="it burns")
    made = await desk.post(market.buyer, at, severity="breakdown", note="no vacuum")
    report = f"/problem-reports/{made.json()['id']}"
    until = (clock.now() + timedelta(days=1)).isoformat()

    by_buyer = await desk.post(market.buyer, f"{report}/resolve", resolution="mended")
    past = await desk.post(
        market.manager, f"{report}/close-instrument", until="2024-01-01T00:00:00Z", reason="pump"
    )
    closed = await desk.post(
        market.manager, f"{report}/close-instrument", until=until, reason="pump is out"
    )
    twice = await desk.post(
        market.manager, f"{report}/close-instrument", until=until, reason="pump is out"
    )
    free = await desk.get(
        market.buyer,
        f"/instruments/{order.instrument_id}/availability",
        **{"from": clock.now().isoformat(), "until": until},
    )
    resolved = await desk.post(market.technician, f"{report}/resolve", resolution="new pump")
    again = await desk.post(market.technician, f"{report}/resolve", resolution="new pump")

    assert (bad.status_code, by_buyer.status_code, past.status_code) == (400, 403, 400)
    assert closed.json()["closure_id"] is not None
    assert problem(twice) == (409, "instrument-closed-for-report")
    assert free["free"] == []
    assert resolved.json()["resolution"] == "new pump"
    assert problem(again) == (409, "problem-report-resolved")
    stranger = await an_actor(database, Role.BUYER)
    seen = [
        (await desk.get(one, "/problem-reports", **asked))["total"]
        for one, asked in (
            (market.buyer, {"severity": "breakdown", "resolved": "true"}),
            (market.manager, {"resolved": "false"}),
            (market.manager, {"instrument_id": order.instrument_id}),
            (stranger, {}),
        )
    ]
    assert seen == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("repair-session", {"closed_at": "9999-12-31T23:59:59Z", "reason": "so it was"}),
        ("repair-session", {"closed_at": "2025-03-05T09:00:00", "reason": "so it was"}),
        ("repair-session", {"closed_at": "2025-03-05T09:00:00Z", "reason": "x"}),
        ("report-session-end", {"closed_at": "1999-12-31T23:59:59Z", "reason": "so it was"}),
        ("close-session", {"samples_run": -1}),
        ("close-session", {"samples_run": 10**30}),
        ("close-session", {"note": "\x00\x00\x00"}),
        ("close-session", {"unknown": 1}),
        ("accept-session", {"reason": 7}),
        ("report-problem", {"severity": "minor", "note": ""}),
    ],
)
async def test_bad_input_is_told_and_changes_nothing(
    desk: Desk, manager: Actor, path: str, body: dict[str, Any]
):
    answer = await desk.post(manager, f"/reservations/1/{path}", **body)

    assert answer.status_code == 400, answer.text
