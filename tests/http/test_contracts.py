"""Contracts and reviews over HTTP: the PDF, its public verification, the registry, ratings."""

import hashlib

import httpx

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.orders.use_cases import AcceptOrder, ReviewOrder, accept_order, review_order
from tests.builders.orders import a_confirmed_order, a_delivered_order, a_market
from tests.http.test_orders import Caller


async def test_a_contract_is_printed_alike_each_time_and_verified_without_its_content(
    api: httpx.AsyncClient, services: Services, database: Database
):
    market = await a_market(database, needs_approval=True)
    found = await a_confirmed_order(market)
    buyer = Caller(api, services, market.buyer)
    manager = Caller(api, services, market.manager)
    officer = Caller(api, services, market.officer)
    address = f"/orders/{found.id}/contract.pdf"

    first, again = await buyer.get(address), await manager.get(address)
    english = await buyer.get(address, language="en", amendment=0)

    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF")
    assert hashlib.sha256(first.content).digest() == hashlib.sha256(again.content).digest()
    assert first.content != english.content
    missing = await buyer.get(address, amendment=1)
    assert (404, "/problems/contract-not-found") == (missing.status_code, missing.json()["type"])
    assert 400 == (await buyer.get(address, language="fr")).status_code
    assert 403 == (await officer.get(address)).status_code
    digest = (await buyer.get(f"/orders/{found.id}/contract")).json()["sha256"]
    known = await api.get(f"/api/v1/contracts/verify/{digest}")
    assert {
        "exists": True,
        "version": 3,
        "buyer_signed_on": "2025-03-03",
        "provider_signed_on": "2025-03-03",
        "signed_by_both": True,
    } == known.json()
    unknown = await api.get(f"/api/v1/contracts/verify/{'0' * 64}")
    assert (200, False) == (unknown.status_code, unknown.json()["exists"])
    assert 400 == (await api.get("/api/v1/contracts/verify/x")).status_code


async def test_a_contract_is_registered_step_by_step_and_listed(
    api: httpx.AsyncClient, services: Services, database: Database
):
    market = await a_market(database, needs_approval=True)
    found = await a_confirmed_order(market)
    manager = Caller(api, services, market.manager)
    officer = Caller(api, services, market.officer)
    step = f"/orders/{found.id}/contract/registration/step"

    early = await manager.post(step, {"state": "registered"})
    for state in ("eligible", "submitted"):
        assert 200 == (await manager.post(step, {"state": state})).status_code
    refused = await officer.post(step, {"state": "refused", "reason": "缺少附件"})

    assert (422, "/problems/registration-refused") == (early.status_code, early.json()["type"])
    assert ["registration-step", "registration-number"] == [
        reason["rule"] for reason in early.json()["reasons"]
    ]
    assert ("refused", "缺少附件") == (refused.json()["state"], refused.json()["reason"])
    listed = await officer.get("/contract-registrations", state="refused")
    assert [found.id] == [row["order_id"] for row in listed.json()["results"]]
    assert 0 == (await manager.get("/contract-registrations", state="registered")).json()["total"]
    far = await manager.get("/contract-registrations", signed_until="9999-12-31")
    assert 400 == far.status_code
    body = {"number": "2025320101000123", "registered_on": "2025-03-03", "place": "南京"}
    old = await manager.post(f"/orders/{found.id}/contract/registration", body)
    assert (200, body["number"]) == (old.status_code, old.json()["registration_number"])
    done = (await manager.get("/contract-registrations", state="registered")).json()["results"]
    assert [("南京", "2025-03-03")] == [(row["place"], row["registered_on"]) for row in done]


async def test_reviews_are_read_by_everybody_answered_and_hidden(
    api: httpx.AsyncClient, services: Services, database: Database
):
    market = await a_market(database)
    done = await a_delivered_order(market)
    await market.do(accept_order, AcceptOrder(done.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(done.id, 4, "清晰"), by=market.buyer)
    manager = Caller(api, services, market.manager)
    officer = Caller(api, services, market.officer)
    there = f"/orders/{done.id}/review"

    blank = await manager.post(f"{there}/reply", {"text": "  "})
    replied = await manager.post(f"{there}/reply", {"text": "谢谢"})
    again = await manager.post(f"{there}/reply", {"text": "谢谢！"})

    assert (400, 201) == (blank.status_code, replied.status_code)
    assert (409, "/problems/review-answered") == (again.status_code, again.json()["type"])
    provider_id = market.manager.organisation_id
    shown = (await api.get(f"/api/v1/providers/{provider_id}/reviews")).json()
    assert ("4.0", 1) == (shown["mean"], shown["total"])
    assert {"stars": 4, "label": "基本满意", "label_en": "Mostly satisfied", "reviews": 1} in (
        shown["counts"]
    )
    assert ("清晰", "谢谢") == (shown["results"][0]["text"], shown["results"][0]["reply"])
    assert shown["results"][0]["order_id"] is None
    hidden = await officer.post(f"{there}/hide", {"reason": "辱骂"})
    assert (200, "辱骂") == (hidden.status_code, hidden.json()["hidden_because"])
    of_instrument = f"/api/v1/instruments/{market.instrument_id}/reviews"
    after = (await api.get(of_instrument)).json()
    assert ("", True, "4.0") == (
        after["results"][0]["text"],
        after["results"][0]["hidden"],
        after["mean"],
    )
    back = await officer.post(f"{there}/show", {"reason": "误判"})
    assert (200, None) == (back.status_code, back.json()["hidden_because"])
    times = (await api.get(f"/api/v1/providers/{provider_id}/response-time")).json()
    assert (90, 0, 1, None) == (
        times["days"],
        times["answered"],
        times["at_once"],
        times["median_minutes"],
    )
    buyer_id = market.buyer.organisation_id
    assert 404 == (await api.get(f"/api/v1/providers/{buyer_id}/reviews")).status_code
