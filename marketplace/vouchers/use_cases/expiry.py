"""What is left of a voucher after its last day goes back to the budgets it came from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select, update

from marketplace.billing.ledger.use_cases import (
    AccountType,
    Entry,
    EntryKind,
    OpenAccount,
    open_account,
    post_many,
    transfer,
)
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.events import VoucherExpired
from marketplace.vouchers.queries import Grant, PartBalance, balances_of_grants
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.states import GrantStatus


@dataclass(frozen=True, slots=True)
class ExpireVouchers:
    """The next grants past their last day, after the one with the id `after`."""

    after: int = 0
    at_most: int = 100


@dataclass(frozen=True, slots=True)
class Expired:
    """How far the run came: `last` is the id to go on after, None when nothing is left."""

    grants: int
    last: int | None


async def expire_vouchers(tx: Tx, command: ExpireVouchers) -> Expired:
    """Return what is left of expired grants; what orders still hold follows when they end.

    So does what orders freed of revoked grants, where it has not gone back at once.

    Grants that another worker has in hand are left to it. Running it again returns nothing
    twice: what was returned is no longer there.
    """
    table = tables.voucher_grant
    due = await tx.all(
        Grant,
        select(*columns(Grant, table))
        .where(
            or_(
                (table.c.status == GrantStatus.ACTIVE) & (table.c.valid_until < tx.today),
                table.c.status == GrantStatus.REVOKED,
            ),
            table.c.id > command.after,
        )
        .order_by(table.c.id)
        .limit(command.at_most)
        .with_for_update(skip_locked=True),
    )
    entries: list[Entry] = []
    ended: list[int] = []
    balances = await balances_of_grants(tx, [grant.id for grant in due])
    for grant in due:
        left = balances[grant.id]
        back = [each for each in left if each.available_fen]
        entries += [await _returned(tx, grant, each) for each in back]
        if grant.status == GrantStatus.ACTIVE and not any(each.held_fen for each in left):
            ended.append(grant.id)
            amount = sum(each.available_fen for each in left)
            tx.record(VoucherExpired(grant.id, grant.organisation_id, amount))
    if entries:
        await post_many(tx, entries)
    if ended:
        await tx.execute(
            update(table).where(table.c.id.in_(ended)).values(status=GrantStatus.EXPIRED)
        )
    return Expired(len(ended), due[-1].id if due else None)


async def _returned(tx: Tx, grant: Grant, left: PartBalance) -> Entry:
    budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, left.part.layer_id))
    return Entry(
        kind=(
            EntryKind.VOUCHER_REVOKED
            if grant.status == GrantStatus.REVOKED
            else EntryKind.VOUCHER_EXPIRED
        ),
        effective_on=tx.today,
        lines=transfer(debit=left.account_id, credit=budget, amount_fen=left.available_fen),
        # A part may return money more than once, again when an order frees what it held; what
        # lies on it falls each time, and so tells the returns apart.
        key=f"voucher-expired:{left.part.id}:{left.available_fen + left.held_fen}",
        source_kind="voucher_grant",
        source_id=grant.id,
    )
