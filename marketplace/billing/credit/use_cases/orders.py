"""What an order on account does with a credit line: holds room, uses it, is credited back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert, select, update

from marketplace.billing.credit.errors import CreditRefused, CreditShort
from marketplace.billing.credit.queries.lines import (
    LineInUse,
    credit_line_between,
    is_open,
    owed_part,
)
from marketplace.billing.credit.rules.credit import Owed, require_usable
from marketplace.billing.credit.rules.states import Owing
from marketplace.billing.credit.tables import credit_line, credit_note, credit_terms, receivable
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.money import yuan
from marketplace.rulebook import rulebook

SOURCE = "service_order"
# Where a line's last terms have ended, what was ordered under them is still due in their days.
_DUE_DAYS_AT_LEAST = 1


async def usable_line(tx: Tx, *, provider_id: int, buyer_id: int) -> LineInUse:
    """The line on which a buyer may order from a provider today.

    Raises:
        CreditRefused: when there are no terms in force, or something is overdue for too long.
    """
    found = await credit_line_between(tx, provider_id, buyer_id)
    line = None if found is None else found.line
    oldest = None if line is None else line.oldest_due_on
    require_usable(
        valid_until=None if line is None else line.valid_until,
        today=tx.today,
        overdue_since=oldest if oldest is not None and oldest < tx.today else None,
        block_after_days=rulebook().credit.block_after_days.on(tx.today),
    )
    if found is None:
        raise CreditRefused()
    return found


def require_room(amount_fen: int, *, available_fen: int) -> None:
    """The line has room for what is to be held.

    Raises:
        CreditShort: with what is left and what is missing.
    """
    if available_fen < amount_fen:
        raise CreditShort(
            f"The credit line has {yuan(available_fen)} CNY left; "
            f"{yuan(amount_fen - available_fen)} CNY are missing.",
            reasons=[
                Reason(
                    "credit-room",
                    f"The own part is {yuan(amount_fen)} CNY.",
                    limit=available_fen,
                    asked=amount_fen,
                )
            ],
            missing_fen=amount_fen - available_fen,
        )


@dataclass(frozen=True, slots=True)
class HoldCredit:
    """Keep room on a line for an order."""

    line_id: int
    amount_fen: int
    order_id: int
    key: str


async def hold_credit(tx: Tx, command: HoldCredit) -> int:
    """Hold room on a line; what guards the limit is the account's own row.

    Raises:
        InsufficientFunds: when less room is left.
    """
    room = await ledger.open_account(tx, ledger.OpenAccount(AccountType.CREDIT, command.line_id))
    return await ledger.place_hold(
        tx,
        ledger.PlaceHold(
            account_id=room,
            amount_fen=command.amount_fen,
            expires_at=None,
            key=command.key,
            source_kind=SOURCE,
            source_id=command.order_id,
        ),
    )


@dataclass(frozen=True, slots=True)
class OweForOrder:
    """A service or fee on account was settled: its hold turns into something owed."""

    line_id: int
    provider_id: int
    buyer_id: int
    order_id: int
    hold_id: int
    amount_fen: int
    what: Owing
    key: str


async def owe_for_order(tx: Tx, command: OweForOrder) -> None:
    """Turn the hold into a receivable due by the line's terms; the rest of the hold goes back."""
    owed = await ledger.open_account(
        tx, ledger.OpenAccount(AccountType.CREDIT_OWED, command.line_id)
    )
    posted = await ledger.settle_hold(
        tx,
        ledger.SettleHold(
            hold_id=command.hold_id,
            amount_fen=command.amount_fen,
            credit_account_id=owed,
            kind=EntryKind.CREDIT_USED,
            effective_on=tx.today,
            key=command.key,
            source_kind=SOURCE,
            source_id=command.order_id,
        ),
    )
    if posted is None or posted.replayed:
        return
    due_days = await _due_days(tx, command.line_id)
    made = await tx.scalar(
        insert(receivable)
        .values(
            line_id=command.line_id,
            provider_id=command.provider_id,
            buyer_id=command.buyer_id,
            order_id=command.order_id,
            what=command.what,
            amount_fen=command.amount_fen,
            arose_on=tx.today,
            due_on=tx.today + timedelta(days=due_days),
            entry_id=posted.entry_id,
        )
        .returning(receivable.c.id)
    )
    tx.audit(
        "owe",
        subject="receivable",
        subject_id=made,
        line_id=command.line_id,
        order_id=command.order_id,
        amount_fen=command.amount_fen,
    )


async def _due_days(tx: Tx, line_id: int) -> int:
    """By the terms in force, or the last that were: an order outlives the terms it began under."""
    found = await tx.scalar(
        select(credit_terms.c.due_days)
        .where(credit_terms.c.line_id == line_id, credit_terms.c.status.in_(("in_force", "ended")))
        .order_by(credit_terms.c.id.desc())
        .limit(1)
    )
    return int(found or _DUE_DAYS_AT_LEAST)


@dataclass(frozen=True, slots=True)
class CreditBack:
    """The provider gives up what is owed for an order, or a part of it, after it was settled."""

    order_id: int
    amount_fen: int
    key: str


async def credit_back(tx: Tx, command: CreditBack) -> int:
    """Take up to `amount_fen` off what is still owed for an order; how much could be.

    What the buyer has paid already is not owed any more: the caller gives that back as money.
    """
    table = receivable.c
    # Payments and credit notes of a line come one after the other.
    await tx.execute(
        select(credit_line.c.id)
        .where(
            credit_line.c.id.in_(select(table.line_id).where(table.order_id == command.order_id))
        )
        .with_for_update(key_share=True)
    )
    left = await tx.all(
        Owed,
        select(table.id, owed_part().label("left_fen"))
        .where(table.order_id == command.order_id, is_open())
        .order_by(table.id.desc())
        .with_for_update(),
    )
    credited_fen = 0
    for each in left:
        part = min(each.left_fen, command.amount_fen - credited_fen)
        if part == 0:
            break
        await _credit_one(tx, command, each.id, part)
        credited_fen += part
    return credited_fen


async def _credit_one(tx: Tx, command: CreditBack, receivable_id: int, part_fen: int) -> None:
    table = receivable.c
    line_id = await tx.scalar(
        update(receivable)
        .where(table.id == receivable_id)
        .values(credited_fen=table.credited_fen + part_fen)
        .returning(table.line_id)
    )
    owed, room = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.CREDIT_OWED, line_id),
            ledger.OpenAccount(AccountType.CREDIT, line_id),
        ],
    )
    posted = await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=EntryKind.CREDIT_NOTED,
            effective_on=tx.today,
            lines=(
                ledger.Line(account_id=owed, amount_fen=part_fen),
                ledger.Line(account_id=room, amount_fen=-part_fen),
            ),
            key=f"{command.key}-{receivable_id}",
            source_kind=SOURCE,
            source_id=command.order_id,
        ),
    )
    await tx.execute(
        insert(credit_note).values(
            receivable_id=receivable_id,
            amount_fen=part_fen,
            credited_on=tx.today,
            entry_id=posted.entry_id,
        )
    )
    tx.audit("credit", subject="receivable", subject_id=receivable_id, amount_fen=part_fen)
