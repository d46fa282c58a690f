"""Instructing payouts: what is owed leaves the balance at once and is in transit from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import NothingToPay, PayoutNotReady
from marketplace.billing.payouts.tables import payout, settlement
from marketplace.billing.payouts.use_cases.entries import (
    in_transit,
    instructed_as,
    payout_entry,
)
from marketplace.kernel.db import Tx

# Settlements take turns: two at once would both read what is owed before either has paid it.
SETTLEMENT_LOCK = (4_862_010, 1)


@dataclass(frozen=True, slots=True)
class InstructPayout:
    """Pay what is owed to an organisation for one thing; `debit` is where it is owed."""

    organisation_id: int
    amount_fen: int
    source_kind: str
    source_id: int
    debit: AccountType


@dataclass(frozen=True, slots=True)
class InstructSettlements:
    """Pay every provider the balance it is owed, from `minimum_fen` on."""

    minimum_fen: int = 1


@dataclass(frozen=True, slots=True)
class SettlementsInstructed:
    """What a settlement came to."""

    settlement_id: int
    payouts: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class InstructAgain:
    """Pay a returned payout once more, for instance to a corrected account."""

    payout_id: int


async def instruct_payout(tx: Tx, command: InstructPayout) -> queries.Payout:
    """Instruct one payout. See `instruct_payouts`."""
    (made,) = await instruct_payouts(tx, [command])
    return made


async def instruct_payouts(tx: Tx, commands: Sequence[InstructPayout]) -> list[queries.Payout]:
    """Instruct payouts, in a handful of statements however many there are.

    The amount leaves what is owed at once, so that no second instruction can pay it again.

    Raises:
        PayoutInstructedAlready: when a source was paid before.
        InsufficientFunds: when less is owed than is to be paid.
    """
    if not commands:
        return []
    debits = await _debit_accounts(tx, commands)
    rows = [
        {
            "organisation_id": one.organisation_id,
            "amount_fen": one.amount_fen,
            "source_kind": one.source_kind,
            "source_id": one.source_id,
            "debit_account_id": debits[one.debit, one.organisation_id],
            "status": "instructed",
            "instructed_by": tx.actor.person_id,
            "instructed_at": tx.now,
        }
        for one in commands
    ]
    made = await tx.all(
        queries.Payout, insert(payout).returning(payout, sort_by_parameter_order=True), rows
    )
    transit = await in_transit(tx)
    await ledger.post_many(
        tx,
        [
            payout_entry(
                one,
                instructed_as(one.source_kind),
                debit=one.debit_account_id,
                credit=transit,
                on=tx.today,
            )
            for one in made
        ],
    )
    for one in made:
        tx.audit(
            "instruct",
            subject="payout",
            subject_id=one.id,
            amount_fen=one.amount_fen,
            source=f"{one.source_kind}:{one.source_id}",
            organisation_id=one.organisation_id,
        )
    return made


async def _debit_accounts(
    tx: Tx, commands: Sequence[InstructPayout]
) -> dict[tuple[AccountType, int], int]:
    """Where each payee's money lies: one question however many payees there are."""
    names = [(one.debit, one.organisation_id) for one in commands]
    opened = await ledger.open_accounts(tx, [ledger.OpenAccount(*name) for name in names])
    return dict(zip(names, opened, strict=True))


async def instruct_settlements(tx: Tx, command: InstructSettlements) -> SettlementsInstructed:
    """Pay out what every provider is owed for settled services.

    Approved claims have payouts of their own; what the bank returned of those stays where it is,
    to be instructed again.

    Raises:
        NothingToPay: when nobody is owed enough.
        InsufficientFunds: when a refund took from a balance in the same moment; ask again.
    """
    await tx.execute(select(func.pg_advisory_xact_lock(*SETTLEMENT_LOCK)))
    owed = await _owed(tx, at_least=max(1, command.minimum_fen))
    if not owed:
        raise NothingToPay(
            "No provider is owed that much; settle orders first.",
            limit=command.minimum_fen,
        )
    made_id: int = await tx.scalar(
        insert(settlement)
        .values(through_on=tx.today, made_by=tx.actor.person_id, made_at=tx.now)
        .returning(settlement.c.id)
    )
    made = await instruct_payouts(
        tx,
        [
            InstructPayout(
                organisation_id=provider_id,
                amount_fen=amount_fen,
                source_kind="settlement",
                source_id=made_id,
                debit=AccountType.PAYABLE,
            )
            for provider_id, amount_fen in owed.items()
        ],
    )
    return SettlementsInstructed(made_id, len(made), sum(one.amount_fen for one in made))


async def _owed(tx: Tx, *, at_least: int) -> dict[int, int]:
    """By provider: its balance without what waits to be instructed again."""
    accounts = await ledger_queries.balances(tx, AccountType.PAYABLE)
    # Asked after the balances: what comes back in between is left for the next settlement.
    returned = await queries.returned_fen(tx)
    owed = {
        account.owner_id: account.available_fen - returned.get(account.id, 0)
        for account in accounts
        if account.owner_id is not None
    }
    return {provider_id: fen for provider_id, fen in owed.items() if fen >= at_least}


async def instruct_again(tx: Tx, command: InstructAgain) -> queries.Payout:
    """Instruct a returned payout once more, under a new reference.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it was not returned.
        InsufficientFunds: when what was owed has been paid out another way since.
    """
    before = await queries.payout_by_id(tx, command.payout_id)
    again = await tx.first(
        queries.Payout,
        update(payout)
        .where(payout.c.id == command.payout_id, payout.c.status == "returned")
        .values(
            status="instructed",
            attempt=payout.c.attempt + 1,
            batch_id=None,
            bank_account_id=None,
            sent_at=None,
            confirmed_on=None,
        )
        .returning(payout),
    )
    if again is None:
        raise PayoutNotReady(
            f"The payout is {before.status}; only a returned one is paid again.",
            asked=before.status,
            limit=["returned"],
        )
    await ledger.post_entry(
        tx,
        payout_entry(
            again,
            instructed_as(again.source_kind),
            debit=again.debit_account_id,
            credit=await in_transit(tx),
            on=tx.today,
        ),
    )
    tx.audit("instruct_again", subject="payout", subject_id=again.id, attempt=again.attempt)
    return again
