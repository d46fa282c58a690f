"""Two persons sign a period off, when bank and books agree and every line is explained."""

from datetime import date

import pytest

from marketplace.billing.ledger.errors import PeriodClosed, PeriodNotOver, PeriodOverlaps
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.reconciliation.errors import (
    OwnSignOff,
    SignedOff,
    SignOffMissing,
    SignOffNotReady,
)
from marketplace.billing.reconciliation.queries import sign_off_by_id
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    ApproveSignOff,
    DraftSignOff,
    UndoMatch,
    approve_sign_off,
    draft_sign_off,
    undo_match,
)
from marketplace.kernel.db import atomically
from tests.builders.ledger import TEST, a_posted_entry, an_account
from tests.builders.parties import an_sme
from tests.builders.payouts import a_finance_team, the_books
from tests.builders.reconciliation import (
    a_line,
    a_statement,
    explained,
    matched,
    the_balancing,
    the_lines,
)

FEBRUARY = DraftSignOff(date(2025, 2, 1), date(2025, 2, 28))
IN_FEBRUARY = date(2025, 2, 10)


@pytest.fixture
async def centre(database):
    return await a_finance_team(database)


async def drafted(database, centre, period=FEBRUARY):
    return await atomically(database, draft_sign_off, period, actor=centre.maker)


async def approved(database, sign_off_id, actor):
    return await atomically(database, approve_sign_off, ApproveSignOff(sign_off_id), actor=actor)


async def test_a_period_is_signed_off_and_its_books_are_closed(database, centre):
    sme = await an_sme(database)
    statement = await a_statement(
        database,
        a_line(1_000, f"SC-W-{sme}", booked_on=IN_FEBRUARY),
        a_line(7, booked_on=date(2025, 3, 1)),
    )
    await matched(database, statement)

    draft = await drafted(database, centre)
    with pytest.raises(OwnSignOff):
        await approved(database, draft.id, centre.maker)
    signed = await approved(database, draft.id, centre.checker)
    with pytest.raises(SignedOff):
        await approved(database, draft.id, centre.checker)
    with pytest.raises(PeriodClosed):
        await a_statement(database, a_line(1, booked_on=IN_FEBRUARY), opening_fen=1_007)

    assert (draft.status, signed.status) == ("draft", "signed")
    assert signed.approved_by == centre.checker.person_id
    assert signed.balancing["closing_fen"] == 1_000
    assert signed.balancing["difference_fen"] == 0


async def test_everything_that_stands_against_it_is_told(database, centre):
    with pytest.raises(SignOffNotReady) as nothing:
        await drafted(database, centre)
    await a_statement(database, a_line(1_000, booked_on=IN_FEBRUARY))
    bank = await an_account(database, AccountType.BANK)
    wallet = await an_account(database, AccountType.WALLET, 9)
    await a_posted_entry(
        database, debit=bank, credit=wallet, amount_fen=30, effective_on=IN_FEBRUARY
    )
    with pytest.raises(SignOffNotReady) as open_questions:
        await drafted(database, centre)

    assert [one.rule for one in nothing.value.reasons] == ["no-statement"]
    assert [(one.rule, one.asked) for one in open_questions.value.reasons] == [
        ("difference", 30),
        ("unexplained", 1),
    ]
    assert (await the_balancing(database)).difference_fen == 30


async def test_what_comes_up_after_the_draft_stops_the_approval(database, centre):
    await a_statement(database, a_line(1_000, booked_on=IN_FEBRUARY))
    line_id = (await the_lines(database))[0].id
    await explained(database, line_id, MatchKind.VOUCHER_FUND)
    draft = await drafted(database, centre)
    await atomically(database, undo_match, UndoMatch(line_id, "其实不是"), actor=TEST)

    with pytest.raises(SignOffNotReady):
        await approved(database, draft.id, centre.checker)
    await explained(database, line_id, MatchKind.REWARD_FUND)
    signed = await approved(database, draft.id, centre.checker)

    assert signed.status == "signed"


async def test_a_match_of_a_signed_period_is_corrected_in_the_open_one(database, centre):
    await a_statement(database, a_line(1_000, booked_on=IN_FEBRUARY))
    line_id = (await the_lines(database))[0].id
    await explained(database, line_id, MatchKind.VOUCHER_FUND)
    draft = await drafted(database, centre)
    await approved(database, draft.id, centre.checker)

    await atomically(database, undo_match, UndoMatch(line_id, "奖励资金"), actor=TEST)
    await explained(database, line_id, MatchKind.REWARD_FUND)

    assert await the_books(database) == {"bank": 1_000, "reward_fund": -1_000}
    february = await the_balancing(database, last_on=FEBRUARY.last_on)
    assert (february.closing_fen, february.difference_fen) == (1_000, 0)


async def test_only_days_that_have_passed_and_no_day_twice(database, centre):
    await a_statement(database, a_line(1_000, booked_on=IN_FEBRUARY))
    line_id = (await the_lines(database))[0].id
    await explained(database, line_id, MatchKind.VOUCHER_FUND)
    await drafted(database, centre)

    with pytest.raises(PeriodOverlaps):
        await drafted(database, centre)
    with pytest.raises(PeriodNotOver):
        await drafted(database, centre, DraftSignOff(date(2025, 3, 1), date(2025, 3, 31)))
    with pytest.raises(SignOffMissing):
        await atomically(database, sign_off_by_id, 999, actor=TEST)


async def test_a_month_balances_by_itself(database):
    await a_statement(
        database,
        a_line(500, booked_on=date(2025, 1, 15)),
        a_line(-100, booked_on=date(2025, 2, 3)),
        a_line(40, booked_on=date(2025, 2, 20)),
        a_line(1, booked_on=date(2025, 3, 1)),
        opening_fen=10_000,
    )

    february = await the_balancing(database, first_on=FEBRUARY.first_on, last_on=FEBRUARY.last_on)

    (account,) = february.accounts
    assert (account.opening_fen, account.in_fen, account.out_fen, account.closing_fen) == (
        10_500,
        40,
        100,
        10_440,
    )
    assert (february.ledger_fen, february.difference_fen) == (10_440, 0)
