"""Set an instrument's booking rule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from marketplace.booking.queries.timetables import province_terms, schedule
from marketplace.booking.rules.availability import BookingTerms
from marketplace.booking.rules.booking_rule import require_possible_rule
from marketplace.booking.tables import booking_rule
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During


@dataclass(frozen=True, slots=True)
class SetBookingRule:
    """The whole rule: what is not said again does not stay."""

    instrument_id: int
    terms: BookingTerms


async def set_booking_rule(tx: Tx, command: SetBookingRule) -> BookingTerms:
    """Put a rule in force for reservations placed from now on; those that stand are kept.

    Raises:
        InstrumentMissing: when it belongs to others.
        BookingRuleRefused: with everything that is wrong.
    """
    now = During(tx.now, tx.now + timedelta(minutes=1))
    found = await schedule(tx, command.instrument_id, now)
    if found.provider_id != tx.actor.organisation_id and not tx.actor.has("system"):
        raise InstrumentMissing()
    require_possible_rule(command.terms, province=province_terms(tx.today))
    values = {
        **dataclasses.asdict(command.terms),
        "set_by": tx.actor.person_id,
        "set_at": tx.now,
    }
    await tx.execute(
        insert(booking_rule)
        .values(instrument_id=command.instrument_id, **values)
        .on_conflict_do_update(index_elements=["instrument_id"], set_=values)
    )
    tx.audit(
        "set",
        subject="booking_rule",
        subject_id=command.instrument_id,
        before=dataclasses.asdict(found.terms),
        after=dataclasses.asdict(command.terms),
    )
    return command.terms
