"""A finance clerk's day over the API: banks, previews, suggestions, clearings, refunds."""

from itertools import count

import pytest

from marketplace.billing.ledger.queries import AccountType
from marketplace.parties.roles import Role
from tests.builders.attachments import a_pdf
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.pain002 import a_report
from tests.builders.parties import an_actor, an_sme, bearer
from tests.builders.payouts import a_bank_account, a_finance_team, a_sent_payout
from tests.builders.reconciliation import BANK_ACCOUNT, a_line, a_statement, csv_file, rows_of

API = "/api/v1"
HOUSE = {
    "holder": "示例共享服务中心",
    "bank_name": "示例银行",
    "cnaps": "105301000013",
    "statement_columns": {"booked_on": ["过账日"], "remark": ["备忘"]},
    "payment_format": "xlsx",
    "payment_columns": [
        {"header": "户名", "field": "holder"},
        {"header": "账号", "field": "number"},
        {"header": "金额", "field": "amount"},
        {"header": "流水号", "field": "end_to_end_id"},
    ],
}


_keys = count()


@pytest.fixture
def as_(services):
    """Headers with which an actor sends a new request."""

    def headers(actor):
        return bearer(services, actor) | {"Idempotency-Key": f"bank-{next(_keys)}"}

    return headers


async def test_a_bank_of_ones_own_is_set_up_looked_at_and_read(api, database, as_):
    centre = await a_finance_team(database)
    rows = rows_of([a_line(100, "甲"), a_line(-40, "乙")], opening_fen=0)
    rows[0][0], rows[0][6] = "过账日", "备忘"
    content = csv_file(rows)
    asked = {"account_number": BANK_ACCOUNT}

    async def look():
        return await api.post(
            f"{API}/bank-statements/preview",
            params=asked,
            content=content,
            headers=as_(centre.maker),
        )

    unknown = (await look()).json()
    assert unknown["headers"][0] == "过账日"
    assert unknown["problems"][0]["message"].startswith("no header row")
    house = f"{API}/house-accounts/{BANK_ACCOUNT}"
    assert (await api.put(house, json=HOUSE, headers=as_(centre.maker))).status_code == 403
    kept = await api.put(house, json=HOUSE, headers=as_(centre.checker))
    assert kept.json()["payment_format"] == "xlsx"
    short = HOUSE | {"payment_columns": list(HOUSE["payment_columns"])[:2]}
    refused = await api.put(house, json=short, headers=as_(centre.checker))
    assert refused.json()["type"].endswith("payment-file-incomplete")
    listed = await api.get(f"{API}/house-accounts", headers=as_(centre.maker))
    assert [one["number"] for one in listed.json()] == [BANK_ACCOUNT]
    seen = (await look()).json()
    assert (seen["problems"], seen["lines"], seen["closing_fen"]) == ([], 2, 60)
    assert seen["columns"]["remark"] == "备忘"
    made = await api.post(
        f"{API}/bank-statements",
        params=asked | {"file_name": "三月.csv"},
        content=content,
        headers=as_(centre.maker),
    )
    assert (made.status_code, made.json()["lines"]) == (201, 2)


async def test_an_exception_is_suggested_looked_after_and_cleared(api, database, as_):
    centre = await a_finance_team(database)
    paid = await a_sent_payout(database, centre=centre, amount_fen=40_000)
    line = a_line(-40_005, f"代发 {paid.end_to_end_id}", account="")
    await a_statement(database, line, opening_fen=100_000)
    matched = await api.post(f"{API}/statement-lines/match", headers=as_(centre.maker))
    assert matched.json() == {"explained": {}, "suggested": {}}
    queue = await api.get(f"{API}/open-lines?text=代发", headers=as_(centre.checker))
    (case,) = queue.json()["results"]
    address = f"{API}/statement-lines/{case['line_id']}"
    (first, *_) = (await api.get(f"{address}/suggestions", headers=as_(centre.maker))).json()
    assert (first["payout_id"], first["reasons"][0]) == (paid.id, "the line names it")
    body = {"reason_code": "wrong_amount", "owner_id": centre.maker.person_id, "note": "含手续费"}
    owned = await api.put(f"{address}/case", json=body, headers=as_(centre.checker))
    assert owned.status_code == 200
    paper = await api.post(
        f"{address}/attachments?name=回单.pdf", content=a_pdf(), headers=as_(centre.maker)
    )
    assert paper.status_code == 201
    taken = await api.get(
        f"{address}/attachments/{paper.json()['id']}", headers=as_(centre.checker)
    )
    assert taken.content == a_pdf()
    papers = await api.get(f"{address}/attachments", headers=as_(centre.checker))
    assert [one["name"] for one in papers.json()] == ["回单.pdf"]
    file = await api.get(
        f"{API}/open-lines/file?reason_code=wrong_amount", headers=as_(centre.maker)
    )
    assert "含手续费" in file.content.decode("utf-8-sig")

    items = [
        {"kind": "payout", "amount_fen": -40_000, "target_id": paid.id},
        {"kind": "charge", "amount_fen": -5},
    ]
    clearing = {"line_ids": [case["line_id"]], "items": items, "reason": "含手续费 0.05 元"}
    wrong = clearing | {"items": items[:1]}
    told = await api.post(f"{API}/clearings", json=wrong, headers=as_(centre.maker))
    assert told.json()["reasons"][0]["rule"] == "clearing-sum"
    made = await api.post(f"{API}/clearings", json=clearing, headers=as_(centre.maker))
    assert made.status_code == 201
    one = f"{API}/clearings/{made.json()['id']}"
    assert (await api.get(one, headers=as_(centre.checker))).json()["line_ids"] == [case["line_id"]]
    undone = await api.post(f"{one}/undo", json={"reason": "另查"}, headers=as_(centre.maker))
    assert undone.json()["undone_at"] is not None
    missing = await api.get(f"{API}/clearings/99999", headers=as_(centre.checker))
    assert missing.status_code == 404


async def test_an_sme_takes_unspent_money_back(api, database, as_):
    centre = await a_finance_team(database)
    sme_id = await an_sme(database)
    owner = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    stranger = await an_actor(database, Role.SME_ADMINISTRATOR)
    wallet = await an_account(database, AccountType.WALLET, sme_id)
    bank = await an_account(database, AccountType.BANK)
    await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=500)
    refunds, body = f"{API}/wallet-refunds", {"amount_fen": 200, "reason": "项目结束"}
    nowhere = await api.post(refunds, json=body, headers=as_(owner))
    assert nowhere.json()["type"].endswith("wallet-refund-unpayable")
    await a_bank_account(database, owner=owner)
    because = {"because": "核对无误"}
    states = {}
    for step, by in (("approve", centre.checker), ("refuse", centre.checker), ("withdraw", owner)):
        asked = await api.post(refunds, json=body | {"amount_fen": 100}, headers=as_(owner))
        one = f"{refunds}/{asked.json()['id']}"
        hidden = await api.post(f"{one}/withdraw", json=because, headers=as_(stranger))
        assert hidden.status_code == 404
        done = await api.post(f"{one}/{step}", json=because, headers=as_(by))
        states[step] = done.json()["status"]
    assert states == {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn"}
    own = await api.get(refunds, headers=as_(owner))
    assert own.json()["total"] == 3
    assert (await api.get(refunds, headers=as_(stranger))).json()["total"] == 0


async def test_a_status_report_of_the_bank_is_taken_over(api, database, as_):
    centre = await a_finance_team(database)
    payout = await a_sent_payout(database, centre=centre)
    address = f"{API}/payment-status-reports"
    content = a_report(
        [(payout.end_to_end_id, "RJCT", "户名不符")], batch=f"SC-B-{payout.batch_id}"
    )

    async def send(body):
        return await api.post(address, content=body, headers=as_(centre.checker))

    hostile = await send(b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>')
    taken = await send(content)
    again = await send(content)
    listed = await api.get(address, headers=as_(centre.maker))
    report = f"{address}/{taken.json()['id']}/payments"
    said = await api.get(report, params={"outcome": "rejected"}, headers=as_(centre.maker))
    missing = await api.get(f"{address}/999/payments", headers=as_(centre.maker))

    assert hostile.status_code == 400
    assert hostile.json()["reasons"][0]["rule"] == "report-entities"
    assert (taken.status_code, taken.json()["rejected"]) == (201, 1)
    assert (again.status_code, again.json()["type"]) == (409, "/problems/status-report-known")
    assert listed.json()["total"] == 1
    assert said.json()["results"][0]["reason"] == "AC01 户名不符"
    assert said.json()["results"][0]["status"] == "returned"
    assert missing.status_code == 404
