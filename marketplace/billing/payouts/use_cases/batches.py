"""Batches: what goes to the bank in one file, drafted by one person and approved by another."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import (
    AboveApprovalLimit,
    BatchChanged,
    BatchNotReady,
    HouseAccountMissing,
    NothingToPay,
    OwnBatch,
)
from marketplace.billing.payouts.rules.files import digest
from marketplace.billing.payouts.rules.layouts import (
    ENDINGS,
    MEDIA_TYPES,
    Layout,
    PaymentFormat,
    batch_bytes,
)
from marketplace.billing.payouts.rules.limits import limit_of, who_may, within
from marketplace.billing.payouts.tables import bank_account, payout, payout_batch
from marketplace.kernel.db import Tx
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook

LINES_MAX = 5_000
_VERIFIED = bank_account.c.verified_at.is_not(None) & bank_account.c.closed_at.is_(None)
APPROVERS = (Role.FINANCE_CHECKER, Role.ADMINISTRATOR)
_PURPOSES = {
    "claim": "创新券兑付",
    "reward": "开放共享服务奖励",
    "settlement": "仪器服务费结算",
    "refund": "退款",
}


@dataclass(frozen=True, slots=True)
class DraftBatch:
    """Put what waits into a batch, oldest first, in the form that the account's bank reads.

    Without an account, that of the only one there is; else as CSV in the usual columns. A format
    goes before the account's own; pain.001 names the account that pays.
    """

    lines_max: int = LINES_MAX
    house_account: str | None = None
    format: PaymentFormat | None = None


@dataclass(frozen=True, slots=True)
class BatchStep:
    """Approve, send or discard this batch."""

    batch_id: int


@dataclass(frozen=True, slots=True)
class BatchFile:
    """The file of a batch, the same bytes each time."""

    name: str
    content: bytes
    media_type: str


async def draft_batch(tx: Tx, command: DraftBatch) -> queries.Batch:
    """Collect instructed payouts whose payee has a verified account; each is in one batch only.

    Raises:
        NothingToPay: when there is none; payees without a verified account are what it waits for.
        HouseAccountMissing: when the account to pay from was not set up, or pain.001 is asked for
            and no account is.
        AboveApprovalLimit: when every payout is over more than the drafter's limit.
        BatchChanged: when an account was closed in the same moment; draft again.
    """
    house = await _house(tx, command.house_account)
    form = command.format or PaymentFormat(house.payment_format if house else "csv")
    if form is PaymentFormat.PAIN001 and house is None:
        raise HouseAccountMissing("Name the account that pays: pain.001 says which it is.")
    found = await _waiting(tx, command.lines_max)
    limit_fen = _limit(tx)
    taken = [found[place] for place in within([row.amount_fen for row in found], limit_fen)]
    if not taken:
        least = min(row.amount_fen for row in found)
        raise AboveApprovalLimit(
            "Every payout that waits is above what you may draft.", limit=limit_fen, asked=least
        )
    batch_id: int = await tx.scalar(
        insert(payout_batch)
        .values(
            status="draft",
            lines=len(taken),
            total_fen=sum(row.amount_fen for row in taken),
            content_sha256=b"",
            content=b"",
            made_by=tx.actor.person_id,
            made_at=tx.now,
            format=form,
            layout=_layout(house),
        )
        .returning(payout_batch.c.id)
    )
    batched = await tx.execute(
        update(payout)
        .where(
            payout.c.id.in_([row.id for row in taken]),
            bank_account.c.organisation_id == payout.c.organisation_id,
            _VERIFIED,
        )
        .values(status="batched", batch_id=batch_id, bank_account_id=bank_account.c.id)
    )
    if batched.rowcount != len(taken):
        raise BatchChanged("A payee closed its account while the batch was drafted; draft again.")
    content = await _content(tx, await queries.batch_by_id(tx, batch_id))
    made = await tx.one(
        queries.Batch,
        update(payout_batch)
        .where(payout_batch.c.id == batch_id)
        .values(content_sha256=digest(content), content=content)
        .returning(*queries.BATCH_COLUMNS),
    )
    tx.audit(
        "draft", subject="payout_batch", subject_id=made.id, lines=made.lines, fen=made.total_fen
    )
    return made


async def approve_batch(tx: Tx, command: BatchStep) -> queries.Batch:
    """Approve exactly the bytes that were drafted.

    Raises:
        BatchMissing: when there is no such batch.
        OwnBatch: for its maker.
        BatchNotReady: when it is not a draft.
        AboveApprovalLimit: when it is over more than the approver's limit.
        BatchChanged: when an account behind it was changed or closed since.
    """
    found = await queries.batch_by_id(tx, command.batch_id)
    if found.made_by == tx.actor.person_id:
        raise OwnBatch()
    limit_fen = _limit(tx, APPROVERS)
    if found.total_fen > limit_fen:
        raise AboveApprovalLimit(
            "Have it approved by one of the roles named, or discard it and draft smaller ones.",
            limit=limit_fen,
            asked=found.total_fen,
            roles=who_may(found.total_fen, _limits(tx), APPROVERS),
        )
    await _require_unchanged(tx, found)
    approved = await _move(
        tx, found, "draft", "approved", approved_by=tx.actor.person_id, approved_at=tx.now
    )
    tx.audit("approve", subject="payout_batch", subject_id=found.id, fen=found.total_fen)
    return approved


async def send_batch(tx: Tx, command: BatchStep) -> queries.Batch:
    """Hand an approved batch to the bank: from here on only its statement moves the payouts.

    Raises:
        BatchMissing: when there is no such batch.
        BatchNotReady: when it is not approved.
        BatchChanged: when it is not what was approved.
    """
    found = await queries.batch_by_id(tx, command.batch_id)
    await _require_unchanged(tx, found)
    sent = await _move(tx, found, "approved", "sent", sent_at=tx.now)
    await tx.execute(
        update(payout)
        .where(payout.c.batch_id == found.id, payout.c.status == "batched")
        .values(status="sent", sent_at=tx.now)
    )
    tx.audit("send", subject="payout_batch", subject_id=found.id, fen=found.total_fen)
    return sent


async def discard_batch(tx: Tx, command: BatchStep) -> queries.Batch:
    """Give up a batch that was not sent; its payouts wait for the next one.

    Once somebody has fetched the file it may be at the bank already, and paying again would pay
    twice: then another person than the maker has to make sure that it is not.

    Raises:
        BatchMissing: when there is no such batch.
        BatchNotReady: when it was sent or discarded.
        OwnBatch: for its maker, once the file was fetched.
    """
    found = await _locked(tx, command.batch_id)
    if found.exported_at is not None and found.made_by == tx.actor.person_id:
        raise OwnBatch("The file was fetched; somebody else makes sure that the bank has it not.")
    discarded = await _move(tx, found, found.status, "discarded")
    await tx.execute(
        update(payout)
        .where(payout.c.batch_id == found.id, payout.c.status == "batched")
        .values(status="instructed", batch_id=None, bank_account_id=None)
    )
    tx.audit("discard", subject="payout_batch", subject_id=found.id)
    return discarded


async def batch_file(tx: Tx, command: BatchStep) -> BatchFile:
    """The payment file of an approved or sent batch.

    Raises:
        BatchMissing: when there is no such batch.
        BatchNotReady: before it is approved.
    """
    found = await _locked(tx, command.batch_id)
    if found.status not in ("approved", "sent"):
        raise BatchNotReady("A file exists once the batch is approved.", asked=found.status)
    if found.exported_at is None:
        await tx.execute(
            update(payout_batch).where(payout_batch.c.id == found.id).values(exported_at=tx.now)
        )
    tx.audit("export", subject="payout_batch", subject_id=found.id)
    form = PaymentFormat(found.format)
    return BatchFile(
        f"payout-batch-{found.id}.{ENDINGS[form]}",
        await queries.batch_content(tx, found.id),
        MEDIA_TYPES[form],
    )


async def _waiting(tx: Tx, lines_max: int) -> Sequence[Row[Any]]:
    """Instructed payouts whose payee has a verified account, kept for this draft alone."""
    waiting = (
        select(payout.c.id, payout.c.amount_fen)
        .join(bank_account, bank_account.c.organisation_id == payout.c.organisation_id)
        .where(payout.c.status == "instructed", _VERIFIED)
        .order_by(payout.c.id)
        .limit(min(lines_max, LINES_MAX))
        .with_for_update(of=payout, skip_locked=True)
    )
    found = (await tx.execute(waiting)).all()
    if not found:
        raise NothingToPay(
            "No payout waits whose payee has a verified bank account; register and verify one."
        )
    return found


async def _house(tx: Tx, number: str | None) -> queries.HouseAccount | None:
    if number is not None:
        house = await queries.house_account(tx, number)
        if house is None:
            raise HouseAccountMissing(asked=number[-4:])
        return house
    known = await queries.house_accounts(tx)
    return known[0] if len(known) == 1 else None


def _layout(house: queries.HouseAccount | None) -> dict[str, Any]:
    if house is None:
        return {}
    return {
        "house": {
            "number": house.number,
            "holder": house.holder,
            "bank_name": house.bank_name,
            "cnaps": house.cnaps,
        },
        "columns": house.payment_columns,
    }


def _limits(tx: Tx) -> dict[str, int]:
    return rulebook().banking.approval_limits.on(tx.today).model_dump()


def _limit(tx: Tx, roles: Sequence[str] = ()) -> int:
    """What the caller may draft, or approve by one of these roles."""
    own = [role for role in tx.actor.roles if not roles or role in roles]
    return limit_of(own, _limits(tx))


async def _content(tx: Tx, batch: queries.Batch) -> bytes:
    lines = await queries.payment_lines(tx, batch.id)
    return await asyncio.to_thread(
        batch_bytes,
        # Many banks repeat only the purpose on the statement, so the reference stands there too.
        [
            dataclasses.replace(line, purpose=f"{_PURPOSES[line.purpose]} {line.end_to_end_id}")
            for line in lines
        ],
        Layout.of(batch.format, batch.layout),
        batch_id=batch.id,
        made_at=batch.made_at,
    )


async def _locked(tx: Tx, batch_id: int) -> queries.Batch:
    # Fetching the file and discarding the batch take turns: one of them has to know of the other.
    await tx.execute(
        select(payout_batch.c.id).where(payout_batch.c.id == batch_id).with_for_update()
    )
    return await queries.batch_by_id(tx, batch_id)


async def _require_unchanged(tx: Tx, batch: queries.Batch) -> None:
    # Locked, so that no account is closed between this look and the step it is for.
    accounts = await tx.execute(
        select(bank_account.c.closed_at)
        .join(payout, payout.c.bank_account_id == bank_account.c.id)
        .where(payout.c.batch_id == batch.id)
        .order_by(bank_account.c.id)
        .with_for_update(of=bank_account, read=True)
    )
    if any(closed_at is not None for (closed_at,) in accounts):
        raise BatchChanged("A payee has closed its account; discard the batch and draft it anew.")
    if digest(await _content(tx, batch)) != batch.content_sha256:
        raise BatchChanged("The payments are not those of the file; discard it and draft anew.")


async def _move(
    tx: Tx, batch: queries.Batch, expected: str, status: str, **changes: object
) -> queries.Batch:
    moved = None
    if expected in ("draft", "approved"):
        moved = await tx.first(
            queries.Batch,
            update(payout_batch)
            .where(payout_batch.c.id == batch.id, payout_batch.c.status == expected)
            .values(status=status, **changes)
            .returning(*queries.BATCH_COLUMNS),
        )
    if moved is None:
        raise BatchNotReady(
            f"The batch is {batch.status} and cannot become {status}.",
            asked=batch.status,
            limit=expected,
        )
    return moved
