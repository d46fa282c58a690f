"""The service records of a quarter, from the domains that keep what they tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.booking import queries as booking
from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.queries import Instrument
from marketplace.exchange import queries
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.service_record import (
    ApplicantFacts,
    InstrumentFacts,
    OrderFacts,
    OwnUseFacts,
    ServiceRecord,
    record_of_order,
    record_of_own_use,
)
from marketplace.kernel.db import Tx
from marketplace.orders import queries as orders
from marketplace.parties import queries as parties
from marketplace.parties.queries import LegalEntity, Person


@dataclass(frozen=True, slots=True)
class Gathered:
    """Every record of a quarter, orders first, and the sums to reconcile them with."""

    records: list[ServiceRecord]
    totals: booking.UseTotals


async def gather(tx: Tx, provider_id: int, quarter: Quarter) -> Gathered:
    """One question to each domain, however many records there are.

    Policy: F.record, F.289-15.
    """
    asked = booking.UseAsked(provider_id, quarter.during)
    used = {(one.order_id, one.instrument_id): one for one in await booking.order_use(tx, asked)}
    ordered = sorted({order_id for order_id, _ in used})
    served = [
        one
        for one in await orders.served_orders(
            tx, orders.ServedAsked(provider_id, ordered, quarter.during)
        )
        # Of an order whose sessions end in two quarters each has its own.
        if (one.id, one.instrument_id) in used or one.tested_at is not None
    ]
    days = await booking.use_days(tx, asked)
    instruments = await _instruments(
        tx, provider_id, {one.instrument_id for one in served} | {one.instrument_id for one in days}
    )
    users = await parties.organisations(tx, {one.organisation_id for one in days})
    entities = await parties.legal_entities(
        tx,
        {one.buyer_legal_entity_id for one in served}
        | {one.legal_entity_id for one in users.values()},
    )
    people = await parties.people(tx, {one.placed_by for one in served})
    records = [
        record_of_order(
            # Samples that were tested on an instrument took no session of the buyer's.
            _order(one, None if one.tested_at else used.get((one.id, one.instrument_id))),
            instruments[one.instrument_id],
            _applicant(people[one.placed_by], entities[one.buyer_legal_entity_id]),
        )
        for one in served
    ]
    units = {each.id: entities[each.legal_entity_id].name for each in users.values()}
    records += [
        record_of_own_use(_own_use(day, units), instruments[day.instrument_id]) for day in days
    ]
    return Gathered(records, await booking.use_totals(tx, asked))


async def _instruments(tx: Tx, provider_id: int, ids: set[int]) -> Mapping[int, InstrumentFacts]:
    code = await queries.unit_code(tx, provider_id)
    known = None if code is None else code.ins_code
    found = await catalogue.instruments(tx, ids)
    # What a unit imported with its instruments holds until it enters its code here.
    return {
        each.id: _instrument(each, known or each.further.get("insCode", ""))
        for each in found.values()
    }


def _instrument(found: Instrument, ins_code: str) -> InstrumentFacts:
    return InstrumentFacts(
        instrument_id=found.id,
        inner_id=found.inner_id,
        ins_code=ins_code,
        cname=found.cname,
        service_content=found.service_content,
        subjects=found.subjects,
        contact=found.contact,
        phone=found.phone,
        email=found.email,
    )


def _applicant(person: Person, unit: LegalEntity) -> ApplicantFacts:
    return ApplicantFacts(person.name, person.phone, person.email, unit.name)


def _order(found: orders.ServedOrder, use: booking.OrderUse | None) -> OrderFacts:
    ended_at = found.tested_at if use is None else use.ended_at
    if ended_at is None:
        raise AssertionError("an order was served by a session or by testing samples")
    return OrderFacts(
        order_id=found.id,
        settled_fen=found.settled_fen,
        status=found.status,
        ended_at=ended_at,
        sessions=1 if use is None else use.sessions,
        minutes=0 if use is None else use.minutes,
        samples=found.samples_tested if use is None else None,
        attended=use is not None and use.attended,
        needs_training=use is not None and use.needs_training,
        customer_class=found.customer_class,
        free_purpose=found.purpose,
        same_legal_entity=found.buyer_legal_entity_id == found.provider_legal_entity_id,
        signed_by_both=found.signed_by_both,
        stars=found.stars,
        position=found.position,
    )


def _own_use(day: booking.UseDay, units: Mapping[int, str]) -> OwnUseFacts:
    return OwnUseFacts(
        day=day.day,
        purpose=day.purpose,
        user_class=day.user_class,
        organisation_id=day.organisation_id,
        unit=units[day.organisation_id],
        last_minute=day.last_minute,
        sessions=day.sessions,
        minutes=day.minutes,
        attended=day.attended,
        needs_training=day.needs_training,
    )
