"""Generated opening rules against the oracle that asks every minute by itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.booking.rules.alternatives import alternatives
from marketplace.booking.rules.availability import free_intervals, refusals
from marketplace.booking.rules.schedule import (
    BookingTerms,
    ClassHours,
    ClassTerms,
    Closed,
    ClosureKind,
    DatedHours,
    Hours,
    PriorityHours,
    Schedule,
    Taken,
)
from marketplace.booking.rules.states import Purpose, Status, UserClass
from marketplace.booking.rules.timetable import timetable
from marketplace.kernel.time import During
from tests.rules.booking.oracle import BEIJING, FIRST_DAYS, MINUTE, Minute, Oracle, minutes

DAYS = 3
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Most of a day's edges lie on the hour; some lie anywhere.
of_day = st.one_of(st.integers(0, 23).map(lambda hour: hour * 60), st.integers(0, 1439))


@st.composite
def stretches(draw: st.DrawFn) -> tuple[int, int]:
    opens = draw(of_day)
    longest = 1440 - opens
    return opens, opens + draw(st.one_of(st.just(longest), st.integers(1, longest)))


weekdays = st.integers(0, 6)


@st.composite
def weeks(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Weekday, opens, closes: often on a day that the example walks over."""
    return [
        (weekday, *draw(stretches()))
        for weekday in draw(st.lists(weekdays, max_size=7, unique=True))
    ]


@st.composite
def terms_of(draw: st.DrawFn) -> BookingTerms:
    step = draw(st.sampled_from([1, 5, 10, 15, 30, 60]))
    minimum = step * draw(st.integers(1, 3))
    return BookingTerms(
        step_minutes=step,
        minimum_minutes=minimum,
        maximum_minutes=minimum + step * draw(st.integers(0, 20)),
        notice_minutes=draw(st.sampled_from([0, 45, 1440])),
        horizon_days=draw(st.sampled_from([1, 3, 30])),
        before_minutes=draw(st.sampled_from([0, 10, 45])),
        after_minutes=draw(st.sampled_from([0, 15, 60])),
        seats=draw(st.integers(1, 3)),
        open_on_holidays=draw(st.booleans()),
        makeup_days=draw(st.sampled_from(["as_workday", "as_weekday"])),
    )


class Example:
    """A schedule, what is taken, who asks and when, over three days."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.first_day = draw(st.sampled_from(FIRST_DAYS))
        begins = datetime(*self.first_day.timetuple()[:3], tzinfo=BEIJING).astimezone(UTC)
        self.window = During(begins, begins + timedelta(days=DAYS))
        self.draw = draw
        self.user_class = draw(st.sampled_from(list(UserClass)))
        self.at = begins + draw(st.integers(-2 * 1440, DAYS * 1440)) * MINUTE
        self.general = self._schedule()
        self.schedule = self.general.for_class(self.user_class)
        statuses = st.sampled_from([Status.CONFIRMED, Status.REQUESTED, Status.HELD])
        self.taken = [
            Taken(
                draw(st.integers(1, self.general.terms.seats)),
                self.during(),
                status,
                None
                if status is Status.CONFIRMED
                else self.at + draw(st.integers(1, 999)) * MINUTE,
            )
            for status in draw(st.lists(statuses, max_size=5))
        ]
        self.oracle = Oracle(self.general, self.taken, self.user_class, self.at)

    def during(self) -> During:
        start = self.window.starts_at + self.draw(st.integers(-300, DAYS * 1440)) * MINUTE
        return During(start, start + self.draw(st.integers(1, 1500)) * MINUTE)

    def _schedule(self) -> Schedule:
        draw = self.draw
        dated = []
        for ahead in draw(st.lists(st.integers(0, DAYS - 1), max_size=2, unique=True)):
            day = self.first_day + timedelta(days=ahead)
            dated.append(DatedHours(day, *draw(stretches())))
        terms = draw(terms_of())
        return Schedule(
            1,
            2,
            "listed",
            terms,
            tuple(Hours(*one) for one in draw(weeks())),
            tuple(
                Closed(self.during(), "shut", kind)
                for kind in draw(st.lists(st.sampled_from(list(ClosureKind)), max_size=2))
            ),
            dated=tuple(dated),
            priority=tuple(
                PriorityHours(*one, draw(st.sampled_from([0, 60, 1440, 2880])))
                for one in draw(weeks())
            ),
            class_terms=tuple(
                ClassTerms(
                    user_class,
                    may_book=draw(st.sampled_from([True, True, True, False])),
                    notice_minutes=draw(st.sampled_from([None, 0, 120])),
                    horizon_days=draw(st.sampled_from([None, 2])),
                    maximum_minutes=draw(st.sampled_from([None, terms.minimum_minutes])),
                )
                for user_class in draw(st.sets(st.sampled_from(list(UserClass))))
            ),
            class_hours=tuple(
                ClassHours(*one, user_class)
                for user_class in draw(st.sets(st.sampled_from(list(UserClass)), max_size=2))
                for one in draw(weeks())
            ),
        )


examples = st.composite(Example)()


def holds(during: During, minute: Minute) -> bool:
    return during.starts_at <= minute.at < during.ends_at


@SLOW
@given(examples)
def test_free_time_is_every_minute_that_the_oracle_leaves_free(example: Example):
    found = free_intervals(example.schedule, example.taken, example.window, at=example.at)

    assert found == example.oracle.free(example.window)


@SLOW
@given(examples, st.data())
def test_a_refusal_names_every_rule_that_the_oracle_finds_broken(
    example: Example, data: st.DataObject
):
    step = example.general.terms.step_minutes
    start = (
        example.window.starts_at + step * data.draw(st.integers(0, DAYS * 1440 // step)) * MINUTE
    )
    crooked = data.draw(st.sampled_from([0, 0, 0, 1])) * MINUTE
    during = During(
        start + crooked, start + crooked + step * data.draw(st.integers(1, 40)) * MINUTE
    )

    found = refusals(example.schedule, during, purpose=Purpose.OWN_RESEARCH, at=example.at)

    assert {reason.rule for reason in found} == example.oracle.refusals(during)


@SLOW
@given(examples)
def test_every_minute_is_free_or_busy_for_the_reason_that_lasts_longest(example: Example):
    told = timetable(example.schedule, example.taken, example.window, at=example.at)

    for minute in minutes(example.window):
        reasons = [
            one.reason
            for one in told.busy
            if one.during.starts_at <= minute.at < one.during.ends_at
        ]
        free = [one for one in told.free if one.starts_at <= minute.at < one.ends_at]
        seats = [
            one.seats
            for one in told.seats
            if one.during.starts_at <= minute.at < one.during.ends_at
        ]
        reason = example.oracle.reason(minute)
        assert reasons == ([] if reason is None else [reason]), minute
        assert bool(free) == (reason is None)
        assert seats == ([] if reason else [example.oracle.seats_with_room(minute)])


@SLOW
@given(examples)
def test_what_is_told_to_free_a_time_does_free_it(example: Example):
    told = timetable(example.schedule, example.taken, example.window, at=example.at)

    for busy in told.busy:
        first = next(minutes(busy.during))
        if busy.free_at is None:
            assert busy.remedy != "wait"
            continue
        later = Oracle(
            example.general,
            [one for one in example.taken if not one.held_until or one.held_until > busy.free_at],
            example.user_class,
            busy.free_at,
        )
        match busy.reason:
            case "priority":
                stretch = min(minutes(busy.during), key=lambda minute: minute.at)
                assert not later.is_kept(stretch)
            case "held" | "requested":
                assert later.seats_with_room(first)
            case "horizon":
                assert first.at <= later.at + timedelta(days=later.horizon)
            case "maintenance" | "breakdown":
                assert busy.free_at >= busy.during.ends_at
            case _:
                raise AssertionError(busy)
    for busy in told.busy:
        if busy.reason == "other-class":
            first = next(minutes(busy.during))
            assert set(busy.classes) == example.oracle.open_to(first)


@SLOW
@given(examples)
def test_every_alternative_is_one_that_the_oracle_accepts(example: Example):
    asked = example.during()

    offered = alternatives(example.schedule, example.taken, asked, at=example.at)

    for one in offered:
        assert example.oracle.refusals(one.during) == set()
        assert any(
            all(example.oracle.has_room(minute, seat) for minute in minutes(one.during))
            for seat in range(1, example.general.terms.seats + 1)
        )
        if one.kind == "shorter":
            assert asked.covers(one.during)
            assert one.during.minutes * 100 >= asked.minutes * 75
