"""The centre's work on vouchers: applications, facts, grants, reports, the auditor's path."""

from __future__ import annotations

import pytest

from marketplace.kernel.db import atomically
from marketplace.parties.roles import Role
from tests.builders.applications import application_things
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    a_claim,
    a_grant,
    a_programme,
    a_redemption,
    an_application,
    orders_are_numbers,
    with_terms,
)

pytestmark = pytest.mark.timeout(180)


async def test_two_officers_approve_an_application_after_it_was_sent_back(enter, database):
    programme_id = await a_programme(database)
    await with_terms(database, programme_id, approvers=2)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    await atomically(database, application_things, sme.organisation_id, actor=TEST)
    here = f"/ops/applications/{application_id}"
    step = f"{here}/decide"
    one = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    other = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    company = await enter(sme)

    queue = await one.open("/ops/applications", status="submitted")
    shown = await one.open(here)
    paper = await one.http.get(f"{here}/documents/1")
    silent = await one.send(shown, step, do="return", reason="")
    back = await one.send(silent, step, do="return", reason="请补充研发计划")
    seen = await company.open(f"/vouchers/applications/{application_id}")
    await company.send(seen, f"/vouchers/applications/{application_id}/submit")
    full = await one.send(await one.open(here), step, do="queue")
    first = await one.send(await one.open(here), step, do="grant", amount="30000")
    less = await other.send(await other.open(here), step, do="grant", amount="20000")
    second = await other.send(await other.open(here), step, do="grant")
    file = await one.http.get("/ops/applications/file?status=granted&format=csv")

    assert here in queue.links.values()
    assert "新型涡轮叶片涂层研究" in shown.text
    assert "审批 0/2" in shown.text
    assert "high-tech" in shown.text
    assert paper.content.startswith(b"%PDF")
    assert (400, True) == (silent.status, "请填写" in silent.text)
    assert "退回补正" in back.text
    assert "请补充研发计划" in seen.text
    assert full.status == 422
    assert "审批 1/2" in first.text
    assert "须由另一人继续" in first.text
    assert less.status == 422
    assert "已发放" in second.text
    assert "30,000.00" in (await one.open("/ops/grants")).text
    assert len(file.text.strip().splitlines()) == 2


async def test_a_refusal_needs_its_reason_and_the_line_is_shown_in_its_order(enter, database):
    programme_id = await a_programme(database)
    ids = []
    for _ in range(2):
        sme = await an_actor(database, Role.SME_ADMINISTRATOR)
        ids.append(await an_application(database, programme_id=programme_id, sme=sme))
    browser = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    here = f"/ops/applications/{ids[0]}"
    no = await browser.send(
        await browser.open(here), f"{here}/decide", do="refuse", reason="超范围"
    )
    left = await browser.open("/ops/applications", status="submitted", programme=programme_id)
    wrong = await browser.open("/ops/applications", status="unknown")

    assert "未通过" in no.text
    assert "超范围" in no.text
    assert f"/ops/applications/{ids[1]}" in left.links.values()
    assert here not in left.links.values()
    assert wrong.status == 400


async def test_quota_is_taken_back_and_a_voucher_revoked_by_two_persons(enter, database):
    granted = await a_grant(database)
    here = f"/ops/grants/{granted.grant_id}"
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))
    shown = await officer.open(here)
    much = await officer.send(shown, f"{here}/propose", amount="90000", reason="闲置")
    asked = await officer.send(much, f"{here}/propose", amount="10000", reason="闲置")
    listed = await checker.open("/ops/grants")
    open_one = await checker.open(here)
    decide = next(each.action for each in open_one.forms if "/changes/" in each.action)
    own = await officer.post(decide, {"do": "agree"})
    done = await checker.send(open_one, decide, do="agree")
    again = await officer.send(
        await officer.open(here), f"{here}/propose", kind="revocation", reason="弄虚作假"
    )
    other = await checker.open(here)
    decide = next(each.action for each in other.forms if "/changes/" in each.action)
    unsaid = await checker.send(other, decide, do="decline")
    kept = await checker.send(unsaid, decide, do="decline", decision="证据不足")
    file = await checker.http.get("/ops/grants/file?status=active&format=csv")

    assert much.status == 422
    assert "待决定" in asked.text
    assert "闲置" in listed.text
    assert own.status == 403
    assert "已执行" in done.text
    assert "¥30,000.00" in done.text
    assert "撤销" in again.text
    assert unsaid.status == 400
    assert "已否决" in kept.text
    assert "证据不足" in kept.text
    assert len(file.text.strip().splitlines()) == 2


async def test_a_company_states_a_fact_and_an_officer_verifies_it(enter, database):
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    company = await enter(sme)
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    page = await company.open("/vouchers/facts")
    unnamed = await company.send(
        page, "/vouchers/facts", kind="certificate", source="GR202532001234", starts_on="2025-01-01"
    )
    stated = await company.send(unnamed, "/vouchers/facts", name="high-tech")
    capital = await company.send(
        page,
        "/vouchers/facts",
        kind="capital",
        amount="5000000",
        source="执照",
        starts_on="2020-01-01",
    )
    queue = await officer.open("/ops/facts", status="stated")
    decide = [each.action for each in queue.forms if each.action.endswith("/decide")]
    await officer.send(queue, decide[0], do="verify")
    twice = await officer.post(decide[0], {"do": "verify"})
    gone = await officer.post(decide[0], {"do": "reject"})
    told = await company.open("/vouchers/facts")
    file = await officer.http.get("/ops/facts/file?format=csv")

    assert unnamed.status == 422
    assert "待核实" in stated.text
    assert "¥5,000,000.00" in capital.text
    assert len(decide) == 2
    assert twice.status == 409
    assert "已终止" in (await officer.open("/ops/facts", status="ended")).text
    assert gone.status == 200
    assert "已终止" in told.text
    assert len(file.text.strip().splitlines()) == 3


async def test_a_company_asks_for_more_on_its_voucher(enter, database):
    granted = await a_grant(database)
    here = f"/vouchers/{granted.grant_id}"
    company = await enter(granted.sme)
    asked = await company.send(
        await company.open(here), f"{here}/top-up", asked="5000", purpose="第二批样品"
    )
    much = await company.send(
        await company.open(here), f"{here}/top-up", asked="90000000", purpose="太多"
    )

    assert asked.path.startswith("/vouchers/applications/")
    assert "¥5,000.00" in asked.text
    assert much.status in (409, 422)


async def test_reports_by_every_grouping_on_the_page_and_in_the_file(enter, database):
    await orders_are_numbers(database)
    granted = await a_grant(database)
    await a_redemption(database, granted=granted, provider_id=await a_provider(database))
    browser = await enter(await an_actor(database, Role.AUDITOR))
    groups = (
        "programme", "layer", "funder", "region", "sme", "provider", "service_kind", "month",
    )  # fmt: skip
    for by in groups:
        shown = await browser.open(
            "/ops/voucher-report", by=by, then="" if by == "month" else "month"
        )
        file = await browser.http.get(f"/ops/voucher-report/file?by={by}&format=csv")
        assert "¥500.00" in shown.text or "¥250.00" in shown.text, by
        assert "500.00" in file.text or "250.00" in file.text, by
    twice = await browser.open("/ops/voucher-report", by="month", then="month")
    accounts = await browser.open("/ops/voucher-accounts")
    differing = await browser.open("/ops/voucher-accounts", differing="yes")
    file = await browser.http.get("/ops/voucher-accounts/file?format=csv")

    assert twice.status == 400
    assert "全部相符" in accounts.text
    assert "没有不符之处" in differing.text
    assert len(file.text.strip().splitlines()) > 8


async def test_an_auditor_walks_from_a_claim_to_the_budget(enter, database):
    await orders_are_numbers(database)
    made = await a_claim(database, status="submitted")
    (redemption_id, *_) = made.redemption_ids
    browser = await enter(await an_actor(database, Role.AUDITOR))
    found = await browser.open("/ops/audit-paths", claim=made.claim_id)
    path = await browser.open(f"/ops/audit-paths/{redemption_id}")
    none = await browser.open("/ops/audit-paths", payout=99)
    gone = await browser.open("/ops/audit-paths/999999")
    file = await browser.http.get(f"/ops/audit-paths/file?claim={made.claim_id}&format=csv")

    assert f'href="/ops/audit-paths/{redemption_id}"' in found.source
    for stage in (
        "预算",
        "申请",
        "资格条件",
        "创新券",
        "使用记录",
        "兑付申请",
        "银行流水",
        "会计分录",
    ):
        assert stage in path.text
    assert "没有对应的用券记录" in none.text
    assert gone.status == 404
    assert len(file.text.strip().splitlines()) == 1 + len(made.redemption_ids)


async def test_anybody_objects_to_a_claim_in_public_notice(enter, visitor, database):
    await orders_are_numbers(database)
    made = await a_claim(database, status="in_notice")
    here = f"/claim-notices/{made.claim_id}"
    listed = await visitor.open("/claim-notices")
    shown = await visitor.open(here)
    unsaid = await visitor.send(shown, f"{here}/objections", name="王某")
    typed = {"contact": "13800000000", "statement": "样品没有测", "redemption": "999999"}
    strange = await visitor.send(unsaid, f"{here}/objections", **typed)
    taken = await visitor.send(strange, f"{here}/objections", redemption=made.redemption_ids[0])
    centre = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    seen = await centre.open(f"/finance/vouchers/{made.claim_id}")
    none = await visitor.open("/claim-notices/999999")

    assert f'href="{here}"' in listed.source
    assert "抽查种子 1" in shown.text
    assert "抽中" in shown.text
    assert unsaid.status == 400
    assert strange.status == 404
    assert "异议已受理" in taken.text
    assert "样品没有测" not in taken.text
    assert "样品没有测" in seen.text
    assert none.status == 404
