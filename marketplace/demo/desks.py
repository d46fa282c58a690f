"""What lies on the desks when a visitor comes in: bank lines that no rule explains, companies to be
verified, applications to be decided. Without them the centre's pages would say that all is done.
"""

from __future__ import annotations

from datetime import date

from marketplace.demo.build import file_profile
from marketplace.demo.finance import GRANT_FEN, Finance
from marketplace.demo.plan import Plan
from marketplace.demo.world import Company, Staff, World
from marketplace.parties import queries as parties
from marketplace.parties import use_cases as party_use_cases
from marketplace.vouchers import use_cases as vouchers

UNVERIFIED = 3
APPLICANTS = slice(10, 13)
PAGE = 200


async def leave_work(world: World, staff: Staff, finance: Finance, plan: Plan, today: date) -> None:
    """Everything of the past is done; of today some is left."""
    await _verify(world, staff)
    _unexplained(world.companies, finance, today)
    await finance.reconcile(today)
    for number in range(*APPLICANTS.indices(len(world.companies))):
        company = world.companies[number]
        await file_profile(world, plan.companies[number], company.buyer, today.year)
        await world.attempt(
            vouchers.apply_for_voucher,
            vouchers.ApplyForVoucher(finance.programme_id, GRANT_FEN, "新产品可靠性测试"),
            company.buyer,
        )


async def _verify(world: World, staff: Staff) -> None:
    """All legal entities but the last were compared with the public register."""
    waiting: list[int] = []
    while True:
        search = parties.Search(verified=False, page=len(waiting) // PAGE + 1, page_size=PAGE)
        found = await world.ask(parties.search_legal_entities, search)
        waiting += [each.id for each in found.rows]
        if len(waiting) >= found.total:
            break
    for entity_id in sorted(waiting)[:-UNVERIFIED]:
        await world.do(party_use_cases.verify_legal_entity, entity_id, staff.administrator)


def _unexplained(companies: list[Company], finance: Finance, today: date) -> None:
    """Transfers as people make them: without a reference, with a wrong one, from a stranger."""
    payers = [
        (companies[1], 3_860_000, "测试费"),
        (companies[2], 1_200_000, "SC-W-999999 预存测试费"),
        (companies[3], 508_000, "样品检测"),
        (companies[4], 76_050, ""),
    ]
    for company, amount_fen, remark in payers:
        finance.bank.receive(
            today,
            amount_fen=amount_fen,
            payer=company.name,
            payer_account=f"6228{company.organisation_id:012d}",
            remark=remark,
        )
    finance.bank.receive(
        today,
        amount_fen=128_050,
        payer="演示未知付款人",
        payer_account="622200000000000000",
        remark="往来款",
    )
