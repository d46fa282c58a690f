"""The year: what is planned is done in the order of the clock, and the worker works every night."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from marketplace.demo.build import YEAR
from marketplace.demo.finance import Finance
from marketplace.demo.stories import OwnTime, Planned, Step, Story, outcome, working_moment
from marketplace.demo.world import Company, Staff, Unit, World
from marketplace.kernel.time import is_working_day, shanghai_day, shanghai_instant

Progress = Callable[[str, int], None]

FIRST_DAY, LAST_DAY = date(YEAR, 1, 20), date(YEAR, 12, 8)
# The flagship unit serves half of all orders and some large sample series, so that its legal
# entity reaches the yearly cap of 500,000 CNY.
FLAGSHIP = 0
SERIES = 6
SERIES_SAMPLES = 2_500


class Year:
    """A year of orders over a built province."""

    def __init__(
        self, world: World, staff: Staff, finance: Finance, *, orders: int, seed: int
    ) -> None:
        self.world = world
        self.staff = staff
        self.finance = finance
        self.orders = orders
        self.dice = random.Random(seed + 1)
        self.days = [
            day
            for offset in range((LAST_DAY - FIRST_DAY).days)
            if is_working_day(day := FIRST_DAY + timedelta(days=offset))
        ]
        self._heap: list[Planned] = []
        self._numbers = itertools.count()

    async def live(self, progress: Progress) -> None:
        """Do everything, in order; every night the worker, every month finance."""
        for moment, step in itertools.chain(self._orders(), self._series(), self._own_time()):
            self._plan(moment, step)
        night = FIRST_DAY
        while self._heap:
            planned = heapq.heappop(self._heap)
            while shanghai_day(planned.at) > night:
                await self._night(night)
                night += timedelta(days=1)
            self.world.go_to(planned.at)
            await planned.step()
            progress("steps", 1)
        # Until the year is out: silent orders are accepted, vouchers expire, December is paid.
        while night <= date(YEAR, 12, 31):
            await self._night(night)
            night += timedelta(days=1)

    @property
    def steps(self) -> int:
        """How many steps `live` will take."""
        return self.orders * 7

    async def _night(self, day: date) -> None:
        self.world.go_to(day, 23 * 60 + 50)
        await self.world.work()
        await self.finance.end_of_day(day)

    def _plan(self, moment: datetime, step: Step) -> None:
        heapq.heappush(self._heap, Planned(moment.astimezone(UTC), next(self._numbers), step))

    def _orders(self) -> Iterator[tuple[datetime, Step]]:
        for _ in range(self.orders):
            starts_at = working_moment(self.dice, self.days[5:], from_hour=9, hours=6)
            unit = (
                self.world.units[FLAGSHIP]
                if self.dice.random() < 1 / 2
                else self.dice.choice(self.world.units)
            )
            company = self.dice.choice(self.world.companies)
            story = self._story(unit, company, starts_at)
            placed_at = starts_at - timedelta(days=self.dice.randint(2, 20), minutes=30)
            yield from story.plan(max(placed_at, shanghai_instant(FIRST_DAY, 8 * 60)))

    def _story(self, unit: Unit, company: Company, starts_at: datetime) -> Story:
        instrument = self.dice.choice(unit.instruments)
        by_samples = instrument.sample_fen > 0 and self.dice.random() < 0.35
        hours = self.dice.choice((2, 3, 4, 6, 8))
        return Story(
            world=self.world,
            staff=self.staff,
            unit=unit,
            instrument=instrument,
            company=company,
            outcome=outcome(self.dice),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=hours),
            samples=self.dice.randint(2, 12) if by_samples else 0,
            stars=self.dice.choice((5, 5, 5, 4, 4, 3)),
        )

    def _series(self) -> Iterator[tuple[datetime, Step]]:
        """Large sample series at the flagship, each of another customer, spread over the year."""
        flagship = self.world.units[FLAGSHIP]
        dearest = max(flagship.instruments, key=lambda one: one.sample_fen)
        for number in range(SERIES):
            starts_at = shanghai_instant(self.days[10 + number * len(self.days) // 8], 10 * 60)
            story = Story(
                world=self.world,
                staff=self.staff,
                unit=flagship,
                instrument=dearest,
                company=self.world.companies[number % len(self.world.companies)],
                outcome="accepted",
                starts_at=starts_at,
                ends_at=starts_at + timedelta(days=3),
                samples=SERIES_SAMPLES,
                stars=5,
            )
            yield from story.plan(starts_at - timedelta(days=9))

    def _own_time(self) -> Iterator[tuple[datetime, Step]]:
        """The units' own research: much on the flagship's instruments, a little elsewhere."""
        for number, unit in enumerate(self.world.units):
            blocks = 16 if number == FLAGSHIP else 2
            for instrument in unit.instruments[: 6 if number == FLAGSHIP else 3]:
                for _ in range(blocks):
                    starts_at = working_moment(self.dice, self.days[5:], from_hour=16, hours=5)
                    yield from OwnTime(self.world, unit, instrument, starts_at, hours=16).plan()
