"""Closing as finance staff and auditors meet it."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
import pytest_asyncio

from marketplace.billing.ledger.use_cases import (
    AccountType,
    ClosePeriod,
    LedgerName,
    ProposePeriod,
    close_period,
    propose_period,
)
from marketplace.closing.jobs import build_packs
from marketplace.kernel.storage import DiskFiles, use_files
from marketplace.parties.roles import Role
from tests.builders.closing import a_month, sealed_and_verified
from tests.builders.ledger import a_posted_entry, a_wallet, an_account, do
from tests.builders.parties import an_actor, bearer
from tests.builders.payouts import a_finance_team

API = "/api/v1"


@pytest_asyncio.fixture
async def centre(database):
    return await a_finance_team(database)


@pytest.fixture
def ask(api, services):
    async def asked(actor, method, path, **sent):
        headers = bearer(services, actor) | {"Idempotency-Key": f"{method}-{path}-{actor}"[:200]}
        return await api.request(method, API + path, headers=headers, **sent)

    return asked


async def test_a_month_that_is_not_ready_is_refused_with_its_reasons(ask, centre):
    listed = await ask(centre.maker, "GET", "/closing/months/2025/2/checklist")
    assert listed.status_code == 200
    assert listed.json()["ready"] is False
    states = {item["name"]: item["state"] for item in listed.json()["items"]}
    assert states["statements"] == "open"
    assert states["trial_balance"] == "ok"

    month = {"year": 2025, "month": 2}
    refused = await ask(centre.maker, "POST", "/closing/sign-offs", json=month)
    assert refused.status_code == 422
    assert [reason["rule"] for reason in refused.json()["reasons"]] == ["statements"]
    assert (await ask(centre.maker, "GET", "/closing/sign-offs")).json()["total"] == 0
    signing = await ask(centre.checker, "POST", "/closing/sign-offs/9/sign")
    assert signing.status_code == 404
    wrong = await ask(centre.maker, "GET", "/closing/months/2025/13/checklist")
    assert wrong.status_code == 400


async def test_one_ledgers_period_is_closed_by_the_checklist_of_a_month(ask, centre, database):
    days = {"ledger": "cash", "first_on": "2025-02-01", "last_on": "2025-02-28"}
    proposed = await ask(centre.maker, "POST", "/ledger/periods", json=days)
    period = f"/ledger/periods/{proposed.json()['period_id']}"

    refused = await ask(centre.checker, "POST", f"{period}/close")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/month-not-ready")
    assert [reason["rule"] for reason in refused.json()["reasons"]] == ["statements"]

    await a_month(database)
    await sealed_and_verified(database)
    closed = await ask(centre.checker, "POST", f"{period}/close", json={})
    assert closed.status_code == 200, closed.text
    assert closed.json()["approved_by"] == centre.checker.person_id
    listed = await ask(centre.checker, "GET", "/ledger/periods", params={"ledger": "cash"})
    assert listed.json() == [closed.json()]
    assert (await ask(centre.checker, "POST", "/ledger/periods/999/close")).status_code == 404


async def test_nobody_closes_a_period_that_they_proposed(ask, database):
    both = await an_actor(database, Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
    days = {"ledger": "credit", "first_on": "2025-02-01", "last_on": "2025-02-28"}
    proposed = await ask(both, "POST", "/ledger/periods", json=days)
    own = await ask(both, "POST", f"/ledger/periods/{proposed.json()['period_id']}/close")
    assert (own.status_code, own.json()["type"]) == (422, "/problems/self-approval")


async def test_a_period_is_opened_again_over_the_api(ask, centre, database):
    days = ProposePeriod(LedgerName.CASH, date(2025, 2, 1), date(2025, 2, 28))
    period_id = await do(database, propose_period, days, actor=centre.maker)
    await do(database, close_period, ClosePeriod(period_id), actor=centre.checker)
    period = f"/ledger/periods/{period_id}"

    why = {"reason": "A receipt of February came late"}
    asked = await ask(centre.maker, "POST", f"{period}/reopenings", json=why)
    assert asked.status_code == 201, asked.text
    path = f"/ledger/period-reopenings/{asked.json()['id']}/approve"
    opened = await ask(centre.checker, "POST", path)
    assert opened.status_code == 200, opened.text
    [kept] = (await ask(centre.maker, "GET", f"{period}/reopenings")).json()
    assert (kept["reason"], kept["approved_by"]) == (why["reason"], centre.checker.person_id)


async def test_an_auditor_reads_balances_of_a_day_and_of_a_year(ask, database):
    auditor = await an_actor(database, Role.AUDITOR)
    bank = await an_account(database, AccountType.BANK)
    wallet = await a_wallet(database, funds_fen=0)
    await a_posted_entry(
        database, debit=bank, credit=wallet, amount_fen=70, effective_on=date(2024, 12, 30)
    )

    path = f"/ledger/accounts/{wallet}/balance"
    found = await ask(auditor, "GET", path, params={"as_of": "2024-12-31"})
    assert found.json()["balance_fen"] == 70
    found = await ask(auditor, "GET", path, params={"as_of": "2024-12-31", "by": "posted"})
    assert found.json()["balance_fen"] == 0
    year = (await ask(auditor, "GET", "/ledger/years/2025")).json()
    assert [(line["type"], line["opening_fen"]) for line in year] == [
        ("bank", 70),
        ("wallet", -70),
    ]


async def test_an_auditor_asks_for_a_pack_and_takes_it(ask, database, tmp_path):
    auditor = await an_actor(database, Role.AUDITOR)
    month = {"year": 2025, "month": 2}
    asked = await ask(auditor, "POST", "/closing/audit-packs", json=month)
    assert (asked.status_code, asked.json()["status"]) == (201, "asked"), asked.text
    path = f"/closing/audit-packs/{asked.json()['id']}"
    assert (await ask(auditor, "GET", f"{path}/file")).status_code == 409

    with use_files(DiskFiles(tmp_path)):
        await build_packs(database)
        taken = await ask(auditor, "GET", f"{path}/file")
    assert taken.headers["content-type"] == "application/zip"
    found = (await ask(auditor, "GET", path)).json()
    assert hashlib.sha256(taken.content).hexdigest() == found["sha256"]
    assert "entries.csv" in found["manifest"]["files"]
    assert (await ask(auditor, "GET", "/closing/audit-packs")).json()["total"] == 1
