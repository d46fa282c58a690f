"""What recurs: skipped dates are kept with their reasons, and the past is never rewritten."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    OccurrenceReserved,
    RecurrenceMalformed,
    ReservationNotInState,
    ReservationOverlaps,
    SeriesOver,
    SeriesRefused,
)
from marketplace.booking.queries import (
    Purpose,
    SeriesSearch,
    SeriesWithDates,
    all_series,
    series,
)
from marketplace.booking.rules.series import SeriesScope
from marketplace.booking.use_cases import (
    CancelReservation,
    CancelSeries,
    ChangeSeries,
    MoveReservation,
    OpenSession,
    PlaceSeries,
    RetryOccurrence,
    SeriesAsked,
    cancel_reservation,
    cancel_series,
    change_series,
    move_reservation,
    open_session,
    place_series,
    preview_series,
    retry_occurrence,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    TEST,
    a_bookable_instrument,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

# Wednesdays from 5 March 2025 on, 9 to 11.
WEEKLY = "FREQ=WEEKLY;COUNT=4"


async def do(database: Database, use_case: Any, command: Any, *, by: Actor) -> Any:
    return await atomically(database, use_case, command, actor=by)


async def a_lab(database: Database, **terms: Any) -> tuple[Actor, int]:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    made = await a_bookable_instrument(database, provider_id=manager.organisation_id, **terms)
    return manager, made


def asked(instrument_id: int, rule: str = WEEKLY, **changes: Any) -> SeriesAsked:
    usual: dict[str, Any] = {
        "instrument_id": instrument_id,
        "starts_at": clock_at(2, 9),
        "minutes": 120,
        "rule": rule,
        "purpose": Purpose.TEACHING,
    }
    return SeriesAsked(**(usual | changes))


def week(number: int) -> datetime:
    return clock_at(2 + 7 * number, 9)


def story(found: SeriesWithDates) -> list[str]:
    """Each date: what became of it."""
    return [
        one.reservation.status.value
        if one.reservation
        else "/".join(reason["rule"] for reason in one.skipped_because)
        for one in found.occurrences
    ]


async def busy_third_week(database: Database, instrument_id: int) -> None:
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(16, 10, 12))


async def test_every_date_is_reserved_or_none(database: Database):
    manager, instrument_id = await a_lab(database)

    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    with pytest.raises(SeriesRefused) as refused:
        await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)

    assert story(made) == ["confirmed"] * 4
    assert [one.starts_at for one in made.occurrences] == [week(number) for number in range(4)]
    assert {one.reservation.series_id for one in made.occurrences} == {made.series.id}
    assert made.series.rule == WEEKLY
    assert len(refused.value.extras["dates"]) == 4
    assert [reason.rule for reason in refused.value.reasons] == ["busy"] * 4
    listed = await do(
        database, all_series, SeriesSearch(instrument_id=instrument_id, running=True), by=manager
    )
    assert (listed.total, listed.series) == (1, [made.series])


async def test_dates_that_are_not_free_are_left_out_and_kept_with_their_reasons(
    database: Database,
):
    manager, instrument_id = await a_lab(database, horizon_days=20)
    await busy_third_week(database, instrument_id)
    command = asked(instrument_id)

    previewed = await do(database, preview_series, command, by=manager)
    with pytest.raises(SeriesRefused):
        await do(database, place_series, PlaceSeries(command), by=manager)
    skipping = PlaceSeries(command, skip_conflicts=True)
    made = await do(database, place_series, skipping, by=manager)

    rules = [[reason.rule for reason in one.reasons] for one in previewed]
    assert rules == [[], [], ["busy"], ["horizon"]]
    assert story(made) == ["confirmed", "confirmed", "busy", "horizon"]
    assert made == await do(database, series, made.series.id, by=manager)
    nothing_free = asked(instrument_id, "FREQ=WEEKLY;COUNT=2")
    with pytest.raises(SeriesRefused):
        await do(database, place_series, PlaceSeries(nothing_free, skip_conflicts=True), by=manager)


async def test_a_date_that_was_left_out_is_taken_up_when_it_is_free(
    database: Database, clock: SetClock
):
    manager, instrument_id = await a_lab(database)
    in_the_way = await a_reservation(
        database, instrument_id=instrument_id, during=at_hours(16, 10, 12)
    )
    skipping = PlaceSeries(asked(instrument_id), skip_conflicts=True)
    made = await do(database, place_series, skipping, by=manager)
    retry = RetryOccurrence(made.series.id, week(2))

    with pytest.raises(ReservationOverlaps) as refused:
        await do(database, retry_occurrence, retry, by=manager)
    assert refused.value.alternatives
    gone = CancelReservation(in_the_way.id, "gone", by_provider=True)
    await do(database, cancel_reservation, gone, by=TEST)
    assert story(await do(database, retry_occurrence, retry, by=manager)) == ["confirmed"] * 4
    with pytest.raises(OccurrenceReserved):
        await do(database, retry_occurrence, retry, by=manager)
    # A date of its own, which the rule does not name.
    extra = RetryOccurrence(made.series.id, clock_at(4, 9))
    assert len((await do(database, retry_occurrence, extra, by=manager)).occurrences) == 5


async def test_one_date_moves_and_keeps_its_place_in_the_series(database: Database):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)

    command = ChangeSeries(made.series.id, SeriesScope.THIS, week(1), starts_at=clock_at(9, 14))
    changed = await do(database, change_series, command, by=manager)
    shorter = ChangeSeries(made.series.id, SeriesScope.THIS, week(1), minutes=60)
    again = await do(database, change_series, shorter, by=manager)

    assert [one.starts_at for one in changed.occurrences] == [week(number) for number in range(4)]
    moved = changed.occurrences[1].reservation
    assert moved is not None
    assert moved.during == at_hours(9, 14, 16)
    assert again.occurrences[1].reservation.during == at_hours(9, 14, 15)
    assert changed.occurrences[2] == made.occurrences[2]


async def test_this_and_all_that_follow_become_a_series_of_their_own(database: Database):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    # Given back by itself: it does not come back with the change.
    given_back = CancelReservation(made.occurrences[3].reservation.id, "holiday", True)
    await do(database, cancel_reservation, given_back, by=manager)

    command = ChangeSeries(
        made.series.id, SeriesScope.FOLLOWING, week(2), starts_at=clock_at(16, 14), minutes=60
    )
    following = await do(database, change_series, command, by=manager)
    before = await do(database, series, made.series.id, by=manager)

    assert following.series.follows_id == made.series.id
    assert (following.series.rule, following.series.minutes) == ("FREQ=WEEKLY;COUNT=2", 60)
    assert story(following) == ["confirmed", "given-back"]
    assert following.occurrences[0].reservation.during == at_hours(16, 14, 15)
    assert story(before) == ["confirmed", "confirmed", "cancelled", "cancelled"]
    assert before.occurrences[:2] == made.occurrences[:2]
    assert before.series.rule == "FREQ=WEEKLY;UNTIL=20250312T010000Z"
    assert before.series.ended_at is not None
    with pytest.raises(SeriesOver):
        await do(database, change_series, command, by=manager)
    retry = RetryOccurrence(made.series.id, week(2))
    with pytest.raises(SeriesOver):
        await do(database, retry_occurrence, retry, by=manager)


async def test_all_means_all_that_lie_ahead(database: Database, clock: SetClock):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    clock.set(clock_at(2, 9))
    await do(database, open_session, OpenSession(made.occurrences[0].reservation.id), by=manager)
    clock.set(clock_at(9, 9.5))

    daily = ChangeSeries(
        made.series.id, SeriesScope.ALL, rule="FREQ=DAILY;COUNT=2", starts_at=clock_at(16, 9)
    )
    following = await do(database, change_series, daily, by=manager)
    before = await do(database, series, made.series.id, by=manager)

    assert story(before) == ["in_use", "confirmed", "cancelled", "cancelled"]
    assert (
        before.occurrences[:2]
        == ((await do(database, series, made.series.id, by=manager)).occurrences[:2])
    )
    assert [one.starts_at for one in following.occurrences] == [week(2), clock_at(17, 9)]
    assert before.series.rule == "FREQ=WEEKLY;UNTIL=20250312T010000Z"


async def test_a_change_that_is_not_possible_leaves_everything_as_it_was(database: Database):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    await a_reservation(database, instrument_id=instrument_id, during=at_hours(16, 14, 15))
    later = ChangeSeries(made.series.id, SeriesScope.ALL, starts_at=clock_at(2, 14))

    with pytest.raises(SeriesRefused):
        await do(database, change_series, later, by=manager)
    assert await do(database, series, made.series.id, by=manager) == made

    skipping = ChangeSeries(
        made.series.id, SeriesScope.ALL, starts_at=clock_at(2, 14), skip_conflicts=True
    )
    following = await do(database, change_series, skipping, by=manager)
    assert story(following) == ["confirmed", "confirmed", "busy", "confirmed"]


async def test_a_series_is_given_back_from_a_date_on_or_all_of_it(
    database: Database, clock: SetClock
):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)

    one = CancelSeries(made.series.id, SeriesScope.THIS, "ill", week(0))
    assert story(await do(database, cancel_series, one, by=manager))[0] == "cancelled"
    with pytest.raises(ReservationNotInState):
        await do(database, cancel_series, one, by=manager)
    clock.set(clock_at(9, 9.5))
    from_now = CancelSeries(made.series.id, SeriesScope.FOLLOWING, "no course", week(1))
    with pytest.raises(SeriesOver):
        await do(database, cancel_series, from_now, by=manager)
    from_third = CancelSeries(made.series.id, SeriesScope.FOLLOWING, "no course", week(2))
    cancelled = await do(database, cancel_series, from_third, by=manager)

    assert story(cancelled) == ["cancelled", "confirmed", "cancelled", "cancelled"]
    assert cancelled.series.ended_at == clock.now()
    assert cancelled.occurrences[2].reservation.reason == "no course"
    everything = CancelSeries(made.series.id, SeriesScope.ALL, "no course")
    with pytest.raises(SeriesOver):
        await do(database, cancel_series, everything, by=manager)


async def test_a_series_without_a_date_ahead_is_over(database: Database, clock: SetClock):
    manager, instrument_id = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    clock.set(week(3) + timedelta(hours=1))

    attempts: list[tuple[Any, Any]] = [
        (cancel_series, CancelSeries(made.series.id, SeriesScope.ALL, "too late")),
        (change_series, ChangeSeries(made.series.id, SeriesScope.ALL, minutes=60)),
    ]
    for use_case, command in attempts:
        with pytest.raises(SeriesOver):
            await do(database, use_case, command, by=manager)


async def test_a_series_is_ones_own_and_makes_sense(database: Database):
    manager, instrument_id = await a_lab(database)
    stranger, _ = await a_lab(database)
    made = await do(database, place_series, PlaceSeries(asked(instrument_id)), by=manager)
    number = made.series.id

    this, following = SeriesScope.THIS, SeriesScope.FOLLOWING
    attempts: list[tuple[Any, Any, type[Exception]]] = [
        (place_series, PlaceSeries(asked(instrument_id, "FREQ=YEARLY")), RecurrenceMalformed),
        (place_series, PlaceSeries(asked(instrument_id, "FREQ=DAILY;COUNT=101")), SeriesRefused),
        (
            place_series,
            PlaceSeries(asked(instrument_id, purpose=Purpose.EXTERNAL)),
            ExternalTimeIsOrdered,
        ),
        (change_series, ChangeSeries(number, SeriesScope.ALL), SeriesRefused),
        (
            change_series,
            ChangeSeries(number, this, week(0), rule=WEEKLY),
            SeriesRefused,
        ),
        (
            change_series,
            ChangeSeries(number, SeriesScope.THIS, clock_at(3, 9), minutes=60),
            Missing,
        ),
        (change_series, ChangeSeries(number, following, None, minutes=60), SeriesRefused),
        (change_series, ChangeSeries(number, following, clock_at(3, 9), minutes=60), Missing),
    ]
    for use_case, command, refusal in attempts:
        with pytest.raises(refusal):
            await do(database, use_case, command, by=manager)
    by_others: list[tuple[Any, Any, type[Exception]]] = [
        (place_series, PlaceSeries(asked(instrument_id)), InstrumentMissing),
        (preview_series, asked(instrument_id), InstrumentMissing),
        (series, number, Missing),
        (change_series, ChangeSeries(number, SeriesScope.ALL, minutes=60), Missing),
        (cancel_series, CancelSeries(number, SeriesScope.ALL, "not mine"), Missing),
        (retry_occurrence, RetryOccurrence(number, week(0)), Missing),
    ]
    for use_case, command, refusal in by_others:
        with pytest.raises(refusal):
            await do(database, use_case, command, by=stranger)


async def test_what_was_left_out_is_not_moved(database: Database):
    manager, instrument_id = await a_lab(database)
    await busy_third_week(database, instrument_id)
    skipping = PlaceSeries(asked(instrument_id), skip_conflicts=True)
    made = await do(database, place_series, skipping, by=manager)

    move = ChangeSeries(made.series.id, SeriesScope.THIS, week(2), minutes=60)
    with pytest.raises(ReservationNotInState):
        await do(database, change_series, move, by=manager)
    direct = MoveReservation(made.occurrences[0].reservation.id, at_hours(3, 9, 11))
    await do(database, move_reservation, direct, by=manager)
    found = await do(database, series, made.series.id, by=manager)
    assert found.occurrences[0].starts_at == week(0)
