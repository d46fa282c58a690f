"""Where contracts stand with the registry of technology contracts, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from marketplace.kernel.db import Tx
from marketplace.kernel.time import shanghai_day
from marketplace.orders.errors import OrderMissing, StepNotOpen
from marketplace.orders.queries.contracts import Registration, registration_of
from marketplace.orders.queries.orders import Order
from marketplace.orders.queries.story import Contract, contract_of
from marketplace.orders.rules.registration import (
    Registered,
    Registrar,
    RegistrationState,
    require_registered,
    require_registration,
)
from marketplace.orders.tables import contract, contract_registration
from marketplace.orders.use_cases.steps import lock_as_provider, lock_order, note
from marketplace.parties.roles import Role


@dataclass(frozen=True, slots=True)
class MoveRegistration:
    """One step of a contract's registration, with what its state needs."""

    order_id: int
    state: RegistrationState
    number: str = ""
    registered_on: date | None = None
    place: str = ""
    reason: str = ""


async def move_registration(tx: Tx, command: MoveRegistration) -> Registration:
    """Say where a contract stands: the provider files it, either notes what the registry said.

    Policy: J.18b

    Raises:
        OrderMissing: when it is another provider's, unless the caller is the centre's officer.
        StepNotOpen: before both sides have signed.
        RegistrationRefused: with every reason: another step, no number, no reason.
    """
    registrar = Registrar.CENTRE if tx.actor.has(Role.VOUCHER_OFFICER) else Registrar.PROVIDER
    found = await lock_order(tx, command.order_id)
    if registrar is Registrar.PROVIDER and tx.actor.organisation_id != found.provider_id:
        raise OrderMissing()
    was = await registration_of(tx, found.id)
    asked = Registered(
        command.state, command.number, command.registered_on, command.place, command.reason
    )
    require_registration(
        RegistrationState(was.state),
        asked,
        by=registrar,
        today=tx.today,
        signed_on=_signed_on(found),
    )
    await _stand(tx, found, asked, was=was.state)
    return await registration_of(tx, found.id)


@dataclass(frozen=True, slots=True)
class RegisterContract:
    """The number under which the technology contract was recognised and registered."""

    order_id: int
    number: str
    registered_on: date
    place: str = ""


async def register_contract(tx: Tx, command: RegisterContract) -> Contract:
    """Note the contract's registration at once, whatever was noted before, or correct it.

    Policy: J.18b

    Raises:
        OrderMissing: when it is another provider's.
        StepNotOpen: before both sides have signed.
        RegistrationRefused: when the day cannot be.
    """
    found = await lock_as_provider(tx, command.order_id)
    asked = Registered(
        RegistrationState.REGISTERED, command.number, command.registered_on, command.place
    )
    require_registered(asked, today=tx.today, signed_on=_signed_on(found))
    was = await registration_of(tx, found.id)
    await _stand(tx, found, asked, was=was.state)
    return await contract_of(tx, found.id)


def _signed_on(found: Order) -> date:
    if found.confirmed_at is None:
        raise StepNotOpen("Only a contract that both sides signed is registered.")
    return shanghai_day(found.confirmed_at)


async def _stand(tx: Tx, found: Order, asked: Registered, *, was: str) -> None:
    facts: dict[str, Any] = {
        "state": asked.state.value,
        "number": asked.number or None,
        "registered_on": asked.registered_on,
        "place": asked.place,
        "reason": asked.reason,
        "changed_by": tx.actor.person_id,
        "changed_at": tx.now,
    }
    await tx.execute(
        insert(contract_registration)
        .values(order_id=found.id, **facts)
        .on_conflict_do_update(index_elements=["order_id"], set_=facts)
    )
    # A contract and its addenda are read with the number that they stand under.
    await tx.execute(
        update(contract)
        .where(contract.c.order_id == found.id)
        .values(registration_number=facts["number"], registered_on=asked.registered_on)
    )
    await note(
        tx,
        found.id,
        "registration",
        was=was,
        state=asked.state.value,
        number=facts["number"],
        registered_on=None if asked.registered_on is None else asked.registered_on.isoformat(),
        place=asked.place,
        reason=asked.reason,
    )
