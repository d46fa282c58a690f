"""A line is imported once, matched once, and a payment is matched once, whoever comes at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import (
    LineNotReady,
    SignOffNotReady,
    StatementDiscontinued,
    StatementKnown,
)
from marketplace.billing.reconciliation.rules.matching import OpenLine
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    ApproveSignOff,
    DraftSignOff,
    MatchLine,
    UndoMatch,
    approve_sign_off,
    booking,
    draft_sign_off,
    explaining,
    match_line,
    undo_match,
)
from marketplace.kernel.db import atomically
from tests.builders.ledger import A_DAY, TEST, an_account, the_balance
from tests.builders.owner import become_owner
from tests.builders.parties import an_sme
from tests.builders.payouts import a_finance_team, a_payout, a_sent_batch, the_books, the_payout
from tests.builders.reconciliation import (
    a_file,
    a_line,
    a_statement,
    explained,
    imported,
    matched,
    the_balancing,
    the_lines,
)


async def at_once(*steps):
    return await asyncio.gather(*steps, return_exceptions=True)


def wins(results):
    return [one for one in results if not isinstance(one, BaseException)]


def refusals(results):
    return {type(one) for one in results if isinstance(one, BaseException)}


async def test_a_file_that_is_sent_by_many_is_imported_once(database):
    content = a_file([a_line(100), a_line(200)])

    results = await at_once(*(imported(database, content) for _ in range(6)))

    assert len(wins(results)) == 1
    assert refusals(results) == {StatementKnown}
    assert (await the_balancing(database)).difference_fen == 0


async def test_two_files_that_continue_the_same_statement_do_not_both(database):
    await a_statement(database, a_line(1_000))

    results = await at_once(
        *(a_statement(database, a_line(fen), opening_fen=1_000) for fen in (1, 2, 3, 4))
    )

    assert len(wins(results)) == 1
    assert refusals(results) == {StatementDiscontinued}
    assert (await the_balancing(database)).closing_fen == wins(results)[0].closing_fen


async def test_matchers_at_once_match_every_line_once(database):
    sme = await an_sme(database)
    payouts = [await a_payout(database, amount_fen=1_000 + n) for n in range(5)]
    await a_sent_batch(database, centre=await a_finance_team(database))
    statement = await a_statement(
        database,
        *(a_line(100 + n, f"SC-W-{sme}") for n in range(10)),
        *(a_line(-one.amount_fen, one.end_to_end_id) for one in payouts),
        opening_fen=100_000,
    )

    reports = await at_once(*(matched(database, statement) for _ in range(6)))
    wallet = await an_account(database, AccountType.WALLET, sme)

    assert refusals(reports) == set()
    assert sum(sum(one.matched.values()) for one in wins(reports)) == 15
    assert (await the_balance(database, wallet)).posted_fen == sum(range(100, 110))
    assert {(await the_payout(database, one.id)).status for one in payouts} == {"confirmed"}
    assert (await verify(database)).ok


async def racing_for_one_line(database) -> tuple[int, int]:
    """How many of ten people explained one line, and what came to the wallets."""
    smes = [await an_sme(database) for _ in range(10)]
    await a_statement(database, a_line(500))
    (line,) = await the_lines(database)

    results = await at_once(
        *(
            atomically(
                database, match_line, MatchLine(line.id, MatchKind.WALLET, "认领", sme), actor=TEST
            )
            for sme in smes
        )
    )
    assert refusals(results) <= {LineNotReady}
    return len(wins(results)), -(await the_books(database)).get("wallet", 0)


async def test_people_at_once_explain_a_line_once(database):
    assert (1, 500) == await racing_for_one_line(database)


@pytest.fixture
def nobody_waits(monkeypatch):
    """Taking turns and locking lines away, so that only the database's own guard is left."""

    async def no_turns(tx):
        return None

    async def unlocked(tx, line_id):
        found = await queries.line_by_id(tx, line_id)
        await tx.execute(text("select pg_sleep(0.05)"))
        return OpenLine(
            found.id,
            found.booked_on,
            found.amount_fen,
            found.counterparty_name,
            found.counterparty_account,
            found.remark,
            found.bank_reference,
        )

    monkeypatch.setattr(explaining, "explain_lines", no_turns)
    monkeypatch.setattr(explaining, "_open", unlocked)


async def test_the_constraint_alone_lets_one_of_them_win(database, nobody_waits):
    smes = [await an_sme(database) for _ in range(4)]
    await a_statement(database, a_line(500))
    (line,) = await the_lines(database)

    results = await at_once(*(explained(database, line.id, MatchKind.WALLET, sme) for sme in smes))

    assert len(wins(results)) == 1
    assert (await the_books(database))["wallet"] == -500


async def test_control_without_any_guard_a_line_is_explained_several_times(
    database, nobody_waits, monkeypatch
):
    smes = iter([await an_sme(database) for _ in range(4)])
    await a_statement(database, a_line(500))
    (line,) = await the_lines(database)
    monkeypatch.setattr(booking, "match_key", lambda one: f"control:{one.target_id}")
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("drop index line_match_one_stands"))

    results = await at_once(*(explained(database, line.id, MatchKind.WALLET, sme) for sme in smes))

    assert len(wins(results)) > 1
    assert (await the_books(database))["wallet"] == -500 * len(wins(results))


async def test_a_match_is_undone_once(database):
    statement = await a_statement(database, a_line(500, "SC-V-2025"))
    await matched(database, statement)
    (line,) = await the_lines(database)

    results = await at_once(
        *(atomically(database, undo_match, UndoMatch(line.id, "错"), actor=TEST) for _ in range(5))
    )

    assert len(wins(results)) == 1
    assert refusals(results) == {LineNotReady}
    assert await the_books(database) == {"bank": 500, "bank_suspense": -500}


async def test_a_period_is_not_signed_off_over_a_match_that_is_being_undone(database, clock):
    centre = await a_finance_team(database)
    statement = await a_statement(database, a_line(500, "SC-V-2025"))
    await matched(database, statement)
    (line,) = await the_lines(database)
    clock.set(clock.now() + timedelta(days=3))
    period = DraftSignOff(A_DAY, A_DAY)
    draft = await atomically(database, draft_sign_off, period, actor=centre.maker)

    undone, signed = await at_once(
        atomically(database, undo_match, UndoMatch(line.id, "错"), actor=TEST),
        atomically(database, approve_sign_off, ApproveSignOff(draft.id), actor=centre.checker),
    )

    assert not isinstance(undone, BaseException)
    # Signed before it was undone, or refused because it was.
    if isinstance(signed, BaseException):
        assert isinstance(signed, SignOffNotReady)
    else:
        assert signed.balancing["unexplained_lines"] == 0
