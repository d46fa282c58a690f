"""Drafting, approving and discarding runs."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import AccountName
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.rewards import queries
from marketplace.billing.rewards.errors import (
    DraftOpen,
    RunDisagrees,
    RunMissing,
    RunNotDraft,
    RunOutdated,
    SecondPersonNeeded,
    TermsMissing,
    ThroughRefused,
)
from marketplace.billing.rewards.rules.states import Grade
from marketplace.billing.rewards.use_cases import (
    ApproveRun,
    DiscardRun,
    DraftRun,
    approve_run,
    discard_run,
    draft_run,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically
from marketplace.kernel.tables import outbox_event
from tests.builders.invoicing import a_charge, a_credit
from tests.builders.owner import become_owner
from tests.builders.parties import a_legal_entity, a_provider, an_sme
from tests.builders.rewards import (
    a_checker,
    a_draft,
    a_grade,
    a_graded_provider,
    a_maker,
    a_reward_fund,
    an_approved_run,
)

TEST = system_actor("test")


async def ask(database, query, question):
    return await atomically(database, query, question, actor=TEST)


async def shares_of(database, run_id):
    page = await ask(database, queries.shares, queries.ShareSearch(run_id, page_size=200))
    return {share.provider_id: share.amount_fen for share in page.results}


async def balance(database, type, owner_id=None):
    account_id = await ask(database, ledger.account_id, AccountName(type, owner_id))
    return 0 if account_id is None else (await ask(database, ledger.balance, account_id)).posted_fen


async def test_a_run_pays_each_provider_its_rate_out_of_the_fund(database):
    await a_reward_fund(database, amount_fen=1_000_00)
    best, good, ungraded = [
        await a_graded_provider(database, grade=grade) for grade in ("excellent", "good", None)
    ]
    for provider_id in (best, good, ungraded):
        await a_charge(database, provider_id=provider_id, voucher_fen=250_00, own_fen=750_00)

    approved = await an_approved_run(database)

    assert {best: 50_00, good: 30_00, ungraded: 0} == await shares_of(database, approved.id)
    assert (80_00, 80_00, 3, "approved") == (
        approved.total_fen,
        approved.claimed_fen,
        approved.providers,
        approved.status,
    )
    # The payouts are instructed, so that what was owed is on its way.
    assert 920_00 == await balance(database, AccountType.REWARD_FUND)
    assert 80_00 == await balance(database, AccountType.PAYOUT_IN_TRANSIT)
    assert 0 == await balance(database, AccountType.REWARD_PAYABLE, best)


async def test_an_approved_run_is_told(database):
    approved = await an_approved_run(database)

    async with database.engine.connect() as connection:
        told = (await connection.execute(outbox_event.select())).mappings().all()

    assert [{"run_id": approved.id, "year": 2025, "total_fen": 0}] == [
        row["payload"] for row in told if row["name"] == "RewardRunApproved"
    ]


@pytest.mark.parametrize(
    ("service_fen", "amount_fen"),
    [
        (9_999_999_99, 499_999_99),
        (10_000_000_00, 500_000_00),
        (10_000_000_20, 500_000_00),
        (99_000_000_00, 500_000_00),
    ],
    ids=["one fen below the cap", "exactly", "one fen over", "far over"],
)
async def test_a_legal_entity_gets_at_most_500_000_yuan(database, service_fen, amount_fen):
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id, voucher_fen=1, own_fen=service_fen - 1)

    drafted = await a_draft(database)

    assert amount_fen == drafted.total_fen


async def test_providers_of_one_legal_entity_share_its_cap(database):
    await a_reward_fund(database)
    university = await a_legal_entity(database, kind="university", capital="fiscal")
    small, large = [await a_graded_provider(database, legal_entity_id=university) for _ in range(2)]
    await a_charge(database, provider_id=small, own_fen=10_000_000_00 - 250_00)
    await a_charge(database, provider_id=large, own_fen=30_000_000_00 - 250_00)

    approved = await an_approved_run(database)

    assert {small: 125_000_00, large: 375_000_00} == await shares_of(database, approved.id)


async def test_earlier_runs_of_the_year_count_against_the_cap(database, clock):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    await a_charge(
        database, provider_id=provider_id, own_fen=8_000_000_00, settled_on=date(2025, 2, 1)
    )
    first = await an_approved_run(database, through=date(2025, 2, 28))
    await a_charge(
        database, provider_id=provider_id, own_fen=8_000_000_00, settled_on=date(2025, 3, 1)
    )

    second = await an_approved_run(database)
    third = await an_approved_run(database)

    assert [400_012_50, 99_987_50, 0] == [run.total_fen for run in (first, second, third)]


async def test_a_new_year_has_a_new_cap(database):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    await a_grade(database, provider_id=provider_id, year=2024)
    for day in (date(2024, 12, 31), date(2025, 1, 1)):
        await a_charge(database, provider_id=provider_id, own_fen=20_000_000_00, settled_on=day)

    last_year = await an_approved_run(database, year=2024, through=date(2024, 12, 31))
    this_year = await an_approved_run(database)

    assert [500_000_00, 500_000_00] == [last_year.total_fen, this_year.total_fen]


async def test_only_services_that_count_are_the_base(database):
    provider_id = await a_graded_provider(database)
    counts: dict[str, Any] = {"provider_id": provider_id, "voucher_fen": 100, "own_fen": 900}
    await a_charge(database, **counts)
    await a_charge(database, **counts | {"affiliated": True})
    await a_charge(database, **counts | {"voucher_fen": 0})
    await a_charge(database, **counts, settled_on=date(2024, 12, 31))

    drafted = await a_draft(database)

    assert (1_000, 50) == (drafted.service_total_fen, drafted.total_fen)


async def test_a_refund_after_a_paid_reward_nets_against_the_next_run(database):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    order_id = await a_charge(database, provider_id=provider_id)
    first = await an_approved_run(database)
    await a_credit(database, order_id=order_id, own_fen=200_00)
    after_refund = await an_approved_run(database)
    await a_charge(database, provider_id=provider_id, voucher_fen=100_00, own_fen=200_00)

    last = await an_approved_run(database)

    # 5 % of 1,000; then of 800, overpaid by 10; then of 1,100 less what was paid.
    assert [50_00, 0, 5_00] == [run.total_fen for run in (first, after_refund, last)]


async def test_what_was_overpaid_stands_on_the_entitys_statement(database):
    await a_reward_fund(database)
    university = await a_legal_entity(database)
    provider_id = await a_graded_provider(database, legal_entity_id=university)
    order_id = await a_charge(database, provider_id=provider_id)
    await an_approved_run(database)
    await a_credit(database, order_id=order_id, voucher_fen=250_00, own_fen=750_00)
    await an_approved_run(database)

    statement = await ask(database, queries.entity_statement, queries.EntityYear(university, 2025))

    assert (50_00, 50_00, 500_000_00) == (
        statement.paid_fen,
        statement.overpaid_fen,
        statement.cap_fen,
    )
    assert [50_00, 0] == [share.amount_fen for share in statement.shares]


async def test_a_budget_is_spent_to_the_fen_and_the_rest_made_good_later(database):
    await a_reward_fund(database)
    providers = [await a_graded_provider(database) for _ in range(3)]
    for provider_id in providers:
        await a_charge(database, provider_id=provider_id)

    first = await an_approved_run(database, budget_fen=100_00)
    second = await an_approved_run(database)

    assert [33_34, 33_33, 33_33] == list((await shares_of(database, first.id)).values())
    assert (150_00, 100_00, 50_00) == (first.claimed_fen, first.total_fen, second.total_fen)
    assert [16_66, 16_67, 16_67] == list((await shares_of(database, second.id)).values())


async def test_a_later_grade_is_made_good_by_the_next_run(database):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database, grade="qualified")
    await a_charge(database, provider_id=provider_id)
    first = await an_approved_run(database)
    await a_grade(database, provider_id=provider_id, grade=Grade.GOOD)

    second = await an_approved_run(database)

    assert [10_00, 20_00] == [run.total_fen for run in (first, second)]


async def test_the_same_inputs_give_the_same_draft(database):
    university = await a_legal_entity(database)
    for fen in (19, 39, 2000):
        provider_id = await a_graded_provider(database, legal_entity_id=university)
        await a_charge(database, provider_id=provider_id, voucher_fen=1, own_fen=fen - 1)
    first = await a_draft(database)
    await atomically(database, discard_run, DiscardRun(first.id), actor=TEST)

    again = await a_draft(database)

    assert first.inputs_sha256 == again.inputs_sha256
    assert await shares_of(database, first.id) == await shares_of(database, again.id)
    assert [0, 1, 100] == list((await shares_of(database, again.id)).values())


async def test_a_share_keeps_the_arithmetic_to_redo_it(database):
    provider_id = await a_graded_provider(database, grade="good")
    await a_charge(database, provider_id=provider_id)
    drafted = await a_draft(database)

    page = await ask(database, queries.shares, queries.ShareSearch(drafted.id))

    (share,) = page.results
    told = share.arithmetic
    assert (100_000, "good", 300, "assessment 2025") == tuple(
        told["unit"][name]
        for name in ("service_total_fen", "grade", "rate_basis_points", "grade_source")
    )
    assert 100_000 * 300 == told["unit"]["earned"]
    assert (500, "J.30a", 50_000_000, "J.30b") == tuple(
        told["terms"][name]
        for name in ("share_cap_basis_points", "share_cap_source", "cap_fen", "cap_source")
    )
    assert {"from": "2025-01-01", "through": "2025-03-03", "counts": "voucher-orders"}.items() <= (
        told["base"].items()
    )
    assert (30_00, 30_00, 0) == tuple(
        told["entity"][name] for name in ("entitled_fen", "claimed_fen", "paid_before_fen")
    )
    assert (30_00, 0, 30_00) == (
        told["split"]["part_fen"],
        told["split"]["extra_fen"],
        told["amount_fen"],
    )


async def test_the_lines_behind_a_share_sum_to_its_service_total(database):
    provider_id = await a_graded_provider(database)
    order_id = await a_charge(database, provider_id=provider_id)
    await a_credit(database, order_id=order_id, own_fen=1)
    await a_charge(database, provider_id=provider_id, affiliated=True)
    drafted = await a_draft(database)

    lines = await ask(database, queries.share_lines, queries.ShareLines(drafted.id, provider_id))

    assert (2, 999_99) == (lines.total, lines.service_value_fen)
    assert [100_000, -1] == [line.service_value_fen for line in lines.results]
    assert drafted.service_total_fen == lines.service_value_fen


async def test_whoever_drafted_a_run_does_not_approve_it(database):
    maker = await a_maker(database)
    drafted = await a_draft(database, actor=maker)

    with pytest.raises(SecondPersonNeeded):
        await atomically(database, approve_run, ApproveRun(drafted.id), actor=maker)


async def test_a_fund_that_does_not_cover_a_run_pays_nobody(database):
    await a_reward_fund(database, amount_fen=49_99)
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id)
    drafted = await a_draft(database)

    with pytest.raises(InsufficientFunds):
        await atomically(
            database, approve_run, ApproveRun(drafted.id), actor=await a_checker(database)
        )

    assert "draft" == (await ask(database, queries.run, drafted.id)).status
    assert 49_99 == await balance(database, AccountType.REWARD_FUND)


@pytest.mark.parametrize("change", ["charge", "credit", "grade"])
async def test_a_draft_whose_figures_have_changed_is_out_of_date(database, change):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    order_id = await a_charge(database, provider_id=provider_id)
    drafted = await a_draft(database)
    if change == "charge":
        await a_charge(database, provider_id=provider_id)
    elif change == "credit":
        await a_credit(database, order_id=order_id)
    else:
        await a_grade(database, provider_id=provider_id, grade=Grade.GOOD)

    with pytest.raises(RunOutdated):
        await atomically(
            database, approve_run, ApproveRun(drafted.id), actor=await a_checker(database)
        )


async def test_a_service_after_the_last_day_leaves_a_draft_as_it_is(database):
    await a_reward_fund(database)
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id, settled_on=date(2025, 2, 1))
    drafted = await a_draft(database, through=date(2025, 2, 28))
    await a_charge(database, provider_id=provider_id, settled_on=date(2025, 3, 1))

    approved = await atomically(
        database, approve_run, ApproveRun(drafted.id), actor=await a_checker(database)
    )

    assert 50_00 == approved.total_fen


async def test_a_share_that_was_tampered_with_is_found_at_approval(database):
    await a_reward_fund(database)
    university = await a_legal_entity(database)
    for _ in range(2):
        provider_id = await a_graded_provider(database, legal_entity_id=university, grade="good")
        await a_charge(database, provider_id=provider_id)
    drafted = await a_draft(database)
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(
            text(
                "update reward_share set amount_fen = amount_fen"
                " + case when provider_id = :favoured then 100 else -100 end"
            ),
            {"favoured": provider_id},
        )

    with pytest.raises(RunDisagrees) as refusal:
        await atomically(
            database, approve_run, ApproveRun(drafted.id), actor=await a_checker(database)
        )

    assert ["units-agree"] == [reason.rule for reason in refusal.value.reasons]


async def test_a_year_has_one_draft_at_a_time(database):
    drafted = await a_draft(database)

    with pytest.raises(DraftOpen):
        await a_draft(database)

    await a_draft(database, year=2024, through=date(2024, 12, 31))
    await atomically(database, discard_run, DiscardRun(drafted.id), actor=TEST)
    assert 2 == (await a_draft(database)).sequence


async def test_a_decided_run_stays_decided(database):
    approved = await an_approved_run(database)
    discarded = await a_draft(database)
    await atomically(database, discard_run, DiscardRun(discarded.id), actor=TEST)

    checker = await a_checker(database)
    for run_id in (approved.id, discarded.id):
        with pytest.raises(RunNotDraft):
            await atomically(database, approve_run, ApproveRun(run_id), actor=checker)
        with pytest.raises(RunNotDraft):
            await atomically(database, discard_run, DiscardRun(run_id), actor=checker)


async def test_a_run_that_is_not_there_is_missing(database):
    with pytest.raises(RunMissing):
        await atomically(database, approve_run, ApproveRun(99), actor=TEST)


@pytest.mark.parametrize(
    ("year", "through", "error"),
    [
        (2025, date(2025, 3, 4), ThroughRefused),
        (2025, date(2024, 12, 31), ThroughRefused),
        (2019, date(2019, 12, 31), TermsMissing),
    ],
)
async def test_a_run_through_another_day_is_refused(database, year, through, error):
    with pytest.raises(error):
        await atomically(database, draft_run, DraftRun(year, through), actor=TEST)


async def test_a_run_does_not_reach_behind_an_approved_one(database):
    await an_approved_run(database)

    with pytest.raises(ThroughRefused):
        await a_draft(database, through=date(2025, 3, 2))


async def test_a_year_without_services_is_a_run_of_nothing(database):
    drafted = await a_draft(database, budget_fen=1)

    assert (0, 0, 0) == (drafted.entities, drafted.providers, drafted.total_fen)


async def test_what_if_computes_other_terms_and_writes_nothing(database):
    provider_id = await a_graded_provider(database)
    await a_charge(database, provider_id=provider_id, own_fen=20_000_000_00 - 250_00)
    await a_charge(database, provider_id=await a_graded_provider(database, grade="good"))
    rates = {"excellent": 200, "good": 200}

    found = await ask(
        database,
        queries.what_if,
        queries.WhatIfAsked(2025, None, rates=rates, budget_fen=200_000_00),
    )

    assert date(2025, 3, 3) == found.through
    assert (500_030_00, 1) == (found.present.amount_fen, found.present.entities_at_cap)
    assert (400_020_00, 200_000_00, 0) == (
        found.asked.claimed_fen,
        found.asked.amount_fen,
        found.asked.entities_at_cap,
    )
    assert 200_000_00 == sum(entity.amount_fen for entity in found.entities)
    assert 0 == (await ask(database, queries.runs, queries.RunSearch())).total


async def test_a_provider_in_two_legal_entities_is_paid_under_both(database):
    await a_reward_fund(database)
    moved = await a_provider(database)
    await a_grade(database, provider_id=moved)
    other = await a_legal_entity(database)
    buyer = await an_sme(database)
    await a_charge(database, provider_id=moved, buyer_id=buyer)
    await a_charge(database, provider_id=moved, buyer_id=buyer, legal_entity_id=other)

    approved = await an_approved_run(database)

    assert (2, 2, 100_00) == (approved.entities, approved.providers, approved.total_fen)
    assert 100_00 == await balance(database, AccountType.PAYOUT_IN_TRANSIT)
