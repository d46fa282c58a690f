"""Sanctions, and whom they bar from the vouchers of which programme on a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import SanctionMissing
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import Listed, columns


@dataclass(frozen=True, slots=True)
class Sanction:
    """A sanction of an SME or a provider, and how far it has come."""

    id: int
    organisation_id: int
    programme_id: int | None
    kind: str
    reason: str
    starts_on: date
    ends_on: date | None
    status: str
    proposed_by: int
    proposed_at: datetime
    statement_due_on: date
    statement: str | None
    stated_by: int | None
    stated_at: datetime | None
    decided_by: int | None
    decided_at: datetime | None
    decision: str
    appeal_due_on: date | None
    appeal: str | None
    appealed_by: int | None
    appealed_at: datetime | None
    appeal_decided_by: int | None
    appeal_decided_at: datetime | None
    appeal_answer: str | None

    def bars_on(self, day: date) -> bool:
        """Whether it keeps its party from vouchers on `day`; an appeal does not put it off."""
        return (
            self.status in ("imposed", "appealed")
            and self.kind != "warning"
            and self.starts_on <= day
            and (self.ends_on is None or day <= self.ends_on)
        )


@dataclass(frozen=True, slots=True)
class SanctionSearch:
    """Which sanctions: of a party, a kind, in a state, in force on a day, by its reason."""

    organisation_id: int | None = None
    kind: str | None = None
    status: str | None = None
    in_force_on: date | None = None
    text: str | None = None
    page: PageAsked = FIRST_PAGE


async def sanction(tx: Tx, sanction_id: int, *, lock: bool = False) -> Sanction:
    """A sanction, for its party, the centre and the auditors.

    Raises:
        SanctionMissing: for everybody else, and when there is none.
    """
    statement = select(*columns(Sanction, tables.sanction)).where(
        tables.sanction.c.id == sanction_id
    )
    found = await tx.one(
        Sanction, statement.with_for_update() if lock else statement, missing=SanctionMissing
    )
    if not may_see(tx.actor, found.organisation_id):
        raise SanctionMissing()
    return found


async def sanctions(tx: Tx, search: SanctionSearch) -> Listed[Sanction]:
    """Sanctions, the newest first; a party sees its own."""
    table = tables.sanction
    statement = select(*columns(Sanction, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.organisation_id == tx.actor.organisation_id)
    for name in ("organisation_id", "kind", "status"):
        wanted = getattr(search, name)
        if wanted is not None:
            statement = statement.where(table.c[name] == wanted)
    if search.in_force_on is not None:
        statement = statement.where(
            table.c.status.in_(("imposed", "appealed")),
            table.c.starts_on <= search.in_force_on,
            or_(table.c.ends_on.is_(None), table.c.ends_on >= search.in_force_on),
        )
    if search.text:
        statement = statement.where(table.c.reason.icontains(search.text, autoescape=True))
    return await listed(tx, Sanction, statement, table.c.id, search.page)


async def barred(
    tx: Tx, organisation_ids: Collection[int], on: date
) -> dict[int, frozenset[int | None]]:
    """Of these organisations those that a sanction bars on a day, and from which programmes.

    None among the programmes stands for all of them.
    """
    table = tables.sanction.c
    rows = await tx.execute(
        select(table.organisation_id, table.programme_id).where(
            table.organisation_id.in_(organisation_ids),
            table.status.in_(("imposed", "appealed")),
            table.kind != "warning",
            table.starts_on <= on,
            or_(table.ends_on.is_(None), table.ends_on >= on),
        )
    )
    found: dict[int, frozenset[int | None]] = {}
    for row in rows:
        before = found.get(row.organisation_id, frozenset())
        found[row.organisation_id] = before | {row.programme_id}
    return found


async def is_barred(tx: Tx, organisation_id: int, programme_id: int, on: date) -> bool:
    """Whether a sanction keeps the organisation from the programme's vouchers on a day."""
    of = (await barred(tx, [organisation_id], on)).get(organisation_id, frozenset())
    return None in of or programme_id in of
