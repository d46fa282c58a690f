"""The statement of account of whoever asks, with its credit lines, as a paper."""

from __future__ import annotations

from marketplace.billing.credit.queries import LineSearch, credit_lines
from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.papers import (
    CreditShown,
    Language,
    StatementFor,
    statement_paper,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.wire import PAGE_SIZE_MAX
from marketplace.parties import queries as parties


async def statement_of(tx: Tx, question: tuple[queries.AccountAsked, Language]) -> bytes:
    """What the actor's organisation bought and sold, and its credit lines, as PDF."""
    asked, language = question
    account = await queries.account_of(tx, asked)
    search = LineSearch(other_id=asked.other_id, page_size=PAGE_SIZE_MAX)
    credit = (await credit_lines(tx, search)).rows
    ids = {tx.actor.organisation_id}
    ids |= {one for line in account.lines for one in (line.buyer_id, line.provider_id)}
    ids |= {one for used in credit for one in (used.line.buyer_id, used.line.provider_id)}
    found = await parties.organisations(tx, ids)
    names = {
        one.id: (one.name_en or one.name) if language == "en" else one.name
        for one in found.values()
    }
    shown = [
        CreditShown(
            provider_id=one.line.provider_id,
            buyer_id=one.line.buyer_id,
            limit_fen=one.line.limit_fen,
            held_fen=one.held_fen,
            owed_fen=one.line.owed_fen,
            overdue_fen=one.line.overdue_fen,
            available_fen=one.available_fen,
            oldest_due_on=one.line.oldest_due_on,
        )
        for one in credit
    ]
    of = StatementFor(tx.actor.organisation_id, names, tx.now, language, shown)
    return statement_paper(account, asked, of)
