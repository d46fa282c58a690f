"""Outside calendars that are fetched: when, from where, and what happens when that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from marketplace.booking.errors import (
    SourceMissing,
    SourceOfOtherKind,
)
from marketplace.booking.queries import own_source
from marketplace.booking.queries.outside_busy import (
    SourceSearch,
    sources,
)
from marketplace.booking.rules.busy_sources import SourceKind
from marketplace.booking.use_cases import (
    ChangeSource,
    RefreshSource,
    RemoveSource,
    change_source,
    fetch_outside_times,
    refresh_source,
    remove_source,
)
from marketplace.booking.use_cases.outside_fetch import NoteFetched, claim_due_sources, note_fetched
from marketplace.kernel.db import Database
from marketplace.kernel.settings import settings
from marketplace.kernel.time import SetClock
from tests.builders.booking import TEST, at_hours
from tests.builders.outside import OutsideServer
from tests.builders.outside_lab import Lab, a_fetcher, a_file, a_lab, a_time


@pytest_asyncio.fixture
async def lab(database: Database, clock: SetClock) -> Lab:
    return await a_lab(database, clock)


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[OutsideServer]:
    async with OutsideServer() as server:
        yield server


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator allowed the test's own server."""
    monkeypatch.setenv("MARKETPLACE_OUTSIDE_HOSTS_ALLOWED", "calendar.campus, LocalHost")
    settings.cache_clear()
    yield
    settings.cache_clear()


async def test_a_source_is_fetched_when_due_and_asked_only_what_changed(
    lab: Lab, outside: OutsideServer
):
    outside.files["/a.ics"] = a_file(a_time("a", 2), a_time("b", 3))
    source = await lab.source(SourceKind.URL, url=outside.url("/a.ics"))
    fetcher = a_fetcher(outside)

    assert await fetch_outside_times(lab.database, fetcher) == 1
    assert await lab.held(source) == ["a 03-05 01", "b 03-06 01"]
    assert await fetch_outside_times(lab.database, fetcher) == 0
    lab.clock.set(lab.clock.now() + timedelta(minutes=15))
    assert await fetch_outside_times(lab.database, fetcher) == 1
    # The second time the server had nothing new.
    assert [len(each.headers.get("if-none-match", "")) for each in outside.asked] == [0, 10]
    outside.files["/a.ics"] = a_file(a_time("b", 4))
    lab.clock.set(lab.clock.now() + timedelta(minutes=15))
    await fetch_outside_times(lab.database, fetcher)
    found = await lab.do(own_source, source.id)

    assert await lab.held(source) == ["b 03-07 01"]
    assert (found.failures, found.stale, found.times) == (0, False, 1)
    assert found.fetched_at == lab.clock.now()
    assert found.due_at == lab.clock.now() + timedelta(minutes=15)
    # After a week it is read in full all the same: days further ahead came near.
    lab.clock.set(lab.clock.now() + timedelta(days=8))
    await fetch_outside_times(lab.database, fetcher)
    assert "if-none-match" not in outside.asked[-1].headers


async def test_a_source_that_fails_keeps_its_last_good_times_and_is_asked_less_and_less(
    lab: Lab, outside: OutsideServer
):
    outside.files["/a.ics"] = a_file(a_time("a", 2))
    source = await lab.source(SourceKind.URL, url=outside.url("/a.ics"))
    fetcher = a_fetcher(outside)
    await fetch_outside_times(lab.database, fetcher)
    good_at = lab.clock.now()
    del outside.files["/a.ics"]
    waits = []
    for _ in range(9):
        due_at = (await lab.do(own_source, source.id)).due_at
        waits.append((due_at - lab.clock.now()) // timedelta(minutes=1))
        lab.clock.set(due_at)
        assert await fetch_outside_times(lab.database, fetcher) == 1
    failed = await lab.do(own_source, source.id)

    assert waits == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    assert (failed.failures, failed.error) == (9, "The server answered 404.")
    assert failed.fetched_at == good_at
    assert failed.stale
    assert await lab.held(source) == ["a 03-05 01"]
    stale = await lab.do(sources, SourceSearch(stale=True))
    assert [each.id for each in stale.sources] == [source.id]
    # A file that cannot be read says why, by line; a person may ask again at once.
    outside.files["/a.ics"] = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\nEND:VCALENDAR"
    await lab.do(refresh_source, RefreshSource(source.id))
    assert await fetch_outside_times(lab.database, fetcher) == 1
    bad = await lab.do(own_source, source.id)
    assert [(each["line"], each["rule"]) for each in bad.problems] == [(3, "instant")]
    # And when it is well again, so is everything.
    outside.files["/a.ics"] = a_file(a_time("a", 20))
    await lab.do(refresh_source, RefreshSource(source.id))
    await fetch_outside_times(lab.database, fetcher)
    well = await lab.do(own_source, source.id)
    assert (well.failures, well.error, well.problems, well.stale) == (0, None, [], False)
    assert (await lab.do(sources, SourceSearch(stale=True))).total == 0


async def test_two_workers_never_fetch_one_source_at_once_and_an_overtaken_fetch_lands_nothing(
    lab: Lab, outside: OutsideServer
):
    source = await lab.source(SourceKind.URL, url=outside.url("/a.ics"))
    (first,) = await lab.do(claim_due_sources, 4, by=TEST)
    assert await lab.do(claim_due_sources, 4, by=TEST) == []
    # The first worker was killed; after a while another one takes over.
    lab.clock.set(lab.clock.now() + timedelta(minutes=10))
    (second,) = await lab.do(claim_due_sources, 4, by=TEST)

    late = NoteFetched(source.id, first.attempt, error="too late")
    assert await lab.do(note_fetched, late, by=TEST) is False
    assert await lab.do(note_fetched, NoteFetched(source.id, second.attempt), by=TEST) is True
    # Another address meanwhile: what came from the one before is none of its times.
    lab.clock.set(lab.clock.now() + timedelta(minutes=15))
    (third,) = await lab.do(claim_due_sources, 4, by=TEST)
    await lab.do(change_source, ChangeSource(source.id, url=outside.url("/b.ics")))
    assert await lab.do(note_fetched, NoteFetched(source.id, third.attempt), by=TEST) is False
    await lab.do(remove_source, RemoveSource(source.id))
    assert await lab.do(note_fetched, NoteFetched(source.id, third.attempt), by=TEST) is False


async def test_a_paused_source_keeps_its_times_and_a_removed_one_frees_them(
    lab: Lab, outside: OutsideServer
):
    outside.files["/a.ics"] = a_file(a_time("a", 2))
    source = await lab.source(SourceKind.URL, url=outside.url("/a.ics"))
    fetcher = a_fetcher(outside)
    await fetch_outside_times(lab.database, fetcher)
    paused = await lab.do(change_source, ChangeSource(source.id, name="旧日历", paused=True))
    lab.clock.set(lab.clock.now() + timedelta(hours=3))

    assert (paused.name, paused.due_at) == ("旧日历", None)
    assert await fetch_outside_times(lab.database, fetcher) == 0
    assert await lab.held(source) == ["a 03-05 01"]
    with pytest.raises(SourceOfOtherKind):
        await lab.do(refresh_source, RefreshSource(source.id))
    resumed = await lab.do(change_source, ChangeSource(source.id, paused=False))
    assert resumed.due_at == lab.clock.now()

    await lab.do(remove_source, RemoveSource(source.id))
    assert await lab.busy(2) == []
    with pytest.raises(SourceMissing):
        await lab.do(own_source, source.id)
    told = await lab.count("select payload from outbox_event order by id desc limit 1")
    assert datetime.fromisoformat(told["starts_at"]) == at_hours(2, 9, 11).starts_at
