"""What lies on the desks of the centre: payments on their way, the bank's papers, an audit pack,
a rule that is tried out; and orders on which each side waits for the other."""

from __future__ import annotations

from datetime import date

from marketplace.billing.payouts.use_cases import ImportStatusReport, import_status_report
from marketplace.billing.reconciliation.rules.clearing import Item
from marketplace.billing.reconciliation.use_cases import ClearLines, MatchKind, clear_lines
from marketplace.billing.reconciliation.use_cases.cases import AttachFile, attach_file
from marketplace.closing.jobs import build_packs
from marketplace.closing.rules.months import Month
from marketplace.closing.use_cases.packs import ask_pack
from marketplace.kernel.actors import Actor
from marketplace.orders.use_cases import (
    ConfirmOrder,
    ReceiveSamples,
    confirm_order,
    receive_samples,
)
from marketplace.vouchers.jobs import work_dry_runs
from marketplace.vouchers.use_cases import AskDryRun, DraftVersion, ask_dry_run, draft_version
from marketplace.vouchers.use_cases.versions import TermGiven
from tests.builders.attachments import a_pdf
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.orders import (
    Market,
    a_move,
    a_price_list,
    a_quote,
    a_sample_order,
    an_order,
    an_order_through,
)
from tests.builders.pain002 import a_report
from tests.builders.payouts import Centre, a_finance_team, a_sent_batch, the_payout
from tests.builders.reconciliation import a_line, a_statement, the_lines

CLAUSE = "苏科机发〔2025〕9号"


async def office_things(
    market: Market, *, payout_id: int, programme_id: int
) -> dict[str, int | str]:
    """The bank was sent a payment and answered; its statement came; a month was packed."""
    centre = await a_finance_team(market.database)
    return (
        await _bank_things(market, centre, payout_id)
        | await _pack(market, centre)
        | await _tried_rules(market, programme_id)
    )


async def _bank_things(market: Market, centre: Centre, payout_id: int) -> dict[str, int | str]:
    batch_id = await a_sent_batch(market.database, centre=centre)
    payout = await the_payout(market.database, payout_id)
    answer = a_report([(payout.end_to_end_id, "ACSP", "")], batch=f"SC-B-{batch_id}")
    told = await market.do(
        import_status_report, ImportStatusReport("回执.xml", answer), by=centre.checker
    )
    statement = await a_statement(
        market.database,
        a_line(-payout.amount_fen, f"结算 {payout.end_to_end_id}"),
        a_line(9_900, "不明来款"),
        opening_fen=10**9,
    )
    # Before them stands what lay on the account when its books were begun.
    _, paid, unknown = await the_lines(market.database, statement_id=statement.id)
    item = Item(MatchKind.PAYOUT, -payout.amount_fen, payout.id)
    cleared = await market.do(
        clear_lines, ClearLines([paid.id], [item], "附言写明"), by=centre.maker
    )
    paper = AttachFile(unknown.id, "来函.pdf", a_pdf())
    kept = await market.do(attach_file, paper, by=centre.maker)
    return {
        "payment_batch_id": batch_id,
        "status_report_id": told.id,
        "bank_statement_id": statement.id,
        "bank_line_id": unknown.id,
        "clearing_id": cleared.id,
        "attachment_id": kept.id,
    }


async def _pack(market: Market, centre: Centre) -> dict[str, int | str]:
    pack = await market.do(ask_pack, Month(2025, 2), by=centre.checker)
    await build_packs(market.database)
    return {"pack_id": pack.id}


async def _tried_rules(market: Market, programme_id: int) -> dict[str, int | str]:
    """A lower cap, tried on past orders and then proposed."""
    changes = {"cap_per_order_fen": TermGiven(100_000, CLAUSE)}
    run = await market.do(ask_dry_run, AskDryRun(programme_id, changes), by=market.officer)
    await work_dry_runs(market.database)
    draft = DraftVersion(programme_id, date(2025, 6, 1), "控制单笔规模", changes)
    version = await market.do(draft_version, draft, by=market.officer)
    return {"dry_run_id": run.id, "version": version.version}


async def waiting_orders(market: Market, agent: Actor) -> dict[str, int | str]:
    """One whose buyer wants another time, one that nothing is asked of, one through an agent, and
    one whose samples have come."""
    decided = await a_bookable_instrument(
        market.database, provider_id=market.manager.organisation_id, needs_approval=True
    )
    await a_price_list(market.database, instrument_id=decided)
    quote = await a_quote(market, instrument_id=decided, during=at_hours(14, 9, 11))
    moved = await an_order(market, quote=quote)
    await market.do(confirm_order, ConfirmOrder(moved.id), by=market.manager)
    await a_move(market, moved.id, at_hours(14, 13, 15))
    await an_order(market, during=at_hours(15, 9, 11))
    await an_order_through(market, agent, at_hours(16, 9, 11))
    received = await a_sample_order(market, samples=2)
    await market.do(receive_samples, ReceiveSamples(received.id, 2), by=market.technician)
    return {"served_order_id": received.id}
