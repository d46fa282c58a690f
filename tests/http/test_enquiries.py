"""Enquiries over HTTP: asked, answered, offered by hand, approved, accepted and ordered."""

from __future__ import annotations

import csv
import io
from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from tests.builders.attachments import a_docx, a_pdf
from tests.builders.orders import CLAUSES, WEDNESDAY_MORNING, Market, a_market
from tests.builders.parties import bearer

_keys = count()


class Caller:
    """Somebody with a token and a new idempotency key for each request."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers = api, bearer(services, actor)

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"enquiries-{next(_keys)}"}
        return await self.api.request(method, f"/api/v1{path}", headers=headers, json=body, **more)

    async def upload(self, path: str, content: bytes, **params: str) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": f"enquiries-{next(_keys)}"}
        return await self.api.post(
            f"/api/v1{path}", headers=headers, content=content, params=params
        )


@pytest.fixture
async def market(database: Database) -> Market:
    return await a_market(database)


@pytest.fixture
def buyer(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.buyer)


@pytest.fixture
def technician(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.technician)


@pytest.fixture
def manager(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.manager)


def an_enquiry(market: Market, **changes: Any) -> dict[str, Any]:
    return {
        "provider_id": market.manager.organisation_id,
        "subject": "=薄膜截面",
        "need": "12 片",
        "instrument_ids": [market.instrument_id],
        "wished_from": "2025-03-05",
        "budget_fen": 70_000,
    } | changes


def a_service(market: Market) -> dict[str, Any]:
    return {
        "instrument_id": market.instrument_id,
        "mode": "machine_time",
        "starts_at": WEDNESDAY_MORNING.starts_at.isoformat(),
        "ends_at": WEDNESDAY_MORNING.ends_at.isoformat(),
    }


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def test_a_price_by_hand_goes_from_the_question_to_the_order(
    market: Market, buyer: Caller, technician: Caller, manager: Caller
) -> None:
    asked = await buyer.send("POST", "/enquiries", an_enquiry(market))
    assert (asked.status_code, asked.json()["status"]) == (201, "open")
    at = f"/enquiries/{asked.json()['id']}"
    written = await technician.send("POST", f"{at}/messages", {"text": "可以做"})
    assert (written.status_code, written.json()["side"]) == (201, "provider")

    manual = {"unit": "hour", "unit_fen": 30_000, "reason": "长期合作"}
    offered = {"service": a_service(market), "note": "含操作员", "manual": manual}
    dear = offered | {"manual": manual | {"unit_fen": 40_001}}
    too_dear = await technician.send("POST", f"{at}/offers", dear)
    assert problem(too_dear) == (422, "manual-price-refused")
    assert ["no-profit-price"] == [each["rule"] for each in too_dear.json()["reasons"]]
    made = await technician.send("POST", f"{at}/offers", offered)
    assert (made.status_code, made.json()["status"]) == (201, "awaiting_approval")
    path = f"{at}/offers/{made.json()['id']}"
    assert (await buyer.send("GET", f"{at}/offers")).json()["results"] == []
    assert problem(await buyer.send("POST", f"{path}/accept")) == (409, "offer-not-open")
    assert (await technician.send("POST", f"{path}/approve")).status_code == 403
    waiting = await manager.send("GET", "/enquiry-offers", params={"status": "awaiting_approval"})
    assert [made.json()["id"]] == [each["id"] for each in waiting.json()["results"]]

    approved = await manager.send("POST", f"{path}/approve")
    assert (approved.status_code, approved.json()["ceiling_fen"]) == (200, 40_000)
    (seen,) = (await buyer.send("GET", f"{at}/offers")).json()["results"]
    assert (60_000, 80_000, 30_000) == (
        seen["total_fen"],
        seen["list_total_fen"],
        seen["manual_unit_fen"],
    )
    hidden = ("reason", "ceiling_fen", "made_by", "approved_by", "ended_by")
    assert {None} == {seen[name] for name in hidden}
    order = {"quote_id": seen["quote_id"], "clauses": CLAUSES}
    early = await buyer.send("POST", "/orders", order)
    assert problem(early) == (409, "offer-not-accepted")
    accepted = await buyer.send("POST", f"{path}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    placed = await buyer.send("POST", "/orders", order)
    assert (placed.status_code, placed.json()["total_fen"]) == (201, 60_000)
    quote = await buyer.send("GET", f"/quotes/{seen['quote_id']}")
    assert ("hour", 30_000) == (quote.json()["manual_unit"], quote.json()["manual_unit_fen"])
    events = (await buyer.send("GET", f"{at}/events")).json()["results"]
    assert ["ask", "write", "answer", "offer", "accept"] == [each["kind"] for each in events]


async def test_rounds_are_turned_down_retracted_and_refused_with_reasons(
    market: Market, buyer: Caller, technician: Caller, manager: Caller
) -> None:
    asked = await buyer.send("POST", "/enquiries", an_enquiry(market))
    at = f"/enquiries/{asked.json()['id']}"
    offered = {"service": a_service(market)}
    first = (await technician.send("POST", f"{at}/offers", offered)).json()
    assert ("standing", 80_000, None) == (
        first["status"],
        first["total_fen"],
        first["manual_unit"],
    )
    reason = {"reason": "预算不足"}
    down = await buyer.send("POST", f"{at}/offers/{first['id']}/turn-down", reason)
    assert (down.json()["status"], down.json()["ended_because"]) == ("declined", "预算不足")
    second = (await technician.send("POST", f"{at}/offers", offered)).json()
    back = await technician.send("POST", f"{at}/offers/{second['id']}/retract", reason)
    assert back.json()["status"] == "withdrawn"
    manual = {"unit": "hour", "unit_fen": 30_000, "reason": "长期合作"}
    third = (await technician.send("POST", f"{at}/offers", offered | {"manual": manual})).json()
    refused = await manager.send("POST", f"{at}/offers/{third['id']}/refuse", reason)
    assert refused.json()["status"] == "refused"
    own = await manager.send("POST", f"{at}/offers", offered | {"manual": manual})
    self_approved = await manager.send("POST", f"{at}/offers/{own.json()['id']}/approve")
    assert problem(self_approved) == (409, "offer-approval-by-maker")
    unreasoned = offered | {"manual": manual | {"reason": ""}}
    assert (await technician.send("POST", f"{at}/offers", unreasoned)).status_code == 400

    ended = await buyer.send("POST", f"{at}/withdraw", reason)
    assert (ended.status_code, ended.json()["status"]) == (200, "withdrawn")
    late = await technician.send("POST", f"{at}/decline", reason)
    assert problem(late) == (409, "enquiry-step-not-open")
    rows = (await manager.send("GET", "/enquiry-offers/file")).content.decode("utf-8-sig")
    assert [4, 3, 2, 1] == [int(row["round"]) for row in csv.DictReader(io.StringIO(rows))]
    assert len((await buyer.send("GET", "/enquiry-offers")).json()["results"]) == 2


async def test_files_come_as_a_body_or_in_a_form_and_hostile_ones_are_refused(
    market: Market, buyer: Caller, technician: Caller, manager: Caller
) -> None:
    asked = await buyer.send("POST", "/enquiries", an_enquiry(market))
    at = f"/enquiries/{asked.json()['id']}/files"
    kept = await buyer.upload(at, a_pdf(), name="需求.pdf")
    assert (kept.status_code, kept.json()["media_type"]) == (201, "application/pdf")
    headers = technician.headers | {"Idempotency-Key": "enquiries-form"}
    form = await technician.api.post(
        f"/api/v1{at}", headers=headers, files={"file": ("方案.docx", a_docx())}
    )
    assert (form.status_code, form.json()["name"]) == (201, "方案.docx")

    assert problem(await buyer.upload(at, a_pdf(), name="again.pdf")) == (409, "enquiry-file-known")
    for name, content in (
        ("a.pdf", b"MZ\x90\x00" + b"\x00" * 100),
        ("a.docx", a_docx({"word/vbaProject.bin": b"1"})),
        ("a.docx", a_docx({"word/a.xml": b"\x00" * (20 * 1024 * 1024)})),
        ("a.exe", a_pdf()),
    ):
        assert problem(await buyer.upload(at, content, name=name)) == (422, "file-unfit")
    assert (await buyer.upload(at, a_pdf(b"1"))).status_code == 400
    assert (await buyer.upload(at, a_pdf(b"2"), name="../a.pdf")).status_code == 400
    assert problem(await buyer.upload(at, b"", name="a.pdf")) == (422, "file-unfit")
    assert (await buyer.upload(at, b"0" * 10_700_000, name="a.pdf")).status_code == 413

    taken = await manager.send("GET", f"{at}/{kept.json()['id']}")
    assert (taken.status_code, taken.content) == (200, a_pdf())
    assert taken.headers["x-content-type-options"] == "nosniff"
    assert taken.headers["content-disposition"].startswith("attachment")
    assert problem(await manager.send("GET", f"{at}/999999")) == (404, "enquiry-file-not-found")
    listed = (await manager.send("GET", at)).json()
    assert (2, ["buyer", "provider"]) == (
        listed["total"],
        [each["side"] for each in listed["results"]],
    )


async def test_the_list_is_filtered_paged_and_taken_out_as_a_file(
    market: Market, buyer: Caller, technician: Caller
) -> None:
    for number in range(3):
        body = an_enquiry(market, subject=f"=第 {number} 个")
        assert (await buyer.send("POST", "/enquiries", body)).status_code == 201
    page = await technician.send(
        "GET", "/enquiries", params={"page_size": 2, "side": "provider", "status": "open"}
    )
    assert (page.json()["total"], len(page.json()["results"])) == (3, 2)
    assert page.json()["results"][0]["buyer"]
    found = await technician.send("GET", "/enquiries", params={"text": "第 1"})
    assert found.json()["total"] == 1
    days = {"asked_from": "2025-03-04", "asked_until": "9999-12-31"}
    assert (await technician.send("GET", "/enquiries", params=days)).json()["total"] == 0

    file = await buyer.send("GET", "/enquiries/file")
    rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert ["'=第 2 个", "'=第 1 个", "'=第 0 个"] == [row["subject"] for row in rows]
    book = await buyer.send("GET", "/enquiries/file", params={"format": "xlsx"})
    assert book.content.startswith(b"PK")
    nobody = await buyer.send("GET", "/enquiries", params={"status": "lost"})
    assert nobody.status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": ""},
        {"need": "x" * 10_001},
        {"instrument_ids": list(range(1, 12))},
        {"budget_fen": 0},
        {"samples": 0},
        {"wished_from": "soon"},
        {"purpose": "free"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_cannot_be_read_is_told_so(
    market: Market, buyer: Caller, changes: dict[str, Any]
) -> None:
    answer = await buyer.send("POST", "/enquiries", an_enquiry(market, **changes))

    assert answer.status_code == 400
