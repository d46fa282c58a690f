"""Busy times from calendars outside the platform: how they land, and what they keep out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from marketplace.booking.errors import (
    CalendarFileUnreadable,
    ReservationRefused,
    SourceMissing,
    SourceNamed,
    SourceOfOtherKind,
    SourceRefused,
)
from marketplace.booking.queries import busy_times, conflicts, own_source
from marketplace.booking.queries.outside_busy import (
    ConflictSearch,
    SourceSearch,
    TimesAsked,
    sources,
)
from marketplace.booking.rules.busy_sources import SOURCES_MAX, PushMode, SourceKind
from marketplace.booking.rules.ical_reading import OutsideTime, window_of_import
from marketplace.booking.use_cases import (
    AddSource,
    ChangeSource,
    Landed,
    LandFile,
    PushTimes,
    RemoveSource,
    add_source,
    change_source,
    land_file,
    outside_files,
    push_times,
    read_in_own_process,
    remove_source,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.db import Database
from marketplace.kernel.time import During, SetClock
from tests.builders.booking import a_reservation, at_hours
from tests.builders.outside_lab import Lab, a_file, a_lab, a_time


@pytest_asyncio.fixture
async def lab(database: Database, clock: SetClock) -> Lab:
    return await a_lab(database, clock)


async def test_a_time_in_an_outside_calendar_keeps_reservations_out_like_a_closure(lab: Lab):
    source = await lab.source(SourceKind.UPLOAD)
    content = a_file(a_time("a", 2, summary="私人安排"))
    read = await read_in_own_process(content, window_of_import(lab.clock.now()))
    landed = await lab.do(land_file, LandFile(source.id, read))

    assert landed == Landed(times=1, added=1, changed=0, removed=0, conflicts=0)
    with pytest.raises(ReservationRefused) as refused:
        await a_reservation(
            lab.database, instrument_id=lab.instrument_id, during=at_hours(2, 10, 12)
        )
    assert "私人安排" not in str(refused.value)
    busy = await lab.busy(2)
    assert len(busy) == 1
    assert not any("私人安排" in part for reason in busy for part in reason)
    await a_reservation(lab.database, instrument_id=lab.instrument_id, during=at_hours(2, 11, 13))


async def test_a_bad_file_says_everything_that_is_wrong_and_keeps_the_last_good_times(lab: Lab):
    source = await lab.source(SourceKind.UPLOAD)
    within = window_of_import(lab.clock.now())
    good = await read_in_own_process(a_file(a_time("a", 2)), within)
    await lab.do(land_file, LandFile(source.id, good))
    bad = a_file(a_time("a", 3)).replace(b"DTSTART:2025", b"DTSTART:202x")
    with pytest.raises(CalendarFileUnreadable) as refused:
        await lab.do(land_file, LandFile(source.id, await read_in_own_process(bad, within)))

    assert [reason.message[:6] for reason in refused.value.reasons] == ["line 5"]
    assert await lab.held(source) == ["a 03-05 01"]


async def test_a_file_that_asks_for_endless_work_harms_nobody(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outside_files, "SECONDS_MAX", 3.0)
    never = b"RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nEND:VEVENT"
    events = [a_time(f"{number}", 2) for number in range(200)]
    hostile = a_file(*events).replace(b"END:VEVENT", never)
    found = await read_in_own_process(hostile, window_of_import(lab.clock.now()))

    assert [problem.rule for problem in found.problems] == ["work"]


async def test_pushing_the_same_list_again_changes_nothing(lab: Lab):
    source = await lab.source(SourceKind.PUSH)
    times = [a_time("a", 2), a_time("b", 3), OutsideTime("b", "2", at_hours(4, 9, 10), "b")]
    first = await lab.push(source, *times)
    rows = "select string_agg(xmin::text, ',' order by uid, recurrence_id) from outside_busy"
    events = "select count(*) from outbox_event where name = 'OutsideTimesChanged'"
    before = (await lab.count(rows), await lab.count(events))
    again = await lab.push(source, *times)

    assert first == Landed(times=3, added=3, changed=0, removed=0, conflicts=0)
    assert again == Landed(times=3, added=0, changed=0, removed=0, conflicts=0)
    # Not even rewritten: nobody is told of a change that is none.
    assert (await lab.count(rows), await lab.count(events)) == before


async def test_only_what_differs_is_written_and_told(lab: Lab):
    source = await lab.source(SourceKind.PUSH)
    await lab.push(source, a_time("a", 2), a_time("b", 3), a_time("c", 4))
    moved = await lab.push(source, a_time("a", 2), a_time("b", 5), a_time("d", 6))
    told = await lab.count("select payload from outbox_event order by id desc limit 1")

    assert moved == Landed(times=3, added=1, changed=1, removed=1, conflicts=0)
    # From where b was to where d is.
    assert datetime.fromisoformat(told["starts_at"]) == at_hours(3, 9, 11).starts_at
    assert datetime.fromisoformat(told["ends_at"]) == at_hours(6, 9, 11).ends_at
    assert told["instrument_id"] == lab.instrument_id


async def test_upserting_adds_and_takes_back_by_name_and_forgets_what_is_over(lab: Lab):
    source = await lab.source(SourceKind.PUSH)
    await lab.push(source, a_time("a", 2), a_time("b", 3))
    upsert = {"mode": PushMode.UPSERT}
    landed = await lab.push(source, a_time("c", 4), gone=["a", "never"], **upsert)
    assert landed == Landed(times=2, added=1, changed=0, removed=1, conflicts=0)
    lab.clock.set(at_hours(6, 0, 1).starts_at)
    later = await lab.push(source, a_time("d", 9), a_time("old", 1), **upsert)

    # What was over for a day went; what was sent too late never came.
    assert later == Landed(times=1, added=1, changed=0, removed=2, conflicts=0)
    assert await lab.held(source) == ["d 03-12 01"]


async def test_a_reservation_that_stands_is_listed_as_a_conflict_and_never_cancelled(lab: Lab):
    placed = await a_reservation(
        lab.database, instrument_id=lab.instrument_id, during=at_hours(2, 9, 11)
    )
    await a_reservation(lab.database, instrument_id=lab.instrument_id, during=at_hours(2, 12, 13))
    source = await lab.source(SourceKind.PUSH)
    landed = await lab.push(source, a_time("a", 2, 10, 12, "年度检修"), a_time("b", 3))
    found = await lab.do(conflicts, ConflictSearch(instrument_id=lab.instrument_id))

    assert landed.conflicts == found.total == 1
    (conflict,) = found.conflicts
    assert (conflict.reservation_id, conflict.status) == (placed.id, placed.status)
    assert (conflict.uid, conflict.summary, conflict.source_name) == ("a", "年度检修", "our push")
    others = await lab.do(conflicts, ConflictSearch(), by=lab.stranger)
    assert others.total == 0
    # What is over cannot be helped any more.
    lab.clock.set(placed.ends_at)
    assert (await lab.do(conflicts, ConflictSearch(source_id=source.id))).total == 0


async def test_what_cannot_be_kept_says_why(lab: Lab):
    push = await lab.source(SourceKind.PUSH)
    upload = await lab.source(SourceKind.UPLOAD)
    a = a_time("a", 2)
    with pytest.raises(SourceRefused) as twice:
        await lab.push(push, a, a_time("b", 3), a, gone=["c"])
    assert [reason.rule for reason in twice.value.reasons] == ["uid", "gone"]
    with pytest.raises(SourceOfOtherKind):
        await lab.push(upload, a)
    with pytest.raises(SourceNamed):
        await lab.source(SourceKind.PUSH)
    for url in (None, "http://calendar.example/a.ics", "https://10.0.0.1/a.ics"):
        with pytest.raises(SourceRefused):
            await lab.source(SourceKind.URL, url=url)
    with pytest.raises(SourceRefused):
        await lab.source(SourceKind.PUSH, url="https://calendar.example/a.ics", name="other")
    many = [OutsideTime(f"{n}", "", During(*hour(n)), "") for n in range(1500)]
    await lab.push(push, *many, mode=PushMode.UPSERT)
    more = [replace(each, uid=f"more-{each.uid}") for each in many]
    with pytest.raises(SourceRefused, match="at most 2000"):
        await lab.push(push, *more, mode=PushMode.UPSERT)
    assert (await lab.do(own_source, push.id)).times == 1500
    for number in range(SOURCES_MAX - 2):
        await lab.source(SourceKind.PUSH, name=f"number {number}")
    with pytest.raises(SourceRefused) as full:
        await lab.source(SourceKind.PUSH, name="one too many")
    assert full.value.reasons[0].limit == SOURCES_MAX


def hour(number: int) -> tuple[datetime, datetime]:
    begins = at_hours(1, 0, 1).starts_at + timedelta(hours=number)
    return begins, begins + timedelta(hours=1)


async def test_an_outside_calendar_is_its_providers_alone(lab: Lab):
    source = await lab.source(SourceKind.PUSH)
    with pytest.raises(InstrumentMissing):
        await lab.do(
            add_source, AddSource(lab.instrument_id, SourceKind.PUSH, "theirs"), by=lab.stranger
        )
    for use_case, command in (
        (own_source, source.id),
        (busy_times, TimesAsked(source.id)),
        (push_times, PushTimes(source.id, PushMode.REPLACE, [])),
        (change_source, ChangeSource(source.id, name="mine")),
        (remove_source, RemoveSource(source.id)),
    ):
        with pytest.raises(SourceMissing):
            await lab.do(use_case, command, by=lab.stranger)
    assert (await lab.do(sources, SourceSearch(), by=lab.stranger)).total == 0
