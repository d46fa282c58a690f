"""The day on which a visitor comes in: some work is done, some under way, some still to come.

It is always a forenoon: whoever starts a demo at night, or far from China, meets people at work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.booking import use_cases as booking
from marketplace.booking.rules.sessions import Severity
from marketplace.demo.stories import OwnTime, Planned, Step, Story
from marketplace.demo.world import Staff, Unit, World
from marketplace.kernel.actors import system_actor
from marketplace.kernel.time import shanghai_instant

SYSTEM = system_actor("demo")

# The demo's clock goes on from here.
PRESENT_MINUTE = 10 * 60 + 40
UNITS = 12
# Those who have money and a voucher of this year.
CUSTOMERS = 10
# Yesterday's session that nobody closed; the worker finds it in the morning.
FORGOTTEN_FROM, FORGOTTEN_HOURS = 15 * 60, 3
FOUND_AT = 7 * 60


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of the day on one of a unit's instruments: whose it is, and how far it is by now."""

    instrument: int
    from_minute: int
    minutes: int
    ordered: bool
    begun: bool = False
    ended: bool = False
    delivered: bool = False


SLOTS = (
    Slot(0, 480, 120, ordered=True, begun=True, ended=True, delivered=True),
    Slot(0, 630, 120, ordered=True, begun=True),
    Slot(0, 840, 120, ordered=True),
    Slot(1, 540, 180, ordered=False, begun=True),
    Slot(1, 810, 210, ordered=True),
    # Whoever ordered this is late: nobody has checked in.
    Slot(2, 600, 120, ordered=True),
    Slot(2, 780, 120, ordered=False),
    Slot(3, 510, 90, ordered=True, begun=True, ended=True),
    Slot(3, 660, 120, ordered=True),
    Slot(4, 900, 180, ordered=True),
)


def eve_of(today: date) -> date:
    """When today's times were booked: instruments want a day's notice. Not in another year, whose
    vouchers are others.
    """
    return max(today - timedelta(days=3), date(today.year, 1, 1))


def present_of(today: date) -> datetime:
    """The moment at which a visitor comes in."""
    return shanghai_instant(today, PRESENT_MINUTE)


async def live_today(world: World, staff: Staff, today: date) -> None:
    """Book the day, live it as far as the forenoon goes, and stop there."""
    planned: list[Planned] = []
    for unit in world.units[:UNITS]:
        for moment, step in [*_forgotten(world, unit, today), *_day(world, staff, unit, today)]:
            planned.append(Planned(moment, len(planned), step))
    found = shanghai_instant(today, FOUND_AT)
    planned.append(Planned(found, len(planned), lambda: _find_forgotten(world)))
    for each in sorted(planned):
        world.go_to(max(each.at, world.clock.now()))
        await each.step()
    world.go_to(present_of(today))


def _forgotten(world: World, unit: Unit, today: date) -> Iterator[tuple[datetime, Step]]:
    starts_at = shanghai_instant(today - timedelta(days=1), FORGOTTEN_FROM)
    forgotten = OwnTime(world, unit, unit.instruments[-1], starts_at, hours=FORGOTTEN_HOURS)
    yield world.clock.now(), forgotten.reserve
    yield starts_at, forgotten.begin


async def _find_forgotten(world: World) -> None:
    await world.do(booking.close_forgotten_sessions, None, SYSTEM)


def _day(world: World, staff: Staff, unit: Unit, today: date) -> Iterator[tuple[datetime, Step]]:
    for number, slot in enumerate(SLOTS):
        if slot.instrument < len(unit.instruments):
            starts_at = shanghai_instant(today, slot.from_minute)
            if slot.ordered:
                able = world.companies[:CUSTOMERS]
                company = able[(number + unit.organisation_id) % len(able)]
                first = unit is world.units[0] and slot.instrument == 0
                booked = Story(
                    world=world,
                    staff=staff,
                    unit=unit,
                    instrument=unit.instruments[slot.instrument],
                    company=able[0] if first else company,
                    outcome="accepted",
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(minutes=slot.minutes),
                    samples=0,
                    stars=5,
                )
                yield from _ordered(world, booked, slot)
            else:
                yield from _own(world, unit, slot, starts_at)


def _ordered(world: World, story: Story, slot: Slot) -> Iterator[tuple[datetime, Step]]:
    yield world.clock.now(), story.place
    yield world.clock.now(), story.answer
    if slot.begun:
        yield story.starts_at, story.begin
    if slot.ended:
        yield story.ends_at, story.end
    if slot.delivered:
        yield story.ends_at + timedelta(minutes=30), story.deliver


def _own(
    world: World, unit: Unit, slot: Slot, starts_at: datetime
) -> Iterator[tuple[datetime, Step]]:
    instrument = unit.instruments[slot.instrument]
    own = OwnTime(world, unit, instrument, starts_at, hours=slot.minutes // 60)
    yield world.clock.now(), own.reserve
    if slot.begun:
        yield starts_at, own.begin
        yield starts_at + timedelta(minutes=45), lambda: _report(world, unit, own)


async def _report(world: World, unit: Unit, own: OwnTime) -> None:
    """Something about the instrument is not as it should be."""
    if own.reservation_id is not None:
        note = "真空泵噪声偏大，抽真空比平时慢约十分钟"
        found = booking.ReportProblem(own.reservation_id, Severity.MINOR, note)
        await world.attempt(booking.report_problem, found, unit.technician)
