"""Strikes, appeals and suspensions as typed rows, and what they are judged by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true

from marketplace.booking.rules.states import Status
from marketplace.booking.rules.strikes import AppealStatus, StrikeKind
from marketplace.booking.tables import strike as table
from marketplace.booking.tables import strike_appeal, suspension
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import SEES_EVERYTHING, Role

ADMINISTRATORS = (Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
# Of the centre: who decides appeals, and may see what they are about.
DECIDERS = (Role.ADMINISTRATOR,)
_JUDGED = (Status.USED, Status.LATE_CANCELLED, Status.NO_SHOW)


@dataclass(frozen=True, slots=True)
class Strike:
    """A strike, and how its appeal stands where there is one."""

    id: int
    person_id: int
    organisation_id: int
    provider_id: int
    instrument_id: int
    reservation_id: int
    kind: StrikeKind
    given_at: datetime
    noted_at: datetime
    expires_at: datetime
    why: str
    waived_at: datetime | None
    waived_by: int | None
    waived_because: str | None
    appeal_id: int | None = None
    appeal_status: AppealStatus | None = None

    def is_valid(self, at: datetime) -> bool:
        """Whether it counts at `at`."""
        return self.waived_at is None and self.given_at <= at < self.expires_at


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal against a strike."""

    id: int
    strike_id: int
    filed_by: int
    filed_at: datetime
    text: str
    status: AppealStatus
    decided_by: int | None
    decided_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Suspension:
    """When a person may reserve nothing; it ends by itself, unless it is lifted before."""

    id: int
    person_id: int
    organisation_id: int
    starts_at: datetime
    ends_at: datetime
    lifted_at: datetime | None
    lifted_because: str | None

    def is_valid(self, at: datetime) -> bool:
        """Whether it holds at `at`."""
        return self.lifted_at is None and self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class StrikeSearch:
    """Which strikes to list; what is left out does not restrict. `valid`: those that count now."""

    person_id: int | None = None
    kind: StrikeKind | None = None
    valid: bool | None = None
    appeal: AppealStatus | None = None
    text: str = ""
    """Words of what it was given for."""
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class StrikePage:
    """One page of strikes, latest first, and how many there are in all."""

    strikes: list[Strike]
    total: int


@dataclass(frozen=True, slots=True)
class SuspensionSearch:
    """Which suspensions to list. `valid`: those that hold now, or those that do not."""

    person_id: int | None = None
    valid: bool | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class SuspensionPage:
    """One page of suspensions, latest first, and how many there are in all."""

    suspensions: list[Suspension]
    total: int


def strike_select() -> Select[Any]:
    """Every column of a `Strike`."""
    return select(
        *table.c,
        strike_appeal.c.id.label("appeal_id"),
        strike_appeal.c.status.label("appeal_status"),
    ).outerjoin_from(table, strike_appeal, strike_appeal.c.strike_id == table.c.id)


def made_strike(**row: Any) -> Strike:
    """A `Strike` from a row of `strike_select`."""
    appealed = row["appeal_status"]
    return Strike(
        **{
            **row,
            "kind": StrikeKind(row["kind"]),
            "appeal_status": None if appealed is None else AppealStatus(appealed),
        }
    )


def made_appeal(**row: Any) -> Appeal:
    """An `Appeal` from a row of its table."""
    return Appeal(**{**row, "status": AppealStatus(row["status"])})


async def strikes(tx: Tx, search: StrikeSearch) -> StrikePage:
    """The strikes that the actor may see, latest first."""
    wanted = and_(*_filters(tx, search))
    counted = select(func.count()).select_from(strike_select().where(wanted).subquery())
    page = await tx.all(
        made_strike,
        strike_select()
        .where(wanted)
        .order_by(table.c.given_at.desc(), table.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return StrikePage(page, await tx.scalar(counted))


async def visible_strike(tx: Tx, strike_id: int) -> Strike:
    """A strike of the actor, of their organisation, on their instruments, or for the centre.

    Raises:
        Missing: also when it is none of these: the two look the same.
    """
    found = await tx.first(
        made_strike, strike_select().where(table.c.id == strike_id, _visible(tx))
    )
    if found is None:
        raise Missing("There is no such strike.")
    return found


async def locked_strike(tx: Tx, strike_id: int) -> Strike:
    """A strike, its row locked until the transaction ends.

    Raises:
        Missing: when there is none.
    """
    return await tx.one(
        made_strike, strike_select().where(table.c.id == strike_id).with_for_update(of=table)
    )


async def appeal(tx: Tx, appeal_id: int) -> Appeal:
    """An appeal against a strike that the actor may see.

    Raises:
        Missing: when there is none for the actor.
    """
    found = await tx.first(
        made_appeal,
        select(strike_appeal)
        .join_from(strike_appeal, table, table.c.id == strike_appeal.c.strike_id)
        .where(strike_appeal.c.id == appeal_id, _visible(tx)),
    )
    if found is None:
        raise Missing("There is no such appeal.")
    return found


async def locked_appeal(tx: Tx, appeal_id: int) -> Appeal:
    """An appeal, its row locked until the transaction ends.

    Raises:
        Missing: when there is none.
    """
    return await tx.one(
        made_appeal,
        select(strike_appeal).where(strike_appeal.c.id == appeal_id).with_for_update(),
    )


async def appeal_of(tx: Tx, strike_id: int) -> Appeal | None:
    """The appeal against a strike, or None."""
    return await tx.first(
        made_appeal, select(strike_appeal).where(strike_appeal.c.strike_id == strike_id)
    )


def _visible(tx: Tx) -> ColumnElement[bool]:
    """One's own, those of one's people for who leads them, those given on one's instruments."""
    if tx.actor.has(*SEES_EVERYTHING, *DECIDERS):
        return true()
    mine = tx.actor.organisation_id
    seen = [table.c.person_id == tx.actor.person_id, table.c.provider_id == mine]
    if tx.actor.has(*ADMINISTRATORS):
        seen.append(table.c.organisation_id == mine)
    return or_(*seen)


def _filters(tx: Tx, search: StrikeSearch) -> list[ColumnElement[bool]]:
    wanted = [_visible(tx)]
    if search.person_id is not None:
        wanted.append(table.c.person_id == search.person_id)
    if search.kind is not None:
        wanted.append(table.c.kind == search.kind)
    if search.appeal is not None:
        wanted.append(strike_appeal.c.status == search.appeal)
    if search.text:
        wanted.append(table.c.why.icontains(search.text, autoescape=True))
    if search.valid is not None:
        valid = and_(
            table.c.waived_at.is_(None), table.c.given_at <= tx.now, table.c.expires_at > tx.now
        )
        wanted.append(valid if search.valid else ~valid)
    return wanted


async def suspensions(tx: Tx, search: SuspensionSearch) -> SuspensionPage:
    """The suspensions that the actor may see, latest first."""
    wanted = [_suspension_visible(tx)]
    if search.person_id is not None:
        wanted.append(suspension.c.person_id == search.person_id)
    if search.valid is not None:
        valid = and_(
            suspension.c.lifted_at.is_(None),
            suspension.c.starts_at <= tx.now,
            suspension.c.ends_at > tx.now,
        )
        wanted.append(valid if search.valid else ~valid)
    total = await tx.scalar(select(func.count()).select_from(suspension).where(*wanted))
    page = await tx.all(
        Suspension,
        select(suspension)
        .where(*wanted)
        .order_by(suspension.c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return SuspensionPage(page, total)


def _suspension_visible(tx: Tx) -> ColumnElement[bool]:
    """Who leads the person, and every provider on whose instruments a strike was given."""
    if tx.actor.has(*SEES_EVERYTHING, *DECIDERS):
        return true()
    mine = tx.actor.organisation_id
    given_here = select(table.c.id).where(
        table.c.person_id == suspension.c.person_id, table.c.provider_id == mine
    )
    seen = [suspension.c.person_id == tx.actor.person_id, given_here.exists()]
    if tx.actor.has(*ADMINISTRATORS):
        seen.append(suspension.c.organisation_id == mine)
    return or_(*seen)
