"""Voucher money comes back of a redemption: to the budgets it came from, or to the voucher."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    Line,
    OpenAccount,
    open_accounts,
    post_entry,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries.returns import NetPart, net_parts
from marketplace.vouchers.rules.returns import shared_out
from marketplace.vouchers.rules.states import GrantStatus, ReturnCause


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Take `amount_fen` back of a redemption; `clawback_id` when it was approved before."""

    redemption_id: int
    amount_fen: int
    cause: ReturnCause
    reason: str
    to_voucher: bool = False
    frees_caps: bool = False
    clawback_id: int | None = None


async def give_back(tx: Tx, command: GiveBack) -> int:
    """Post what comes back, layer by layer in proportion to what is left, and write it down.

    The caller has locked the redemption. Answers with the entry.

    Raises:
        ReturnExceedsRedemption: when more comes back than is left, whoever took it meanwhile.
    """
    parts = await net_parts(tx, command.redemption_id)
    shares = shared_out(command.amount_fen, [part.net_fen for part in parts])
    taken = [(part, share) for part, share in zip(parts, shares, strict=True) if share]
    returned_before = sum(part.amount_fen - part.net_fen for part in parts)
    posted = await post_entry(
        tx,
        Entry(
            kind=EntryKind.REDEMPTION_REVERSED
            if command.to_voucher
            else EntryKind.REDEMPTION_CLAWED_BACK,
            effective_on=tx.today,
            lines=await _lines(tx, taken, to_voucher=command.to_voucher),
            # What came back before only grows, and so tells the returns of a redemption apart.
            key=f"redemption-returned:{command.redemption_id}:{returned_before}",
            source_kind="redemption",
            source_id=command.redemption_id,
            remark=command.reason[:500],
        ),
    )
    await tx.execute(
        insert(tables.redemption_return),
        [
            {
                "redemption_id": command.redemption_id,
                "layer_id": part.layer_id,
                "amount_fen": share,
                "cause": command.cause,
                "went_to": "voucher" if command.to_voucher and not part.hosted else "budget",
                "frees_caps": command.frees_caps,
                "after_approval": command.clawback_id is not None,
                "clawback_id": command.clawback_id,
                "entry_id": posted.entry_id,
                "returned_on": tx.today,
                "reason": command.reason,
                "made_by": tx.actor.person_id,
                "made_at": tx.now,
            }
            for part, share in taken
        ],
    )
    if command.to_voucher:
        await _revive(tx, command.redemption_id)
    tx.audit(
        "return",
        subject="redemption",
        subject_id=command.redemption_id,
        amount_fen=command.amount_fen,
        cause=command.cause,
        reason=command.reason,
    )
    return posted.entry_id


async def _lines(tx: Tx, taken: list[tuple[NetPart, int]], *, to_voucher: bool) -> tuple[Line, ...]:
    names = [OpenAccount(AccountType.PROGRAMME_SPENT, part.layer_id) for part, _ in taken]
    names += [
        OpenAccount(AccountType.VOUCHER, part.grant_part_id)
        if to_voucher and not part.hosted
        else OpenAccount(AccountType.PROGRAMME_BUDGET, part.layer_id)
        for part, _ in taken
    ]
    accounts = await open_accounts(tx, names)
    amounts = [share for _, share in taken]
    return tuple(
        Line(account_id=account, amount_fen=amount)
        for account, amount in zip(
            accounts, [*amounts, *(-amount for amount in amounts)], strict=True
        )
    )


async def _revive(tx: Tx, redemption_id: int) -> None:
    """A voucher that was used to the last fen can pay again."""
    redemption, grant = tables.redemption, tables.voucher_grant
    of = select(redemption.c.grant_id).where(redemption.c.id == redemption_id).scalar_subquery()
    await tx.execute(
        update(grant)
        .where(grant.c.id == of, grant.c.status == GrantStatus.EXHAUSTED)
        .values(status=GrantStatus.ACTIVE)
    )


async def recount(tx: Tx, claim_id: int) -> int:
    """Set the claim's amount to the sum of what is to be paid of it."""
    redemption, line = tables.redemption.c, tables.claim_line.c
    amount: int = await tx.scalar(
        update(tables.claim)
        .where(tables.claim.c.id == claim_id)
        .values(
            amount_fen=select(
                func.coalesce(
                    func.sum(
                        func.coalesce(
                            line.approved_fen, redemption.amount_fen - redemption.returned_fen
                        )
                    ),
                    0,
                )
            )
            .select_from(
                tables.redemption.outerjoin(
                    tables.claim_line,
                    (line.redemption_id == redemption.id) & (line.claim_id == claim_id),
                )
            )
            .where(redemption.claim_id == claim_id, redemption.excluded_at.is_(None))
            .scalar_subquery()
        )
        .returning(tables.claim.c.amount_fen)
    )
    return amount
