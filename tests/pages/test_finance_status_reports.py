"""The form of a payment file is chosen, and what the bank says of it is taken over, on pages."""

from __future__ import annotations

import pytest

from marketplace.billing.payouts.use_cases import SetHouseAccount, set_house_account
from marketplace.parties.roles import Role
from tests.builders.ledger import do
from tests.builders.pain002 import a_report
from tests.builders.parties import an_actor
from tests.builders.payouts import a_finance_team, a_payout, the_payout

pytestmark = pytest.mark.timeout(180)
BATCHES, REPORTS = "/finance/batches", "/finance/batches/reports"


async def test_a_pain_file_goes_out_numbered_and_its_answer_comes_back(enter, database):
    centre = await a_finance_team(database)
    first, second = await a_payout(database), await a_payout(database)
    house = SetHouseAccount(
        number="32001006600000000001",
        holder="示例共享服务中心",
        bank_name="示例银行",
        cnaps="105301000013",
        statement_columns={},
    )
    maker, checker = await enter(centre.maker), await enter(centre.checker)

    shown = await maker.open(BATCHES)
    unnamed = await maker.send(shown, f"{BATCHES}/draft", format="pain001")
    await do(database, set_house_account, house, actor=centre.checker)
    drafted = await maker.send(
        await maker.open(BATCHES), f"{BATCHES}/draft", format="pain001", house=house.number
    )
    here = drafted.path
    approved = await checker.send(await checker.open(here), f"{here}/approve")
    file = await maker.http.get(f"{here}/payment-file")
    again = await maker.http.get(f"{here}/payment-file")
    await maker.send(await maker.open(here), f"{here}/send")
    number = here.rsplit("/", 1)[-1]
    answer = a_report(
        [(first.end_to_end_id, "ACSP", ""), (second.end_to_end_id, "RJCT", "户名不符")],
        batch=f"SC-B-{number}",
    )
    none = await checker.post(REPORTS, {})
    hostile = await checker.post(
        REPORTS, {}, report=("a.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>')
    )
    taken = await checker.post(REPORTS, {}, report=("回执.xml", answer))
    twice = await checker.post(REPORTS, {}, report=("回执.xml", answer))
    refused = await checker.open(taken.path, outcome="rejected")
    listed = await maker.open(REPORTS, batch=number)
    batch = await maker.open(here)
    export = await maker.http.get(f"{taken.path}/file?outcome=rejected")
    auditor = await enter(await an_actor(database, Role.AUDITOR))

    assert 404 == unnamed.status
    assert "ISO 20022 pain.001" in approved.text
    assert file.content == again.content
    assert f"SC-B-{number}".encode() in file.content
    assert file.headers["content-disposition"].endswith(f'payout-batch-{number}.xml"')
    assert 400 == none.status
    assert "请选择文件" in none.text
    assert 400 == hostile.status
    assert "文件含有文档类型或实体" in hostile.text
    assert "银行回执已采用" in taken.text
    assert 409 == twice.status
    assert "这份银行回执已经导入过" in twice.text
    assert "AC01 户名不符" in refused.text
    assert first.end_to_end_id not in refused.text
    assert taken.path in listed.links.values()
    assert "受理 ACSP" in batch.text
    assert 2 == len(export.text.splitlines())
    assert (await the_payout(database, second.id)).status == "returned"
    assert 403 == (await maker.post(REPORTS, {})).status
    assert 200 == (await auditor.open(taken.path)).status
    assert 404 == (await maker.open(f"{REPORTS}/999")).status
