"""A slow oracle of free time: it asks every minute by itself, and shares no code with the rules.

Only the values (`Schedule`, `Taken`, …) are the rules' own. Holidays are written out here from the
State Council's lists for the stretches of calendar that the examples walk over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from marketplace.booking.rules.schedule import Hours, Schedule, Taken
from marketplace.kernel.time import During

BEIJING = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)

OFF = {
    *(date(2025, 1, 28) + timedelta(days=n) for n in range(8)),
    *(date(2025, 4, 4) + timedelta(days=n) for n in range(3)),
    *(date(2025, 5, 1) + timedelta(days=n) for n in range(5)),
    *(date(2025, 10, 1) + timedelta(days=n) for n in range(8)),
    *(date(2026, 1, 1) + timedelta(days=n) for n in range(3)),
    *(date(2026, 2, 15) + timedelta(days=n) for n in range(9)),
}
WORKED = {
    date(2025, 1, 26),
    date(2025, 2, 8),
    date(2025, 4, 27),
    date(2025, 9, 28),
    date(2025, 10, 11),
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
}
# Where examples begin: before a holiday, on make-up days, at the ends of months, a leap February
# and a year.
FIRST_DAYS = (
    date(2025, 1, 25),
    date(2025, 1, 31),
    date(2025, 2, 7),
    date(2025, 4, 3),
    date(2025, 4, 26),
    date(2025, 9, 27),
    date(2025, 9, 30),
    date(2025, 10, 10),
    date(2025, 12, 31),
    date(2026, 1, 3),
    date(2026, 2, 13),
    date(2026, 2, 27),
    date(2028, 2, 28),
    date(2025, 3, 30),
)


@dataclass(frozen=True)
class Minute:
    """One minute, by the clock on the wall in Shanghai."""

    at: datetime

    @property
    def day(self) -> date:
        return self.at.astimezone(BEIJING).date()

    @property
    def of_day(self) -> int:
        wall = self.at.astimezone(BEIJING)
        return wall.hour * 60 + wall.minute


def minutes(during: During) -> Iterator[Minute]:
    now = during.starts_at
    while now < during.ends_at:
        yield Minute(now)
        now += MINUTE


class Oracle:
    """Answers for one class of user at one moment."""

    def __init__(
        self, schedule: Schedule, taken: list[Taken], user_class: str | None, at: datetime
    ) -> None:
        self.general, self.taken, self.user_class, self.at = schedule, taken, user_class, at
        self.terms = schedule.terms
        self.notice, self.horizon = self.terms.notice_minutes, self.terms.horizon_days
        self.maximum, self.may_book = self.terms.maximum_minutes, True
        for own in schedule.class_terms:
            if own.user_class == user_class:
                self.may_book = own.may_book
                self.notice = self.notice if own.notice_minutes is None else own.notice_minutes
                self.horizon = self.horizon if own.horizon_days is None else own.horizon_days
                self.maximum = self.maximum if own.maximum_minutes is None else own.maximum_minutes
        mine = [hours for hours in schedule.class_hours if hours.user_class == user_class]
        self.week: list[Hours] = [*mine] or [*schedule.hours]

    # What holds of a minute.

    def is_dated(self, minute: Minute) -> bool:
        return any(hours.day == minute.day for hours in self.general.dated)

    def is_holiday(self, minute: Minute) -> bool:
        if self.terms.open_on_holidays or self.is_dated(minute):
            return False
        return minute.day in OFF

    def weekday(self, minute: Minute) -> int:
        weekday = minute.day.weekday()
        if minute.day not in WORKED or self.terms.makeup_days == "as_weekday":
            return weekday
        if [hours for hours in self.week if hours.weekday == weekday]:
            return weekday
        return {5: 4, 6: 0}[weekday]

    def is_open(self, minute: Minute) -> bool:
        if self.is_dated(minute):
            return any(
                hours.day == minute.day
                and hours.opens_minute <= minute.of_day < hours.closes_minute
                for hours in self.general.dated
            )
        if self.is_holiday(minute):
            return False
        return any(
            hours.weekday == self.weekday(minute)
            and hours.opens_minute <= minute.of_day < hours.closes_minute
            for hours in self.week
        )

    def is_kept(self, minute: Minute) -> bool:
        if self.user_class == "own_unit":
            return False
        for hours in self.general.priority:
            if hours.weekday != self.weekday(minute):
                continue
            if hours.opens_minute <= minute.of_day < hours.closes_minute:
                begins = minute.at - (minute.of_day - hours.opens_minute) * MINUTE
                if self.at + hours.lapses_minutes * MINUTE < begins:
                    return True
        return False

    def closures(self, minute: Minute) -> set[str]:
        return {
            closure.kind
            for closure in self.general.closures
            if closure.during.starts_at <= minute.at < closure.during.ends_at
        }

    def has_room(self, minute: Minute, seat: int, among: list[Taken] | None = None) -> bool:
        """Whether a reservation with its buffers could include this minute on that seat."""
        for one in self.taken if among is None else among:
            keeps_from = one.blocked.starts_at - self.terms.after_minutes * MINUTE
            keeps_until = one.blocked.ends_at + self.terms.before_minutes * MINUTE
            if one.seat == seat and keeps_from <= minute.at < keeps_until:
                return False
        return True

    def seats_with_room(self, minute: Minute, among: list[Taken] | None = None) -> int:
        return sum(self.has_room(minute, seat, among) for seat in range(1, self.terms.seats + 1))

    def is_usable(self, minute: Minute) -> bool:
        """Everything but who else is there."""
        return (
            self.may_book
            and self.is_open(minute)
            and not self.is_kept(minute)
            and not self.closures(minute)
            and self.at + self.notice * MINUTE <= minute.at
            and minute.at < self.at + timedelta(days=self.horizon)
        )

    # What follows for periods.

    def free(self, within: During) -> list[During]:
        """Runs of minutes with room on one seat, without those that lie inside another."""
        runs: set[tuple[datetime, datetime]] = set()
        usable = [minute for minute in minutes(within) if self.is_usable(minute)]
        for seat in range(1, self.terms.seats + 1):
            begun = last = None
            for minute in usable:
                if not self.has_room(minute, seat):
                    continue
                if last is None or minute.at != last + MINUTE:
                    if begun is not None and last is not None:
                        runs.add((begun, last + MINUTE))
                    begun = minute.at
                last = minute.at
            if begun is not None and last is not None:
                runs.add((begun, last + MINUTE))
        return sorted(
            During(*run)
            for run in runs
            if not any(other != run and other[0] <= run[0] and run[1] <= other[1] for other in runs)
        )

    def refusals(self, during: During) -> set[str]:
        """The rules that say no, by name."""
        found = set() if self.may_book else {"class"}
        midnight = during.starts_at.astimezone(BEIJING).replace(hour=0, minute=0)
        since_midnight = (during.starts_at - midnight) // MINUTE
        length = (during.ends_at - during.starts_at) // MINUTE
        if since_midnight % self.terms.step_minutes or length % self.terms.step_minutes:
            found.add("step")
        if length < self.terms.minimum_minutes:
            found.add("minimum")
        if length > self.maximum:
            found.add("maximum")
        if during.starts_at < self.at:
            found.add("past")
        elif during.starts_at < self.at + self.notice * MINUTE:
            found.add("notice")
        if during.starts_at > self.at + timedelta(days=self.horizon):
            found.add("horizon")
        for minute in minutes(during):
            if self.is_holiday(minute):
                found.add("public-holiday")
            elif not self.is_open(minute):
                found.add("opening-hours")
            found |= {"outside-busy" if one == "outside" else one for one in self.closures(minute)}
            if self.is_kept(minute):
                found.add("priority")
        return found

    def reason(self, minute: Minute) -> str | None:
        """The one reason that is told of a minute that is not free; None of one that is."""
        if not self.may_book:
            return "class"
        if minute.at < self.at:
            return "past"
        for closure in self.general.closures:
            if closure.during.starts_at <= minute.at < closure.during.ends_at:
                return closure.kind
        if self.is_holiday(minute):
            return "public-holiday"
        if not self.is_open(minute):
            return "other-class" if self.open_to(minute) else "outside-opening-hours"
        if self.is_kept(minute):
            return "priority"
        firm = [one for one in self.taken if one.status == "confirmed"]
        asked = [one for one in self.taken if one.status in ("confirmed", "requested")]
        for reason, among in (("reserved", firm), ("requested", asked), ("held", self.taken)):
            if not self.seats_with_room(minute, among):
                return reason
        if minute.at < self.at + self.notice * MINUTE:
            return "notice"
        if minute.at >= self.at + timedelta(days=self.horizon):
            return "horizon"
        return None

    def open_to(self, minute: Minute) -> set[str]:
        """The other classes of user that have this minute in their hours."""
        found = set()
        for user_class in ("own_unit", "academic", "enterprise"):
            other = Oracle(self.general, [], user_class, self.at)
            if user_class != self.user_class and other.may_book and other.is_open(minute):
                found.add(user_class)
        return found
