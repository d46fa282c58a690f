"""Reports, the reconciliation with the ledger, and what is published of a year."""

from datetime import date, datetime

import pytest
from sqlalchemy import text

from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers.claim_errors import AccountsDiffer, AuditPathMissing, ReportRefused
from marketplace.vouchers.jobs import reconcile_programmes
from marketplace.vouchers.queries.audit_paths import audit_path
from marketplace.vouchers.queries.reports import (
    Grouping,
    ReportAsked,
    ReportRow,
    open_figures,
    report,
)
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    DecideClawback,
    ExpireVouchers,
    ProposeClawback,
    approve_claim,
    decide_clawback,
    expire_vouchers,
    propose_clawback,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    AClaim,
    a_claim,
    a_grant,
    a_hold,
    a_programme,
    a_voucher_fund,
)


async def asked(database: Database, *by: Grouping, **changes: object) -> list[ReportRow]:
    found = await atomically(
        database,
        report,
        ReportAsked(by or (Grouping.PROGRAMME,), **changes),  # type: ignore[arg-type]
        actor=TEST,
    )
    return found.rows


async def a_year(database: Database, clock: SetClock) -> AClaim:
    """40,000 CNY issued; 500 held, 1,500 used and approved, 200 of that clawed back."""
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, redemptions=3, status="in_notice")
    await a_hold(database, granted=granted, provider_id=made.provider.organisation_id)
    await a_voucher_fund(database)
    clock.set(datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI))
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)
    asked_back = ProposeClawback(made.claim_id, "Copied.", {made.redemption_ids[0]: 20_000})
    page = await atomically(database, propose_clawback, asked_back, actor=made.officer)
    agreed = DecideClawback(page.clawback.id, True, "Seen.")
    await atomically(database, decide_clawback, agreed, actor=checker)
    return made


async def test_a_report_adds_up_whatever_it_is_grouped_by(database: Database, clock: SetClock):
    made = await a_year(database, clock)

    (row,) = await asked(database)

    assert {
        "issued": 4_000_000,
        "held": 50_000,
        "used": 150_000,
        "claimed": 150_000,
        "approved": 150_000,
        "paid": 0,
        "expired": 0,
        "withdrawn": 0,
        "returned": 0,
        "clawed_back": 20_000,
    } == row.amounts
    assert row.redemption_basis_points == 325
    for grouping in Grouping:
        rows = (
            await asked(database, grouping, Grouping.LAYER)
            if (grouping is not Grouping.LAYER)
            else await asked(database, grouping)
        )
        assert sum(each.amounts["used"] for each in rows) == 150_000, grouping
    by_kind = await asked(database, Grouping.SERVICE_KIND)
    assert {each.group["service_kind"] for each in by_kind} == {None, "research"}
    months = await asked(database, Grouping.MONTH)
    assert [each.group["month"] for each in months] == ["2025-03"]
    of = await asked(database, Grouping.PROVIDER, provider_id=made.provider.organisation_id)
    assert of[0].names["provider"]
    assert await asked(database, from_on=date(2026, 1, 1)) == []
    for changes in ({"from_on": date(2025, 2, 1), "until_on": date(2025, 1, 1)}, {}):
        with pytest.raises(ReportRefused):
            await asked(database, Grouping.SME, *([] if changes else [Grouping.SME]), **changes)


async def test_tables_and_ledger_agree_at_every_step(database: Database, clock: SetClock):
    await a_programme(database, approved=False)
    await a_year(database, clock)
    assert await reconcile_programmes(database) >= 8 + 3
    clock.set(datetime(2026, 1, 5, 9, 0, tzinfo=SHANGHAI))
    await atomically(database, expire_vouchers, ExpireVouchers(), actor=TEST)

    assert await reconcile_programmes(database)
    (row,) = await asked(database)
    assert row.amounts["expired"] == 4_000_000 - 150_000 - 50_000


async def test_a_sum_that_differs_is_told_by_the_job(database: Database, clock: SetClock):
    await a_year(database, clock)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(text("update programme_layer set budget_fen = budget_fen + 1"))

    with pytest.raises(AccountsDiffer, match="budget of layer"):
        await reconcile_programmes(database)


async def test_what_few_smes_stand_behind_is_not_published(database: Database):
    programme_id = await a_programme(database)
    for _ in range(2):
        await a_grant(database, programme_id=programme_id)

    (few,) = await atomically(database, open_figures, 2025, actor=NOBODY)
    assert (few.smes, few.issued_fen) == (None, None)
    await a_grant(database, programme_id=programme_id)
    (enough,) = await atomically(database, open_figures, 2025, actor=NOBODY)
    assert (enough.smes, enough.issued_fen, enough.region_code) == (3, 12_000_000, "320100")


async def test_no_path_leads_to_what_was_never_used(database: Database):
    with pytest.raises(AuditPathMissing):
        await atomically(database, audit_path, 77_777, actor=TEST)
