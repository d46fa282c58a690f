"""Hand on time that came free: to who waited longest, as an offer that is kept for them alone.

An offer is a reservation in status `offered`. It takes the seat in the very transaction that
chooses whom to offer it to, so the time is never loose in between: who would snatch it meets
`reservation_no_overlap`. One transaction at a time hands on the time of a calendar, and reads who
waits only then: so freed times go to the list in its order, however many come free at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from marketplace.booking.events import ReservationPlaced, SlotOffered
from marketplace.booking.queries.reservations import as_range
from marketplace.booking.queries.standing import operators_among, standing
from marketplace.booking.queries.timetables import schedules, taken
from marketplace.booking.queries.waiting import (
    awaited_after,
    let_go,
    lock_calendar,
    machine,
    next_in_order,
    offer_terms,
    suspended_among,
)
from marketplace.booking.queries.waitlist import Entry
from marketplace.booking.rules.assistance import needs_operator
from marketplace.booking.rules.availability import free_intervals
from marketplace.booking.rules.floor import whole_weeks
from marketplace.booking.rules.operators import Operator, attended
from marketplace.booking.rules.schedule import BOOKABLE, Schedule, Taken
from marketplace.booking.rules.standing import operators_for
from marketplace.booking.rules.states import WITHOUT_APPROVAL, Status, UserClass
from marketplace.booking.rules.waiting import (
    EntryStatus,
    OfferTerms,
    earliest_fit,
    first_start,
    kept_until,
)
from marketplace.booking.tables import slot_offer, waitlist_entry
from marketplace.booking.use_cases.place import PlaceReservation, reasons_against
from marketplace.booking.use_cases.seats import take_seat
from marketplace.booking.use_cases.waiting_ends import end_entries, settle_offers
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

BATCH = 50
# How many times are tried for one entry where quotas or operators stand in the way of the first.
TRIES = 3


@dataclass(frozen=True, slots=True)
class HandOn:
    """Look whether time of this instrument can be offered to somebody who waits for it."""

    instrument_id: int


@dataclass(slots=True)
class Room:
    """What is free for some entries, as it was read; what is offered since is taken in it too."""

    now: datetime
    terms: OfferTerms
    window: During
    found: dict[int, Schedule]
    taken: dict[int, list[Taken]]
    let_go: dict[int, list[During]]
    suspended: set[int]
    operators: dict[int, tuple[Operator, ...]]
    _free: dict[tuple[int, UserClass], list[During]] = field(default_factory=dict)

    def schedule(self, entry: Entry) -> Schedule:
        """The instrument's schedule for the class of user that waits."""
        return self.found[entry.instrument_id].for_class(entry.user_class)

    def is_hopeless(self, entry: Entry) -> bool:
        """Whether the instrument does not serve who waits any more."""
        found = self.schedule(entry)
        return found.status not in BOOKABLE or not found.may_book

    def fit(self, entry: Entry, *, besides: Sequence[During] = ()) -> During | None:
        """The first time that could be offered to an entry, outside `besides`."""
        if entry.person_id in self.suspended:
            return None
        found = self.schedule(entry)
        return earliest_fit(
            entry.wish,
            self._free_for(entry, found),
            step_minutes=found.terms.step_minutes,
            not_before=first_start(found, at=self.now, terms=self.terms),
            let_go=[*self.let_go.get(entry.id, ()), *besides],
        )

    def _free_for(self, entry: Entry, found: Schedule) -> list[During]:
        """Free time for the class that waits; attended time, where an operator has to come."""
        key = (entry.instrument_id, entry.user_class)
        if key not in self._free:
            beside = self.taken[entry.instrument_id]
            self._free[key] = free_intervals(found, beside, self.window, at=self.now)
        operators = self.operators.get(entry.instrument_id, ())
        comes_alone = any(one.person_id == entry.person_id for one in operators)
        if not needs_operator(found, None) or comes_alone or entry.purpose in WITHOUT_APPROVAL:
            return self._free[key]
        return attended(self._free[key], operators)

    def take(self, entry: Entry, during: During, seat: int, held_until: datetime) -> None:
        """Count a time that was just offered as taken, in the whole calendar."""
        blocked = self.schedule(entry).blocked(during)
        self.taken[entry.instrument_id].append(Taken(seat, blocked, Status.OFFERED, held_until))
        self._free.clear()


async def hand_on(tx: Tx, command: HandOn) -> int:
    """Offer what is free in an instrument's calendar to who waits for it, in their order.

    Returns how many offers were made. Doing it twice changes nothing: what is offered is taken.
    """
    found = await machine(tx, command.instrument_id)
    if not found.awaited:
        return 0
    await lock_calendar(tx, found.calendar_id)
    await settle_offers(tx, found.instrument_ids)
    made, last = 0, None
    while batch := await next_in_order(tx, found.instrument_ids, after=last, limit=BATCH):
        made += await _offer_to_each(tx, batch)
        last = batch[-1]
    return made


async def _offer_to_each(tx: Tx, batch: Sequence[Entry]) -> int:
    room = await _room(tx, batch)
    hopeless = [entry for entry in batch if room.is_hopeless(entry)]
    await end_entries(
        tx, hopeless, EntryStatus.CLOSED, "The instrument does not serve you any more."
    )
    made = 0
    for entry in batch:
        if not room.is_hopeless(entry):
            made += await _offer_first(tx, room, entry)
    return made


async def _offer_first(tx: Tx, room: Room, entry: Entry) -> bool:
    """Offer the first time that fits and that the person may have; whether there was one."""
    tried: list[During] = []
    while len(tried) < TRIES:
        during = room.fit(entry, besides=tried)
        if during is None:
            return False
        if await _offer(tx, room, entry, during):
            return True
        tried.append(during)
    return False


async def _offer(tx: Tx, room: Room, entry: Entry, during: During) -> bool:
    """Take the seat for the entry, unless a rule or somebody else is in the way.

    Quotas are not locked: they are asked again, and then locked, when the offer is accepted.
    """
    found = room.schedule(entry)
    until = kept_until(during, found, at=tx.now, terms=room.terms)
    if until is None:
        return False
    asked = placement(entry, during)
    person = asked.of_person(found)
    who = await standing(tx, person, lock=False)
    if await reasons_against(tx, asked, found, who=who):
        return False
    won = await take_seat(
        tx,
        _row(tx, asked, found, until),
        seats=found.terms.seats,
        seat=None,
        operators=operators_for(who, person),
    )
    if won is None:
        return False
    room.take(entry, during, won.seat, until)
    await _write_offer(tx, entry, during, reservation_id=won.reservation_id, until=until)
    return True


def placement(entry: Entry, during: During) -> PlaceReservation:
    """The reservation that an entry waits for, as it would be placed."""
    return PlaceReservation(
        instrument_id=entry.instrument_id,
        during=during,
        purpose=entry.purpose,
        organisation_id=entry.organisation_id,
        person_id=entry.person_id,
        user_class=entry.user_class,
    )


def _row(tx: Tx, asked: PlaceReservation, found: Schedule, held_until: datetime) -> dict[str, Any]:
    return {
        "instrument_id": found.instrument_id,
        "provider_id": found.provider_id,
        "calendar_id": found.calendar_id,
        "during": asked.during,
        "blocked": found.blocked(asked.during),
        "status": Status.OFFERED,
        "organisation_id": asked.organisation_id,
        "person_id": asked.person_id,
        "user_class": asked.of_class,
        "purpose": asked.purpose,
        "operator_id": None,
        "group_id": None,
        "series_id": None,
        "order_id": None,
        "order_position": 1,
        "held_until": held_until,
        "override_reason": None,
        "placed_at": tx.now,
        "confirmed_at": None,
        "changed_at": tx.now,
    }


async def _write_offer(
    tx: Tx, entry: Entry, during: During, *, reservation_id: int, until: datetime
) -> None:
    await tx.execute(
        insert(slot_offer).values(
            entry_id=entry.id,
            reservation_id=reservation_id,
            during=as_range(during),
            offered_at=tx.now,
            held_until=until,
        )
    )
    await tx.execute(
        update(waitlist_entry)
        .where(waitlist_entry.c.id == entry.id)
        .values(status=EntryStatus.OFFERED, reservation_id=reservation_id, changed_at=tx.now)
    )
    tx.record(
        ReservationPlaced(
            reservation_id=reservation_id,
            order_id=0,
            instrument_id=entry.instrument_id,
            status=Status.OFFERED,
        )
    )
    tx.record(
        SlotOffered(
            entry_id=entry.id,
            reservation_id=reservation_id,
            instrument_id=entry.instrument_id,
            person_id=entry.person_id,
            organisation_id=entry.organisation_id,
            starts_at=during.starts_at,
            ends_at=during.ends_at,
            held_until=until,
        )
    )


async def _room(tx: Tx, entries: Sequence[Entry]) -> Room:
    """What is free for `entries`: four statements for any number, one more for operators."""
    soon = tx.now + timedelta(minutes=1)
    window = During(tx.now, max(soon, *(entry.ends_at for entry in entries)))
    ids = sorted({entry.instrument_id for entry in entries})
    found = await schedules(tx, ids, whole_weeks(window))
    run_for_users = [one for one in found.values() if needs_operator(one, None)]
    return Room(
        now=tx.now,
        terms=offer_terms(tx),
        window=window,
        found=found,
        taken=await taken(tx, list(found.values()), window),
        let_go=await let_go(tx, [entry.id for entry in entries]),
        suspended=await suspended_among(tx, [entry.person_id for entry in entries]),
        operators=await operators_among(tx, run_for_users, window),
    )


@dataclass(frozen=True, slots=True)
class Awaited:
    """Instruments whose lists were looked at: which of them have something to hand on."""

    last_id: int
    instrument_ids: tuple[int, ...]


async def awaited_with_room(tx: Tx, after_id: int) -> Awaited | None:
    """Of the next instruments after this id that somebody waits for, those with time to offer.

    Nothing is locked: it is a look, in a few statements for all of them. None at the end.
    """
    entries = await awaited_after(tx, after_id, limit=BATCH)
    if not entries:
        return None
    room = await _room(tx, entries)
    with_room = {
        entry.instrument_id
        for entry in entries
        if room.is_hopeless(entry) or room.fit(entry) is not None
    }
    return Awaited(entries[-1].instrument_id, tuple(sorted(with_room)))
