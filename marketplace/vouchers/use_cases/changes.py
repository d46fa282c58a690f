"""The centre takes unused quota back, or revokes a grant: with a reason, by two persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    Line,
    OpenAccount,
    open_account,
    post_entry,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import split
from marketplace.vouchers import tables
from marketplace.vouchers.errors import (
    ReasonMissing,
    SamePerson,
)
from marketplace.vouchers.events import VoucherTakenBack
from marketplace.vouchers.grant_errors import (
    GrantChangeDecided,
    GrantChangeRefused,
)
from marketplace.vouchers.queries import (
    Grant,
    GrantChange,
    PartBalance,
    balances_of_grants,
    grant,
    grant_change,
    programme,
)
from marketplace.vouchers.rules.states import GrantChangeKind, GrantChangeStatus, GrantStatus
from marketplace.vouchers.use_cases.granting import count_towards_year
from marketplace.vouchers.use_cases.waiting import ProposeNext, propose_next


@dataclass(frozen=True, slots=True)
class ProposeGrantChange:
    """Withdraw `amount_fen` of unused quota (None: all that is left), or revoke the grant."""

    grant_id: int
    kind: GrantChangeKind
    reason: str
    amount_fen: int | None = None


async def propose_grant_change(tx: Tx, command: ProposeGrantChange) -> GrantChange:
    """Propose to take money of a grant back; nothing moves before a second person agrees.

    Raises:
        GrantMissing: when there is no such grant.
        ReasonMissing: without a reason.
        GrantChangeRefused: when it is over, or more is asked for than is left.
        GrantChangeOpen: when another change of it waits.

    Policy: J.22b, J.31
    """
    held = await grant(tx, command.grant_id, lock=True)
    if not command.reason.strip():
        raise ReasonMissing("Say why, so that the company knows.")
    left = (await balances_of_grants(tx, [held.id]))[held.id]
    available = sum(each.available_fen for each in left)
    revoked = command.kind is GrantChangeKind.REVOCATION
    amount_fen = available if revoked or command.amount_fen is None else command.amount_fen
    _require_possible(held, command.kind, amount_fen, available)
    change_id = await tx.scalar(
        insert(tables.grant_change)
        .values(
            grant_id=held.id,
            kind=command.kind,
            status=GrantChangeStatus.PROPOSED,
            amount_fen=amount_fen,
            reason=command.reason,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(tables.grant_change.c.id)
    )
    tx.audit(
        "propose",
        subject="grant_change",
        subject_id=change_id,
        kind=command.kind,
        grant_id=held.id,
        amount_fen=amount_fen,
        reason=command.reason,
    )
    return await grant_change(tx, change_id)


def _require_possible(
    held: Grant, kind: GrantChangeKind, amount_fen: int, available_fen: int
) -> None:
    reasons = Reasons()
    if kind is GrantChangeKind.TOP_UP:
        reasons.add("kind", "A top-up is applied for by the SME.", asked=kind)
    if held.status not in (GrantStatus.ACTIVE, GrantStatus.EXHAUSTED):
        reasons.add("status", f"The voucher is {held.status}.", asked=held.status)
    if kind is GrantChangeKind.WITHDRAWAL and not 0 < amount_fen <= available_fen:
        reasons.add(
            "left",
            "Only what is neither used nor held for an order can be taken back.",
            limit=available_fen,
            asked=amount_fen,
            source="J.22b",
        )
    reasons.raise_as(GrantChangeRefused)


@dataclass(frozen=True, slots=True)
class DecideGrantChange:
    """A second person agrees to a proposed change, or declines it."""

    change_id: int
    agreed: bool
    decision: str = ""


async def decide_grant_change(tx: Tx, command: DecideGrantChange) -> GrantChange:
    """Carry a proposed change out: the money goes back to its layers' budgets, and to who waits.

    Raises:
        GrantChangeMissing: when there is none.
        GrantChangeDecided: when it was decided before.
        SamePerson: when the one who decides proposed it.
        GrantChangeRefused: when orders took what was to be taken back.

    Policy: J.22b, J.31
    """
    found = await grant_change(tx, command.change_id, lock=True)
    if found.status != GrantChangeStatus.PROPOSED:
        raise GrantChangeDecided(f"The change was {found.status}.")
    if found.proposed_by == tx.actor.person_id:
        raise SamePerson("Another person than the one who proposed it decides.")
    held = await grant(tx, found.grant_id, lock=True)
    amount_fen = found.amount_fen
    if command.agreed:
        amount_fen = await _carry_out(tx, found, held)
    status = GrantChangeStatus.DONE if command.agreed else GrantChangeStatus.DECLINED
    await tx.execute(
        update(tables.grant_change)
        .where(tables.grant_change.c.id == found.id)
        .values(
            status=status,
            amount_fen=amount_fen,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decision=command.decision,
        )
    )
    tx.audit(
        "approve" if command.agreed else "decline",
        subject="grant_change",
        subject_id=found.id,
        grant_id=held.id,
        amount_fen=amount_fen,
    )
    if command.agreed:
        await propose_next(tx, ProposeNext(held.programme_id))
    return await grant_change(tx, found.id)


async def _carry_out(tx: Tx, change: GrantChange, held: Grant) -> int:
    left = (await balances_of_grants(tx, [held.id]))[held.id]
    available = [each.available_fen for each in left]
    revoked = change.kind == GrantChangeKind.REVOCATION
    amount_fen = sum(available) if revoked else change.amount_fen
    _require_possible(held, GrantChangeKind(change.kind), amount_fen, sum(available))
    amounts = split(amount_fen, available) if amount_fen else [0] * len(left)
    taken = [(each, amount) for each, amount in zip(left, amounts, strict=True) if amount]
    if taken:
        kind = EntryKind.VOUCHER_REVOKED if revoked else EntryKind.VOUCHER_WITHDRAWN
        await give_back(tx, held.id, taken, kind, key=f"grant-change:{change.id}", change=change)
        await tx.execute(
            insert(tables.grant_change_part),
            [
                {"change_id": change.id, "grant_part_id": each.part.id, "amount_fen": amount}
                for each, amount in taken
            ],
        )
        of = await programme(tx, held.programme_id)
        funders: dict[str, int] = {}
        for each, amount in taken:
            funders[each.part.funder] = funders.get(each.part.funder, 0) - amount
        await count_towards_year(tx, held.organisation_id, of, funders)
    status = _status_after(held, left, amount_fen, revoked=revoked)
    await tx.execute(
        update(tables.voucher_grant)
        .where(tables.voucher_grant.c.id == held.id)
        .values(status=status)
    )
    tx.record(VoucherTakenBack(held.id, held.organisation_id, amount_fen, revoked))
    return amount_fen


def _status_after(
    held: Grant, left: Sequence[PartBalance], amount_fen: int, *, revoked: bool
) -> str:
    if revoked:
        return GrantStatus.REVOKED
    rest = sum(each.available_fen + each.held_fen for each in left) - amount_fen
    return held.status if rest else GrantStatus.EXHAUSTED


async def give_back(
    tx: Tx,
    grant_id: int,
    taken: Sequence[tuple[PartBalance, int]],
    kind: EntryKind,
    *,
    key: str,
    change: GrantChange | None = None,
) -> None:
    """Move money of a voucher back to the budgets that it came from, by one entry."""
    lines: list[Line] = []
    for each, amount_fen in taken:
        budget = await open_account(
            tx, OpenAccount(AccountType.PROGRAMME_BUDGET, each.part.layer_id)
        )
        lines += [
            Line(account_id=each.account_id, amount_fen=amount_fen),
            Line(account_id=budget, amount_fen=-amount_fen),
        ]
    await post_entry(
        tx,
        Entry(
            kind=kind,
            effective_on=tx.today,
            lines=tuple(lines),
            key=key,
            source_kind="voucher_grant",
            source_id=grant_id,
            made_by=None if change is None else change.proposed_by,
            approved_by=None if change is None else tx.actor.person_id,
        ),
    )


async def return_freed(tx: Tx, grant_ids: Sequence[int], order_id: int) -> None:
    """What an order freed of a revoked grant goes back to the budgets at once."""
    table = tables.voucher_grant
    revoked = sorted(
        await tx.scalars(
            select(table.c.id).where(
                table.c.id.in_(grant_ids), table.c.status == GrantStatus.REVOKED
            )
        )
    )
    if not revoked:
        return
    balances = await balances_of_grants(tx, revoked)
    for grant_id in revoked:
        taken = [(each, each.available_fen) for each in balances[grant_id] if each.available_fen]
        if taken:
            key = f"voucher-revoked:{grant_id}:{order_id}:{tx.now.isoformat()}"
            await give_back(tx, grant_id, taken, EntryKind.VOUCHER_REVOKED, key=key)
