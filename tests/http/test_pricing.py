"""Tariffs, objections and comparisons over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.parties import a_provider, an_actor, an_sme, bearer

SHEET = {
    "year": 2025,
    "planned_minutes": 84_000,
    "components": [{"kind": "labour", "amount_fen": 32_200_000}],
    "items": [
        {
            "code": "operator",
            "kind": "staff_help",
            "name": "操作员",
            "unit": "hour",
            "cost_fen": 8000,
        }
    ],
}
PRICES = {
    "prices": [
        {
            "customer_class": "sme",
            "unit": "hour",
            "amount_fen": 15_000,
            "tiers": [{"from_quantity": 5, "amount_fen": 12_000}],
        }
    ],
    "hours": [
        {
            "name": "夜间",
            "weekday": 2,
            "opens_minute": 1200,
            "closes_minute": 1440,
            "factor_basis_points": 6000,
        }
    ],
    "urgent_basis_points": 5000,
    "extras": [{"code": "operator", "amount_fen": 8000}],
}


async def test_a_tariff_is_filed_objected_to_answered_and_compared_over_http(
    api: httpx.AsyncClient, database: Database, services: Services
):
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    buyer = await an_actor(database, Role.BUYER, organisation_id=await an_sme(database))
    instrument_id = await an_instrument(database, provider_id=provider_id)
    keys = (f"key-{number}" for number in range(100))

    async def post(path: str, body: object, *, by=manager) -> httpx.Response:
        sent = bearer(services, by) | {"Idempotency-Key": next(keys)}
        return await api.post(f"/api/v1{path}", json=body, headers=sent)

    here = f"/instruments/{instrument_id}"
    sheet = await post(f"{here}/cost-sheets", SHEET)
    assert 201 == sheet.status_code, sheet.text
    assert ["操作员"] == [item["name"] for item in sheet.json()["items"]]
    first = (await post(f"{here}/price-lists", PRICES)).json()
    dearer = PRICES | {"urgent_basis_points": 6000}
    refused = await post(f"{here}/price-lists", dearer)
    assert (422, "prices-above-cost") == (
        refused.status_code,
        refused.json()["type"].rpartition("/")[2],
    )
    second = (await post(f"{here}/price-lists", PRICES | {"urgent_basis_points": 4000})).json()

    changes = await api.get(
        f"/api/v1/price-lists/{second['id']}/changes", params={"since": first["id"]}
    )
    assert [
        {
            "what": "urgent_basis_points",
            "before": 5000,
            "after": 4000,
            "change_basis_points": -2000,
        }
    ] == changes.json()

    objection = await post(
        f"/price-lists/{second['id']}/objections", {"text": "人工重复计算"}, by=buyer
    )
    assert 201 == objection.status_code, objection.text
    answered = await post(
        f"/price-objections/{objection.json()['id']}/answer",
        {"upheld": False, "answer": "两人轮班"},
    )
    assert (200, "rejected") == (answered.status_code, answered.json()["outcome"])
    listed = (await api.get(f"/api/v1/price-lists/{second['id']}/objections")).json()
    assert (1, "两人轮班") == (listed["total"], listed["results"][0]["answer"])

    asked: dict[str, Any] = {
        "class": "sme",
        "minutes": 360,
        "starts_at": "2025-03-12T18:00:00+08:00",
        "on": "2025-03-11",
        "urgent": "true",
        "extra": ["operator:30", "operator:30"],
    }
    price = (await api.get(f"/api/v1{here}/price", params=asked)).json()
    assert [30_000, 18_000, 14_400, 24_960, 8_000] == [
        line["amount_fen"] for line in price["lines"]
    ]
    for wrong in (
        {"starts_at": "2025-03-12T18:00:00"},
        {"extra": ["operator"]},
        {"extra": ["gold:1"]},
    ):
        answer = await api.get(f"/api/v1{here}/price", params=asked | wrong)
        assert answer.status_code in (400, 422), answer.text
    assert [] == (await api.get(f"/api/v1{here}/true-ups")).json()
