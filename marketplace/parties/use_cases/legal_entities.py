"""Registering legal entities, who holds them, and verifying them against the public register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, insert, or_, select, update

from marketplace.kernel.db import Tx
from marketplace.parties import queries
from marketplace.parties.errors import LegalEntityMissing, LegalEntityVerified, VerifiedByRegistrar
from marketplace.parties.queries import LegalEntity
from marketplace.parties.rules.identifiers import require_uscc
from marketplace.parties.rules.shareholding import (
    FOUNDED,
    Shareholding,
    require_shareholdings,
    require_since,
)
from marketplace.parties.tables import legal_entity, shareholding


@dataclass(frozen=True, slots=True)
class RegisterLegalEntity:
    """A legal entity as its business licence or certificate says it."""

    uscc: str
    name: str
    region_code: str
    kind: str
    capital: str
    name_en: str = ""
    legal_representative: str = ""
    shareholdings: tuple[Shareholding, ...] = ()
    held_since: date | None = None
    """From when its holders hold it; None: since it was founded."""
    source: str = ""
    """Where the holders are known from."""
    address: str = ""
    phone: str = ""


async def register_legal_entity(tx: Tx, command: RegisterLegalEntity) -> LegalEntity:
    """Register a legal entity, not yet verified.

    Raises:
        UsccInvalid: when the code cannot be one.
        ShareholdingsRefused: when the holders cannot be right.
        LegalEntityRegistered: when the code is registered already.
    """
    uscc = require_uscc(command.uscc)
    holdings = require_shareholdings(command.shareholdings)
    since = command.held_since or FOUNDED
    require_since(since, today=tx.today)

    legal_entity_id = await tx.scalar(
        insert(legal_entity)
        .values(
            uscc=uscc,
            name=command.name.strip(),
            name_en=command.name_en.strip(),
            region_code=command.region_code,
            kind=command.kind,
            capital=command.capital,
            legal_representative=command.legal_representative.strip(),
            registered_by=tx.actor.person_id,
            registered_at=tx.now,
            address=command.address.strip(),
            phone=command.phone.strip(),
        )
        .returning(legal_entity.c.id)
    )
    await _write_shareholdings(tx, legal_entity_id, holdings, since, command.source)

    tx.audit("register", subject="legal_entity", subject_id=legal_entity_id, uscc=uscc)
    return await queries.legal_entity(tx, legal_entity_id)


@dataclass(frozen=True, slots=True)
class SetShareholdings:
    """Who holds a legal entity from a day on; holders that are not named hold nothing then."""

    legal_entity_id: int
    shareholdings: tuple[Shareholding, ...]
    since: date | None = None
    """The first day; None: today."""
    source: str = ""


async def set_shareholdings(tx: Tx, command: SetShareholdings) -> list[Shareholding]:
    """Say who holds a legal entity from a day on.

    What was held until the day before stays in the register; what was entered for later days is
    replaced, and the audit trail keeps it.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
        ShareholdingsRefused: when the holders cannot be right, or hold from a day to come.
    """
    since = command.since or tx.today
    await _lock(tx, command.legal_entity_id)
    before = await queries.shareholding_history(tx, command.legal_entity_id)
    holdings = require_shareholdings(command.shareholdings)
    require_since(since, today=tx.today)

    held = shareholding.c
    of_it = held.legal_entity_id == command.legal_entity_id
    await tx.execute(delete(shareholding).where(of_it, held.valid_from >= since))
    await tx.execute(
        update(shareholding)
        .where(of_it, or_(held.valid_until.is_(None), held.valid_until >= since))
        .values(valid_until=since - timedelta(days=1), recorded_at=tx.now)
    )
    await _write_shareholdings(tx, command.legal_entity_id, holdings, since, command.source)

    tx.audit(
        "set_shareholdings",
        subject="legal_entity",
        subject_id=command.legal_entity_id,
        since=since.isoformat(),
        source=command.source,
        before={
            each.holder: each.basis_points
            for each in before
            if each.valid_until is None or each.valid_until >= since
        },
        after={each.holder: each.basis_points for each in holdings},
    )
    return holdings


@dataclass(frozen=True, slots=True)
class SetContact:
    """Where a legal entity sits and how it is reached, as its licence says."""

    legal_entity_id: int
    address: str
    phone: str


async def set_contact(tx: Tx, command: SetContact) -> LegalEntity:
    """Replace the address and the telephone number of a legal entity.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
    """
    before = await queries.legal_entity(tx, command.legal_entity_id)
    await tx.execute(
        update(legal_entity)
        .where(legal_entity.c.id == command.legal_entity_id)
        .values(address=command.address.strip(), phone=command.phone.strip())
    )
    tx.audit(
        "set_contact",
        subject="legal_entity",
        subject_id=command.legal_entity_id,
        before=[before.address, before.phone],
        after=[command.address.strip(), command.phone.strip()],
    )
    return await queries.legal_entity(tx, command.legal_entity_id)


async def _lock(tx: Tx, legal_entity_id: int) -> None:
    """One change of its holders at a time."""
    row = legal_entity.c.id
    if await tx.scalar(select(row).where(row == legal_entity_id).with_for_update()) is None:
        raise LegalEntityMissing()


async def verify_legal_entity(tx: Tx, legal_entity_id: int) -> LegalEntity:
    """Note that somebody compared the entry with the public register and found it right.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
        LegalEntityVerified: when it is verified already.
        VerifiedByRegistrar: when the same person registered it.
    """
    found = await queries.legal_entity(tx, legal_entity_id)
    if found.verified_at is not None:
        raise LegalEntityVerified()
    if found.registered_by == tx.actor.person_id:
        raise VerifiedByRegistrar()

    await tx.execute(
        update(legal_entity)
        .where(legal_entity.c.id == legal_entity_id)
        .values(verified_by=tx.actor.person_id, verified_at=tx.now)
    )

    tx.audit("verify", subject="legal_entity", subject_id=legal_entity_id, uscc=found.uscc)
    return await queries.legal_entity(tx, legal_entity_id)


async def _write_shareholdings(
    tx: Tx, legal_entity_id: int, holdings: list[Shareholding], since: date, source: str
) -> None:
    if not holdings:
        return
    await tx.execute(
        insert(shareholding),
        [
            {
                "legal_entity_id": legal_entity_id,
                "holder": held.holder,
                "basis_points": held.basis_points,
                "valid_from": since,
                "source": source.strip(),
                "recorded_at": tx.now,
            }
            for held in holdings
        ],
    )
