"""Why a time is not free, what would free it and when; and what could be had instead."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from marketplace.booking.rules.alternatives import alternatives
from marketplace.booking.rules.floor import Use, floor_weeks
from marketplace.booking.rules.hits import would_hit
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
from marketplace.booking.rules.states import Status, UserClass
from marketplace.booking.rules.timetable import Busy, Remedy, timetable
from marketplace.kernel.time import During, shanghai_instant

MONDAY = date(2025, 3, 3)
NOW = shanghai_instant(MONDAY, 9 * 60)
TERMS = BookingTerms(
    step_minutes=30,
    minimum_minutes=60,
    maximum_minutes=480,
    notice_minutes=60,
    horizon_days=14,
)
OFFICE = Schedule(
    1, 2, "listed", TERMS, tuple(Hours(weekday, 8 * 60, 18 * 60) for weekday in range(5))
).for_class(UserClass.ENTERPRISE)


def on(day: int, from_hour: float, until_hour: float) -> During:
    midnight = shanghai_instant(MONDAY + timedelta(days=day))
    return During(midnight + timedelta(hours=from_hour), midnight + timedelta(hours=until_hour))


def changed(**changes: object) -> Schedule:
    general = replace(OFFICE.in_general, **changes)  # type: ignore[arg-type]
    return general.for_class(UserClass.ENTERPRISE)


HELD_UNTIL = on(1, 7, 8).starts_at


@pytest.mark.parametrize(
    ("schedule", "taken", "within", "expected"),
    [
        (OFFICE, [], on(0, 8, 9), ("past", Remedy.NONE, None)),
        (OFFICE, [], on(0, 9, 10), ("notice", Remedy.ASK_STAFF, None)),
        (OFFICE, [], on(14, 10, 11), ("horizon", Remedy.WAIT, on(0, 10, 11).starts_at)),
        (OFFICE, [], on(5, 9, 10), ("outside-opening-hours", Remedy.ASK_STAFF, None)),
        (
            changed(terms=replace(TERMS, horizon_days=60)),
            [],
            on(32, 9, 10),
            ("public-holiday", Remedy.ASK_STAFF, None),
        ),
        (
            changed(closures=(Closed(on(1, 8, 20), "moving"),)),
            [],
            on(1, 9, 10),
            ("closed", Remedy.ASK_STAFF, None),
        ),
        (
            changed(closures=(Closed(on(1, 8, 20), "pump", ClosureKind.BREAKDOWN),)),
            [],
            on(1, 9, 10),
            ("breakdown", Remedy.WAIT, on(1, 20, 21).starts_at),
        ),
        (
            changed(closures=(Closed(on(1, 8, 20), "taken", ClosureKind.OUTSIDE),)),
            [],
            on(1, 9, 10),
            ("outside", Remedy.ASK_STAFF, None),
        ),
        (
            changed(priority=(PriorityHours(1, 480, 720, 180),)),
            [],
            on(1, 9, 10),
            ("priority", Remedy.WAIT, on(1, 5, 6).starts_at),
        ),
        (OFFICE, [Taken(1, on(1, 9, 10))], on(1, 9, 10), ("reserved", Remedy.WAITLIST, None)),
        (
            OFFICE,
            [Taken(1, on(1, 9, 10), Status.REQUESTED, HELD_UNTIL)],
            on(1, 9, 10),
            ("requested", Remedy.WAITLIST, HELD_UNTIL),
        ),
        *(
            (
                OFFICE,
                [Taken(1, on(1, 9, 10), status, HELD_UNTIL)],
                on(1, 9, 10),
                ("held", Remedy.WAIT, HELD_UNTIL),
            )
            for status in (Status.HELD, Status.OFFERED)
        ),
    ],
)
def test_each_reason_comes_with_what_would_free_the_time(
    schedule: Schedule,
    taken: list[Taken],
    within: During,
    expected: tuple[str, Remedy, datetime | None],
):
    told = timetable(schedule, taken, within, at=NOW)

    (busy,) = told.busy
    assert (busy.reason, busy.remedy, busy.free_at) == expected
    assert busy.during == within
    assert (told.free, told.seats) == ((), ())


def test_hours_that_only_others_have_name_their_classes():
    evenings = changed(
        class_hours=(
            *(ClassHours(weekday, 480, 1320, UserClass.OWN_UNIT) for weekday in range(5)),
            *(ClassHours(weekday, 480, 1200, UserClass.ACADEMIC) for weekday in range(5)),
        )
    )

    told = timetable(evenings, [], on(1, 17, 23), at=NOW)

    assert [(one.reason, one.during, one.classes) for one in told.busy] == [
        ("other-class", on(1, 18, 20), (UserClass.OWN_UNIT, UserClass.ACADEMIC)),
        ("other-class", on(1, 20, 22), (UserClass.OWN_UNIT,)),
        ("outside-opening-hours", on(1, 22, 23), ()),
    ]
    assert {one.remedy for one in told.busy} == {Remedy.ORDER_AS_CLASS, Remedy.ASK_STAFF}


@pytest.mark.parametrize(
    ("others_may", "remedy"), [(True, Remedy.ORDER_AS_CLASS), (False, Remedy.ASK_STAFF)]
)
def test_a_class_that_may_not_book_is_shown_who_may(others_may: bool, remedy: Remedy):
    shut = changed(
        class_terms=(
            ClassTerms(UserClass.ENTERPRISE, may_book=False),
            ClassTerms(UserClass.OWN_UNIT, may_book=others_may),
            ClassTerms(UserClass.ACADEMIC, may_book=False),
        )
    )

    told = timetable(shut, [], on(1, 8, 18), at=NOW)

    assert [(one.reason, one.remedy, one.classes) for one in told.busy] == [
        ("class", remedy, (UserClass.OWN_UNIT,) if others_may else ())
    ]


def test_a_time_is_held_only_where_no_seat_is_taken_for_good_on_every_side():
    """Seat 1 is taken for good all morning, seat 2 first held, then reserved."""
    two = changed(terms=replace(TERMS, seats=2))
    taken = [
        Taken(1, on(1, 8, 12)),
        Taken(2, on(1, 8, 10), Status.HELD, HELD_UNTIL),
        Taken(2, on(1, 10, 11)),
    ]

    told = timetable(two, taken, on(1, 8, 13), at=NOW)

    assert [(one.reason, one.during) for one in told.busy] == [
        ("held", on(1, 8, 10)),
        ("reserved", on(1, 10, 11)),
    ]
    assert [(one.during, one.seats) for one in told.seats] == [
        (on(1, 11, 12), 1),
        (on(1, 12, 13), 2),
    ]
    assert told.free == (on(1, 11, 13),)


def test_the_own_unit_sees_the_rest_of_a_week_kept_for_others():
    terms = replace(TERMS, outside_floor_minutes=600, outside_floor_lapses_minutes=60)
    own = replace(OFFICE.in_general, terms=terms).for_class(UserClass.OWN_UNIT)
    weeks = floor_weeks(own, on(3, 8, 18), [Use(on(day, 8, 18), own=True) for day in range(1, 5)])

    told = timetable(own, [], on(3, 8, 9), at=NOW, floors=weeks)

    assert told.busy == (
        Busy(
            on(3, 8, 9),
            "outside-floor",
            "What is left of the week is kept for others.",
            Remedy.WAIT,
            on(3, 7, 8).starts_at,
        ),
    )


# ── Alternatives ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("taken", "asked", "shorter"),
    [
        # Four hours asked: three is a quarter less, two and a half is not.
        ([on(1, 15, 16)], on(1, 12, 16), on(1, 12, 15)),
        ([on(1, 14.5, 16)], on(1, 12, 16), None),
        ([on(1, 11, 13)], on(1, 12, 16), on(1, 13, 16)),
        ([on(1, 12, 12.5), on(1, 15.5, 16)], on(1, 12, 16), on(1, 12.5, 15.5)),
    ],
)
def test_a_shorter_time_keeps_three_quarters_of_what_was_asked(
    taken: list[During], asked: During, shorter: During | None
):
    offered = alternatives(OFFICE, [Taken(1, one) for one in taken], asked, at=NOW)

    found = [one.during for one in offered if one.kind == "shorter"]
    assert found == ([] if shorter is None else [shorter])


def test_what_the_asker_could_not_take_is_not_offered():
    after_noon = on(1, 12, 13).starts_at

    offered = alternatives(
        OFFICE,
        [Taken(1, on(1, 9, 11))],
        on(1, 9, 11),
        at=NOW,
        accept=lambda during: during.starts_at >= after_noon,
    )

    assert [one.during for one in offered] == [on(1, 13, 15), on(1, 15, 17), on(2, 8, 10)]


# ── What a change would hit ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "during", "hit"),
    [
        ({"hours": (Hours(1, 480, 720),)}, on(1, 9, 11), False),
        ({"hours": (Hours(1, 480, 720),)}, on(1, 11, 13), True),
        ({"dated": (DatedHours(MONDAY + timedelta(days=1), 600, 720),)}, on(1, 9, 11), True),
        ({"dated": (DatedHours(MONDAY + timedelta(days=2), 600, 720),)}, on(1, 9, 11), False),
        ({"priority": (PriorityHours(1, 480, 720, 60),)}, on(1, 9, 11), True),
        ({"class_hours": (ClassHours(1, 0, 60, UserClass.ENTERPRISE),)}, on(1, 9, 11), True),
        ({"class_hours": (ClassHours(1, 0, 60, UserClass.ACADEMIC),)}, on(1, 9, 11), False),
        # Reserved outside hours with a reason: no change of hours takes it away.
        ({"hours": ()}, on(1, 20, 21), False),
    ],
)
def test_a_change_hits_what_fits_today_and_would_not_fit_after_it(
    change: dict, during: During, hit: bool
):
    present = OFFICE.in_general

    assert hit is would_hit(
        present,
        replace(present, **change),
        during,
        user_class=UserClass.ENTERPRISE,
        at=NOW,
    )
