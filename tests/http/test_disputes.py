"""Disputes, corrections and settlement runs over HTTP: answered, listed, taken out as files."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import httpx

from marketplace.kernel.actors import Actor
from marketplace.kernel.http import Services
from marketplace.orders.settling import accept_reviewed
from marketplace.parties.roles import Role
from tests.builders.attachments import a_pdf
from tests.builders.disputes import a_disputed_order
from tests.builders.orders import a_market, delivered_samples
from tests.builders.parties import an_actor, bearer

_keys = itertools.count()


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers = api, bearer(services, actor)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"dispute-{next(_keys)}"}
        if "content" not in more:
            more["json"] = {} if body is None else body
        return await self.api.post(f"/api/v1{path}", headers=headers, **more)

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)


async def test_a_dispute_is_shown_answered_agreed_on_and_listed(api, services, database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    there = f"/orders/{order_id}/dispute"
    buyer, manager, officer = (
        Caller(api, services, actor) for actor in (market.buyer, market.manager, market.officer)
    )

    shown = await buyer.post(f"{there}/evidence?name=照片.pdf", content=a_pdf())
    assert shown.status_code == 201, shown.text
    listed = await officer.get(f"{there}/evidence")
    assert [each["name"] for each in listed.json()] == ["照片.pdf"]
    taken = await officer.get(f"{there}/evidence/{shown.json()['id']}")
    assert taken.content == a_pdf()
    assert taken.headers["x-content-sha256"] == shown.json()["sha256"]
    said = {"answer": "部分样品受潮", "offered_basis_points": 4_000}
    assert (await manager.post(f"{there}/answer", said)).status_code == 200
    assert (await officer.get("/disputes", state="answered", text="不符")).json()["total"] == 1
    agreed = await buyer.post(f"{there}/agree")
    assert (agreed.json()["status"], agreed.json()["settled_fen"]) == ("settled", 24_000)

    story = (await buyer.get(f"/orders/{order_id}")).json()
    assert story["dispute"]["ended_how"] == "agreed"
    assert (await officer.get("/disputes", state="open")).json()["total"] == 0
    for form in ("csv", "xlsx"):
        file = await manager.get("/disputes/file", format=form, state="agreed")
        assert (file.status_code, len(file.content) > 100) == (200, True)
    assert (await buyer.get("/disputes", opened_from="1999-01-01")).status_code == 400


async def test_a_correction_is_proposed_approved_and_listed(api, services, database):
    market = await a_market(database)
    delivered = await delivered_samples(market)
    manager = Caller(api, services, market.manager)
    buyer = Caller(api, services, market.buyer)
    checker = Caller(api, services, await an_actor(database, Role.FINANCE_CHECKER))
    await buyer.post(f"/orders/{delivered.id}/accept")
    body = {"own_fen": 10_000, "voucher_fen": 10_000, "reason": "两个样品重测"}

    asked = await manager.post(f"/orders/{delivered.id}/corrections", body)
    correction_id = asked.json()["id"]
    own = await manager.post(f"/corrections/{correction_id}/approve")
    done = await checker.post(f"/corrections/{correction_id}/approve", {"because": "核实"})

    assert (asked.status_code, own.status_code, done.status_code) == (201, 409, 200)
    assert (done.json()["status"], done.json()["restored_fen"]) == ("approved", 10_000)
    listed = (await buyer.get("/corrections", status="approved", text="重测")).json()
    assert (listed["total"], listed["approved_fen"]) == (1, 20_000)
    assert (await buyer.get(f"/corrections/{correction_id}")).json() == done.json()
    file = await buyer.get("/corrections/file", format="csv")
    assert "两个样品重测" in file.content.decode("utf-8-sig")
    refused = await checker.post(f"/corrections/{correction_id}/refuse", {"because": "late"})
    assert refused.status_code == 409
    withdrawn = await manager.post(f"/corrections/{correction_id}/withdraw", {"because": "late"})
    assert withdrawn.status_code == 409


async def test_a_run_shows_what_was_due_and_what_is_done(api, services, database, clock):
    market = await a_market(database)
    await delivered_samples(market)
    clock.set(clock.now() + timedelta(days=30))
    checker = Caller(api, services, await an_actor(database, Role.FINANCE_CHECKER))
    assert (await checker.get("/settlement-runs")).json()["due_now"] == 1

    await accept_reviewed(database)

    found = (await checker.get("/settlement-runs")).json()
    assert (found["due_now"], found["total"]) == (0, 1)
    run = found["results"][0]
    assert (run["due"], run["settled"], run["refused"]) == (1, 1, 0)
    assert run["finished_at"]
    assert (await checker.get("/settlement-runs", unfinished=True)).json()["total"] == 0
