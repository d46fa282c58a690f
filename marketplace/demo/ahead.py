"""The fortnight ahead: without it calendars would be empty, and nobody would expect anybody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from marketplace.demo.stories import OwnTime, Story, working_moment
from marketplace.demo.world import OfferedInstrument, Staff, Unit, World
from marketplace.kernel.time import is_working_day

# The first day is left out: instruments want a day's notice.
DAYS_AHEAD = range(2, 15)
UNITS, INSTRUMENTS = 12, 6
ORDERS, FLAGSHIP_ORDERS = 3, 10
# Those who have money and a voucher of this year.
CUSTOMERS = 10


async def book_ahead(world: World, staff: Staff, today: date, seed: int) -> None:
    """Orders and own research of the days to come, and samples on their way."""
    dice = random.Random(seed + 2)
    days = [day for offset in DAYS_AHEAD if is_working_day(day := today + timedelta(days=offset))]
    for unit in world.units[:UNITS]:
        for instrument in unit.instruments[:INSTRUMENTS]:
            own = working_moment(dice, days, from_hour=9, hours=6)
            await OwnTime(world, unit, instrument, own, hours=dice.choice((3, 4, 6))).reserve()
            for story in _stories(world, staff, unit, instrument, days, dice):
                await story.place()
                if dice.random() < 3 / 4:
                    await story.answer()


def _stories(
    world: World,
    staff: Staff,
    unit: Unit,
    instrument: OfferedInstrument,
    days: list[date],
    dice: random.Random,
) -> Iterator[Story]:
    for number in range(FLAGSHIP_ORDERS if unit is world.units[0] else ORDERS):
        starts_at: datetime = working_moment(dice, days, from_hour=8, hours=8)
        yield Story(
            world=world,
            staff=staff,
            unit=unit,
            instrument=instrument,
            company=dice.choice(world.companies[:CUSTOMERS]),
            outcome="accepted",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=dice.choice((2, 3, 4))),
            samples=6 if number == 0 and instrument.sample_fen else 0,
            stars=5,
        )
