"""Lines that are several things, things that are several lines, and receipts on credit lines."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.errors import (
    ClearingMissing,
    ClearingUneven,
    LineNotReady,
    MatchUnfit,
)
from marketplace.billing.reconciliation.rules.clearing import Item
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import (
    ClearLines,
    UndoClearing,
    UndoMatch,
    clear_lines,
    undo_clearing,
    undo_match,
)
from marketplace.kernel.db import Database, atomically
from tests.builders.credit import granted_terms, the_line
from tests.builders.ledger import TEST
from tests.builders.orders import a_market
from tests.builders.owner import become_owner
from tests.builders.parties import an_sme
from tests.builders.payouts import a_finance_team, a_sent_payout, the_books, the_payout
from tests.builders.reconciliation import (
    a_line,
    a_statement,
    explained,
    matched,
    the_balancing,
    the_lines,
)
from tests.use_cases.credit.test_credit import TWO_HOURS_FEN, a_debt

PAYOUT, WALLET, CHARGE = MatchKind.PAYOUT, MatchKind.WALLET, MatchKind.CHARGE


async def cleared(
    database: Database, line_ids: list[int], *items: Item, reason: str = "核对回单"
) -> queries.Clearing:
    command = ClearLines(line_ids, items, reason)
    return await atomically(database, clear_lines, command, actor=TEST)


async def the_ids(database: Database) -> list[int]:
    return [line.id for line in await the_lines(database) if line.line_number]


async def test_one_line_is_several_payments_and_the_fee_the_bank_took_with_them(
    database: Database,
) -> None:
    centre = await a_finance_team(database)
    paid = [await a_sent_payout(database, centre=centre, amount_fen=fen) for fen in (100, 200)]
    await a_statement(database, a_line(-305, "批量代发"), opening_fen=1000)
    (line_id,) = await the_ids(database)
    made = await cleared(
        database,
        [line_id],
        Item(PAYOUT, -100, paid[0].id),
        Item(PAYOUT, -200, paid[1].id),
        Item(CHARGE, -5),
    )
    assert [item.reference for item in made.items] == [*(one.end_to_end_id for one in paid), None]
    assert {(await the_payout(database, one.id)).status for one in paid} == {"confirmed"}
    books = await the_books(database)
    assert books["bank_charges"] == 5
    assert books["bank_suspense"] == -1000
    with pytest.raises(LineNotReady):
        await cleared(database, [line_id], Item(CHARGE, -305))

    undone = await atomically(database, undo_clearing, UndoClearing(made.id, "错"), actor=TEST)
    assert undone.undone_at is not None
    assert {(await the_payout(database, one.id)).status for one in paid} == {"sent"}
    assert [line.status for line in await the_lines(database, status="unmatched")][-1:] == [
        "unmatched"
    ]
    with pytest.raises(LineNotReady):
        await atomically(database, undo_clearing, UndoClearing(made.id, "错"), actor=TEST)
    with pytest.raises(ClearingMissing):
        await atomically(database, undo_clearing, UndoClearing(9_999, "错"), actor=TEST)


async def test_several_lines_are_one_payment_and_any_of_them_undoes_all(
    database: Database,
) -> None:
    paid = await a_sent_payout(database, amount_fen=300)
    await a_statement(database, a_line(-100), a_line(-200), opening_fen=1000)
    ids = await the_ids(database)
    await cleared(database, ids, Item(PAYOUT, -300, paid.id))
    lines = await the_lines(database, kind="clearing")
    assert [line.status for line in lines] == ["matched", "matched"]
    assert (await the_books(database)).get("payout_in_transit", 0) == 0
    await atomically(database, undo_match, UndoMatch(ids[0], "另一笔"), actor=TEST)
    assert [line.id for line in await the_lines(database, status="unmatched")][-2:] == ids
    again = await cleared(database, ids, Item(PAYOUT, -300, paid.id))
    assert again.undone_at is None


async def test_everything_that_does_not_fit_is_told_at_once(database: Database) -> None:
    paid = await a_sent_payout(database, amount_fen=300)
    await a_statement(database, a_line(-100), opening_fen=1000)
    (line_id,) = await the_ids(database)
    with pytest.raises(MatchUnfit) as refused:
        await cleared(
            database,
            [line_id],
            Item(PAYOUT, -200, paid.id),
            Item(PAYOUT, -200, paid.id),
            Item(MatchKind.INTEREST, -5),
            Item(MatchKind.REWARD_FUND, 5, 1),
            Item(MatchKind.DIFFERENCE, 500, 0, "rounding"),
            Item(CHARGE, -1, 0, "rounding"),
        )
    assert {reason.rule for reason in refused.value.reasons} == {
        "clearing-sum",
        "clearing-direction",
        "clearing-reason",
        "clearing-tolerance",
        "clearing-twice",
        "clearing-amount",
        "clearing-year",
    }
    with pytest.raises(MatchUnfit, match="together"):
        await explained(database, line_id, MatchKind.DIFFERENCE, 1)


async def test_a_small_difference_is_written_off_with_its_reason(database: Database) -> None:
    sme_id = await an_sme(database)
    await a_statement(database, a_line(9_950, "充值"))
    (line_id,) = await the_ids(database)
    difference = Item(MatchKind.DIFFERENCE, -50, 0, "bank_fee")
    await cleared(database, [line_id], Item(WALLET, 10_000, sme_id), difference)
    books = await the_books(database)
    assert (books["wallet"], books["bank_charges"]) == (-10_000, 50)


async def test_a_receipt_pays_a_credit_line_and_can_be_taken_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = await a_market(database, voucher_fen=0)
    await granted_terms(market)
    await a_debt(market, monkeypatch)
    credit_line = (await the_line(market)).line
    statement = await a_statement(
        database,
        a_line(TWO_HOURS_FEN - 100, f"SC-C-{credit_line.id} 服务费"),
        a_line(200, f"SC-C-{credit_line.id}"),
        a_line(100, f"还款 SC-C-{credit_line.id}"),
    )
    report = await matched(database, statement)
    assert report.matched == {"credit": 2}
    first, second, _ = [line for line in await the_lines(database) if line.line_number]
    assert second.note == f"less is owed on SC-C-{credit_line.id}"
    assert (await the_line(market)).line.owed_fen == 0
    assert (await market.payable()).posted_fen == TWO_HOURS_FEN
    with pytest.raises(Exception, match="owed on this line"):
        await explained(database, second.id, MatchKind.CREDIT, credit_line.id)
    await atomically(database, undo_match, UndoMatch(first.id, "认错"), actor=TEST)
    assert (await the_line(market)).line.owed_fen == TWO_HOURS_FEN - 100
    assert (await market.payable()).posted_fen == 100
    await cleared(
        database,
        [first.id, second.id],
        Item(MatchKind.CREDIT, TWO_HOURS_FEN - 100, credit_line.id),
        Item(WALLET, 200, market.buyer.organisation_id),
    )
    assert (await the_line(market)).line.owed_fen == 0
    assert (await the_balancing(database)).suspense_fen == 0


ATTACKS = {
    "items changed": "update clearing_item set amount_fen = 1",
    "clearing changed": "update clearing set reason = 'x'",
    "clearing deleted": "delete from clearing",
    "line changed": "update line_match set score = 1",
    "undone without its lines": (
        "update clearing set undone_by = 1, undone_at = now(), undo_reason = 'x'"
    ),
    "uneven": (
        "insert into clearing (how, rule, reason, made_by, made_at)"
        " values ('auto', 'x', '', 1, now())"
    ),
}


async def by_the_owner(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text(statement))


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_a_clearing_stays_even_under_raw_sql(database: Database, attack: str) -> None:
    paid = await a_sent_payout(database, amount_fen=300)
    await a_statement(database, a_line(-300, "x"), opening_fen=1000)
    await cleared(database, await the_ids(database), Item(PAYOUT, -300, paid.id))
    with pytest.raises((DBAPIError, ClearingUneven)) as refused:
        await by_the_owner(database, attack)
    assert any(word in str(refused.value).casefold() for word in ("clearing", "append-only"))
