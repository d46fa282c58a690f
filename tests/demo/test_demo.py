"""The demo: the same seed gives the same year, and whatever happened in it, the books balance."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from sqlalchemy import text

from marketplace.assembly import all_jobs
from marketplace.demo import facts
from marketplace.demo.bank import DemoBank
from marketplace.demo.command import build
from marketplace.demo.facts import SCALES, Scale
from marketplace.demo.plan import plan_province
from marketplace.demo.today import present_of
from marketplace.demo.world import SELDOM, World
from marketplace.kernel.settings import Settings
from marketplace.kernel.time import shanghai_day
from marketplace.parties.rules.identifiers import require_uscc
from marketplace.web.areas.provider.today import today
from marketplace.web.areas.sme.start import start
from tests.conftest import MONDAY_MORNING

TINY = Scale(units=4, instruments=14, companies=8, orders=40)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(facts.SCALES, "tiny", TINY)
    return "tiny"


async def a_year(database_url: str, settings: Settings, scale: str) -> tuple[World, str]:
    told = io.StringIO()
    proof, world = await build(
        settings.model_copy(update={"database_url": database_url}),
        Console(file=told, width=120),
        scale=scale,
        seed=7,
    )
    assert proof.holds, told.getvalue()
    return world, told.getvalue()


@pytest.mark.timeout(400)
async def test_a_demo_year_ends_with_balanced_books_and_goes_through_every_step(
    database, database_url, test_settings, tiny
):
    world, told = await a_year(database_url, test_settings, tiny)

    for step in (
        "import_instruments",
        "file_price_list",
        "approve_programme",
        "decide_application",
        "place_order",
        "close_service",
        "accept_order",
        "issue_invoice",
        "approve_claim",
        "finalise_assessments",
        "approve_run",
        "send_batch",
        "match_statement",
        "approve_sign_off",
    ):
        assert world.done[step] > 0, step
    assert "The books balance: 是 yes" in told
    async with database.engine.connect() as connection:
        most = (
            await connection.execute(text("select max(paid_fen) from reward_year"))
        ).scalar_one()
    assert 0 < most <= 50_000_000
    await it_is_a_forenoon_at_work(world)


async def it_is_a_forenoon_at_work(world: World) -> None:
    now = world.clock.now()
    assert present_of(shanghai_day(now)) == now
    day = await world.ask(today, None, world.units[0].technician)
    states = {each.reservation.status for machine in day.machines for each in machine.booked}
    ahead = [each for m in day.machines for each in m.booked if each.reservation.starts_at > now]
    assert {"in_use", "confirmed", "used"} <= states
    assert len(ahead) >= 3
    assert (1, 1) == (day.problems.total, day.reports.total)
    desk = await world.ask(start, None, world.companies[0].buyer)
    assert desk.to_accept.total >= 1
    assert desk.next


def test_the_same_seed_plans_the_same_province_and_another_seed_another():
    assert plan_province(scale="small", seed=1) == plan_province(scale="small", seed=1)
    assert plan_province(scale="small", seed=1) != plan_province(scale="small", seed=2)


@pytest.mark.parametrize("scale", SCALES)
def test_a_scale_holds_as_many_units_and_instruments_as_it_says(scale):
    plan = plan_province(scale=scale, seed=2025)

    assert len(plan.providers) == SCALES[scale].units
    assert sum(len(one.instruments) for one in plan.providers) == SCALES[scale].instruments


def test_jobs_that_run_seldom_are_jobs_of_the_worker():
    assert SELDOM.keys() <= {job.name for job in all_jobs()}


def test_every_credit_code_of_the_demo_is_well_formed_and_used_once():
    plan = plan_province(scale="small", seed=2025)
    codes = {one.entity.uscc for one in plan.providers} | {
        one.entity.uscc for one in plan.companies
    }

    assert len(codes) == 8 + len(plan.companies)
    for code in codes:
        require_uscc(code)


def test_the_demo_bank_states_only_what_has_moved_since():
    bank = DemoBank()
    day = shanghai_day(MONDAY_MORNING)
    assert bank.statement() is None

    bank.receive(day, amount_fen=123_456, payer="甲", payer_account="1", remark="预存")
    first = bank.statement()
    bank.pay(day, amount_fen=23_456, payee="乙", payee_account="2", remark="付")
    second = bank.statement()

    assert first is not None
    assert second is not None
    assert '期初余额,0.00,期末余额,"1,234.56"' in first.decode("gb18030")
    assert '期初余额,"1,234.56",期末余额,"1,000.00"' in second.decode("gb18030")
