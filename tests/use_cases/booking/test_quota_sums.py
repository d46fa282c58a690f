"""Sums of quotas, where the reservations lie: the same as the rule applied to every row."""

import random
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from marketplace.booking.queries import Purpose
from marketplace.booking.queries.reservations import as_range
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.quotas import Measure, Period, Subject, amount, counts
from marketplace.booking.rules.standing import StandingAsked
from marketplace.booking.rules.states import LIVE, Status, UserClass
from marketplace.booking.tables import reservation as table
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, at_hours, clock_at
from tests.builders.owner import become_owner
from tests.builders.parties import a_person, an_actor
from tests.builders.standing import MORNINGS, a_quota, peak_mornings

pytestmark = pytest.mark.asyncio


async def test_sums_in_the_database_equal_the_rule_applied_to_every_row(database: Database):
    """Random reservations of every state and purpose, on two instruments, by three people."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    first, second = [
        await a_bookable_instrument(database, provider_id=manager.organisation_id) for _ in range(2)
    ]
    await peak_mornings(database, by=manager, instrument_id=first)
    people = [manager.person_id, await a_person(database), await a_person(database)]
    made = _scattered(random.Random(20250303), manager, (first, second), people)

    async def write(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await tx.execute(text("alter table reservation drop constraint reservation_no_overlap"))
        await tx.execute(insert(table), made)

    await atomically(database, write, None, actor=TEST)
    for instrument_id in (None, first):
        for peak_only in (False, True):
            for subject in Subject:
                for measure in Measure:
                    for period in Period:
                        if period is Period.OPEN and (peak_only or measure is Measure.MINUTES):
                            continue
                        await a_quota(
                            database,
                            by=manager,
                            instrument_id=instrument_id,
                            peak_only=peak_only,
                            subject=subject,
                            measure=measure,
                            period=period,
                            user_class=None if peak_only else UserClass.OWN_UNIT,
                        )

    async def ask(tx: Tx, during: During):
        found = await schedule(tx, first, during)
        asked = StandingAsked(
            found,
            during,
            Purpose.TEACHING,
            UserClass.OWN_UNIT,
            people[1],
            manager.organisation_id,
        )
        return (await standing(tx, asked)).quotas

    now = database.clock.now()
    for during in (at_hours(-1, 20, 28), at_hours(-4, 9, 11), at_hours(10, 22, 26)):
        found = await atomically(database, ask, during, actor=TEST)
        assert len(found) >= 36
        for use in found:
            expected = sum(
                _amount(row, use, first, now)
                for row in made
                if use.subject is Subject.ORGANISATION or row["person_id"] == people[1]
            )
            assert expected == use.used, use


def _scattered(
    chance: random.Random, manager: Actor, instruments: tuple[int, int], people: list[int]
) -> list[dict[str, object]]:
    rows = []
    for _ in range(400):
        starts_at = shanghai_instant(date(2025, 2, 20), 15 * chance.randrange(96 * 30))
        during = During(starts_at, starts_at + timedelta(minutes=15 * chance.randint(1, 200)))
        status = chance.choice(list(Status))
        live = status in LIVE
        rows.append(
            {
                "instrument_id": (instrument_id := chance.choice(instruments)),
                "provider_id": manager.organisation_id,
                "calendar_id": instrument_id,
                "seat": 1,
                "during": as_range(during),
                "blocked": as_range(during),
                "status": status,
                "organisation_id": manager.organisation_id,
                "person_id": chance.choice(people),
                "user_class": chance.choice(list(UserClass)),
                "purpose": chance.choice(list(Purpose)),
                "placed_at": starts_at,
                "changed_at": starts_at,
                "ended_at": None if live else during.ends_at,
                # Some wait still, and some have lapsed while nobody looked.
                "held_until": clock_at(chance.choice([-2, 2]), 9) if live else None,
            }
        )
    return rows


def _amount(row: dict, use, peak_instrument: int, now: datetime) -> int:
    during = During(row["during"].lower, row["during"].upper)
    status, purpose = Status(row["status"]), Purpose(row["purpose"])
    if not counts(status, purpose) or use.instrument_id not in (None, row["instrument_id"]):
        return 0
    if status in {Status.HELD, Status.OFFERED, Status.REQUESTED} and row["held_until"] <= now:
        return 0
    if not use.peak_only and row["user_class"] != UserClass.OWN_UNIT:
        return 0
    if use.period is Period.OPEN:
        return int(status in LIVE and during.ends_at > now)
    peak = MORNINGS if row["instrument_id"] == peak_instrument else ()
    span = During(use.starts_at, use.ends_at)
    return amount(during, span, measure=use.measure, peak_only=use.peak_only, peak=peak)
