"""The API of pricing, invoicing and rewards as a client meets it."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.catalogue import an_instrument
from tests.builders.invoicing import a_charge
from tests.builders.parties import a_legal_entity, a_provider, an_actor, bearer
from tests.builders.pricing import prices_in_force
from tests.builders.rewards import a_graded_provider, a_reward_fund, an_approved_run

API = "/api/v1"
_keys = itertools.count()

Call = Callable[..., Awaitable[httpx.Response]]

A_COST_SHEET = {
    "year": 2025,
    "planned_minutes": 84000,
    "components": [
        {"kind": "labour", "amount_fen": 20_000_000},
        {"kind": "water_electricity", "amount_fen": 12_200_000},
    ],
}
A_PRICE_LIST = {
    "prices": [
        {"customer_class": "sme", "unit": "hour", "amount_fen": 23_000},
        {
            "customer_class": "sme",
            "unit": "sample",
            "amount_fen": 8_000,
            "minutes_per_unit": 30,
        },
    ]
}


@pytest.fixture
def call(api: httpx.AsyncClient, services: Services) -> Call:
    """Send a request as an actor, with a key of its own."""

    async def send(actor: Actor, method: str, path: str, **more: Any) -> httpx.Response:
        headers = bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await api.request(method, f"{API}{path}", headers=headers, **more)

    return send


def body_of(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), response.text
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{code}"
    return body


async def test_a_provider_files_cost_and_prices_and_everybody_reads_them(
    call: Call, api: httpx.AsyncClient, database: Database
) -> None:
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument = f"/instruments/{await an_instrument(database, provider_id=provider_id)}"

    sheet = body_of(
        await call(manager, "POST", f"{instrument}/cost-sheets", json=A_COST_SHEET), 201
    )
    filed = body_of(
        await call(manager, "POST", f"{instrument}/price-lists", json=A_PRICE_LIST), 201
    )

    assert (32_200_000, 23_000) == (sheet["total_fen"], sheet["unit_cost_fen"])
    assert ("2025-03-10", "2025-03-11") == (filed["notice_ends_on"], filed["in_force_from"])
    assert [(23_000, 23_000), (8_000, 11_500)] == [
        (price["amount_fen"], price["cost_fen"]) for price in filed["prices"]
    ]
    assert [sheet] == body_of(await api.get(f"{API}{instrument}/cost-sheets"))
    assert [filed] == body_of(await api.get(f"{API}{instrument}/price-lists"))


async def test_prices_above_cost_are_a_problem_with_every_reason(
    call: Call, database: Database
) -> None:
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument = f"/instruments/{await an_instrument(database, provider_id=provider_id)}"
    dear = {
        "prices": [
            {"customer_class": "sme", "unit": "hour", "amount_fen": 23_001},
            {"customer_class": "enterprise", "unit": "hour", "amount_fen": 46_000},
        ]
    }
    problem(
        await call(manager, "POST", f"{instrument}/price-lists", json=dear),
        422,
        "cost-sheet-missing",
    )
    await call(manager, "POST", f"{instrument}/cost-sheets", json=A_COST_SHEET)

    answer = await call(manager, "POST", f"{instrument}/price-lists", json=dear)

    reasons = problem(answer, 422, "prices-above-cost")["reasons"]
    assert [(23_000, 23_001), (23_000, 46_000)] == [
        (reason["limit"], reason["asked"]) for reason in reasons
    ]
    assert {"J.21a, N.25c"} == {reason["source"] for reason in reasons}


@pytest.mark.parametrize(
    "price",
    [
        {"customer_class": "sme", "unit": "sample", "amount_fen": 1},
        {"customer_class": "sme", "unit": "hour", "amount_fen": 1, "minutes_per_unit": 5},
        {"customer_class": "friend", "unit": "hour", "amount_fen": 1},
        {"customer_class": "sme", "unit": "hour", "amount_fen": -1},
        {"customer_class": "sme", "unit": "hour", "amount_fen": 10**13},
        {"customer_class": "sme", "unit": "hour", "amount_fen": "1"},
    ],
)
async def test_a_price_that_cannot_be_read_is_malformed(
    call: Call, database: Database, price: dict[str, Any]
) -> None:
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument = f"/instruments/{await an_instrument(database, provider_id=provider_id)}"

    answer = await call(manager, "POST", f"{instrument}/price-lists", json={"prices": [price]})

    problem(answer, 400, "malformed")


async def test_another_providers_instrument_takes_no_papers(call: Call, database: Database) -> None:
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await an_instrument(database)
    filed = await prices_in_force(database, instrument_id=instrument_id)

    for path, body in (
        (f"/instruments/{instrument_id}/cost-sheets", A_COST_SHEET),
        (f"/instruments/{instrument_id}/price-lists", A_PRICE_LIST),
        (f"/price-lists/{filed.id}/withdraw", None),
    ):
        assert 404 == (await call(stranger, "POST", path, json=body)).status_code


async def test_anybody_may_ask_what_a_customer_would_pay(
    api: httpx.AsyncClient, database: Database
) -> None:
    instrument_id = await an_instrument(database)
    filed = await prices_in_force(database, instrument_id=instrument_id)
    address = f"{API}/instruments/{instrument_id}/price"

    async def ask(**question: Any) -> httpx.Response:
        return await api.get(address, params={"class": "sme", **question})

    priced = body_of(await ask(mode="machine_time", minutes=90))
    assert (34_500, filed.id) == (priced["total_fen"], priced["price_list_id"])
    assert [(90, 23_000, 34_500)] == [
        (line["quantity"], line["unit_price_fen"], line["amount_fen"]) for line in priced["lines"]
    ]
    assert 24_000 == body_of(await ask(mode="samples", samples=3))["total_fen"]
    assert 0 == body_of(await ask(minutes=90, purpose="public-security"))["total_fen"]
    problem(await ask(minutes=60, on="2025-01-01"), 409, "no-price-in-force")
    assert 23_000 == body_of(await ask(minutes=60, on="9999-12-31"))["total_fen"]
    problem(await ask(minutes=-1), 400, "malformed")
    problem(await ask(mode="samples", samples=1_001), 400, "malformed")
    problem(await ask(**{"class": "friend"}), 400, "malformed")
    problem(await api.get(address), 400, "malformed")
    missing = await api.get(f"{API}/instruments/999999/price", params={"class": "sme"})
    assert 404 == missing.status_code


async def test_a_price_list_is_withdrawn_once(call: Call, database: Database) -> None:
    provider_id = await a_provider(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    instrument_id = await an_instrument(database, provider_id=provider_id)
    filed = await prices_in_force(database, instrument_id=instrument_id)

    withdrawn = body_of(await call(manager, "POST", f"/price-lists/{filed.id}/withdraw"))

    assert withdrawn["withdrawn_at"]
    again = await call(manager, "POST", f"/price-lists/{filed.id}/withdraw")
    problem(again, 409, "price-list-withdrawn")


async def test_invoices_are_listed_in_pages(call: Call, database: Database) -> None:
    buyer = await an_actor(database, Role.BUYER)

    listed = body_of(await call(buyer, "GET", "/invoices?page=2&page_size=10"))

    assert {"results": [], "total": 0, "page": 2, "page_size": 10} == listed
    problem(await call(buyer, "GET", "/invoices?number=12"), 400, "malformed")


async def test_a_run_is_drafted_approved_by_another_and_explained_to_the_provider(
    call: Call, database: Database
) -> None:
    await a_reward_fund(database)
    legal_entity_id = await a_legal_entity(database)
    own, other = [
        await a_graded_provider(database, legal_entity_id=legal_entity_id) for _ in range(2)
    ]
    for provider_id in (own, other):
        await a_charge(database, provider_id=provider_id)
    maker = await an_actor(database, Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=own)

    drafted = body_of(
        await call(maker, "POST", "/rewards/runs", json={"year": 2025, "through": "2025-03-03"}),
        201,
    )

    run = f"/rewards/runs/{drafted['id']}"
    assert ("draft", 10_000) == (drafted["status"], drafted["total_fen"])
    assert "J.30b" == drafted["terms"]["cap_per_legal_entity_fen"]["source"]
    # A draft is nobody's reward yet: the provider does not see it.
    assert 404 == (await call(manager, "GET", run)).status_code
    assert 404 == (await call(manager, "GET", f"{run}/shares")).status_code
    problem(await call(maker, "POST", f"{run}/approve"), 422, "reward-second-person")

    approved = body_of(await call(checker, "POST", f"{run}/approve"))

    assert ("approved", checker.person_id) == (approved["status"], approved["approved_by"])
    problem(await call(checker, "POST", f"{run}/approve"), 409, "reward-run-not-draft")
    mine = body_of(await call(manager, "GET", f"{run}/shares"))
    assert [(own, 5_000)] == [
        (share["provider_id"], share["amount_fen"]) for share in mine["results"]
    ]
    assert 1 == body_of(await call(manager, "GET", "/rewards/runs?year=2025"))["total"]
    lines = body_of(await call(manager, "GET", f"{run}/shares/{own}/charge-lines"))
    assert (1, 100_000) == (lines["total"], lines["service_value_fen"])
    hidden = await call(manager, "GET", f"{run}/shares/{other}/charge-lines")
    assert 404 == hidden.status_code
    assert 2 == body_of(await call(checker, "GET", f"{run}/shares?page_size=1"))["total"]


async def test_a_draft_is_discarded_and_another_made(call: Call, database: Database) -> None:
    maker = await an_actor(database, Role.FINANCE_MAKER)
    draft = {"year": 2025, "through": "2025-03-03", "budget_fen": 100}
    first = body_of(await call(maker, "POST", "/rewards/runs", json=draft), 201)
    problem(await call(maker, "POST", "/rewards/runs", json=draft), 409, "reward-draft-open")

    discarded = body_of(await call(maker, "POST", f"/rewards/runs/{first['id']}/discard"))

    assert "discarded" == discarded["status"]
    again = body_of(await call(maker, "POST", "/rewards/runs", json=draft), 201)
    assert (2, first["inputs_sha256"]) == (again["sequence"], again["inputs_sha256"])
    listed = body_of(await call(maker, "GET", "/rewards/runs?status=draft"))
    assert [again["id"]] == [run["id"] for run in listed["results"]]


@pytest.mark.parametrize(
    ("draft", "status", "code"),
    [
        ({"year": 2025, "through": "2025-03-04"}, 422, "reward-through"),
        ({"year": 2024, "through": "2025-03-03"}, 422, "reward-through"),
        ({"year": 2019, "through": "2019-12-31"}, 422, "reward-terms-missing"),
        ({"year": 2025, "through": "yesterday"}, 400, "malformed"),
        ({"year": 2025, "through": "2025-03-03", "budget_fen": -1}, 400, "malformed"),
    ],
)
async def test_a_run_that_cannot_be_drawn_up_is_a_problem(
    call: Call, database: Database, draft: dict[str, Any], status: int, code: str
) -> None:
    maker = await an_actor(database, Role.FINANCE_MAKER)

    problem(await call(maker, "POST", "/rewards/runs", json=draft), status, code)


async def test_a_statement_is_read_by_finance_and_by_the_entitys_own_units(
    call: Call, database: Database
) -> None:
    await a_reward_fund(database)
    legal_entity_id = await a_legal_entity(database)
    provider_id = await a_graded_provider(database, legal_entity_id=legal_entity_id)
    await a_charge(database, provider_id=provider_id)
    await an_approved_run(database)
    address = f"/rewards/legal-entities/{legal_entity_id}/statement?year=2025"
    own = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)

    statements = [body_of(await call(actor, "GET", address)) for actor in (own, auditor)]

    assert statements[0] == statements[1]
    assert (5_000, 50_000_000, 0) == tuple(
        statements[0][name] for name in ("paid_fen", "cap_fen", "overpaid_fen")
    )
    assert 404 == (await call(stranger, "GET", address)).status_code


async def test_what_if_the_rate_were_four_percent(call: Call, database: Database) -> None:
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id)
    maker = await an_actor(database, Role.FINANCE_MAKER)

    answer = await call(maker, "GET", "/rewards/what-if?year=2025&excellent_basis_points=400")

    found = body_of(answer)
    assert (5_000, 4_000) == (found["present"]["amount_fen"], found["asked"]["amount_fen"])
    assert [4_000] == [entity["amount_fen"] for entity in found["entities"]]
    assert 0 == body_of(await call(maker, "GET", "/rewards/runs"))["total"]
    to_come = await call(maker, "GET", "/rewards/what-if?year=2026")
    problem(to_come, 422, "reward-through")
    nonsense = await call(maker, "GET", "/rewards/what-if?year=2025&cap_fen=-1")
    problem(nonsense, 400, "malformed")
