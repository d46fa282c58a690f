"""The API of payouts as finance staff and payees meet it."""

from itertools import count

import pytest

from marketplace.parties.roles import Role
from tests.builders.parties import an_actor, bearer
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_number,
    a_payout,
    a_sent_payout,
    money_owed,
)

API = "/api/v1"
_keys = count()


@pytest.fixture
def as_(services):
    """Headers with which an actor sends a new request."""

    def headers(actor):
        return bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}

    return headers


def an_account(**changes):
    return {
        "bank_name": "示例银行",
        "cnaps": "105301000013",
        "number": a_number(),
        "holder": "示例大学",
    } | changes


async def test_from_the_account_to_the_file_by_four_people(api, database, as_):
    centre = await a_finance_team(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    await money_owed(database, provider_id=manager.organisation_id, amount_fen=50_000)

    asked = an_account()
    account = await api.post(f"{API}/bank-accounts", json=asked, headers=as_(manager))
    account_id = account.json()["id"]
    waiting = await api.get(f"{API}/bank-accounts", headers=as_(centre.checker))
    verified = await api.post(
        f"{API}/bank-accounts/{account_id}/verify", headers=as_(centre.checker)
    )
    settled = await api.post(f"{API}/payouts/settlements", json={}, headers=as_(centre.maker))
    batch = await api.post(f"{API}/payout-batches", json={}, headers=as_(centre.maker))
    step = f"{API}/payout-batches/{batch.json()['id']}"
    refused = await api.post(f"{step}/approve", headers=as_(centre.maker))
    approved = await api.post(f"{step}/approve", headers=as_(centre.checker))
    files = [await api.get(f"{step}/file", headers=as_(centre.maker)) for _ in range(2)]
    sent = await api.post(f"{step}/send", headers=as_(centre.maker))

    assert account.status_code == 201
    assert account.json()["number"] == "*" * 12 + asked["number"][-4:]
    assert [one["id"] for one in waiting.json()] == [account_id]
    assert verified.json()["verified"] is True
    assert settled.json()["total_fen"] == 50_000
    assert refused.status_code == 403
    assert [approved.json()["status"], sent.json()["status"]] == ["approved", "sent"]
    assert files[0].content == files[1].content
    assert asked["number"] in files[0].content.decode("utf-8-sig")
    assert "attachment" in files[0].headers["content-disposition"]


async def test_a_payee_sees_its_own_payouts_and_those_of_nobody_else(api, database, as_):
    mine = await a_payout(database)
    other = await a_payout(database)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=mine.organisation_id)
    auditor = await an_actor(database, Role.AUDITOR)

    listed = await api.get(
        f"{API}/payouts?organisation_id={other.organisation_id}", headers=as_(manager)
    )
    own = await api.get(f"{API}/payouts/{mine.id}", headers=as_(manager))
    foreign = await api.get(f"{API}/payouts/{other.id}", headers=as_(manager))
    everything = await api.get(f"{API}/payouts", headers=as_(auditor))

    assert [one["id"] for one in listed.json()["results"]] == [mine.id]
    assert (own.status_code, foreign.status_code) == (200, 404)
    assert foreign.json()["type"] == "/problems/payout-not-found"
    assert everything.json()["total"] == 2


async def test_nobody_sees_or_closes_the_bank_account_of_another(api, database, as_):
    account = await a_bank_account(database)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)

    listed = await api.get(
        f"{API}/bank-accounts?organisation_id={account.organisation_id}", headers=as_(stranger)
    )
    closed = await api.post(f"{API}/bank-accounts/{account.id}/close", headers=as_(stranger))

    assert listed.json() == []
    assert closed.status_code == 404


async def test_a_payment_that_the_bank_refused_is_paid_again(api, database, as_):
    centre = await a_finance_team(database)
    sent = await a_sent_payout(database, centre=centre)

    rejected = await api.post(
        f"{API}/payouts/{sent.id}/reject", json={"reason": "户名不符"}, headers=as_(centre.checker)
    )
    again = await api.post(f"{API}/payouts/{sent.id}/instruct-again", headers=as_(centre.maker))
    twice = await api.post(f"{API}/payouts/{sent.id}/instruct-again", headers=as_(centre.maker))

    assert (rejected.json()["status"], rejected.json()["return_reason"]) == ("returned", "户名不符")
    assert again.json()["end_to_end_id"] == f"SC-P-{sent.id}-2"
    assert twice.status_code == 409
    assert twice.json()["type"] == "/problems/payout-state"


@pytest.mark.parametrize(
    "wrong", [{"cnaps": "12"}, {"number": "12 34"}, {"number": "1" * 33}, {"holder": ""}, {"x": 1}]
)
async def test_a_bank_account_that_cannot_be_one_is_malformed(api, database, as_, wrong):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)

    answer = await api.post(f"{API}/bank-accounts", json=an_account(**wrong), headers=as_(manager))

    assert answer.status_code == 400
    assert answer.json()["reasons"]
