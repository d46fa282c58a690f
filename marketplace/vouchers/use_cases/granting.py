"""A grant is made or topped up: money moves from the budgets to the voucher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

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
from marketplace.kernel.time import shanghai_day
from marketplace.vouchers import tables
from marketplace.vouchers.events import VoucherGranted, VoucherToppedUp
from marketplace.vouchers.grant_errors import (
    GrantChangeRefused,
)
from marketplace.vouchers.queries import (
    Application,
    Eligibility,
    Grant,
    LayerAsked,
    Programme,
    grant,
)
from marketplace.vouchers.rules.batches import batch_of
from marketplace.vouchers.rules.limits import Batch
from marketplace.vouchers.rules.states import GrantChangeKind, GrantChangeStatus, GrantStatus
from marketplace.vouchers.rules.validity import grant_valid_until


async def make_grant(
    tx: Tx, asked: Application, of: Programme, amount_fen: int, found: Eligibility
) -> int:
    """The SME's grant of a programme, with one part per layer; which grant."""
    parts = found.parts
    valid_until = _valid_until(tx, of)
    grant_id: int = await tx.scalar(
        insert(tables.voucher_grant)
        .values(
            programme_id=of.id,
            organisation_id=asked.organisation_id,
            application_id=asked.id,
            amount_fen=amount_fen,
            valid_until=valid_until,
            status=GrantStatus.ACTIVE,
            granted_by=tx.actor.person_id,
            granted_at=tx.now,
            beneficiary=found.beneficiary,
        )
        .returning(tables.voucher_grant.c.id)
    )
    await _count_in_round(tx, asked, of, amount_fen)
    await count_towards_year(tx, asked.organisation_id, of, by_funder(parts))
    part_ids = {part.layer.id: await _open_part(tx, grant_id, part) for part in parts}
    await _pay_in(tx, asked, parts, part_ids, key=f"voucher-grant:{grant_id}", grant_id=grant_id)
    tx.record(VoucherGranted(grant_id, of.id, asked.organisation_id, amount_fen, valid_until))
    return grant_id


async def top_up(
    tx: Tx, asked: Application, of: Programme, amount_fen: int, found: Eligibility
) -> int:
    """More on a grant: an expired one is valid again, as long as one made today; which grant.

    Raises:
        GrantChangeRefused: when the grant was revoked meanwhile.
    """
    assert asked.grant_id is not None, "a top-up names its grant"
    held = await grant(tx, asked.grant_id, lock=True)
    if held.status == GrantStatus.REVOKED:
        raise GrantChangeRefused("The voucher was revoked.")
    await tx.execute(
        update(tables.voucher_grant)
        .where(tables.voucher_grant.c.id == held.id)
        .values(
            amount_fen=held.amount_fen + amount_fen,
            status=GrantStatus.ACTIVE,
            valid_until=_topped_up_until(tx, held, of),
        )
    )
    await _count_in_round(tx, asked, of, amount_fen)
    await count_towards_year(tx, asked.organisation_id, of, by_funder(found.parts))
    part_ids = await _more_on_parts(tx, held, found.parts)
    change_id = await tx.scalar(
        insert(tables.grant_change)
        .values(
            grant_id=held.id,
            kind=GrantChangeKind.TOP_UP,
            status=GrantChangeStatus.DONE,
            amount_fen=amount_fen,
            reason=asked.purpose,
            application_id=asked.id,
            proposed_by=asked.made_by,
            proposed_at=asked.made_at,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
        )
        .returning(tables.grant_change.c.id)
    )
    await tx.execute(
        insert(tables.grant_change_part),
        [
            {
                "change_id": change_id,
                "grant_part_id": part_ids[part.layer.id],
                "amount_fen": part.amount_fen,
            }
            for part in found.parts
        ],
    )
    key = f"grant-change:{change_id}"
    await _pay_in(tx, asked, found.parts, part_ids, key=key, grant_id=held.id)
    tx.record(VoucherToppedUp(held.id, of.id, asked.organisation_id, amount_fen))
    return held.id


def round_of(tx: Tx, asked: Application, of: Programme) -> Batch | None:
    """The round of applications whose amount a grant of this application takes from."""
    waited = None if asked.waiting_since is None else tx.today
    return batch_of(of.agreed.batches, shanghai_day(asked.made_at), waited)


async def _count_in_round(tx: Tx, asked: Application, of: Programme, amount_fen: int) -> None:
    """Add a grant to its round. What is taken back later returns to the budget, not to the round.

    Raises:
        RoundUsedUp: when the round may not grant that much more.
    """
    batch = round_of(tx, asked, of)
    if batch is None:
        return
    table = tables.voucher_batch
    added = upsert(table).values(
        programme_id=of.id,
        number=batch.number,
        granted_fen=amount_fen,
        amount_fen=batch.amount_fen,
    )
    await tx.execute(
        added.on_conflict_do_update(
            index_elements=[table.c.programme_id, table.c.number],
            set_={
                "granted_fen": table.c.granted_fen + added.excluded.granted_fen,
                "amount_fen": added.excluded.amount_fen,
            },
        )
    )


def _topped_up_until(tx: Tx, held: Grant, of: Programme) -> date:
    """A grant that still pays keeps its last day; one that is over gets that of a new one."""
    if held.valid_until >= tx.today:
        return held.valid_until
    return _valid_until(tx, of)


async def _more_on_parts(tx: Tx, held: Grant, parts: Sequence[LayerAsked]) -> dict[int, int]:
    """Each layer's part of the grant, made larger; a layer that had none gets one."""
    table = tables.grant_part
    rows = await tx.execute(select(table.c.layer_id, table.c.id).where(table.c.grant_id == held.id))
    known = {row.layer_id: row.id for row in rows}
    for part in parts:
        if part.layer.id in known:
            await tx.execute(
                update(table)
                .where(table.c.id == known[part.layer.id])
                .values(amount_fen=table.c.amount_fen + part.amount_fen)
            )
        else:
            known[part.layer.id] = await _open_part(tx, held.id, part)
    return known


async def _pay_in(
    tx: Tx,
    asked: Application,
    parts: Sequence[LayerAsked],
    part_ids: Mapping[int, int],
    *,
    key: str,
    grant_id: int,
) -> None:
    lines: list[Line] = []
    for part in parts:
        budget = await open_account(tx, OpenAccount(AccountType.PROGRAMME_BUDGET, part.layer.id))
        voucher = await open_account(tx, OpenAccount(AccountType.VOUCHER, part_ids[part.layer.id]))
        lines += [
            Line(account_id=budget, amount_fen=part.amount_fen),
            Line(account_id=voucher, amount_fen=-part.amount_fen),
        ]
    await post_entry(
        tx,
        Entry(
            kind=EntryKind.VOUCHER_GRANTED,
            effective_on=tx.today,
            lines=tuple(lines),
            key=key,
            source_kind="voucher_grant",
            source_id=grant_id,
            made_by=asked.made_by,
            approved_by=tx.actor.person_id,
        ),
    )


async def _open_part(tx: Tx, grant_id: int, part: LayerAsked) -> int:
    part_id: int = await tx.scalar(
        insert(tables.grant_part)
        .values(grant_id=grant_id, layer_id=part.layer.id, amount_fen=part.amount_fen)
        .returning(tables.grant_part.c.id)
    )
    return part_id


def by_funder(parts: Sequence[LayerAsked]) -> dict[str, int]:
    """What each funder pays of an amount."""
    found: dict[str, int] = {}
    for part in parts:
        found[part.layer.funder] = found.get(part.layer.funder, 0) + part.amount_fen
    return found


async def count_towards_year(
    tx: Tx, organisation_id: int, of: Programme, amounts_fen: Mapping[str, int]
) -> None:
    """Add what each funder grants, or (below nought) takes back, to the SME's year.

    Raises:
        VoucherYearCapReached: when it would be more than the year's cap.
    """
    table = tables.voucher_year
    # In order of funder, so that two grants to one SME never wait for each other.
    for funder, amount_fen in sorted(amounts_fen.items()):
        if amount_fen < 0:
            await tx.execute(
                update(table)
                .where(
                    table.c.organisation_id == organisation_id,
                    table.c.year == of.year,
                    table.c.funder == funder,
                )
                .values(granted_fen=table.c.granted_fen + amount_fen)
            )
            continue
        added = upsert(table).values(
            organisation_id=organisation_id,
            year=of.year,
            funder=funder,
            granted_fen=amount_fen,
            cap_fen=of.agreed.cap_per_sme_year_fen,
        )
        await tx.execute(
            added.on_conflict_do_update(
                index_elements=[table.c.organisation_id, table.c.year, table.c.funder],
                set_={
                    "granted_fen": table.c.granted_fen + added.excluded.granted_fen,
                    "cap_fen": added.excluded.cap_fen,
                },
            )
        )


def _valid_until(tx: Tx, of: Programme) -> date:
    return min(
        of.valid_until,
        grant_valid_until(
            of.agreed.validity, granted_on=tx.today, year=of.year, ends_on=of.agreed.ends_on
        ),
    )
