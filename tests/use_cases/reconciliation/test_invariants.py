"""Whatever a bank sends and people do, books equal bank, and both sides of the books are even."""

from datetime import timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.billing.ledger.queries import verify
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import UndoMatch, undo_match
from marketplace.kernel.db import atomically
from tests.builders.ledger import A_DAY, TEST
from tests.builders.parties import an_sme
from tests.builders.payouts import the_books
from tests.builders.reconciliation import (
    BankLine,
    a_statement,
    explained,
    matched,
    the_balancing,
    the_lines,
)

_accounts = count(1)

AMOUNTS = st.integers(-(10**9), 10**9)
REMARKS = st.sampled_from(["转账", "SC-W-{sme}", "SC-V-2025", "SC-R-2025", "手续费", "结息", ""])
LINES = st.lists(st.tuples(AMOUNTS, REMARKS, st.booleans()), min_size=1, max_size=12)


async def even(database):
    """What has to hold at every moment."""
    standing = await the_balancing(database)
    books = await the_books(database)
    assert standing.difference_fen == 0
    assert standing.ledger_fen == standing.closing_fen
    assert standing.suspense_fen == standing.unexplained_fen
    assert sum(books.values()) == 0
    for account in standing.accounts:
        moved = account.opening_fen + account.in_fen - account.out_fen
        assert moved == account.closing_fen


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(LINES, st.integers(0, 12), st.integers(0, 12), AMOUNTS, st.data())
async def test_any_statements_and_any_matching_keep_books_and_bank_equal(
    database, asked, overlap, cut, opening_fen, data
):
    sme = await an_sme(database)
    account = f"{next(_accounts):012d}"
    lines = [
        BankLine(
            amount,
            booked_on=A_DAY + timedelta(days=place // 4),
            # Every example sends files of its own: the same bytes twice would be refused as known.
            account=account,
            remark=remark.format(sme=sme),
            reference=f"{account}{place}" if referenced else "",
        )
        for place, (amount, remark, referenced) in enumerate(asked)
    ]
    first, second = lines[: max(1, cut)], lines[max(0, cut - overlap) :]
    imported = [
        await a_statement(database, *first, opening_fen=opening_fen, account_number=account)
    ]
    await even(database)
    if len(lines) > len(first):
        before = opening_fen + sum(line.amount_fen for line in lines[: max(0, cut - overlap)])
        imported.append(
            await a_statement(database, *second, opening_fen=before, account_number=account)
        )
        await even(database)
    assert imported[-1].closing_fen == opening_fen + sum(line.amount_fen for line in lines)

    for statement in imported:
        await matched(database, statement)
        await even(database)
    for line in await the_lines(database, account_number=account):
        step = data.draw(st.sampled_from(["leave", "undo", "explain"]))
        if step == "undo" and line.status == "matched":
            await atomically(database, undo_match, UndoMatch(line.id, "试"), actor=TEST)
        elif step == "explain" and line.status == "unmatched":
            kind = MatchKind.WALLET if line.amount_fen > 0 else MatchKind.CHARGE
            await explained(database, line.id, kind, sme)
    await even(database)
    assert (await verify(database)).ok
