"""What open calendars are told of each event: the public of free time, the provider of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from marketplace.booking.events import (
    OutsideTimesChanged,
    ReservationMoved,
    ReservationNoShow,
    SessionClosed,
    SessionOpened,
    SlotOffered,
)
from marketplace.booking.queries import LIVE_DESCRIBERS, Reservation
from marketplace.catalogue.events import InstrumentClosed
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.events import Event
from marketplace.kernel.live import Change
from tests.builders.booking import TEST, a_bookable_instrument, a_reservation, at_hours


@dataclass
class Told:
    """A reservation, and what pages hear of events about it."""

    database: Database
    placed: Reservation

    async def of(self, *events: Event) -> list[Change]:
        async def describe(tx: Tx, told: Sequence[Any]) -> list[Change]:
            changes: list[Change] = []
            for describer in LIVE_DESCRIBERS:
                theirs = [each for each in told if type(each) in describer.events]
                if theirs:
                    changes.extend(await describer.describe(tx, theirs))
            return changes

        return await atomically(self.database, describe, events, actor=TEST)

    def ids(self) -> tuple[int, int, int]:
        return self.placed.id, 0, self.placed.instrument_id


@pytest_asyncio.fixture
async def told(database: Database) -> Told:
    instrument_id = await a_bookable_instrument(database)
    return Told(database, await a_reservation(database, instrument_id=instrument_id))


def kinds(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [
        (each.topic.partition(":")[0], each.facts["kind"], each.facts.get("event", ""))
        for each in changes
    ]


async def test_the_public_hears_of_free_time_and_the_provider_of_everything(told: Told):
    reservation_id, order_id, instrument_id = told.ids()
    hour = at_hours(2, 9, 11)
    offered = SlotOffered(
        entry_id=1,
        reservation_id=reservation_id,
        instrument_id=instrument_id,
        person_id=1,
        organisation_id=1,
        starts_at=hour.starts_at,
        ends_at=hour.ends_at,
        held_until=hour.starts_at,
    )
    changes = await told.of(
        SessionOpened(1, *told.ids()),
        ReservationNoShow(reservation_id, order_id, instrument_id, 10_000),
        offered,
    )

    assert kinds(changes) == [
        ("provider", "changed", "session-opened"),
        ("calendar", "freed", ""),
        ("provider", "freed", "reservation-no-show"),
        ("calendar", "reserved", ""),
        ("provider", "reserved", "slot-offered"),
    ]
    public = [each.facts for each in changes if each.topic.startswith("calendar:")]
    # Not who, not which reservation, not what became of it.
    assert {name for facts in public for name in facts} == {
        "instrument_id",
        "kind",
        "starts_at",
        "ends_at",
    }


async def test_who_leaves_early_frees_time_for_all_to_see(told: Told):
    changes = await told.of(SessionClosed(1, *told.ids(), 120, 60, 120, ""))

    assert kinds(changes) == [
        ("calendar", "freed", ""),
        ("provider", "freed", "session-closed"),
    ]


async def test_of_a_move_both_times_are_told(told: Told):
    before, after = at_hours(2, 9, 11), at_hours(3, 14, 15)
    moved = ReservationMoved(
        *told.ids(), after.starts_at, after.ends_at, before.starts_at, before.ends_at, 1
    )
    changes = await told.of(moved)

    public = [each.facts for each in changes if each.topic.startswith("calendar:")]
    assert [(each["starts_at"], each["ends_at"]) for each in public] == [
        (before.starts_at, before.ends_at),
        (after.starts_at, after.ends_at),
    ]


async def test_closures_and_outside_times_are_told_with_their_period(told: Told):
    _, _, instrument_id = told.ids()
    hours = at_hours(4, 0, 24)
    changes = await told.of(
        InstrumentClosed(instrument_id, 1, hours.starts_at, hours.ends_at),
        OutsideTimesChanged(1, instrument_id, hours.starts_at, hours.ends_at),
    )

    assert [(topic, kind) for topic, kind, _ in kinds(changes)] == [
        ("calendar", "closed"),
        ("provider", "closed"),
        ("calendar", "outside"),
        ("provider", "outside"),
    ]
    assert {each.facts["starts_at"] for each in changes} == {hours.starts_at}


async def test_two_services_of_one_machine_share_what_they_are_told(told: Told, database: Database):
    sibling = await a_bookable_instrument(
        database, provider_id=told.placed.provider_id, calendar_id=told.placed.instrument_id
    )
    hours = at_hours(4, 0, 24)
    changes = await told.of(InstrumentClosed(sibling, 1, hours.starts_at, hours.ends_at))

    assert changes[0].topic == f"calendar:{told.placed.instrument_id}"
    assert changes[0].facts["instrument_id"] == sibling


async def test_what_is_gone_meanwhile_is_told_to_nobody(told: Told):
    assert await told.of(SessionOpened(1, 999_999, 0, 999_999)) == []
