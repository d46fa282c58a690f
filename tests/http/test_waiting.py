"""Waiting lists and strikes over HTTP: who may, what is said, and in which shape."""

from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SetClock
from marketplace.orders.handlers import HANDLERS as ORDERS_HEAR
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours
from tests.builders.orders import a_market
from tests.builders.parties import an_actor, bearer
from tests.builders.waiting import a_full_day, a_missed_reservation, give_back, hear

pytestmark = pytest.mark.asyncio

_keys = count()


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.actor = api, actor
        self.headers = bearer(services, actor)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"waiting-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body or {}, headers=headers)

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def caller(api: httpx.AsyncClient, services: Services) -> Any:
    return lambda actor: Caller(api, services, actor)


def a_wish(instrument_id: int, **changes: Any) -> dict[str, Any]:
    during = at_hours(2, 0, 24)
    return {
        "instrument_id": instrument_id,
        "starts_at": during.starts_at.isoformat(),
        "ends_at": during.ends_at.isoformat(),
        "minutes": 480,
    } | changes


async def test_a_customer_waits_is_offered_and_orders_exactly_that_time(
    database: Database, caller: Any
):
    assert ORDERS_HEAR
    market = await a_market(database)
    placed = await a_full_day(database, instrument_id=market.instrument_id)
    buyer, manager = caller(market.buyer), caller(market.manager)
    stranger = caller(await an_actor(database, Role.BUYER))

    joined = await buyer.post("/waitlist", a_wish(market.instrument_id))
    assert joined.status_code == 201, joined.text
    entry = joined.json()
    assert (entry["status"], entry["position"], entry["offered"]) == ("waiting", 1, None)
    await give_back(database, placed[1])
    await hear(database)

    entry = await buyer.get(f"/waitlist/{entry['id']}")
    offered = entry["offered"]
    assert (entry["status"], entry["position"]) == ("offered", None)
    listed = await manager.get("/waitlist", instrument_id=market.instrument_id, status="offered")
    assert [one["id"] for one in listed["results"]] == [entry["id"]]
    assert (await stranger.get("/waitlist"))["total"] == 0
    accept = await buyer.post(f"/waitlist/{entry['id']}/accept")
    assert accept.status_code == 422
    assert accept.json()["starts_at"] == offered["starts_at"]
    asked = {
        "instrument_id": market.instrument_id,
        "mode": "machine_time",
        "starts_at": offered["starts_at"],
        "ends_at": offered["ends_at"],
    }
    quote = await buyer.post("/quotes", asked)
    assert quote.status_code == 201, quote.text
    clauses = {
        "quote_id": quote.json()["id"],
        "clauses": dict.fromkeys(CLAUSES, "as published"),
    }
    order = await buyer.post("/orders", clauses)
    assert order.status_code == 201, order.text
    await hear(database)

    assert order.json()["reservation_id"] == offered["reservation_id"]
    assert (await buyer.get(f"/waitlist/{entry['id']}"))["status"] == "taken"


CLAUSES = (
    "service-content",
    "service-mode",
    "ip-ownership",
    "benefit-distribution",
    "confidentiality",
    "damages",
    "breach",
    "disputes",
)


async def test_own_people_wait_accept_decline_and_leave(database: Database, caller: Any):
    manager = caller(await an_actor(database, Role.PROVIDER_MANAGER))
    instrument_id = await a_bookable_instrument(database, provider_id=manager.actor.organisation_id)
    ids = []
    for minutes in (60, 90, 120):
        wish = a_wish(instrument_id, minutes=minutes, purpose="teaching")
        wish["ends_at"] = at_hours(2, 0, 18 + minutes / 60).ends_at.isoformat()
        joined = await manager.post("/waitlist", wish)
        assert joined.status_code == 201, joined.text
        ids.append(joined.json()["id"])
    await hear(database)

    accepted = await manager.post(f"/waitlist/{ids[0]}/accept")
    declined = await manager.post(f"/waitlist/{ids[1]}/decline")
    left = await manager.post(f"/waitlist/{ids[2]}/withdraw")

    assert (accepted.status_code, accepted.json()["status"]) == (200, "confirmed")
    assert accepted.json()["purpose"] == "teaching"
    assert (declined.status_code, declined.json()["status"]) == (200, "waiting")
    assert (left.status_code, left.json()["status"]) == (200, "withdrawn")
    again = await manager.post(f"/waitlist/{ids[0]}/decline")
    assert (again.status_code, again.json()["type"]) == (409, "/problems/waitlist-entry-state")


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 0},
        {"minutes": 44_641},
        {"weekdays": []},
        {"weekdays": [7]},
        {"earliest_minute": 1440},
        {"latest_minute": 1441},
        {"ends_at": "2025-03-05T00:00:00"},
        {"ends_at": "2026-03-05T00:00:00Z"},
        {"ends_at": "2025-03-01T00:00:00Z"},
        {"unknown": 1},
    ],
    ids=str,
)
async def test_a_wish_that_cannot_be_read_is_malformed(
    database: Database, caller: Any, changes: dict[str, Any]
):
    buyer = caller(await an_actor(database, Role.BUYER))

    answer = await buyer.post("/waitlist", a_wish(1, **changes))

    assert (answer.status_code, answer.headers["content-type"]) == (
        400,
        "application/problem+json",
    )


async def test_hours_the_wrong_way_round_are_refused_with_the_reason(
    database: Database, caller: Any
):
    buyer = caller(await an_actor(database, Role.BUYER))
    instrument_id = await a_bookable_instrument(database)

    answer = await buyer.post(
        "/waitlist", a_wish(instrument_id, earliest_minute=600, latest_minute=600)
    )

    assert answer.status_code == 422, answer.text
    assert [reason["rule"] for reason in answer.json()["reasons"]] == ["window"]


async def test_a_strike_is_seen_appealed_decided_and_waived(
    database: Database, clock: SetClock, caller: Any
):
    leader = await an_actor(database, Role.SME_ADMINISTRATOR)
    person = await an_actor(database, Role.BUYER, organisation_id=leader.organisation_id)
    buyer, administrator = caller(person), caller(leader)
    manager = caller(await an_actor(database, Role.PROVIDER_MANAGER))
    centre = caller(await an_actor(database, Role.ADMINISTRATOR))
    stranger = caller(await an_actor(database, Role.PROVIDER_MANAGER))
    instrument_id = await a_bookable_instrument(database, provider_id=manager.actor.organisation_id)
    for day in (1, 2, 3):
        await a_missed_reservation(
            database,
            clock,
            instrument_id=instrument_id,
            during=at_hours(day, 9, 11),
            purpose="external",
            organisation_id=person.organisation_id,
            person_id=person.person_id,
        )
    await hear(database)

    for who in (buyer, administrator, manager, centre):
        assert (await who.get("/strikes", valid=True, kind="no_show"))["total"] == 3
        assert (await who.get("/suspensions", valid=True, person_id=person.person_id))["total"]
    assert (await stranger.get("/strikes"))["total"] == 0
    assert (await stranger.get("/suspensions"))["total"] == 0
    given = [one["id"] for one in (await buyer.get("/strikes", page_size=2))["results"]]
    text = {"text": "The line was closed; see the notice of the railway."}
    appeal = await administrator.post(f"/strikes/{given[0]}/appeal", text)
    assert appeal.status_code == 201, appeal.text
    waiting = await centre.get("/strikes", appeal="open")
    assert [one["id"] for one in waiting["results"]] == [given[0]]
    decision = {"upheld": True, "reason": "The line was closed."}
    decided = await centre.post(f"/appeals/{appeal.json()['id']}/decide", decision)
    assert (decided.status_code, decided.json()["status"]) == (200, "upheld")
    waived = await manager.post(f"/strikes/{given[1]}/waive", {"reason": "a new customer"})
    assert (waived.status_code, waived.json()["waived_because"]) == (200, "a new customer")

    assert (await buyer.get("/suspensions", valid=True))["total"] == 0
    detail = await buyer.get(f"/strikes/{given[0]}")
    assert detail["appeal"]["reason"] == "The line was closed."
    assert detail["strike"]["waived_because"] == "The line was closed."
    foreign = await stranger.post(f"/strikes/{given[1]}/waive", {"reason": "a new customer"})
    assert foreign.status_code == 404
    again = await centre.post(f"/appeals/{appeal.json()['id']}/decide", decision)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/appeal-decided")
    during = at_hours(6, 9, 11)
    await a_reservation(
        database,
        instrument_id=instrument_id,
        during=during,
        organisation_id=person.organisation_id,
        person_id=person.person_id,
    )
