"""Who holds whom on a day, through how many hands, and who is under one control."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    bindparam,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.errors import LegalEntityMissing
from marketplace.parties.queries.rows import LegalEntity, columns
from marketplace.parties.rules.ownership import Holding, Step, Way, controllers, holdings, node_key
from marketplace.parties.rules.shareholding import DatedShareholding, Shareholding
from marketplace.rulebook import rulebook

_UP = text(
    "select legal_entity_id, holder_id, holder_key, steps, holders, held, parts"
    " from ownership_up(:ids, :day, :depth)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("day", type_=Date))
_DATED = (
    "id",
    "holder",
    "basis_points",
    "valid_from",
    "valid_until",
    "source",
    "holder_id",
)


@dataclass(frozen=True, slots=True)
class OwnershipQuestion:
    """Of which legal entity, on which day (None: today)."""

    legal_entity_id: int
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Ownership:
    """Everybody who holds a legal entity, directly or through others, the largest part first."""

    legal_entity: LegalEntity
    on: date
    control_basis_points: int
    holdings: tuple[Holding, ...]


@dataclass(frozen=True, slots=True)
class ControllingGroup:
    """The legal entities under one control; caps per group count them together.

    `id` is the lowest id among them: it names the group as it is on the day, and two questions on
    one day about any of its members answer the same.
    """

    id: int
    legal_entity_ids: tuple[int, ...]
    because: tuple[str, ...]
    """Who controls whom, a sentence each; empty for a group of one."""


async def shareholdings(tx: Tx, legal_entity_id: int) -> list[Shareholding]:
    """Who holds the legal entity today, the largest part first."""
    held = tables.shareholding.c
    return await tx.all(
        Shareholding,
        select(held.holder, held.basis_points)
        .where(held.legal_entity_id == legal_entity_id, valid_on(tx.today))
        .order_by(held.basis_points.desc(), held.holder),
    )


async def shareholding_history(tx: Tx, legal_entity_id: int) -> list[DatedShareholding]:
    """Every part that was ever held, the latest first.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
    """
    await _the_entity(tx, legal_entity_id)
    held = tables.shareholding.c
    return await tx.all(
        DatedShareholding,
        select(*(held[name] for name in _DATED))
        .where(held.legal_entity_id == legal_entity_id)
        .order_by(held.valid_from.desc(), held.basis_points.desc(), held.holder)
        .limit(1000),
    )


def valid_on(day: date) -> ColumnElement[bool]:
    """Which shareholdings held on the day."""
    held = tables.shareholding.c
    return (held.valid_from <= day) & or_(held.valid_until.is_(None), held.valid_until >= day)


async def ways(tx: Tx, ids: Iterable[int], on: date) -> dict[int, list[Way]]:
    """Every way by which anybody holds these legal entities on a day; one question."""
    asked = sorted(set(ids))
    found: dict[int, list[Way]] = {each: [] for each in asked}
    depth = rulebook().guards.ownership_depth.on(on)
    rows = await tx.execute(_UP, {"ids": asked, "day": on, "depth": depth})
    for row in rows:
        steps = tuple(
            Step(holder, held, part, step)
            for holder, held, part, step in zip(
                row.holders, row.held, row.parts, row.steps, strict=True
            )
        )
        key = row.holder_key if row.holder_id is None else node_key(row.holder_id)
        found[row.legal_entity_id].append(Way(key, steps))
    return found


async def ownership(tx: Tx, question: OwnershipQuestion) -> Ownership:
    """Who holds the legal entity through how many hands on the day.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
    """
    entity = await _the_entity(tx, question.legal_entity_id)
    on = question.on or tx.today
    found = holdings((await ways(tx, [entity.id], on))[entity.id])
    return Ownership(
        legal_entity=entity,
        on=on,
        control_basis_points=_control(on),
        holdings=tuple(sorted(found.values(), key=lambda held: (-held.share, held.holder))),
    )


async def controlling_group(
    tx: Tx, legal_entity_id: int, on: date | None = None
) -> ControllingGroup:
    """Every legal entity under one control with this one, on a day or today; itself alone at least.

    Whoever holds the share of common control, the ways added up, controls; and control passes on.
    Two questions. Policy: J.22b.
    """
    day = on or tx.today
    asked = select(
        func.controlling_group(
            legal_entity_id, day, _control(day), rulebook().guards.ownership_depth.on(day)
        )
    )
    members = sorted(await tx.scalars(asked))
    because: list[str] = []
    if len(members) > 1:
        for found in (await ways(tx, members, day)).values():
            because.extend(f"{held.told()}." for held in controllers(found, _control(day)).values())
    return ControllingGroup(members[0], tuple(members), tuple(sorted(because)))


async def controlling_group_ids(
    tx: Tx, legal_entity_ids: Iterable[int], on: date | None = None
) -> dict[int, int]:
    """The id of each legal entity's `controlling_group`, in one question. Policy: J.22b."""
    day = on or tx.today
    entity = tables.legal_entity.c.id
    depth = rulebook().guards.ownership_depth.on(day)
    members = (
        select(entity, func.controlling_group(entity, day, _control(day), depth).label("member"))
        .where(entity.in_(sorted(set(legal_entity_ids))))
        .subquery()
    )
    rows = await tx.execute(
        select(members.c.id, func.min(members.c.member).label("group_id")).group_by(members.c.id)
    )
    return {row.id: row.group_id for row in rows}


async def visible_controlling_group(tx: Tx, question: OwnershipQuestion) -> ControllingGroup:
    """`controlling_group` of a legal entity that exists.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
    """
    await _the_entity(tx, question.legal_entity_id)
    return await controlling_group(tx, question.legal_entity_id, question.on)


def _control(on: date) -> int:
    return rulebook().voucher.common_control_basis_points.on(on)


async def _the_entity(tx: Tx, legal_entity_id: int) -> LegalEntity:
    return await tx.one(
        LegalEntity,
        select(*columns(LegalEntity, tables.legal_entity)).where(
            tables.legal_entity.c.id == legal_entity_id
        ),
        missing=LegalEntityMissing,
    )
