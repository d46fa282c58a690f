"""How the money stands now, in few figures: for a machine that watches, and for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.queries import AccountType
from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.queries import WaitingPayouts
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.queries import Unexplained
from marketplace.closing.queries.months import Verification, last_verification
from marketplace.kernel.db import Tx


@dataclass(frozen=True, slots=True)
class MoneyStanding:
    """Open lines of the bank, suspense, payouts that are not paid yet, the last verification.

    Suspense is what the ledger says; it has to be what the open lines come to.
    """

    unexplained: Unexplained
    suspense_fen: int
    payouts: Sequence[WaitingPayouts]
    verification: Verification | None


async def money_standing(tx: Tx, _: None = None) -> MoneyStanding:
    """The figures of this moment."""
    suspense = await ledger.balances(tx, AccountType.BANK_SUSPENSE)
    return MoneyStanding(
        unexplained=await reconciliation.unexplained(tx),
        suspense_fen=sum(account.posted_fen for account in suspense),
        payouts=await payouts.waiting_payouts(tx),
        verification=await last_verification(tx),
    )
