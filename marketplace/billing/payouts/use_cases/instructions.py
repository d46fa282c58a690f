"""Instructing payouts, and booking what the bank says became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, update

from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import NothingToPay, PayoutNotReady
from marketplace.billing.payouts.events import PayoutConfirmed, PayoutReturned
from marketplace.billing.payouts.rules.files import end_to_end_id
from marketplace.billing.payouts.tables import payout, settlement
from marketplace.kernel.db import Tx


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
    """Pay every provider what it is owed for services, from `minimum_fen` on."""

    minimum_fen: int = 1


@dataclass(frozen=True, slots=True)
class SettlementsInstructed:
    """What a settlement came to."""

    settlement_id: int
    payouts: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class ConfirmPayout:
    """The bank's statement shows the payment on `booked_on`."""

    payout_id: int
    booked_on: date


@dataclass(frozen=True, slots=True)
class ReturnPayout:
    """The bank did not pay, or the money came back."""

    payout_id: int
    booked_on: date
    reason: str


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
    debits = {
        (one.debit, one.organisation_id): await ledger.open_account(
            tx, ledger.OpenAccount(type=one.debit, owner_id=one.organisation_id)
        )
        for one in commands
    }
    rows = [
        {
            "organisation_id": one.organisation_id,
            "amount_fen": one.amount_fen,
            "source_kind": one.source_kind,
            "source_id": one.source_id,
            "debit_account_id": debits[one.debit, one.organisation_id],
            "status": "instructed",
            # Replaced below by `end_to_end_id`, once the row has its number.
            "end_to_end_id": f"{one.source_kind[0]}{one.source_id}-{one.organisation_id}",
            "instructed_by": tx.actor.person_id,
            "instructed_at": tx.now,
        }
        for one in commands
    ]
    made = await tx.all(queries.Payout, insert(payout).returning(payout), rows)
    await tx.execute(
        update(payout)
        .where(payout.c.id.in_([one.id for one in made]))
        .values(end_to_end_id=func.concat("P", payout.c.id))
    )
    transit = await _in_transit(tx)
    await ledger.post_many(
        tx,
        [
            _entry(tx, one, EntryKind.PAYOUT_SENT, debit=one.debit_account_id, credit=transit)
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


async def instruct_settlements(tx: Tx, command: InstructSettlements) -> SettlementsInstructed:
    """Pay out what every provider is owed for settled services and approved claims.

    Raises:
        NothingToPay: when nobody is owed enough.
    """
    owed = [
        account
        for account in await ledger_queries.balances(tx, AccountType.PAYABLE)
        if account.available_fen >= max(1, command.minimum_fen) and account.owner_id is not None
    ]
    if not owed:
        raise NothingToPay(
            "No provider is owed that much; settle orders or approve claims first.",
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
                organisation_id=account.owner_id or 0,
                amount_fen=account.available_fen,
                source_kind="settlement",
                source_id=made_id,
                debit=AccountType.PAYABLE,
            )
            for account in owed
        ],
    )
    return SettlementsInstructed(made_id, len(made), sum(one.amount_fen for one in made))


async def confirm_payout(tx: Tx, command: ConfirmPayout) -> queries.Payout:
    """Book that the bank has paid.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it was not sent, or is confirmed already.
    """
    found = await _step(tx, command.payout_id, ("sent",), status="confirmed", on=command.booked_on)
    bank = await ledger.open_account(tx, ledger.OpenAccount(type=AccountType.BANK))
    await ledger.post_entry(
        tx,
        _entry(
            tx,
            found,
            EntryKind.PAYOUT_CONFIRMED,
            debit=await _in_transit(tx),
            credit=bank,
            on=command.booked_on,
        ),
    )
    tx.record(
        PayoutConfirmed(
            payout_id=found.id,
            organisation_id=found.organisation_id,
            source_kind=found.source_kind,
            source_id=found.source_id,
            amount_fen=found.amount_fen,
            booked_on=command.booked_on,
        )
    )
    return found


async def return_payout(tx: Tx, command: ReturnPayout) -> queries.Payout:
    """Book that the money did not arrive: what was owed is owed again.

    Before the statement showed the payment it only leaves transit; after, it is back in the bank.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it was never sent.
    """
    before = await queries.payout_by_id(tx, command.payout_id)
    found = await _step(
        tx,
        command.payout_id,
        ("sent", "confirmed"),
        status="returned",
        on=command.booked_on,
        reason=command.reason,
    )
    left_the_bank = before.status == "confirmed"
    money = (
        await ledger.open_account(tx, ledger.OpenAccount(type=AccountType.BANK))
        if left_the_bank
        else await _in_transit(tx)
    )
    await ledger.post_entry(
        tx,
        _entry(
            tx,
            found,
            EntryKind.PAYOUT_RETURNED,
            debit=money,
            credit=found.debit_account_id,
            on=command.booked_on,
        ),
    )
    tx.record(
        PayoutReturned(
            payout_id=found.id,
            organisation_id=found.organisation_id,
            source_kind=found.source_kind,
            source_id=found.source_id,
            amount_fen=found.amount_fen,
            reason=command.reason,
        )
    )
    tx.audit("return", subject="payout", subject_id=found.id, reason=command.reason)
    return found


async def instruct_again(tx: Tx, command: InstructAgain) -> queries.Payout:
    """Instruct a returned payout once more, under a new reference.

    Raises:
        PayoutMissing: when there is no such payout.
        PayoutNotReady: when it was not returned.
    """
    before = await queries.payout_by_id(tx, command.payout_id)
    again = await tx.one(
        queries.Payout,
        update(payout)
        .where(payout.c.id == command.payout_id, payout.c.status == "returned")
        .values(
            status="instructed",
            attempt=payout.c.attempt + 1,
            end_to_end_id=end_to_end_id(before.id, before.attempt + 1),
            batch_id=None,
            bank_account_id=None,
            sent_at=None,
            confirmed_on=None,
        )
        .returning(payout),
        missing=PayoutNotReady,
    )
    transit = await _in_transit(tx)
    await ledger.post_entry(
        tx, _entry(tx, again, EntryKind.PAYOUT_SENT, debit=again.debit_account_id, credit=transit)
    )
    tx.audit("instruct_again", subject="payout", subject_id=again.id, attempt=again.attempt)
    return again


async def _step(
    tx: Tx,
    payout_id: int,
    expected: tuple[str, ...],
    *,
    status: str,
    on: date,
    reason: str | None = None,
) -> queries.Payout:
    found = await queries.payout_by_id(tx, payout_id)
    day = "confirmed_on" if status == "confirmed" else "returned_on"
    moved = await tx.first(
        queries.Payout,
        update(payout)
        .where(payout.c.id == payout_id, payout.c.status.in_(expected))
        .values({"status": status, day: on, "return_reason": reason})
        .returning(payout),
    )
    if moved is None:
        raise PayoutNotReady(
            f"The payout is {found.status}; this step needs {' or '.join(expected)}.",
            asked=found.status,
            limit=list(expected),
        )
    return moved


async def _in_transit(tx: Tx) -> int:
    return await ledger.open_account(tx, ledger.OpenAccount(type=AccountType.PAYOUT_IN_TRANSIT))


def _entry(
    tx: Tx,
    of: queries.Payout,
    kind: EntryKind,
    *,
    debit: int,
    credit: int,
    on: date | None = None,
) -> ledger.Entry:
    return ledger.Entry(
        kind=kind,
        effective_on=on or tx.today,
        lines=ledger.transfer(debit=debit, credit=credit, amount_fen=of.amount_fen),
        key=f"payout:{of.id}:{of.attempt}:{kind}",
        source_kind="payout",
        source_id=of.id,
    )
