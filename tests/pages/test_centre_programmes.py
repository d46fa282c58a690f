"""Programmes on pages: terms edited, tried on past orders, proposed, put in force by another."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.parties.roles import Role
from marketplace.vouchers.jobs import work_dry_runs
from marketplace.vouchers.rules.programme_file import shipped_programme
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import a_grant, a_programme, a_redemption, orders_are_numbers

pytestmark = pytest.mark.timeout(180)

CLAUSE = "苏科机发〔2025〕9号"


async def a_used_programme(database) -> int:
    """A programme with three orders at two providers that its vouchers paid for."""
    await orders_are_numbers(database)
    programme_id = await a_programme(database)
    one, other = await a_provider(database), await a_provider(database)
    granted = await a_grant(database, programme_id=programme_id)
    await a_redemption(database, granted=granted, provider_id=one)
    await a_redemption(database, granted=granted, provider_id=one, service_value_fen=300_000)
    await a_redemption(database, granted=granted, provider_id=other, service_value_fen=50_000)
    return programme_id


async def test_a_changed_term_is_tried_on_past_orders_proposed_and_put_in_force_by_another(
    enter, database
):
    programme_id = await a_used_programme(database)
    here = f"/ops/programmes/{programme_id}"
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    checker = await enter(await an_actor(database, Role.FINANCE_CHECKER))

    editor = await officer.open(f"{here}/edit")
    same = await officer.send(editor, f"{here}/edit", do="dry-run")
    asked = {"cap_per_order_fen": "1000", "source": CLAUSE}
    checked = await officer.send(editor, f"{here}/edit", do="check", **asked)
    run = await officer.send(editor, f"{here}/edit", do="dry-run", **asked)
    await work_dry_runs(database)
    done = await officer.open(run.path)
    by_provider = await officer.open(run.path, dimension="provider")
    file = await officer.http.get(f"{run.path}/file?dimension=provider&format=csv")
    early = await officer.send(done, f"{run.path}/propose", starts_on="2025-03-03", reason="控制")
    version = await officer.send(
        early, f"{run.path}/propose", starts_on="2025-04-01", reason="控制单笔规模"
    )
    own = await officer.post(f"{version.path}/approve", {})
    again = await officer.send(
        await officer.open(f"{here}/edit?run={run.path.rpartition('/')[2]}"),
        f"{here}/edit",
        do="propose",
        starts_on="2025-05-01",
        reason="再改",
    )
    approved = await checker.send(await checker.open(version.path), f"{version.path}/approve")
    sheet = await checker.open(here)

    assert editor.form(f"{here}/edit").fields["cap_per_order_fen"] == "100000"
    assert same.status == 400
    assert "没有任何改动" in same.text
    assert checked.status == 200
    assert "检查通过：1 处改动" in checked.text
    assert "¥100,000.00" in checked.text
    assert "试算已排队" in run.text
    assert "排队中" in run.text
    assert "已完成" in done.text
    assert "¥2,250.00" in done.text
    assert "−¥500.00" in done.text
    assert CLAUSE in done.text
    assert "−¥500.00" in by_provider.text
    assert len(file.text.strip().splitlines()) == 3
    assert "-500" in file.text
    assert early.status == 422
    assert "生效日须在今天之后" in early.text
    assert early.form(f"{run.path}/propose").fields["reason"] == "控制"
    assert "须由另一" in own.text
    assert own.status == 403
    assert "另有版本待审批" in again.text
    assert "已批准" in approved.text
    assert "每单上限" in approved.text
    assert "第 2 版" in sheet.text


async def test_everything_wrong_is_said_at_once_and_beside_its_field(enter, database):
    programme_id = await a_programme(database)
    here = f"/ops/programmes/{programme_id}/edit"
    browser = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    editor = await browser.open(here)
    typed = {
        "source": CLAUSE,
        "ratio_steps.0.up_to_fen": "1000",
        "ratio_steps.1.ratio_basis_points": "50",
        "ratio_steps.1.up_to_fen": "500",
        "rates.0.ratio_basis_points": "30",
        "rates.0.funder": "zone",
        "stacking": '{"together_max_basis_points": "viel"}',
    }

    unread = await browser.send(editor, here, do="check", staff_max="viele", stacking="{")
    wrong = await browser.send(editor, here, do="check", **typed)
    fixed = await browser.send(wrong, here, do="check", stacking="")

    assert unread.status == 400
    assert "职工上限（人）：请填写整数" in unread.text
    assert "改动依据：请填写" in unread.text
    assert "不是有效的 JSON" in unread.text
    assert wrong.status == 422
    assert "条款 terms.stacking" in wrong.text
    assert wrong.form(here).fields["ratio_steps.1.up_to_fen"] == "500"
    assert "阶梯比例：只有最后一档可不设上限" in fixed.text
    assert "差别比例 terms.rates.0 有误" in fixed.text


async def test_terms_come_from_a_file_with_the_clause_of_each(enter, database):
    programme_id = await a_used_programme(database)
    here = f"/ops/programmes/{programme_id}/edit"
    browser = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    file = (
        '[terms]\ncap_per_order_fen = { value = 100_000, source = "一条" }\n'
        "services_within = { value = { opens_on = 2025-01-01, closes_on = 2025-12-15 },"
        ' source = "二条" }\n'
    )

    broken = await browser.post(f"{here}/file", {}, file=("条款.toml", b"[terms", "text/plain"))
    none = await browser.post(f"{here}/file", {}, file=("条款.toml", b"", "text/plain"))
    run = await browser.post(f"{here}/file", {}, file=("条款.toml", file.encode(), "text/plain"))

    assert broken.status == 422
    assert "文件不是可用的 TOML" in broken.text
    assert none.status == 400
    assert "一条" in run.text
    assert "二条" in run.text
    assert "服务期间" in run.text


async def test_a_programme_is_drafted_from_its_file_and_opened_by_another(enter, database):
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    second = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    content = shipped_programme("sichuan-2025").read_bytes()

    wrong = await officer.post("/ops/programmes/import", {}, file=("政策.toml", b"code = 1", "t/t"))
    drafted = await officer.post("/ops/programmes/import", {}, file=("政策.toml", content, "t/t"))
    own = await officer.post(f"{drafted.path}/approve", {})
    opened = await second.send(await second.open(drafted.path), f"{drafted.path}/approve")
    listed = await officer.open("/ops/programmes", year="2025", status="open")
    file = await officer.http.get("/ops/programmes/file?year=2025&format=xlsx")

    assert wrong.status == 422
    assert "政策草案不合规" in wrong.text
    assert "四川省科技创新券" in drafted.title
    assert own.status == 403
    assert "政策已批准，预算已入账" in opened.text
    assert drafted.path in listed.links.values()
    assert file.status_code == 200
    assert file.content[:2] == b"PK"


async def test_others_do_not_edit_terms(enter, database):
    programme_id = await a_programme(database, opens_on=date(2025, 1, 1))
    auditor = await enter(await an_actor(database, Role.AUDITOR))
    buyer = await enter(await an_actor(database, Role.BUYER))
    here = f"/ops/programmes/{programme_id}"

    assert (await auditor.open(here)).status == 200
    assert (await auditor.open(f"{here}/edit")).status == 403
    assert (await auditor.post(f"{here}/edit", {})).status == 403
    assert (await buyer.open(here)).status == 403


async def test_days_of_papers_persons_and_preferences_are_edited_and_told_to_everybody(
    enter, visitor, database, clock
):
    officer = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    second = await enter(await an_actor(database, Role.VOUCHER_OFFICER))
    content = shipped_programme("sichuan-2025").read_bytes()
    drafted = await officer.post("/ops/programmes/import", {}, file=("政策.toml", content, "t/t"))
    await second.send(await second.open(drafted.path), f"{drafted.path}/approve")
    here = f"{drafted.path}/edit"
    editor = await officer.open(here)
    asked = {
        "source": CLAUSE,
        "invoices_within.0.closes_on": "2025-07-31",
        "payments_within.0.opens_on": "2025-01-01",
        "payments_within.0.closes_on": "2025-07-31",
        "caps.0.amount_fen": "1500",
        "waiting_first.0.founded_from": "2020-01-01",
        "waiting_first.1.certificates": "high-tech",
    }
    checked = await officer.send(editor, here, do="check", **asked)
    nobody = {"waiting_first.0.certificates": "high-tech,", "caps.0.scope": "grant"}
    wrong = await officer.send(editor, here, do="check", source=CLAUSE, **nobody)
    public = await visitor.open("/vouchers/rules")
    in_english = await visitor.open("/vouchers/rules", lang="en")

    assert editor.form(here).fields["caps.0.service_kinds"] == "broker-training"
    assert editor.form(here).fields["invoices_within.0.closes_on"] == "2025-06-30"
    assert "检查通过：4 处改动" in checked.text
    assert "轮候优先" in checked.text
    assert "2020年1月1日" in checked.text
    assert wrong.status == 422
    assert "封顶条款 terms.caps.0 有误" in wrong.text
    assert "每名受训人" in public.text
    assert "发票日期" in public.text
    assert "2025年6月30日" in public.text
    assert "不封顶" in public.text
    assert "a person trained" in in_english.text
