"""Reserve several instruments as one booking: all of them or none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, NoReturn

from sqlalchemy import insert

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    GroupRefused,
    ReservationNotInState,
    ReservationOverlaps,
    ReservationRefused,
)
from marketplace.booking.queries.groups import Group, group, locked_members
from marketplace.booking.queries.timetables import schedules, taken
from marketplace.booking.rules.availability import Taken, free_intervals, refusals
from marketplace.booking.rules.groups import (
    CHOICES_MAX,
    ITEMS_MAX,
    SHIFT_DAYS_MAX,
    SHIFT_STEP_MINUTES,
    SPAN_DAYS_MAX,
    Wanted,
    free_shifts,
    shifted,
)
from marketplace.booking.rules.schedule import Schedule
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.tables import reservation_group
from marketplace.booking.use_cases.cancel import cancel_for_provider
from marketplace.booking.use_cases.change import lock_calendars
from marketplace.booking.use_cases.place import PlaceReservation, place_reservation
from marketplace.booking.use_cases.refuse import is_taken
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing, Reason
from marketplace.kernel.time import During

CANCELLABLE = frozenset({Status.HELD, Status.REQUESTED, Status.CONFIRMED})


@dataclass(frozen=True, slots=True)
class GroupItem:
    """One time, on the first of these instruments that is free."""

    instrument_ids: tuple[int, ...]
    during: During
    purpose: Purpose
    seat: int | None = None


@dataclass(frozen=True, slots=True)
class PlaceGroup:
    """Several times on instruments of one's own, as one booking."""

    items: tuple[GroupItem, ...]
    note: str | None = None
    override_reason: str | None = None


@dataclass(frozen=True, slots=True)
class CancelGroup:
    """Give back what of a group lies ahead."""

    group_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why one instrument of one item cannot be had."""

    place: int
    instrument_id: int
    reasons: Sequence[Reason]


async def place_group(tx: Tx, command: PlaceGroup) -> Group:
    """Reserve every item, each on the first of its instruments that is free; or nothing.

    Every calendar that may be written is taken first, in one order for everybody: two groups that
    cross wait for each other and never stand in a circle.

    Raises:
        InstrumentMissing: when one belongs to others.
        ExternalTimeIsOrdered: for the purpose of serving others.
        GroupRefused: with the reasons of each instrument, and when all would be free.
    """
    _require_size(command)
    if any(item.purpose is Purpose.EXTERNAL for item in command.items):
        raise ExternalTimeIsOrdered("Make a quote and place an order; it reserves the time.")
    known = await _own_schedules(tx, command.items, _span(command.items))
    await lock_calendars(tx, (one.calendar_id for one in known.values()))
    beside = await taken(tx, list(known.values()), _span(command.items))
    group_id = await tx.scalar(
        insert(reservation_group)
        .values(
            organisation_id=tx.actor.organisation_id,
            person_id=tx.actor.person_id,
            note=command.note,
            made_at=tx.now,
        )
        .returning(reservation_group.c.id)
    )
    savepoint = await tx.connection.begin_nested()
    refused: list[_Refused] = []
    unmet = 0
    for place, item in enumerate(command.items):
        against = await _place_first(tx, command, place, known, beside, group_id)
        if len(against) == len(item.instrument_ids):
            unmet += 1
            refused += against
    if unmet:
        # What was placed of the group is in the way of its own alternatives.
        await savepoint.rollback()
        await _refuse(tx, command, refused)
    await savepoint.commit()
    tx.audit("place", subject="reservation_group", subject_id=group_id, items=len(command.items))
    return await group(tx, group_id)


def _require_size(command: PlaceGroup) -> None:
    choices = max((len(item.instrument_ids) for item in command.items), default=0)
    if not 1 <= len(command.items) <= ITEMS_MAX or not 1 <= choices <= CHOICES_MAX:
        raise GroupRefused(
            f"A group has 1 to {ITEMS_MAX} items of 1 to {CHOICES_MAX} instruments.",
            limit=ITEMS_MAX,
            asked=len(command.items),
        )
    span = _span(command.items)
    if span.minutes > SPAN_DAYS_MAX * 1440:
        raise GroupRefused(
            f"A group lies within {SPAN_DAYS_MAX} days.",
            limit=SPAN_DAYS_MAX,
            asked=span.minutes // 1440,
        )


def _span(items: Sequence[GroupItem]) -> During:
    return During(
        min(item.during.starts_at for item in items), max(item.during.ends_at for item in items)
    )


async def _own_schedules(tx: Tx, items: Sequence[GroupItem], around: During) -> dict[int, Schedule]:
    wanted = sorted({one for item in items for one in item.instrument_ids})
    classes = dict.fromkeys(wanted, UserClass.OWN_UNIT)
    known = await schedules(tx, wanted, around, classes=classes)
    for instrument_id in wanted:
        found = known.get(instrument_id)
        if found is None or found.provider_id != tx.actor.organisation_id:
            raise InstrumentMissing()
    return known


async def _place_first(
    tx: Tx,
    command: PlaceGroup,
    place: int,
    known: Mapping[int, Schedule],
    beside: Mapping[int, Sequence[Taken]],
    group_id: int,
) -> list[_Refused]:
    """Why each instrument tried for an item was refused; fewer than it has when one was had."""
    item = command.items[place]
    refused: list[_Refused] = []
    for instrument_id in item.instrument_ids:
        found = known[instrument_id]
        reasons = _at_first_sight(tx, command, item, found, beside[instrument_id])
        if not reasons:
            try:
                await place_reservation(
                    tx,
                    PlaceReservation(
                        instrument_id=instrument_id,
                        during=item.during,
                        purpose=item.purpose,
                        organisation_id=tx.actor.organisation_id,
                        person_id=tx.actor.person_id,
                        user_class=UserClass.OWN_UNIT,
                        group_id=group_id,
                        seat=item.seat,
                        override_reason=command.override_reason,
                    ),
                )
            except (ReservationRefused, ReservationOverlaps) as refusal:
                reasons = list(refusal.reasons)
            else:
                return refused
        refused.append(_Refused(place, instrument_id, reasons))
    return refused


def _at_first_sight(
    tx: Tx, command: PlaceGroup, item: GroupItem, found: Schedule, beside: Sequence[Taken]
) -> list[Reason]:
    """What can be said against an instrument without asking the database once more."""
    reasons = [
        reason
        for reason in refusals(found, item.during, purpose=item.purpose, at=tx.now)
        if command.override_reason is None or not reason.overridable
    ]
    if is_taken(found, beside, item.during, seat=item.seat):
        reasons.append(Reason("busy", "Somebody else holds the instrument in that time."))
    return reasons


async def _refuse(tx: Tx, command: PlaceGroup, refused: Sequence[_Refused]) -> NoReturn:
    told = [
        Reason(
            reason.rule,
            f"Item {one.place + 1}, instrument {one.instrument_id}: {reason.message}",
            limit=reason.limit,
            asked=reason.asked,
            source=reason.source,
            overridable=reason.overridable,
        )
        for one in refused
        for reason in one.reasons
    ]
    raise GroupRefused(
        "Nothing was reserved: not every item has an instrument that is free.",
        reasons=told,
        alternatives=await _alternatives(tx, command),
        items=[
            {
                "item": one.place,
                "instrument_id": one.instrument_id,
                "reasons": [asdict(reason) for reason in one.reasons],
            }
            for one in refused
        ],
    )


async def _alternatives(tx: Tx, command: PlaceGroup) -> list[dict[str, Any]]:
    """When the whole group would be free, as far as instruments and their hours go."""
    span = _span(command.items)
    days = timedelta(days=SHIFT_DAYS_MAX)
    window = During(max(tx.now, span.starts_at - days), max(tx.now, span.ends_at) + days)
    known = await _own_schedules(tx, command.items, window)
    beside = await taken(tx, list(known.values()), window)
    free = {
        instrument_id: free_intervals(found, beside[instrument_id], window, at=tx.now)
        for instrument_id, found in known.items()
    }
    shifts = free_shifts(
        [Wanted(item.instrument_ids, item.during) for item in command.items],
        free,
        step_minutes=math.lcm(
            SHIFT_STEP_MINUTES, *(found.terms.step_minutes for found in known.values())
        ),
    )
    return [
        {
            "kind": "group",
            "shift_minutes": shift // timedelta(minutes=1),
            "items": [
                {"starts_at": moved.starts_at, "ends_at": moved.ends_at}
                for moved in (shifted(item.during, shift) for item in command.items)
            ],
        }
        for shift in shifts
    ]


async def cancel_group(tx: Tx, command: CancelGroup) -> Group:
    """Give the whole group back; what of it is used or over stays as it is.

    Raises:
        Missing: when it belongs to others.
        ReservationNotInState: when nothing of it lies ahead.
    """
    found = await group(tx, command.group_id)
    if found.organisation_id != tx.actor.organisation_id:
        raise Missing("There is no such group.")
    ahead = [one for one in await locked_members(tx, found.id) if one.status in CANCELLABLE]
    if not ahead:
        raise ReservationNotInState("Nothing of the group lies ahead.", possible=[])
    await cancel_for_provider(tx, ahead, reason=command.reason)
    tx.audit("cancel", subject="reservation_group", subject_id=found.id, reason=command.reason)
    return await group(tx, found.id)
