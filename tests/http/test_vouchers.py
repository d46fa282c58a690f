"""The API of vouchers as a client meets it: from a programme to money owed to a provider."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers.rules.states import EvidenceKind
from tests.builders.parties import a_provider, an_actor, bearer
from tests.builders.payouts import a_bank_account
from tests.builders.vouchers import (
    a_claim,
    a_digest,
    a_grant,
    a_programme,
    a_voucher_fund,
    an_application,
    an_invoice_number,
    an_officer,
    orders_are_numbers,
)

API = "/api/v1"
_keys = itertools.count()

Call = Callable[..., Awaitable[httpx.Response]]

A_PROGRAMME = {
    "name": "2025年科技创新券",
    "name_en": "Innovation vouchers 2025",
    "year": 2025,
    "opens_on": "2025-01-01",
    "closes_on": "2025-12-15",
    "layers": [
        {"funder": "province", "region_code": "320000", "budget_fen": 100_000_000},
        {"funder": "city", "region_code": "320100", "budget_fen": 100_000_000},
    ],
}


@pytest.fixture
def call(api: httpx.AsyncClient, services: Services) -> Call:
    """Send a request as an actor, with a key of its own."""

    async def send(actor: Actor, method: str, path: str, **more: Any) -> httpx.Response:
        headers = bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}
        return await api.request(method, f"{API}{path}", headers=headers, **more)

    return send


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), response.text
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{code}"
    return body


async def test_a_programme_is_drafted_approved_by_another_and_then_public(
    call: Call, api: httpx.AsyncClient, database: Database
):
    officer, second = await an_officer(database), await an_officer(database)
    drafted = await call(officer, "POST", "/voucher-programmes", json=A_PROGRAMME)
    assert drafted.status_code == 201
    address = f"/voucher-programmes/{drafted.json()['id']}"

    problem(await api.get(API + address), 404, "programme-not-found")
    assert (await api.get(f"{API}/voucher-programmes")).json()["total"] == 0
    problem(await call(officer, "POST", f"{address}/approve"), 403, "voucher-second-person")
    assert (await call(second, "POST", f"{address}/approve")).json()["status"] == "open"

    seen = (await api.get(API + address)).json()
    assert seen["programme"]["terms"]["cap_per_order_fen"]["source"] == "J.gap"
    assert [layer["available_fen"] for layer in seen["layers"]] == [100_000_000, 100_000_000]
    listed = (await api.get(f"{API}/voucher-programmes?year=2025&status=open")).json()
    assert (listed["total"], listed["results"][0]["name"]) == (1, "2025年科技创新券")
    assert (await call(officer, "POST", f"{address}/close")).json()["status"] == "closed"


async def test_a_programme_of_a_region_elsewhere_is_refused_with_its_reason(
    call: Call, database: Database
):
    elsewhere = A_PROGRAMME | {
        "layers": [{"funder": "province", "region_code": "430000", "budget_fen": 1}]
    }
    refused = await call(await an_officer(database), "POST", "/voucher-programmes", json=elsewhere)
    reason = problem(refused, 422, "programme-refused")["reasons"][0]

    assert (reason["rule"], reason["limit"], reason["asked"], reason["source"]) == (
        "region",
        "320000",
        "430000",
        "J.22a",
    )


async def test_an_sme_asks_whether_it_may_and_applies_and_is_granted(
    call: Call, database: Database
):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    officer = await an_officer(database)

    asked = f"/voucher-programmes/{programme_id}/eligibility?asked_fen=4000000"
    eligibility = (await call(sme, "GET", asked)).json()
    assert eligibility["eligible"]
    assert [layer["amount_fen"] for layer in eligibility["layers"]] == [2_000_000, 2_000_000]

    body = {"programme_id": programme_id, "asked_fen": 4_000_000, "purpose": "New alloy"}
    applied = await call(sme, "POST", "/voucher-applications", json=body)
    assert applied.status_code == 201
    problem(
        await call(sme, "POST", "/voucher-applications", json=body),
        409,
        "voucher-application-open",
    )
    address = f"/voucher-applications/{applied.json()['id']}"
    decided = await call(officer, "POST", f"{address}/decide", json={"amount_fen": 3_000_000})
    assert decided.json()["application"]["status"] == "granted"

    wallet = (await call(sme, "GET", "/vouchers")).json()
    assert [(each["issued_fen"], each["left_fen"]) for each in wallet] == [(3_000_000, 3_000_000)]
    assert wallet[0]["valid_until"] == "2025-12-31"


async def test_an_sme_that_is_not_eligible_is_told_everything(call: Call, database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    body = {"programme_id": programme_id, "asked_fen": 20_000_002}
    refused = await call(sme, "POST", "/voucher-applications", json=body)

    reasons = problem(refused, 422, "not-eligible")["reasons"]
    assert [reason["rule"] for reason in reasons] == [
        "cap-per-sme-year-city",
        "cap-per-sme-year-province",
    ]


async def test_an_sme_sees_its_own_applications_and_vouchers_only(call: Call, database: Database):
    granted = await a_grant(database)
    other = await an_actor(database, Role.SME_ADMINISTRATOR)
    officer = await an_officer(database)
    owner = granted.sme.organisation_id

    mine = (await call(granted.sme, "GET", "/voucher-applications")).json()
    assert mine["total"] == 1
    assert (await call(other, "GET", "/voucher-applications")).json()["total"] == 0
    assert (await call(officer, "GET", "/voucher-applications?status=granted")).json()["total"] == 1
    address = f"/voucher-applications/{mine['results'][0]['id']}"
    problem(await call(other, "GET", address), 404, "voucher-application-not-found")
    assert (await call(officer, "GET", address)).status_code == 200

    assert (await call(other, "GET", f"/vouchers?organisation_id={owner}")).status_code == 404
    assert len((await call(officer, "GET", f"/vouchers?organisation_id={owner}")).json()) == 1
    question = f"/voucher-question?provider_id=1&service_value_fen=1&organisation_id={owner}"
    assert (await call(other, "GET", question)).status_code == 404


async def test_an_application_is_withdrawn_by_its_own_company(call: Call, database: Database):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    other = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    address = f"/voucher-applications/{application_id}/withdraw"

    problem(await call(other, "POST", address), 404, "voucher-application-not-found")
    assert (await call(sme, "POST", address)).json()["status"] == "withdrawn"


async def test_the_question_tells_the_voucher_part_with_its_rules(call: Call, database: Database):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    station = await an_actor(database, Role.STATION_AGENT)
    ask = f"/voucher-question?provider_id={provider_id}&service_value_fen=100000"

    part = (await call(granted.sme, "GET", ask)).json()
    assert (part["total_fen"], part["refusals"]) == (50_000, [])
    assert [layer["amount_fen"] for layer in part["layers"]] == [25_000, 25_000]
    assert "25 % of 1,000.00 CNY" in part["explanation"][0]

    owner = f"&organisation_id={granted.sme.organisation_id}"
    for_somebody = await call(station, "GET", ask + owner)
    assert for_somebody.json()["total_fen"] == 50_000

    excluded = await call(granted.sme, "GET", f"{ask}&service_kind=statutory-test&on=2026-01-01")
    assert [reason["rule"] for reason in excluded.json()["refusals"]] == [
        "valid",
        "excluded-service",
    ]


async def test_a_claim_goes_from_draft_to_money_owed(
    call: Call, api: httpx.AsyncClient, database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    await a_voucher_fund(database)
    granted = await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    made = await a_claim(database, granted=granted, provider=provider, redemptions=2)
    officer = made.officer
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    address = f"/claims/{made.claim_id}"

    lacking = await call(provider, "POST", f"{address}/submit")
    assert len(problem(lacking, 422, "evidence-incomplete")["reasons"]) == 2
    pieces = [
        {
            "redemption_id": redemption_id,
            "kind": kind,
            "sha256": a_digest(),
            "reference": f"{kind}.pdf",
        }
        | ({"invoice_number": an_invoice_number()} if kind == "invoice" else {})
        for redemption_id in made.redemption_ids
        for kind in EvidenceKind
    ]
    attached = await call(provider, "POST", f"{address}/evidence", json={"pieces": pieces})
    assert attached.status_code == 201
    again = [pieces[0] | {"redemption_id": made.redemption_ids[1]}]
    problem(
        await call(provider, "POST", f"{address}/evidence", json={"pieces": again}),
        409,
        "evidence-file-claimed",
    )
    evidence = (await call(officer, "GET", f"{address}/evidence")).json()
    assert evidence["total"] == 2 * len(EvidenceKind)
    days = [
        {"redemption_id": redemption_id, "kind": "invoice", "dated_on": "2025-03-01"}
        for redemption_id in made.redemption_ids
    ]
    dated = await call(provider, "POST", f"{address}/paper-days", json={"days": days})
    assert dated.status_code == 200
    days[0]["kind"] = "contract"
    wrong = await call(provider, "POST", f"{address}/paper-days", json={"days": days})
    problem(wrong, 422, "evidence-refused")
    complete = (await call(provider, "GET", f"{address}/completeness")).json()
    assert (complete["complete"], complete["lines"][0]["windows"]) == (True, [])
    assert (await call(provider, "POST", f"{address}/submit")).json()["status"] == "submitted"

    audited = (await call(officer, "POST", f"{address}/audit")).json()
    assert int(audited["claim"]["seed"]) >= 0
    problem(await call(officer, "POST", f"{address}/give-notice"), 422, "spot-checks-open")
    for check in audited["spot_checks"]:
        finding = {"passed": True, "finding": "The report is there."}
        noted = await call(
            officer, "POST", f"{address}/spot-checks/{check['redemption_id']}", json=finding
        )
        assert noted.status_code == 200
    assert (await call(officer, "POST", f"{address}/give-notice")).status_code == 200

    notices = (await api.get(f"{API}/claim-notices")).json()
    assert [(each["amount_fen"], each["redemptions"]) for each in notices["results"]] == [
        (100_000, 2)
    ]
    assert notices["results"][0]["notice_ends_on"] == "2025-03-10"
    problem(await call(checker, "POST", f"{address}/approve"), 422, "notice-running")
    clock.set(datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI))
    another_checker = await an_actor(database, Role.FINANCE_CHECKER)
    approved = await call(checker, "POST", f"{address}/approve")
    assert approved.json()["claim"]["status"] == "approved"
    there = f"/payouts?organisation_id={provider.organisation_id}&source_kind=claim"
    (payout,) = (await call(checker, "GET", there)).json()["results"]
    assert (payout["source_id"], payout["amount_fen"]) == (made.claim_id, 100_000)
    assert payout["status"] == "instructed"
    assert (await api.get(f"{API}/claim-notices")).json()["total"] == 0
    reversed_ = await call(
        another_checker, "POST", f"{address}/reverse", json={"reason": "Forged report"}
    )
    assert reversed_.json()["claim"]["status"] == "reversed"
    (payout,) = (await call(provider, "GET", "/payouts?status=withdrawn")).json()["results"]
    assert (payout["source_id"], payout["withdrawal_reason"]) == (made.claim_id, "Forged report")


async def test_a_claim_whose_payout_is_in_a_batch_says_what_to_do_first(
    call: Call, database: Database, clock: SetClock
):
    await orders_are_numbers(database)
    await a_voucher_fund(database)
    made = await a_claim(database, status="in_notice", redemptions=1)
    await a_bank_account(database, owner=made.provider)
    checker, another_checker, maker = [
        await an_actor(database, role)
        for role in (Role.FINANCE_CHECKER, Role.FINANCE_CHECKER, Role.FINANCE_MAKER)
    ]
    clock.set(datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI))
    await call(checker, "POST", f"/claims/{made.claim_id}/approve")
    batch = (await call(maker, "POST", "/payout-batches", json={})).json()

    reverse = f"/claims/{made.claim_id}/reverse"
    reason = {"reason": "Forged report"}
    refused = problem(
        await call(another_checker, "POST", reverse, json=reason), 409, "payout-state"
    )
    assert "discard the batch" in refused["detail"]
    await call(maker, "POST", f"/payout-batches/{batch['id']}/discard")
    reversed_ = await call(another_checker, "POST", reverse, json=reason)
    assert reversed_.json()["claim"]["status"] == "reversed"


async def test_an_officer_excludes_and_refuses_with_a_reason(call: Call, database: Database):
    await orders_are_numbers(database)
    made = await a_claim(database, status="audited", redemptions=2)
    address = f"/claims/{made.claim_id}"
    exclude = f"{address}/redemptions/{made.redemption_ids[0]}/exclude"

    problem(await call(made.officer, "POST", exclude, json={"reason": ""}), 400, "malformed")
    excluded = await call(made.officer, "POST", exclude, json={"reason": "Not research"})
    assert excluded.json()["claim"]["amount_fen"] == 50_000
    refused = await call(made.officer, "POST", f"{address}/refuse", json={"reason": "No"})
    assert refused.json()["claim"]["status"] == "refused"


async def test_a_provider_sees_its_own_claims_and_redemptions_only(call: Call, database: Database):
    await orders_are_numbers(database)
    made = await a_claim(database, redemptions=2)
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    auditor = await an_actor(database, Role.AUDITOR)
    address = f"/claims/{made.claim_id}"

    assert (await call(made.provider, "GET", "/claims")).json()["total"] == 1
    assert (await call(other, "GET", "/claims")).json()["total"] == 0
    assert (await call(auditor, "GET", "/claims?status=draft")).json()["total"] == 1
    for path in (address, f"{address}/evidence", f"/redemptions?claim_id={made.claim_id}"):
        problem(await call(other, "GET", path), 404, "claim-not-found")
        assert (await call(auditor, "GET", path)).status_code == 200
    assert (await call(other, "GET", "/redemptions")).json()["total"] == 0

    left_out = await call(
        made.provider,
        "POST",
        f"{address}/leave-out",
        json={"redemption_ids": [made.redemption_ids[0]]},
    )
    assert left_out.json()["amount_fen"] == 50_000
    unclaimed = (await call(made.provider, "GET", "/redemptions?unclaimed=true")).json()
    assert [each["id"] for each in unclaimed["results"]] == [made.redemption_ids[0]]
    drafted = await call(made.provider, "POST", "/claims", json={"through": "2025-03-03"})
    assert (drafted.status_code, drafted.json()["amount_fen"]) == (201, 50_000)
    problem(await call(other, "POST", "/claims", json={}), 422, "nothing-to-claim")


async def test_a_request_sent_twice_grants_once(
    api: httpx.AsyncClient, services: Services, database: Database
):
    programme_id = await a_programme(database)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    headers = bearer(services, await an_officer(database)) | {"Idempotency-Key": "once"}
    address = f"{API}/voucher-applications/{application_id}/decide"

    first = await api.post(address, json={"amount_fen": 1_000}, headers=headers)
    second = await api.post(address, json={"amount_fen": 1_000}, headers=headers)

    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    "body",
    [
        {"programme_id": 0, "asked_fen": 1},
        {"programme_id": 1, "asked_fen": 0},
        {"programme_id": 1, "asked_fen": 10**13},
        {"programme_id": 1, "asked_fen": "1"},
        {"programme_id": 1, "asked_fen": 1, "more": 1},
        {"programme_id": 1, "asked_fen": 1, "purpose": "\x00"},
    ],
)
async def test_a_malformed_application_is_no_refusal(
    call: Call, database: Database, body: dict[str, Any]
):
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)

    problem(await call(sme, "POST", "/voucher-applications", json=body), 400, "malformed")
