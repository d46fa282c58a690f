"""How many take part: people at each provider, organisations of each kind."""

from __future__ import annotations

from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.roles import Role


async def technicians(tx: Tx, _: None = None) -> dict[int, int]:
    """Technicians by organisation; organisations without one are absent.

    Who may no longer sign in does not count.

    Policy: J.A1
    """
    table = tables.membership.c
    rows = await tx.execute(
        select(table.organisation_id, func.count(table.person_id.distinct()).label("people"))
        .join(tables.person, tables.person.c.id == table.person_id)
        .where(table.role == Role.TECHNICIAN, tables.person.c.disabled_at.is_(None))
        .group_by(table.organisation_id)
    )
    return {row.organisation_id: row.people for row in rows}


async def count_by_kind(tx: Tx, _: None = None) -> dict[str, int]:
    """Organisations that take part by kind; the suspended ones do not, absent kinds have none."""
    table = tables.organisation.c
    rows = await tx.execute(
        select(table.kind, func.count().label("organisations"))
        .where(table.suspended_at.is_(None))
        .group_by(table.kind)
    )
    return {row.kind: row.organisations for row in rows}
