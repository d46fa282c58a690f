"""Orders over HTTP: who may, what is said, and what a repeated or broken request does."""

import hashlib
from itertools import count
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.orders.use_cases import DELIVERABLE_BYTES_MAX
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.orders import (
    CLAUSES,
    HOUR_FEN,
    WEDNESDAY_MORNING,
    Market,
    a_delivered_order,
    a_market,
    a_price_list,
    a_quote,
    a_sample_order,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor, bearer

_keys = count()


class Caller:
    """Somebody with a token and a new idempotency key for each POST."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.headers = api, bearer(services, actor)

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": key or f"key-{next(_keys)}"}
        if "content" not in more:
            more["json"] = {} if body is None else body
        return await self.api.post(f"/api/v1{path}", headers=headers | more.pop("more", {}), **more)

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


@pytest.fixture
def technician(api: httpx.AsyncClient, services: Services, market: Market) -> Caller:
    return Caller(api, services, market.technician)


def hours(market: Market, **changes: Any) -> dict[str, Any]:
    """The body of a question for two hours on Wednesday morning."""
    return {
        "instrument_id": market.instrument_id,
        "mode": "machine_time",
        "starts_at": WEDNESDAY_MORNING.starts_at.isoformat(),
        "ends_at": WEDNESDAY_MORNING.ends_at.isoformat(),
    } | changes


async def test_a_quote_names_its_lines_its_clauses_and_what_the_buyer_pays(
    buyer: Caller, market: Market
):
    answer = await buyer.post("/quotes", hours(market))

    assert answer.status_code == 201
    quote = answer.json()
    assert (2 * HOUR_FEN, HOUR_FEN) == (quote["total_fen"], quote["own_fen"])
    assert sum(line["amount_fen"] for line in quote["lines"]) == quote["total_fen"]
    assert {clause["name"] for clause in quote["clauses"]} == set(CLAUSES)
    again = await buyer.get(f"/quotes/{quote['id']}")
    assert again.json() == quote
    assert (await buyer.get("/quotes", usable_only=True)).json()["total"] == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"starts_at": "2025-03-05T09:00:00"}, 400),
        ({"starts_at": "0001-01-01T00:00:00Z"}, 400),
        ({"ends_at": "9999-12-31T23:59:59Z"}, 400),
        ({"mode": "sideways"}, 400),
        ({"samples": 0}, 400),
        ({"samples": 2}, 400),
        ({"arrives_on": "2025-03-20"}, 400),
        ({"arrives_on": "tomorrow"}, 400),
        ({"instrument_id": 999_999}, 404),
        ({"instrument_id": 2**60}, 400),
        ({"surprise": 1}, 400),
        ({"buyer_id": 1}, 404),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused_and_never_breaks(
    buyer: Caller, market: Market, changes: dict[str, Any], status: int
):
    answer = await buyer.post("/quotes", hours(market, **changes))

    assert status == answer.status_code
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_an_order_is_placed_once_however_often_it_is_sent(buyer: Caller, market: Market):
    quote = await a_quote(market)
    body = {"quote_id": quote.id, "clauses": CLAUSES}

    first = await buyer.post("/orders", body, key="the same")
    second = await buyer.post("/orders", body, key="the same")

    assert (201, 201) == (first.status_code, second.status_code)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = await buyer.post("/orders", body | {"own_fen_max": 1}, key="the same")
    assert (422, "/problems/idempotency-key-reused") == (other.status_code, other.json()["type"])
    anew = await buyer.post("/orders", body, key="another")
    assert (409, "/problems/quote-used") == (anew.status_code, anew.json()["type"])


async def test_a_refused_order_names_every_missing_clause(buyer: Caller, market: Market):
    quote = await a_quote(market)

    answer = await buyer.post("/orders", {"quote_id": quote.id, "clauses": {"damages": "none"}})

    assert (422, "/problems/clauses-incomplete") == (answer.status_code, answer.json()["type"])
    assert len(answer.json()["reasons"]) == len(CLAUSES) - 1


async def test_only_a_buyer_orders_only_a_manager_signs_only_an_officer_rules(
    buyer: Caller, manager: Caller, technician: Caller, market: Market
):
    placed = await an_order(market)
    body = {"quote_id": placed.quote_id, "clauses": CLAUSES}

    refused = [
        await manager.post("/orders", body),
        await manager.post("/quotes", hours(market)),
        await buyer.post(f"/orders/{placed.id}/confirm"),
        await technician.post(f"/orders/{placed.id}/reject", {"reason": "no"}),
        await buyer.post(f"/orders/{placed.id}/open-service"),
        await manager.post(f"/orders/{placed.id}/accept"),
        await manager.post(f"/orders/{placed.id}/rule", {"pay_basis_points": 0, "ruling": "x"}),
    ]

    assert {403} == {answer.status_code for answer in refused}


async def test_a_stranger_finds_nothing(
    api: httpx.AsyncClient, services: Services, market: Market, database: Database
):
    delivered = await a_delivered_order(market)
    stranger = Caller(api, services, await an_actor(database, Role.BUYER))
    there = f"/orders/{delivered.id}"

    answers = [
        await stranger.get(there),
        await stranger.get(f"{there}/contract"),
        await stranger.get(f"{there}/deliverables"),
        await stranger.get(f"{there}/deliverables/1"),
        await stranger.post(f"{there}/accept"),
        await stranger.post(f"{there}/dispute", {"reason": "mine now"}),
        await stranger.post(f"{there}/cancel", {"reason": "mine now"}),
        await stranger.get(f"/quotes/{delivered.quote_id}"),
    ]

    assert {404} == {answer.status_code for answer in answers}
    assert (await stranger.get("/orders")).json()["total"] == 0


async def test_machine_time_from_quote_to_review(
    buyer: Caller, manager: Caller, technician: Caller, market: Market
):
    quote = (await buyer.post("/quotes", hours(market))).json()
    placed = await buyer.post("/orders", {"quote_id": quote["id"], "clauses": CLAUSES})
    there = f"/orders/{placed.json()['id']}"
    move_to(market, WEDNESDAY_MORNING.starts_at)
    assert (await technician.post(f"{there}/open-service")).json()["status"] == "in_service"
    move_to(market, WEDNESDAY_MORNING.ends_at)
    closed = await technician.post(
        f"{there}/close-service", {"preparation_minutes": 10, "post_minutes": 10}
    )
    assert closed.status_code == 200
    assert (await technician.post(f"{there}/deliver")).json()["status"] == "delivered"
    settled = await buyer.post(f"{there}/accept")
    assert ("settled", 2 * HOUR_FEN) == (settled.json()["status"], settled.json()["settled_fen"])
    assert (await buyer.post(f"{there}/review", {"stars": 5, "text": "好"})).status_code == 201
    bill = {"number": "2532" + "0" * 15 + "1", "amount_fen": 80_000, "issued_on": "2025-03-05"}
    assert (await manager.post(f"{there}/invoice", bill)).status_code == 201

    story = (await buyer.get(there)).json()

    assert [event["kind"] for event in story["timeline"]] == [
        "place",
        "confirm",
        "open",
        "close",
        "item_delivered",
        "deliver",
        "accept",
        "review",
        "invoice",
    ]
    assert story["review"]["stars"] == 5
    assert (await buyer.get("/orders", status="settled", text="电镜")).json()["total"] == 0
    assert (await buyer.get("/orders", status="settled", text="显微镜")).json()["total"] == 1
    assert (await buyer.get("/orders", placed_from="2025-03-04")).json()["total"] == 0


async def test_a_result_goes_up_as_it_is_and_comes_down_the_same(
    buyer: Caller, technician: Caller, market: Market
):
    found = await a_sample_order(market)
    there = f"/orders/{found.id}"
    assert (await technician.post(f"{there}/receive-samples", {"count": 5})).status_code == 200
    content = b"%PDF-1.7 \x00\xff"
    sent: dict[str, Any] = {
        "content": content,
        "params": {"name": "报告 1.pdf", "sha256": hashlib.sha256(content).hexdigest()},
        "more": {"Content-Type": "application/pdf"},
    }

    stored = await technician.post(f"{there}/deliverables", **sent)

    assert stored.status_code == 201
    assert stored.json()["media_type"] == "application/pdf"
    taken = await buyer.get(f"{there}/deliverables/{stored.json()['id']}")
    assert content == taken.content
    assert taken.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E6%8A%A5")
    assert taken.headers["x-content-type-options"] == "nosniff"
    known = await technician.post(f"{there}/deliverables", **sent)
    assert (409, "/problems/deliverable-known") == (known.status_code, known.json()["type"])


@pytest.mark.parametrize(
    ("params", "content", "status"),
    [
        ({"name": "a.pdf"}, b"", 422),
        ({"name": "a.pdf", "sha256": "0" * 64}, b"x", 422),
        ({"name": "a.pdf", "sha256": "short"}, b"x", 400),
        ({"name": "../../etc/passwd"}, b"x", 400),
        ({"name": ""}, b"x", 400),
        ({}, b"x", 400),
        ({"name": "a.pdf"}, b"x" * (DELIVERABLE_BYTES_MAX + 1), 413),
    ],
)
async def test_a_result_that_does_not_fit_is_refused(
    technician: Caller, market: Market, params: dict[str, str], content: bytes, status: int
):
    found = await a_sample_order(market)
    await technician.post(f"/orders/{found.id}/receive-samples", {"count": 5})

    answer = await technician.post(
        f"/orders/{found.id}/deliverables", params=params, content=content
    )

    assert status == answer.status_code


async def test_a_page_is_no_result_and_whatever_a_result_is_called_it_is_saved_and_never_shown(
    buyer: Caller, technician: Caller, market: Market
):
    found = await a_sample_order(market)
    await technician.post(f"/orders/{found.id}/receive-samples", {"count": 5})
    there = f"/orders/{found.id}/deliverables"
    page = await technician.post(
        there,
        params={"name": "report.txt"},
        content=b"<script>alert(1)</script>",
        more={"Content-Type": "text/plain"},
    )
    stored = await technician.post(
        there,
        params={"name": 'x"; filename=y.csv'},
        content=b"1,2",
        more={"Content-Type": "text/html\t; <script>"},
    )

    taken = await buyer.get(f"{there}/{stored.json()['id']}")

    assert (422, "file-type") == (page.status_code, page.json()["reasons"][0]["rule"])
    assert stored.json()["media_type"] == "text/plain"
    assert taken.headers["content-disposition"].startswith("attachment;")
    assert '"' not in taken.headers["content-disposition"]
    assert taken.headers["content-security-policy"] == "sandbox"


async def test_offers_show_free_days_and_what_the_buyer_itself_pays(buyer: Caller, market: Market):
    answer = await buyer.get("/offers", text="扫描电子显微镜")

    assert answer.status_code == 200
    offer = answer.json()["results"][0]
    assert (HOUR_FEN, HOUR_FEN // 2, HOUR_FEN // 2) == (
        offer["hour_fen"],
        offer["voucher_fen"],
        offer["own_fen"],
    )
    assert len(offer["free_minutes"]) == 7


async def test_offers_free_in_a_window_leave_out_what_is_taken(buyer: Caller, market: Market):
    window = {
        "free_from": WEDNESDAY_MORNING.starts_at.isoformat(),
        "free_until": WEDNESDAY_MORNING.ends_at.isoformat(),
    }
    before = (await buyer.get("/offers", **window)).json()
    await an_order(market)

    after = (await buyer.get("/offers", **window)).json()

    assert (1, 0) == (before["total"], after["total"])
    some = await buyer.get(
        "/offers", minutes=60, **(window | {"free_until": (at_hours(2, 9, 13).ends_at.isoformat())})
    )
    assert some.json()["total"] == 1


@pytest.mark.parametrize(
    "window",
    [
        {"free_from": "2025-03-05T09:00:00Z"},
        {"free_from": "2025-03-05T09:00:00", "free_until": "2025-03-05T10:00:00"},
        {"free_from": "2025-03-05T09:00:00Z", "free_until": "2025-03-05T09:00:00Z"},
        {"free_from": "0001-01-01T00:00:00Z", "free_until": "0001-01-02T00:00:00Z"},
        {"free_from": "2025-03-05T09:00:00Z", "free_until": "9999-01-01T00:00:00Z"},
    ],
)
async def test_half_a_window_is_no_window(buyer: Caller, window: dict[str, str]):
    answer = await buyer.get("/offers", **window)

    assert (400, "/problems/offers-unclear") == (answer.status_code, answer.json()["type"])


async def test_more_hits_do_not_mean_more_questions(
    buyer: Caller, market: Market, database: Database
):
    async def questions() -> int:
        asked: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        try:
            answer = await buyer.get(
                "/offers",
                free_from=WEDNESDAY_MORNING.starts_at.isoformat(),
                free_until=WEDNESDAY_MORNING.ends_at.isoformat(),
            )
            assert answer.status_code == 200
        finally:
            event.remove(database.engine.sync_engine, "before_cursor_execute", note)
        return len(asked)

    few = await questions()
    for _ in range(6):
        await a_price_list(database, instrument_id=await a_bookable_instrument(database))

    assert few == await questions()
