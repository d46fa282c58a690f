"""Registering legal entities, who holds them, and verifying them against the public register."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, update

from marketplace.kernel.db import Tx
from marketplace.parties import queries
from marketplace.parties.errors import LegalEntityVerified, VerifiedByRegistrar
from marketplace.parties.queries import LegalEntity
from marketplace.parties.rules.identifiers import require_uscc
from marketplace.parties.rules.shareholding import Shareholding, require_shareholdings
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


async def register_legal_entity(tx: Tx, command: RegisterLegalEntity) -> LegalEntity:
    """Register a legal entity, not yet verified.

    Raises:
        UsccInvalid: when the code cannot be one.
        ShareholdingsRefused: when the holders cannot be right.
        LegalEntityRegistered: when the code is registered already.
    """
    uscc = require_uscc(command.uscc)
    holdings = require_shareholdings(command.shareholdings)

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
        )
        .returning(legal_entity.c.id)
    )
    await _write_shareholdings(tx, legal_entity_id, holdings)

    tx.audit("register", subject="legal_entity", subject_id=legal_entity_id, uscc=uscc)
    return await queries.legal_entity(tx, legal_entity_id)


@dataclass(frozen=True, slots=True)
class SetShareholdings:
    """Who holds a legal entity from now on; holders that are not named hold nothing."""

    legal_entity_id: int
    shareholdings: tuple[Shareholding, ...]


async def set_shareholdings(tx: Tx, command: SetShareholdings) -> list[Shareholding]:
    """Replace the holders of a legal entity; the audit trail keeps what was there before.

    Raises:
        LegalEntityMissing: when there is no such legal entity.
        ShareholdingsRefused: when the holders cannot be right.
    """
    await queries.legal_entity(tx, command.legal_entity_id)
    before = await queries.shareholdings(tx, command.legal_entity_id)
    holdings = require_shareholdings(command.shareholdings)

    await tx.execute(
        delete(shareholding).where(shareholding.c.legal_entity_id == command.legal_entity_id)
    )
    await _write_shareholdings(tx, command.legal_entity_id, holdings)

    tx.audit(
        "set_shareholdings",
        subject="legal_entity",
        subject_id=command.legal_entity_id,
        before={held.holder: held.basis_points for held in before},
        after={held.holder: held.basis_points for held in holdings},
    )
    return holdings


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


async def _write_shareholdings(tx: Tx, legal_entity_id: int, holdings: list[Shareholding]) -> None:
    if not holdings:
        return
    await tx.execute(
        insert(shareholding),
        [
            {
                "legal_entity_id": legal_entity_id,
                "holder": held.holder,
                "basis_points": held.basis_points,
            }
            for held in holdings
        ],
    )
