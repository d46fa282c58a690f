"""Another time for an order over HTTP: the figures first, then the token that agrees to them."""

from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import (
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_market,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor, bearer

_keys = count()
FRIDAY = {
    "starts_at": at_hours(4, 9, 12).starts_at.isoformat(),
    "ends_at": at_hours(4, 9, 12).ends_at.isoformat(),
}


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers = api, bearer(services, actor)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": key or f"key-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", headers=headers, json=body or {})

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


@pytest.fixture
def buyer(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.buyer)


@pytest.fixture
def manager(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.manager)


async def test_a_buyer_looks_agrees_and_has_its_order_at_another_time(
    buyer: Caller, manager: Caller, market: Market
):
    placed = await an_order(market)
    move_to(market, at_hours(2, 7, 8).starts_at)

    looked = await buyer.get(f"/orders/{placed.id}/reschedule/preview", **FRIDAY)
    view = looked.json()
    body = FRIDAY | {"agreed": view["token"], "reason": "samples late"}
    answer = await buyer.post(f"/orders/{placed.id}/reschedule", body, key="once")
    again = await buyer.post(f"/orders/{placed.id}/reschedule", body, key="once")

    assert (200, True, []) == (looked.status_code, view["allowed"], view["reasons"])
    assert (2 * HOUR_FEN, 3 * HOUR_FEN, HOUR_FEN, HOUR_FEN // 4) == (
        view["before"]["total_fen"],
        view["after"]["total_fen"],
        view["difference_fen"],
        view["fee_fen"],
    )
    assert (3, None, 0) == (view["moves_left"], view["answered_by"], view["missing_fen"])
    assert view["fee_because"]
    assert sum(line["amount_fen"] for line in view["lines"]) == view["after"]["total_fen"]
    assert 200 == answer.status_code
    assert answer.content == again.content
    changed = answer.json()
    assert (HOUR_FEN // 4, "agreed") == (
        changed["order"]["move_fee_fen"],
        changed["change"]["status"],
    )
    listed = (await manager.get(f"/orders/{placed.id}/changes", status="agreed")).json()
    assert (1, [changed["change"]]) == (listed["total"], listed["results"])
    contracts = (await manager.get(f"/orders/{placed.id}/contracts", page_size=1)).json()
    assert (2, 1) == (contracts["total"], contracts["results"][0]["amendment"])
    story = (await manager.get(f"/orders/{placed.id}")).json()
    assert (placed.id, None) == (story["quote"]["amends_order_id"], story["proposal"])


async def test_other_figures_are_refused_with_those_that_stand(buyer: Caller, market: Market):
    placed = await an_order(market)

    answer = await buyer.post(f"/orders/{placed.id}/reschedule", FRIDAY | {"agreed": "0" * 64})

    problem = answer.json()
    assert (409, "/problems/figures-changed") == (answer.status_code, problem["type"])
    assert (3 * HOUR_FEN, 0) == (problem["after"]["total_fen"], problem["fee_fen"])
    body = FRIDAY | {"agreed": problem["token"]}
    assert 200 == (await buyer.post(f"/orders/{placed.id}/reschedule", body)).status_code


async def test_the_other_side_looks_at_a_proposal_and_answers_it(
    buyer: Caller, manager: Caller, market: Market
):
    placed = await an_order(market)
    proposed = await manager.post(f"/orders/{placed.id}/reschedule", FRIDAY)
    path = f"/orders/{placed.id}/changes/{proposed.json()['change']['id']}"

    refused = await buyer.post(f"{path}/decline", {"reason": "we need the day"})
    closed = await buyer.post(f"{path}/accept")
    second = await manager.post(f"/orders/{placed.id}/reschedule", FRIDAY)
    path = f"/orders/{placed.id}/changes/{second.json()['change']['id']}"
    story = (await buyer.get(f"/orders/{placed.id}")).json()
    view = (await buyer.get(f"{path}/preview")).json()
    accepted = await buyer.post(f"{path}/accept", {"agreed": view["token"]})

    assert ["proposed", "declined", "proposed", "agreed"] == [
        answer.json()["change"]["status"] for answer in (proposed, refused, second, accepted)
    ]
    assert (409, "/problems/order-change-not-open") == (closed.status_code, closed.json()["type"])
    assert second.json()["change"] == story["proposal"]
    assert (0, "buyer") == (view["fee_fen"], view["answered_by"])
    third = await manager.post(f"/orders/{placed.id}/reschedule", FRIDAY)
    assert (409, "/problems/order-change-refused") == (third.status_code, third.json()["type"])
    assert "same-time" in [reason["rule"] for reason in third.json()["reasons"]]


async def test_an_order_grows_at_the_figures_shown(buyer: Caller, manager: Caller, market: Market):
    placed = await an_order(market)
    until = at_hours(2, 9, 12).ends_at.isoformat()

    view = (await buyer.get(f"/orders/{placed.id}/extend/preview", ends_at=until)).json()
    proposed = await manager.post(f"/orders/{placed.id}/extend", {"ends_at": until})
    change_id = proposed.json()["change"]["id"]
    taken_back = await manager.post(f"/orders/{placed.id}/changes/{change_id}/withdraw")
    body = {"ends_at": until, "agreed": view["token"]}
    grown = await buyer.post(f"/orders/{placed.id}/extend", body)

    assert "withdrawn" == taken_back.json()["change"]["status"]
    assert (3 * HOUR_FEN, 0) == (grown.json()["order"]["total_fen"], view["fee_fen"])


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"starts_at": "2025-03-07T09:00:00"}, 400),
        ({"starts_at": "0001-01-01T00:00:00Z"}, 400),
        ({"ends_at": "9999-12-31T23:59:59Z"}, 400),
        ({"ends_at": WEDNESDAY_MORNING.starts_at.isoformat()}, 400),
        ({"agreed": "yes"}, 400),
        ({"surprise": 1}, 400),
        ({"reason": "x" * 501}, 400),
        ({"ends_at": "2099-12-31T23:59:59Z"}, 409),
    ],
)
async def test_a_time_that_cannot_be_is_refused_and_never_breaks(
    buyer: Caller, market: Market, changes: dict[str, Any], status: int
):
    placed = await an_order(market)

    answer = await buyer.post(f"/orders/{placed.id}/reschedule", FRIDAY | changes)

    assert status == answer.status_code, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    times = {name: (FRIDAY | changes)[name] for name in FRIDAY}
    looked = await buyer.get(f"/orders/{placed.id}/reschedule/preview", **times)
    assert looked.status_code in (200, 400), looked.text


async def test_an_auditor_reads_the_changes_and_asks_for_none(
    api: httpx.AsyncClient, services: Services, database: Database, market: Market
):
    placed = await an_order(market)
    auditor = Caller(api, services, await an_actor(database, Role.AUDITOR))
    technician = Caller(api, services, market.technician)

    assert 200 == (await auditor.get(f"/orders/{placed.id}/changes")).status_code
    assert 403 == (await auditor.post(f"/orders/{placed.id}/reschedule", FRIDAY)).status_code
    proposed = await technician.post(f"/orders/{placed.id}/reschedule", FRIDAY)
    assert 200 == proposed.status_code
    # Who looks after the instrument asks; who signs for the provider answers.
    path = f"/orders/{placed.id}/changes/{proposed.json()['change']['id']}"
    assert 403 == (await technician.post(f"{path}/accept")).status_code
