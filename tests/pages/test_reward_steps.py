"""Rewards on pages after the computation: notice, objection, use of funds, clawback, papers."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.rewards import jobs
from marketplace.kernel.time import SHANGHAI
from marketplace.parties.roles import Role
from tests.builders.invoicing import a_charge, a_credit
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.parties import an_actor
from tests.builders.payouts import a_finance_team
from tests.builders.rewards import (
    a_draft,
    a_graded_provider,
    a_reward_fund,
    an_approved_run,
    the_bank_has_paid,
)

pytestmark = pytest.mark.timeout(180)


def at(database, day, hour=9):
    database.clock.set(datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI))


async def test_a_run_is_published_objected_to_answered_and_only_then_paid(enter, database):
    at(database, date(2026, 3, 2))
    centre = await a_finance_team(database)
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database, year=2026)
    await a_charge(database, provider_id=provider_id, settled_on=date(2026, 2, 2))
    run = await a_draft(database, actor=centre.maker, year=2026, through=date(2026, 2, 28))
    maker, checker = await enter(centre.maker), await enter(centre.checker)
    anybody = await enter(await an_actor(database, Role.BUYER))
    here = f"/finance/rewards/{run.id}"

    early = await checker.post(f"{here}/approve", {})
    published = await maker.send(await maker.open(here), f"{here}/publish")
    again = await maker.post(f"{here}/publish", {})
    listed = await anybody.open("/reward-notices")
    notice = await anybody.open(f"/reward-notices/{run.id}")
    empty = await anybody.post(f"/reward-notices/{run.id}/objections", {"name": "李明"})
    objected = await anybody.send(
        notice,
        f"/reward-notices/{run.id}/objections",
        name="李明",
        contact="13800000000",
        statement="服务没有发生",
    )
    running = await checker.post(f"{here}/approve", {})
    shown = await checker.open(here)
    action = next(each.action for each in shown.forms if "/objections/" in each.action)
    file = await maker.http.get(f"{here}/objections/file")
    answered = await checker.send(shown, action, answer="记录属实", upheld="no")
    twice = await checker.post(action, {"answer": "又", "upheld": "yes"})
    at(database, date(2026, 3, 10))
    late = await anybody.post(
        f"/reward-notices/{run.id}/objections",
        {"name": "王", "contact": "1", "statement": "晚了"},
    )
    approved = await checker.send(await checker.open(here), f"{here}/approve")

    assert (422, 409, 409) == (early.status, again.status, running.status)
    assert "公示中" in published.text
    assert "2026 年第 1 次奖励" in listed.text
    assert "50.00" in notice.text
    assert 400 == empty.status
    assert 'value="李明"' in empty.source
    assert "异议已受理" in objected.text
    assert "服务没有发生" in shown.text
    assert 2 == len(file.text.splitlines())
    assert "记录属实" in answered.text
    assert (409, 422) == (twice.status, late.status)
    assert "付款已指令" in approved.text
    assert 404 == (await anybody.open(f"/reward-notices/{run.id}")).status


async def test_a_provider_reports_how_it_used_a_reward_and_an_officer_looks(enter, database):
    centre = await a_finance_team(database)
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id)
    run = await an_approved_run(database, maker=centre.maker, checker=centre.checker)
    await the_bank_has_paid(database, run.id, date(2025, 3, 3))
    await jobs.open_reports(database)
    manager = await enter(
        await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    )
    checker = await enter(centre.checker)

    own = await manager.open("/provider/rewards")
    address = next(each for each in own.links.values() if "/provider/rewards/uses/" in each)
    form = await manager.open(address)
    without = await manager.send(form, f"{address}/file", maintenance="50")
    paper = ("维修发票.pdf", b"%PDF-1.7\n%%EOF\n")
    added = await manager.post(f"{address}/papers", {}, file=paper)
    none = await manager.post(f"{address}/papers", {})
    filed = await manager.send(
        await manager.open(address), f"{address}/file", maintenance="40", other="10", reason="试剂"
    )
    looked = address.replace("/provider/", "/finance/")
    one = await checker.open(looked)
    kept = await checker.http.get(next(each for each in one.links.values() if "/papers/" in each))
    returned = await checker.post(f"{looked}/decide", {"decision": "return"})
    accepted = await checker.send(one, f"{looked}/decide", decision="accept")
    late = await checker.post(f"{looked}/decide", {"decision": "accept"})
    every = await checker.open("/finance/rewards/uses", year="2025", outside="on")
    file = await checker.http.get("/finance/rewards/uses/file?year=2025&format=xlsx")
    own_paper = await manager.http.get("/provider/rewards/statement.pdf?year=2025")
    entity_page = await checker.open(f"/finance/rewards/{run.id}")
    entity = next(each for each in entity_page.links.values() if "/entities/" in each)
    their_paper = await checker.http.get(f"{entity.split('?')[0]}/statement.pdf?year=2025")

    assert "待报" in own.text
    assert (422, 400) == (without.status, none.status)
    assert 'value="50"' in without.source
    assert 200 == added.status
    assert "等待审核" in filed.text
    assert b"%PDF-1.7\n%%EOF\n" == kept.content
    assert "规定用途之外" in one.text
    assert (400, 409) == (returned.status, late.status)
    assert "已通过" in accepted.text
    assert "其他用途" in every.text
    assert (200, True) == (file.status_code, file.content.startswith(b"PK"))
    assert all(each.content.startswith(b"%PDF") for each in (own_paper, their_paper))


async def test_what_a_closed_year_left_overpaid_is_asked_back_by_two(enter, database):
    centre = await a_finance_team(database)
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    order_id = await a_charge(database, provider_id=provider_id, settled_on=date(2025, 3, 3))
    at(database, date(2026, 3, 2))
    await an_approved_run(
        database, maker=centre.maker, checker=centre.checker, through=date(2025, 12, 31)
    )
    await a_credit(database, order_id=order_id, own_fen=200_00)
    maker, checker = await enter(centre.maker), await enter(centre.checker)
    manager = await enter(
        await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)
    )
    lists = "/finance/rewards/clawbacks"

    overpaid = await maker.open(lists, year="2025")
    untold = await maker.post(f"{lists}/propose", {"entity": "1", "of_year": "2026", "reason": "x"})
    unread = await maker.post(f"{lists}/propose", {"entity": "x"})
    proposed = await maker.send(overpaid, f"{lists}/propose", reason="仪器故障退款")
    own = await maker.post(f"{proposed.path}/decide", {"decision": "agree", "reason": "同意"})
    owed = await checker.send(
        await checker.open(proposed.path),
        f"{proposed.path}/decide",
        decision="agree",
        reason="核对",
    )
    told = await manager.open("/provider/rewards", year="2025")
    nothing = await maker.post(
        f"{proposed.path}/recover", {"provider": str(provider_id), "source": "wallet"}
    )
    await a_posted_entry(
        database,
        debit=await an_account(database, AccountType.BANK_SUSPENSE),
        credit=await an_account(database, AccountType.WALLET, owner_id=provider_id),
        amount_fen=10_00,
        kind=EntryKind.WALLET_TOP_UP,
    )
    received = await maker.send(
        await maker.open(proposed.path), f"{proposed.path}/recover", source="wallet"
    )
    again = await checker.post(f"{proposed.path}/decide", {"decision": "agree", "reason": "再"})
    file = await maker.http.get(f"{lists}/file?status=received")

    assert "10.00" in overpaid.text
    assert (422, 400, 403) == (untold.status, unread.status, own.status)
    assert "等待另一位财务复核人员决定" in proposed.text
    assert "待收回" in owed.text
    assert f"SC-W-{provider_id}" in told.text
    assert 409 == nothing.status
    assert "已收回" in received.text
    assert 409 == again.status
    assert 2 == len(file.text.splitlines())
