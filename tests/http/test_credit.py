"""Credit and free use over the API: who does what, and what each side reads."""

import csv
import io
from typing import Any

import httpx

from marketplace.kernel.actors import Actor
from marketplace.kernel.http import Services
from tests.builders.credit import LIMIT_FEN, a_second_manager, granted_terms
from tests.builders.orders import CLAUSES, HOUR_FEN, a_market, a_quote
from tests.builders.parties import bearer
from tests.use_cases.credit.test_credit import a_debt

API = "/api/v1"
VALID = "2025-12-31"


class Caller:
    """Somebody at the API."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers, self.keys = api, bearer(services, actor), 0

    async def post(self, address: str, body: Any = None, **more: Any) -> httpx.Response:
        self.keys += 1
        headers = self.headers | {"Idempotency-Key": f"{id(self)}-{self.keys}"}
        return await self.api.post(f"{API}{address}", json=body, headers=headers, **more)

    async def get(self, address: str, **params: Any) -> httpx.Response:
        return await self.api.get(f"{API}{address}", headers=self.headers, params=params)


async def test_credit_is_granted_used_aged_and_paid_over_the_api(
    database, api, services, monkeypatch
):
    market = await a_market(database, voucher_fen=0)
    manager = Caller(api, services, market.manager)
    second = Caller(api, services, await a_second_manager(market))
    buyer = Caller(api, services, market.buyer)
    asked = {
        "buyer_id": market.buyer.organisation_id,
        "limit_fen": LIMIT_FEN,
        "due_days": 30,
        "valid_until": VALID,
        "reason": "A customer for ten years.",
    }
    proposed = await manager.post("/credit-terms", asked)
    there = f"/credit-terms/{proposed.json()['id']}"
    own = await manager.post(f"{there}/decide", {"approve": True})
    assert (proposed.status_code, own.status_code) == (201, 422)
    assert (await manager.get("/credit-lines", proposed=True)).json()["total"] == 1
    assert (await second.post(f"{there}/decide", {"approve": True})).status_code == 200

    await a_debt(market, monkeypatch)

    line = (await buyer.get("/credit-lines")).json()["results"][0]
    assert (line["owed_fen"], line["available_fen"]) == (2 * HOUR_FEN, LIMIT_FEN - 2 * HOUR_FEN)
    account = (await buyer.get("/account", **{"from": "2025-03-01", "until": VALID})).json()
    assert [each["owed_fen"] for each in account["credit"]] == [2 * HOUR_FEN]
    owed = (await buyer.get("/receivables", state="open", due_from="2025-03-01")).json()
    assert (owed["total"], owed["left_fen"]) == (1, 2 * HOUR_FEN)
    ageing = (await manager.get("/receivables/ageing", as_of=VALID)).json()["results"]
    assert [row["days_over_90_fen"] for row in ageing] == [2 * HOUR_FEN]
    for address in ("/receivables/export", "/receivables/ageing/export"):
        file = await manager.get(address, as_of=VALID)
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        assert [row["left_fen"] for row in rows] == [str(2 * HOUR_FEN)]
    paid = await buyer.post(f"/credit-lines/{line['id']}/pay", {"amount_fen": 1})
    assert paid.status_code == 201
    receipts = (await manager.get(f"/credit-lines/{line['id']}/receipts")).json()["results"]
    assert [part["amount_fen"] for part in receipts[0]["parts"]] == [1]
    ended = await manager.post(f"{there}/end", {"reason": "We part."})
    assert ended.json()["status"] == "ended"
    terms = (await buyer.get(f"/credit-lines/{line['id']}/terms")).json()
    assert [each["status"] for each in terms] == ["ended"]


async def test_an_order_says_that_it_is_on_account(database, api, services):
    market = await a_market(database, voucher_fen=0)
    buyer = Caller(api, services, market.buyer)
    quote = await a_quote(market)
    order = {"quote_id": quote.id, "clauses": CLAUSES, "on_account": True}

    refused = await buyer.post("/orders", order)
    await granted_terms(market)
    placed = await buyer.post("/orders", order)

    assert (422, "/problems/credit-refused") == (refused.status_code, refused.json()["type"])
    assert placed.json()["credit_line_id"] is not None


async def test_a_free_service_is_asked_examined_and_approved_over_the_api(database, api, services):
    market = await a_market(database, voucher_fen=0)
    buyer, manager = (Caller(api, services, actor) for actor in (market.buyer, market.manager))
    technician = Caller(api, services, market.technician)
    quote = await a_quote(market, purpose="public-security")
    asked = await buyer.post(f"/quotes/{quote.id}/free-use", {"statement": "A case."})
    there = f"/free-uses/{asked.json()['id']}"
    sent = await buyer.api.post(
        f"{API}{there}/evidence",
        params={"name": "letter.pdf"},
        content=b"%PDF-1.7 letter",
        headers=buyer.headers | {"Idempotency-Key": "letter"},
    )
    found = await technician.post(f"{there}/examine", {"finding": "Genuine."})
    decided = await manager.post(f"{there}/decide", {"approve": True, "reason": "By the law."})

    assert [asked.status_code, sent.status_code, found.status_code] == [201, 201, 200]
    assert decided.json()["status"] == "approved"
    evidence = (await manager.get(f"{there}/evidence")).json()[0]
    assert (await manager.get(f"{there}/evidence/{evidence['id']}")).content == b"%PDF-1.7 letter"
    assert (await manager.get("/free-uses", status="approved")).json()["total"] == 1
    assert (await manager.get(there)).json()["list_value_fen"] == 2 * HOUR_FEN
    assert (await manager.get("/free-use-figures", year=2025)).json()["orders"] == 0
    assert (await manager.get("/free-use-figures/export", year=2025)).status_code == 200
    late = await buyer.post(f"{there}/withdraw", {"reason": "Over."})
    assert late.status_code == 409
