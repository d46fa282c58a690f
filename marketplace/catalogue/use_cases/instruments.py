"""Registering, changing, listing, withdrawing and disposing of an instrument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from marketplace.catalogue import tables
from marketplace.catalogue.errors import InstrumentNotInState, InstrumentRefused, MustStayOpen
from marketplace.catalogue.events import InstrumentChanged, InstrumentListed, InstrumentWithdrawn
from marketplace.catalogue.queries import Instrument, instrument, own_instrument
from marketplace.catalogue.rules.content import CONTENT_FIELDS, content_sha256
from marketplace.catalogue.rules.identifier import local_cstr
from marketplace.catalogue.rules.listing import must_open
from marketplace.catalogue.rules.states import Exemption, Funds, Status
from marketplace.catalogue.use_cases.storing import (
    ListingTerms,
    require_content,
    require_provider,
    stored_content,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.parties.queries import require_organisation

_instrument = tables.instrument.c


@dataclass(frozen=True, slots=True)
class RegisterInstrument:
    """Enter an instrument of `provider_id`; `content` holds the fields of `InstrumentContent`.

    With `listed` false it is kept for its provider until `list_instrument`.
    """

    provider_id: int
    content: dict[str, Any]
    listed: bool = True


async def register_instrument(tx: Tx, command: RegisterInstrument) -> Instrument:
    """Store a new instrument, and list it unless told otherwise.

    Raises:
        InstrumentRefused: with everything that is wrong with the description.
        InnerIdTaken: when the provider already has an instrument of this number.
    """
    provider = await require_provider(tx, command.provider_id)
    content = require_content(command.content, today=tx.today)
    instrument_id: int = await tx.scalar(
        insert(tables.instrument)
        .values(
            provider_id=provider.id,
            cstr=local_cstr(
                province_region_code=ListingTerms.on(tx.today).province_region_code,
                provider_id=provider.id,
                inner_id=content.inner_id,
            ),
            status=Status.LISTED if command.listed else Status.UNLISTED,
            registered_at=tx.now,
            listed_at=tx.now if command.listed else None,
            changed_at=tx.now,
            **stored_content(content, provider),
        )
        .returning(_instrument.id)
    )
    tx.audit("register", subject="instrument", subject_id=instrument_id, inner_id=content.inner_id)
    if command.listed:
        tx.record(InstrumentListed(instrument_id, provider.id))
    return await instrument(tx, instrument_id)


@dataclass(frozen=True, slots=True)
class ChangeInstrument:
    """Describe an instrument anew: `content` replaces every field."""

    instrument_id: int
    content: dict[str, Any]


async def change_instrument(tx: Tx, command: ChangeInstrument) -> Instrument:
    """Store what is said anew; the same content again changes nothing.

    Raises:
        InstrumentMissing: when it is not the caller's own.
        InstrumentNotInState: when it was disposed of.
        InstrumentRefused: with everything that is wrong, or for another inner id: the identifier
            under which others cite the instrument follows from it.
    """
    found = await own_instrument(tx, command.instrument_id)
    _require_state(found, Status.UNLISTED, Status.LISTED, Status.WITHDRAWN)
    content = require_content(command.content, today=tx.today)
    if content.inner_id != found.inner_id:
        raise InstrumentRefused(
            "An instrument keeps its number.",
            reasons=[
                Reason(
                    "inner-id-fixed",
                    "the number and the identifier made from it stay with the instrument",
                    limit=found.inner_id,
                    asked=content.inner_id,
                )
            ],
        )
    values = {name: getattr(content, name) for name in CONTENT_FIELDS}
    stored = await tx.scalar(
        select(_instrument.content_sha256).where(_instrument.id == found.id).with_for_update()
    )
    if bytes(stored) == content_sha256(values):
        return found
    provider = await require_organisation(tx, found.provider_id, "provider")
    await tx.execute(
        update(tables.instrument)
        .where(_instrument.id == found.id)
        .values(changed_at=tx.now, **stored_content(content, provider))
    )
    changed = [name for name in CONTENT_FIELDS if getattr(found, name) != values[name]]
    tx.audit("change", subject="instrument", subject_id=found.id, fields=changed)
    tx.record(InstrumentChanged(found.id, found.provider_id))
    return await instrument(tx, found.id)


@dataclass(frozen=True, slots=True)
class ListInstrument:
    """Make an instrument visible: for the first time, or again."""

    instrument_id: int


async def list_instrument(tx: Tx, command: ListInstrument) -> Instrument:
    """List an unlisted or withdrawn instrument; it keeps the day on which it was first listed.

    Raises:
        InstrumentMissing: when it is not the caller's own.
        InstrumentNotInState: when it is listed already, or disposed of.
    """
    found = await own_instrument(tx, command.instrument_id)
    await _move(
        tx,
        found,
        (Status.UNLISTED, Status.WITHDRAWN),
        status=Status.LISTED,
        listed_at=found.listed_at or tx.now,
        withdrawn_at=None,
        withdrawn_reason=None,
    )
    tx.audit("list", subject="instrument", subject_id=found.id)
    tx.record(InstrumentListed(found.id, found.provider_id))
    return await instrument(tx, found.id)


@dataclass(frozen=True, slots=True)
class WithdrawInstrument:
    """Take an instrument off the platform.

    `disposed` ends its life; otherwise a public instrument of the threshold's worth needs an
    `exemption`, which is kept with it.
    """

    instrument_id: int
    reason: str
    exemption: Exemption | None = None
    disposed: bool = False


async def withdraw_instrument(tx: Tx, command: WithdrawInstrument) -> Instrument:
    """Withdraw, or dispose of, an instrument. Policy: N.5a, J.9

    Raises:
        InstrumentMissing: when it is not the caller's own.
        InstrumentNotInState: when it is not listed (to dispose of it: already disposed of).
        MustStayOpen: when it must be open and no coded reason exempts it.
    """
    found = await own_instrument(tx, command.instrument_id)
    exemption = command.exemption or (Exemption(found.exemption) if found.exemption else None)
    threshold = ListingTerms.on(tx.today).must_open_worth_fen
    obliged = must_open(
        funds=Funds(found.funds),
        worth_fen=found.worth_fen,
        exemption=exemption,
        threshold_fen=threshold,
    )
    if obliged and not command.disposed:
        raise MustStayOpen(
            "Give a coded reason, or dispose of it at the end of its life.",
            limit=threshold,
            asked=found.worth_fen,
            choices=[choice.value for choice in Exemption],
            source="N.5a",
        )
    allowed = (Status.UNLISTED, Status.LISTED, Status.WITHDRAWN)
    changes: dict[str, Any] = {}
    if exemption is not None and exemption != found.exemption:
        values = {name: getattr(found, name) for name in CONTENT_FIELDS} | {"exemption": exemption}
        changes = {"exemption": exemption, "content_sha256": content_sha256(values)}
    await _move(
        tx,
        found,
        allowed if command.disposed else (Status.LISTED,),
        status=Status.DISPOSED if command.disposed else Status.WITHDRAWN,
        withdrawn_at=tx.now,
        withdrawn_reason=command.reason,
        **changes,
    )
    tx.audit(
        "dispose" if command.disposed else "withdraw",
        subject="instrument",
        subject_id=found.id,
        reason=command.reason,
        exemption=exemption,
    )
    tx.record(InstrumentWithdrawn(found.id, found.provider_id, command.disposed))
    return await instrument(tx, found.id)


def _require_state(found: Instrument, *allowed: Status) -> None:
    if found.status not in allowed:
        raise InstrumentNotInState(
            f"It is {found.status}.", status_now=found.status, status_needed=sorted(allowed)
        )


async def _move(tx: Tx, found: Instrument, allowed: tuple[Status, ...], **changes: Any) -> None:
    """Change the state of an instrument that is in one of the states allowed, even in a race."""
    _require_state(found, *allowed)
    moved = await tx.execute(
        update(tables.instrument)
        .where(_instrument.id == found.id, _instrument.status.in_(allowed))
        .values(changed_at=tx.now, **changes)
    )
    if not moved.rowcount:
        raise InstrumentNotInState("It has moved on just now; look at it again.")
