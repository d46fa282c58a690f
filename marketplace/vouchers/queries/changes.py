"""Grants, their changes and movements, and the verified facts of beneficiaries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from marketplace.billing.ledger.queries import StatementLine, statement_of
from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.grant_errors import (
    BeneficiaryFactMissing,
    GrantChangeMissing,
    GrantMissing,
)
from marketplace.vouchers.queries.access import may_see, sees_all
from marketplace.vouchers.queries.grant_rows import (
    BeneficiaryFact,
    GrantChange,
)
from marketplace.vouchers.queries.grants import vouchers_told
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.rows import (
    Grant,
    Listed,
    VoucherHold,
    WalletVoucher,
    columns,
)
from marketplace.vouchers.queries.standings import balances_of_grants


@dataclass(frozen=True, slots=True)
class GrantSearch:
    """Which grants: of a programme, an SME, in a state, that end by a day, which page."""

    programme_id: int | None = None
    organisation_id: int | None = None
    status: str | None = None
    ends_by: date | None = None
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class OfGrant:
    """Something of a grant, which page."""

    grant_id: int
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class GrantChangeSearch:
    """Which changes of grants: of a grant, a kind, in a state, which page."""

    grant_id: int | None = None
    kind: str | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class FactSearch:
    """Which facts of beneficiaries: of an SME, in a state, which page."""

    organisation_id: int | None = None
    status: str | None = None
    page: PageAsked = FIRST_PAGE


async def grant(tx: Tx, grant_id: int, *, lock: bool = False) -> Grant:
    """The grant, for the SME itself, the centre and the auditors.

    Raises:
        GrantMissing: for everybody else, and when there is none.
    """
    table = tables.voucher_grant
    statement = select(*columns(Grant, table)).where(table.c.id == grant_id)
    found = await tx.one(
        Grant, statement.with_for_update() if lock else statement, missing=GrantMissing
    )
    if not may_see(tx.actor, found.organisation_id):
        raise GrantMissing()
    return found


async def voucher_of(tx: Tx, grant_id: int) -> WalletVoucher:
    """A grant in money words, for those who may see it."""
    return (await vouchers_told(tx, [await grant(tx, grant_id)]))[0]


async def grants(tx: Tx, search: GrantSearch) -> Listed[WalletVoucher]:
    """Grants in money words, the newest first; an SME sees its own."""
    table = tables.voucher_grant
    statement = select(*columns(Grant, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.organisation_id == tx.actor.organisation_id)
    for column, value in (
        (table.c.programme_id, search.programme_id),
        (table.c.organisation_id, search.organisation_id),
        (table.c.status, search.status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if search.ends_by is not None:
        statement = statement.where(table.c.valid_until <= search.ends_by)
    found = await listed(tx, Grant, statement, table.c.id, search.page)
    return Listed(await vouchers_told(tx, found.rows), found.total)


async def movements(tx: Tx, asked: OfGrant) -> Listed[StatementLine]:
    """What moved on the accounts of a voucher, the latest first: granted, redeemed, returned."""
    found = await grant(tx, asked.grant_id)
    accounts = [each.account_id for each in (await balances_of_grants(tx, [found.id]))[found.id]]
    rows, total = await statement_of(
        tx, accounts, page=asked.page.page, page_size=asked.page.page_size
    )
    return Listed(rows, total)


async def holds(tx: Tx, asked: OfGrant) -> Listed[VoucherHold]:
    """What orders held of a voucher, the latest first, and what became of it."""
    found = await grant(tx, asked.grant_id)
    table = tables.voucher_hold
    statement = select(*columns(VoucherHold, table)).where(table.c.grant_id == found.id)
    return await listed(tx, VoucherHold, statement, table.c.id, asked.page)


async def grant_change(tx: Tx, change_id: int, *, lock: bool = False) -> GrantChange:
    """A change of a grant, for those who may see the grant.

    Raises:
        GrantChangeMissing: for everybody else, and when there is none.
    """
    table = tables.grant_change
    statement = select(*columns(GrantChange, table)).where(table.c.id == change_id)
    found = await tx.one(
        GrantChange,
        statement.with_for_update() if lock else statement,
        missing=GrantChangeMissing,
    )
    try:
        await grant(tx, found.grant_id)
    except GrantMissing:
        raise GrantChangeMissing() from None
    return found


async def grant_changes(tx: Tx, search: GrantChangeSearch) -> Listed[GrantChange]:
    """Changes of grants, the newest first; an SME sees those of its own."""
    table, of = tables.grant_change, tables.voucher_grant
    statement = select(*columns(GrantChange, table)).join_from(
        table, of, of.c.id == table.c.grant_id
    )
    if not sees_all(tx.actor):
        statement = statement.where(of.c.organisation_id == tx.actor.organisation_id)
    for column, value in (
        (table.c.grant_id, search.grant_id),
        (table.c.kind, search.kind),
        (table.c.status, search.status),
    ):
        if value is not None:
            statement = statement.where(column == value)
    return await listed(tx, GrantChange, statement, table.c.id, search.page)


async def beneficiary_fact(tx: Tx, fact_id: int, *, lock: bool = False) -> BeneficiaryFact:
    """A fact of a beneficiary, for the SME itself, the centre and the auditors.

    Raises:
        BeneficiaryFactMissing: for everybody else, and when there is none.
    """
    table = tables.beneficiary_fact
    statement = select(*columns(BeneficiaryFact, table)).where(table.c.id == fact_id)
    found = await tx.one(
        BeneficiaryFact,
        statement.with_for_update() if lock else statement,
        missing=BeneficiaryFactMissing,
    )
    if not may_see(tx.actor, found.organisation_id):
        raise BeneficiaryFactMissing()
    return found


async def beneficiary_facts(tx: Tx, search: FactSearch) -> Listed[BeneficiaryFact]:
    """Facts of beneficiaries, the newest first; an SME sees its own."""
    table = tables.beneficiary_fact
    statement = select(*columns(BeneficiaryFact, table))
    if not sees_all(tx.actor):
        statement = statement.where(table.c.organisation_id == tx.actor.organisation_id)
    if search.organisation_id is not None:
        statement = statement.where(table.c.organisation_id == search.organisation_id)
    if search.status is not None:
        statement = statement.where(table.c.status == search.status)
    return await listed(tx, BeneficiaryFact, statement, table.c.id, search.page)
