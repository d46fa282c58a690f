"""The API of reconciliation as finance staff and auditors meet it."""

from datetime import date, timedelta
from itertools import count

import pytest

from marketplace.parties.roles import Role
from tests.builders.ledger import A_DAY
from tests.builders.parties import an_actor, an_sme, bearer
from tests.builders.payouts import a_finance_team, a_sent_payout, the_payout
from tests.builders.reconciliation import BANK_ACCOUNT, a_file, a_line

API = "/api/v1"
_keys = count()


@pytest.fixture
def as_(services):
    """Headers with which an actor sends a new request."""

    def headers(actor):
        return bearer(services, actor) | {"Idempotency-Key": f"key-{next(_keys)}"}

    return headers


async def sent_file(api, headers, content, **query):
    asked = {"account_number": BANK_ACCOUNT, "file_name": "三月.csv"} | query
    return await api.post(f"{API}/bank-statements", params=asked, content=content, headers=headers)


async def test_from_the_banks_file_to_two_signatures(api, database, as_, clock):
    centre = await a_finance_team(database)
    payout = await a_sent_payout(database, centre=centre, amount_fen=40_000)
    sme = await an_sme(database)
    content = a_file(
        [
            a_line(100_000, f"SC-W-{sme}"),
            a_line(-40_000, f"结算 {payout.end_to_end_id}"),
            a_line(777, "不明来款"),
        ]
    )

    made = await sent_file(api, as_(centre.maker), content)
    statement = f"{API}/bank-statements/{made.json()['id']}"
    report = await api.post(f"{statement}/match", headers=as_(centre.maker))
    exceptions = await api.get(
        f"{API}/statement-lines?status=unmatched", headers=as_(centre.checker)
    )
    (left,) = exceptions.json()["results"]
    line = f"{API}/statement-lines/{left['id']}"
    said = await api.post(
        f"{line}/match",
        json={"kind": "wallet", "target_id": sme, "reason": "来电确认"},
        headers=as_(centre.maker),
    )
    undone = await api.post(f"{line}/undo", json={"reason": "看错了"}, headers=as_(centre.maker))
    await api.post(
        f"{line}/match", json={"kind": "reward_fund", "reason": "拨款"}, headers=as_(centre.maker)
    )
    clock.set(clock.now() + timedelta(days=2))
    days = {"first_on": str(A_DAY), "last_on": str(A_DAY)}
    standing = await api.get(
        f"{API}/reconciliation/balancing", params=days, headers=as_(centre.checker)
    )

    assert made.status_code == 201
    assert made.json()["closing_fen"] == 60_777
    assert report.json() == {
        "statement_id": made.json()["id"],
        "matched": {"payout": 1, "wallet": 1},
        "left": 1,
    }
    assert (left["amount_fen"], left["age_days"], left["match"]) == (777, 0, None)
    assert said.json()["match"]["how"] == "manual"
    assert said.json()["match"]["reason"] == "来电确认"
    assert (undone.json()["status"], undone.json()["note"]) == ("unmatched", "undone: 看错了")
    assert (await the_payout(database, payout.id)).status == "confirmed"
    # The test owed the provider by an entry on the bank account; that is the difference.
    assert standing.json()["difference_fen"] == 40_000


async def test_a_period_is_prepared_by_one_and_signed_by_another(api, database, as_, clock):
    centre = await a_finance_team(database)
    made = await sent_file(api, as_(centre.maker), a_file([a_line(500, "SC-V-2025")]))
    await api.post(f"{API}/bank-statements/{made.json()['id']}/match", headers=as_(centre.maker))
    clock.set(clock.now() + timedelta(days=2))
    days = {"first_on": str(A_DAY), "last_on": str(A_DAY)}

    early = await api.post(
        f"{API}/reconciliation/periods",
        json=days | {"last_on": str(date(2025, 12, 31))},
        headers=as_(centre.maker),
    )
    draft = await api.post(f"{API}/reconciliation/periods", json=days, headers=as_(centre.maker))
    address = f"{API}/reconciliation/periods/{draft.json()['id']}/approve"
    signed = await api.post(address, headers=as_(centre.checker))
    twice = await api.post(address, headers=as_(centre.checker))
    listed = await api.get(f"{API}/reconciliation/periods", headers=as_(centre.maker))

    assert early.status_code == 422
    assert (draft.status_code, draft.json()["status"]) == (201, "draft")
    assert signed.json()["status"] == "signed"
    assert signed.json()["balancing"]["accounts"][0]["closing_fen"] == 500
    assert (twice.status_code, twice.json()["type"]) == (
        409,
        "/problems/reconciliation-period-signed",
    )
    assert [one["status"] for one in listed.json()] == ["signed"]


async def test_a_file_sent_twice_under_one_key_is_imported_once(api, database, as_):
    centre = await a_finance_team(database)
    content, headers = a_file([a_line(500)]), as_(centre.maker)

    first = await sent_file(api, headers, content)
    replayed = await sent_file(api, headers, content)
    other_key = await sent_file(api, as_(centre.maker), content)
    listed = await api.get(f"{API}/bank-statements", headers=as_(centre.maker))

    assert first.json() == replayed.json()
    assert replayed.headers["idempotency-replayed"] == "true"
    assert (other_key.status_code, other_key.json()["statement_id"]) == (409, first.json()["id"])
    assert listed.json()["total"] == 1


async def test_a_file_that_is_wrong_lists_every_line(api, database, as_):
    centre = await a_finance_team(database)
    content = "日期,金额,余额\n20250303,1,1\n2025,1,2\n20250303,x,3\n".encode()

    answer = await sent_file(api, as_(centre.maker), content)

    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bank-statement-unreadable"
    assert [one["message"] for one in answer.json()["reasons"]] == [
        "line 3, 日期: not a day, or a day without its year",
        "line 4, 金额: not an amount",
    ]
    assert answer.json()["reasons"][1]["asked"] == {"line": 4, "column": "金额", "value": "x"}


async def test_a_file_may_be_large_and_not_larger(api, database, as_):
    centre = await a_finance_team(database)
    large = a_file([a_line(1, "备注" * 200) for _ in range(3_000)])
    too_large = b"x" * (20 * 1024 * 1024 + 1)

    taken = await sent_file(api, as_(centre.maker), large)
    refused = await sent_file(api, as_(centre.maker), too_large)

    assert len(large) > 2_000_000
    assert taken.status_code == 201
    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "query",
    [
        {"account_number": "12"},
        {"account_number": "abc"},
        {"file_name": ""},
        {"file_name": "a\x00"},
    ],
)
async def test_a_query_that_cannot_be_is_malformed(api, database, as_, query):
    centre = await a_finance_team(database)

    answer = await sent_file(api, as_(centre.maker), b"x", **query)

    assert answer.status_code == 400


async def test_an_auditor_reads_with_account_numbers_masked_and_changes_nothing(api, database, as_):
    centre = await a_finance_team(database)
    auditor = await an_actor(database, Role.AUDITOR)
    made = await sent_file(api, as_(centre.maker), a_file([a_line(5, account="6222020000001234")]))

    lines = await api.get(f"{API}/statement-lines", headers=as_(auditor))
    full = await api.get(f"{API}/statement-lines?amount_fen=5", headers=as_(centre.maker))
    statement = f"{API}/bank-statements/{made.json()['id']}"
    one = await api.get(statement, headers=as_(auditor))
    refused = await api.post(f"{statement}/match", headers=as_(auditor))

    assert lines.json()["results"][0]["counterparty_account"] == "*" * 12 + "1234"
    assert full.json()["results"][0]["counterparty_account"] == "6222020000001234"
    assert one.status_code == 200
    assert refused.status_code == 403


async def test_providers_and_smes_see_nothing_of_the_bank(api, database, as_):
    for role in (Role.PROVIDER_MANAGER, Role.SME_ADMINISTRATOR):
        actor = await an_actor(database, role)
        for address in ("bank-statements", "statement-lines", "reconciliation/balancing"):
            assert (await api.get(f"{API}/{address}", headers=as_(actor))).status_code == 403


async def test_what_is_not_there_is_not_found_and_what_does_not_fit_is_told(api, database, as_):
    centre = await a_finance_team(database)
    await sent_file(api, as_(centre.maker), a_file([a_line(5)]))
    (line,) = (await api.get(f"{API}/statement-lines", headers=as_(centre.maker))).json()["results"]
    address = f"{API}/statement-lines/{line['id']}"
    body = {"kind": "charge", "reason": "x"}

    missing = [
        await api.get(f"{API}/bank-statements/99", headers=as_(centre.maker)),
        await api.post(f"{API}/bank-statements/99/match", headers=as_(centre.maker)),
        await api.post(f"{API}/statement-lines/99/match", json=body, headers=as_(centre.maker)),
        await api.post(f"{API}/reconciliation/periods/99/approve", headers=as_(centre.checker)),
    ]
    unfit = await api.post(f"{address}/match", json=body, headers=as_(centre.maker))
    unmatched = await api.post(f"{address}/undo", json={"reason": "x"}, headers=as_(centre.maker))
    blank = await api.post(
        f"{address}/match", json={"kind": "interest", "reason": " "}, headers=as_(centre.maker)
    )

    assert [one.status_code for one in missing] == [404] * 4
    assert (unfit.status_code, unfit.json()["type"]) == (422, "/problems/match-does-not-fit")
    assert (unmatched.status_code, unmatched.json()["type"]) == (
        409,
        "/problems/statement-line-state",
    )
    assert blank.status_code == 400
