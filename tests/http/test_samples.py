"""Samples over HTTP: sent, received, noted, scanned, and who took which result."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from tests.builders.orders import Market, a_delivered_order, a_market, a_sample_order
from tests.builders.parties import bearer

_keys = count()


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


class Caller:
    """Somebody with a token and a new idempotency key for each request."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers = api, bearer(services, actor)

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"samples-{next(_keys)}"}
        return await self.api.request(method, f"/api/v1{path}", headers=headers, json=body, **more)


@pytest.fixture
def buyer(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.buyer)


@pytest.fixture
def technician(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.technician)


def kinds(answer: httpx.Response, name: str = "kind") -> list[str]:
    return [each[name] for each in answer.json()["results"]]


async def test_samples_go_out_and_come_back_and_both_sides_see_every_hand(
    market: Market, buyer: Caller, technician: Caller
) -> None:
    order_id = (await a_sample_order(market)).id
    at = f"/orders/{order_id}"

    nothing = await technician.send("GET", f"{at}/sample-declaration")
    assert (nothing.status_code, nothing.json()["declared_at"]) == (200, None)
    declared = {
        "ghs": ["GHS06", "GHS02"],
        "hazard_note": "H225 H301",
        "storage": "frozen",
        "keep_until": "2025-04-03",
        "return_to": "南京市某路 1 号 张三 13900000000",
    }
    put = await buyer.send("PUT", f"{at}/sample-declaration", declared)
    assert (put.status_code, put.json()["ghs"]) == (200, ["GHS02", "GHS06"])
    assert (await technician.send("GET", f"{at}/sample-declaration")).json() == put.json()

    parcel = {"carrier": "顺丰", "number": "SF100", "pieces": 5}
    sent = await buyer.send("POST", f"{at}/shipments", parcel)
    assert (sent.status_code, sent.json()["direction"]) == (201, "out")
    receipt = {"pieces": 5, "condition": "intact"}
    path = f"{at}/shipments/{sent.json()['id']}/receive"
    received = await technician.send("POST", path, receipt)
    assert (received.status_code, received.json()["received_pieces"]) == (200, 5)
    again = await technician.send("POST", path, receipt)
    assert (409, "/problems/shipment-received") == (again.status_code, again.json()["type"])
    stored = {"kind": "stored", "samples": 5, "place": "冰箱 3", "who": "李工"}
    assert (await technician.send("POST", f"{at}/custody", stored)).status_code == 201
    back = await technician.send("POST", f"{at}/shipments", parcel | {"pieces": 4})
    assert (back.status_code, back.json()["direction"]) == (201, "back")
    too_many = await technician.send("POST", f"{at}/shipments", parcel | {"pieces": 2})
    refused = (too_many.status_code, too_many.json()["type"])
    assert refused == (422, "/problems/custody-refused")
    assert too_many.json()["reasons"][0]["rule"] == "samples-held"

    for caller in (buyer, technician):
        chain = await caller.send("GET", f"{at}/custody")
        assert kinds(chain) == ["handed_over", "received", "stored", "returned"]
        only = await caller.send("GET", f"{at}/custody", params={"kind": "stored"})
        assert kinds(only) == ["stored"]
        both = await caller.send("GET", f"{at}/shipments")
        assert kinds(both, "direction") == ["out", "back"]
        out = await caller.send("GET", f"{at}/shipments", params={"direction": "out"})
        assert (out.json()["total"], kinds(out, "number")) == (1, ["SF100"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("shipments", {"carrier": "顺丰", "number": "1", "pieces": 0}),
        ("shipments", {"carrier": "顺丰", "number": "1", "pieces": 1, "sent_at": "yesterday"}),
        ("custody", {"kind": "eaten", "samples": 1}),
        ("custody", {"kind": "stored", "samples": 10_001}),
    ],
)
async def test_what_cannot_be_read_is_told_so(
    market: Market, buyer: Caller, path: str, body: dict[str, Any]
) -> None:
    order_id = (await a_sample_order(market)).id

    assert (await buyer.send("POST", f"/orders/{order_id}/{path}", body)).status_code == 400


@pytest.mark.parametrize("sent_at", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
async def test_a_moment_beyond_all_calendars_is_refused_and_no_error(
    market: Market, buyer: Caller, sent_at: str
) -> None:
    order_id = (await a_sample_order(market)).id
    body = {"carrier": "顺丰", "number": "1", "pieces": 1, "sent_at": sent_at}

    answer = await buyer.send("POST", f"/orders/{order_id}/shipments", body)

    assert answer.status_code == 422


async def test_the_sheet_names_dangers_addresses_and_a_code_for_each_sample_that_staff_scan(
    market: Market, buyer: Caller, technician: Caller
) -> None:
    order_id = (await a_sample_order(market, samples=3)).id
    declared = {"ghs": ["GHS06"], "storage": "deep_frozen", "return_to": "某路 1 号"}
    await buyer.send("PUT", f"/orders/{order_id}/sample-declaration", declared)

    for caller in (buyer, technician):
        for language, words in (
            ("zh", ("样品随行单", "GHS06 急性毒性", "深冷 -80 °C", "某路 1 号")),
            ("en", ("Sample sheet", "GHS06 toxic", "deep frozen", "某路 1 号")),
        ):
            sheet = await caller.send(
                "GET", f"/orders/{order_id}/sample-sheet", params={"language": language}
            )
            assert (sheet.status_code, sheet.headers["content-type"]) == (200, "application/pdf")
            text = "".join(page.extract_text() for page in PdfReader(BytesIO(sheet.content)).pages)
            for word in (*words, *(f"SC-{order_id}-{number}" for number in (1, 2, 3))):
                assert word in text
    last = await buyer.send("GET", f"/orders/{order_id}/sample-sheet", params={"first": 3})
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(last.content)).pages)
    assert f"SC-{order_id}-2" not in text

    scanned = await technician.send("GET", f"/sample-codes/SC-{order_id}-3")
    assert (scanned.status_code, scanned.json()["number"]) == (200, 3)
    assert scanned.json()["declaration"]["ghs"] == ["GHS06"]
    assert scanned.json()["last_event"] is None
    for wrong in (f"SC-{order_id}-4", "SC-0-1", "whatever"):
        missing = await technician.send("GET", f"/sample-codes/{wrong}")
        assert (404, "/problems/sample-code-not-found") == (
            missing.status_code,
            missing.json()["type"],
        )
    assert (await buyer.send("GET", f"/sample-codes/SC-{order_id}-3")).status_code == 403


async def test_the_buyer_sees_who_took_which_result_and_when(
    market: Market, buyer: Caller, technician: Caller
) -> None:
    order = await a_delivered_order(market)
    at = f"/orders/{order.id}"
    (report,) = (await buyer.send("GET", f"{at}/deliverables")).json()
    path = f"{at}/deliverables/{report['id']}"
    assert (await technician.send("GET", path)).status_code == 200
    assert (await buyer.send("GET", path)).status_code == 200

    seen = await buyer.send("GET", f"{at}/downloads")
    rows = seen.json()["results"]
    assert [(each["person_id"], each["organisation_id"]) for each in rows] == [
        (market.buyer.person_id, market.buyer.organisation_id),
        (market.technician.person_id, market.technician.organisation_id),
    ]
    assert {(each["name"], each["sha256"]) for each in rows} == {(report["name"], report["sha256"])}
    assert all(each["person"] and each["at"] for each in rows)
    page = await buyer.send("GET", f"{at}/downloads", params={"page_size": 1, "page": 2})
    assert (page.json()["total"], page.json()["results"]) == (2, rows[1:])
    other = await buyer.send("GET", f"{at}/downloads", params={"deliverable_id": report["id"] + 1})
    assert other.json()["total"] == 0
    assert (await technician.send("GET", f"{at}/downloads")).status_code == 403
