"""The ledger's API as finance staff and auditors meet it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import pytest_asyncio

from marketplace.billing.ledger.jobs import JOBS
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.ledger import a_hold, a_posted_entry, a_wallet, an_account
from tests.builders.parties import an_actor, bearer

LEDGER = "/api/v1/ledger"


class Caller:
    """A client that asks as one person."""

    def __init__(self, api: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.api, self.headers = api, headers

    async def get(self, path: str, **params: Any) -> Any:
        response = await self.api.get(LEDGER + path, headers=self.headers, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, key: str, body: dict[str, Any] | None = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": key}
        return await self.api.post(LEDGER + path, headers=headers, json=body)


@pytest.fixture
def as_(api: httpx.AsyncClient, services: Services):
    def caller(actor: Actor) -> Caller:
        return Caller(api, bearer(services, actor))

    return caller


@pytest_asyncio.fixture
async def checker(database: Database) -> Actor:
    return await an_actor(database, Role.FINANCE_CHECKER)


@pytest_asyncio.fixture
async def auditor(database: Database) -> Actor:
    return await an_actor(database, Role.AUDITOR)


async def test_accounts_are_listed_with_what_lies_on_them(database, as_, auditor):
    wallet = await a_wallet(database, owner_id=7, funds_fen=100)
    await a_wallet(database, owner_id=8, funds_fen=50)
    await a_hold(database, account_id=wallet, amount_fen=30)
    audit = as_(auditor)

    every = await audit.get("/accounts")
    wallets = await audit.get("/accounts", type="wallet", owner_id=7, ledger="cash", page_size=1)
    one = await audit.get(f"/accounts/{wallet}")
    held = await audit.get(f"/accounts/{wallet}/holds")

    assert {(found["type"], found["posted_fen"]) for found in every["results"]} == {
        ("bank", 150),
        ("wallet", 100),
        ("wallet", 50),
    }
    assert wallets["total"] == 1
    assert wallets["results"] == [one]
    assert (one["posted_fen"], one["held_fen"], one["available_fen"]) == (100, 30, 70)
    assert [hold["amount_fen"] for hold in held] == [30]
    assert (await audit.get("/accounts", ledger="voucher"))["total"] == 0


async def test_an_account_says_what_moved_on_it_in_its_own_sign(database, as_, auditor):
    wallet = await a_wallet(database, funds_fen=100)
    bank = await an_account(database, AccountType.BANK)
    await a_posted_entry(database, debit=wallet, credit=bank, amount_fen=40, remark="given back")
    audit = as_(auditor)

    of_wallet = await audit.get(f"/accounts/{wallet}/postings")
    of_bank = await audit.get(f"/accounts/{bank}/postings", page=2, page_size=1)

    assert [(line["amount_fen"], line["balance_after_fen"]) for line in of_wallet["results"]] == [
        (-40, 60),
        (100, 100),
    ]
    assert of_wallet["results"][0]["remark"] == "given back"
    assert (of_bank["total"], of_bank["results"][0]["amount_fen"]) == (2, 100)
    assert of_bank["results"][0]["balance_after_fen"] is None


@pytest.mark.parametrize(
    ("filters", "amounts"),
    [
        ({}, [3, 2, 1]),
        ({"kind": "order_settled"}, [2]),
        ({"source_kind": "service_order", "source_id": 9}, [3]),
        ({"from_on": "2025-03-02", "until_on": "2025-03-03"}, [2, 1]),
        ({"page": 2, "page_size": 2}, [1]),
        ({"account_id": 2}, [3, 2, 1]),
        ({"account_id": 99}, []),
        ({"ledger": "voucher"}, []),
    ],
)
async def test_entries_are_found_by_what_they_are_about(database, as_, auditor, filters, amounts):
    wallet = await a_wallet(database, funds_fen=0)
    accounts = {"debit": await an_account(database, AccountType.BANK), "credit": wallet}
    assert accounts == {"debit": 2, "credit": 1}
    await a_posted_entry(database, **accounts, amount_fen=1)
    await a_posted_entry(database, **accounts, amount_fen=2, kind="order_settled")
    later: dict[str, Any] = {
        "effective_on": "2025-03-04",
        "source_kind": "service_order",
        "source_id": 9,
    }
    await a_posted_entry(database, **accounts, amount_fen=3, **later)

    found = await as_(auditor).get("/entries", **filters)

    assert [
        next(line["amount_fen"] for line in entry["lines"] if line["amount_fen"] > 0)
        for entry in found["results"]
    ] == amounts


async def test_a_checker_reverses_what_another_made_once(database, as_, checker):
    wallet = await a_wallet(database, funds_fen=0)
    bank = await an_account(database, AccountType.BANK)
    entry_id = await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=100)
    finance = as_(checker)
    body = {"reason": "booked twice"}

    posted = await finance.post(f"/entries/{entry_id}/reverse", "a", body)
    replayed = await finance.post(f"/entries/{entry_id}/reverse", "a", body)
    again = await finance.post(f"/entries/{entry_id}/reverse", "b", body)

    assert (posted.status_code, replayed.json()) == (201, posted.json())
    assert (again.status_code, again.json()["type"]) == (409, "/problems/entry-reversed")
    reversal = await finance.get(f"/entries/{posted.json()['entry_id']}")
    assert (reversal["reverses"], reversal["remark"]) == (entry_id, "booked twice")
    assert reversal["made_by"] == checker.person_id
    assert {line["account_id"]: line["amount_fen"] for line in reversal["lines"]} == {
        bank: -100,
        wallet: 100,
    }
    assert (await finance.get(f"/entries/{entry_id}"))["reversed_by"] == reversal["id"]
    own = await finance.post(f"/entries/{reversal['id']}/reverse", "c", body)
    assert (own.status_code, own.json()["type"]) == (422, "/problems/self-approval")


async def test_the_trial_balance_is_that_of_the_day(database, as_, auditor):
    await a_wallet(database, funds_fen=100)

    today = await as_(auditor).get("/trial-balance")
    before = await as_(auditor).get("/trial-balance", as_of="2025-03-02")

    assert today["as_of"] == "2025-03-03"
    assert {line["type"]: line["balance_fen"] for line in today["lines"]} == {
        "bank": 100,
        "wallet": -100,
    }
    assert today["difference_fen"] == {"cash": 0, "voucher": 0, "credit": 0}
    assert before["lines"] == []


async def test_the_auditor_verifies_the_ledger(database, as_, auditor):
    await a_wallet(database, funds_fen=100)
    for job in JOBS:
        await job.run(database)

    report = await as_(auditor).get("/verify")
    bounded = await as_(auditor).get("/verify", entries_max=1)

    assert (report["ok"], report["complete"], report["problems"]) == (True, True, [])
    assert (report["entries"], report["postings"], report["seals"]) == (1, 2, 1)
    assert bounded["ok"]


@pytest.mark.parametrize(
    "path", ["/accounts/9", "/accounts/9/postings", "/accounts/9/holds", "/entries/9"]
)
async def test_what_is_not_there_is_not_found(api, services, auditor, path):
    response = await api.get(LEDGER + path, headers=bearer(services, auditor))

    assert response.status_code == 404
    assert response.json()["type"] in ("/problems/account-missing", "/problems/entry-missing")


async def test_the_ledger_is_not_for_everybody(database, api, services, checker):
    buyer = await an_actor(database, Role.BUYER)

    for actor, path in ((buyer, "/accounts"), (buyer, "/verify"), (checker, "/verify")):
        response = await api.get(LEDGER + path, headers=bearer(services, actor))
        assert response.status_code == 403
