"""Contracts to print, to verify from outside, and by where they stand with the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day, shanghai_instant
from marketplace.orders import tables
from marketplace.orders.errors import ContractMissing
from marketplace.orders.queries.access import is_side, sees_everything
from marketplace.orders.queries.orders import order
from marketplace.orders.rules.registration import RegistrationState


@dataclass(frozen=True, slots=True)
class SignedContract:
    """A contract with its signatures: who, called what on the day, when, from which address."""

    order_id: int
    amendment: int
    version: int
    document: dict[str, Any]
    sha256: str
    buyer_signed_name: str
    buyer_signed_at: datetime
    buyer_signed_from: str
    provider_signed_how: str | None
    provider_signed_name: str | None
    provider_signed_at: datetime | None
    provider_signed_from: str | None


@dataclass(frozen=True, slots=True)
class ContractAsked:
    """One contract of an order: an addendum by its number, 0 for the first, or what stands."""

    order_id: int
    amendment: int | None = None


async def signed_contract(tx: Tx, question: ContractAsked) -> SignedContract:
    """A contract to print, for the order's buyer and provider only.

    Policy: J.18a

    Raises:
        OrderMissing: when there is no such order, or it is somebody else's.
        ContractMissing: when it has no addendum of this number, or the caller is of no side.
    """
    found = await order(tx, question.order_id)
    if not is_side(tx.actor, buyer_id=found.buyer_id, provider_id=found.provider_id):
        raise ContractMissing("Contracts are printed for the buyer and the provider only.")
    table = tables.contract.c
    asked = select(*(table[name] for name in SignedContract.__dataclass_fields__)).where(
        table.order_id == found.id
    )
    if question.amendment is not None:
        asked = asked.where(table.amendment == question.amendment)
    return await tx.one(
        SignedContract,
        asked.order_by(table.amendment.desc()).limit(1),
        missing=ContractMissing,
    )


@dataclass(frozen=True, slots=True)
class Verification:
    """What everybody may know of a contract whose digest they hold: nothing of its content."""

    exists: bool
    version: int | None = None
    buyer_signed_on: date | None = None
    provider_signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Dates:
    version: int
    buyer_signed_at: datetime
    provider_signed_at: datetime | None


async def verify_contract(tx: Tx, sha256: str) -> Verification:
    """Whether there is a contract of this digest, and on which days it was signed.

    Policy: J.18a, J.20 (what the two sides agreed on stays with them)
    """
    table = tables.contract.c
    found = await tx.first(
        _Dates,
        select(*(table[name] for name in _Dates.__dataclass_fields__))
        .where(table.sha256 == sha256)
        .limit(1),
    )
    if found is None:
        return Verification(exists=False)
    provider_at = found.provider_signed_at
    return Verification(
        exists=True,
        version=found.version,
        buyer_signed_on=shanghai_day(found.buyer_signed_at),
        provider_signed_on=None if provider_at is None else shanghai_day(provider_at),
    )


@dataclass(frozen=True, slots=True)
class Registration:
    """Where a signed contract stands with the registry of technology contracts."""

    order_id: int
    provider_id: int
    buyer_id: int
    title: str
    total_fen: int
    signed_at: datetime | None
    state: str
    number: str | None
    registered_on: date | None
    place: str
    reason: str
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistrationList:
    """Which contracts: by state, provider, day on which both had signed, words of the title."""

    state: RegistrationState | None = None
    provider_id: int | None = None
    signed_from: date | None = None
    signed_until: date | None = None
    text: str | None = None
    page: int = 1
    page_size: int = 50
    provider_ids: Sequence[int] | None = None
    """Of one of these providers; None: of any."""


@dataclass(frozen=True, slots=True)
class RegistrationPage:
    """One page of contracts, the newest orders first."""

    rows: list[Registration]
    total: int
    page: int
    page_size: int


_STATE: ColumnElement[str] = func.coalesce(
    tables.contract_registration.c.state, literal(RegistrationState.NOT_ELIGIBLE.value)
)
_JOINED = tables.service_order.outerjoin(
    tables.contract_registration,
    tables.contract_registration.c.order_id == tables.service_order.c.id,
)


def _registration_columns() -> Select[Any]:
    of_order, of_registry = tables.service_order.c, tables.contract_registration.c
    return select(
        of_order.id.label("order_id"),
        of_order.provider_id,
        of_order.buyer_id,
        of_order.title,
        of_order.total_fen,
        of_order.confirmed_at.label("signed_at"),
        _STATE.label("state"),
        of_registry.number,
        of_registry.registered_on,
        func.coalesce(of_registry.place, "").label("place"),
        func.coalesce(of_registry.reason, "").label("reason"),
        of_registry.changed_at,
    ).select_from(_JOINED)


async def registration_of(tx: Tx, order_id: int) -> Registration:
    """Where the contract of an order stands; the caller has checked who may know."""
    return await tx.one(
        Registration, _registration_columns().where(tables.service_order.c.id == order_id)
    )


async def registrations(tx: Tx, question: RegistrationList) -> RegistrationPage:
    """Contracts that both sides signed: the provider's own, or everybody's for those who check.

    Policy: J.18b
    """
    conditions = _asked(tx, question)
    rows = await tx.all(
        Registration,
        _registration_columns()
        .where(*conditions)
        .order_by(tables.service_order.c.id.desc())
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    total = await tx.scalar(select(func.count()).select_from(_JOINED).where(*conditions))
    return RegistrationPage(rows, int(total), question.page, question.page_size)


def _asked(tx: Tx, question: RegistrationList) -> list[ColumnElement[bool]]:
    table = tables.service_order.c
    conditions: list[ColumnElement[bool]] = [_signed_by_both()]
    if not sees_everything(tx.actor):
        conditions.append(table.provider_id == tx.actor.organisation_id)
    if question.state is not None:
        conditions.append(_STATE.in_([question.state.value]))
    if question.provider_id is not None:
        conditions.append(table.provider_id == question.provider_id)
    if question.provider_ids is not None:
        conditions.append(table.provider_id.in_(question.provider_ids))
    if question.signed_from is not None:
        conditions.append(table.confirmed_at >= shanghai_instant(question.signed_from))
    if question.signed_until is not None:
        day_after = question.signed_until + timedelta(days=1)
        conditions.append(table.confirmed_at < shanghai_instant(day_after))
    if question.text:
        conditions.append(table.title.icontains(question.text, autoescape=True))
    return conditions


def _signed_by_both() -> ColumnElement[bool]:
    return tables.service_order.c.confirmed_at.is_not(None)
