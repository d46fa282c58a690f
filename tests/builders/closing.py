"""Months for tests: stated by the bank, explained, sealed and verified."""

from __future__ import annotations

from datetime import date

from marketplace.billing.ledger.use_cases import seal_entries
from marketplace.closing.jobs import verify_ledger
from marketplace.kernel.db import Database
from tests.builders.ledger import do
from tests.builders.parties import an_sme
from tests.builders.reconciliation import BankLine, a_line, a_statement, matched


async def a_month(database: Database, *lines: BankLine) -> int:
    """February with an explained receipt and whatever else; stated into March; the SME."""
    sme = await an_sme(database)
    statement = await a_statement(
        database,
        a_line(1_000, f"SC-W-{sme}", booked_on=date(2025, 2, 10)),
        *lines,
        a_line(7, f"SC-W-{sme}", booked_on=date(2025, 3, 1)),
    )
    await matched(database, statement)
    return sme


async def sealed_and_verified(database: Database) -> None:
    """Every entry sealed, and the chain computed again."""
    while await do(database, seal_entries, None):
        pass
    await verify_ledger(database)
