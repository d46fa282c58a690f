"""Telling what was committed: after COMMIT only, never at the command's cost, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.kernel import outbox
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Conflict, TooMany, Unavailable
from marketplace.kernel.events import Event
from marketplace.kernel.live import (
    Announcer,
    Change,
    Describer,
    EventStream,
    Relay,
    Streams,
    streams,
)
from marketplace.kernel.live.announcer import WAITING_MAX
from marketplace.kernel.live.relay import RELOAD
from marketplace.kernel.live.streams import BACKLOG_MAX, as_event

TEST = system_actor("test")


@dataclass(frozen=True, slots=True)
class BellRung(Event):
    """For these tests."""

    bell_id: int


@dataclass(frozen=True, slots=True)
class BellMuffled(Event):
    """For these tests: nobody describes it."""

    bell_id: int


async def ring(tx: Tx, bell_id: int) -> int:
    tx.record(BellRung(bell_id))
    tx.record(BellMuffled(bell_id))
    if bell_id < 0:
        raise Conflict("It is cracked.")
    return bell_id


async def test_listeners_hear_what_was_committed_and_nothing_else(database: Database):
    heard: list[Sequence[Event]] = []

    async def rung_in_vain(tx: Tx, bell_id: int) -> None:
        await ring(tx, bell_id)
        await tx.flush()
        # It fails at COMMIT only.
        await tx.execute(text("create temp table t (x int unique deferrable initially deferred)"))
        await tx.execute(text("insert into t values (1), (1)"))

    database.on_commit.append(heard.append)
    await atomically(database, ring, 1, actor=TEST)
    with pytest.raises(Conflict):
        await atomically(database, ring, -1, actor=TEST)
    with pytest.raises(Exception, match="duplicate key"):
        await atomically(database, rung_in_vain, 2, actor=TEST)
    await atomically(database, lambda tx, _: tx.scalar(text("select 1")), None, actor=TEST)

    assert heard == [[BellRung(1), BellMuffled(1)]]


async def test_a_listener_that_fails_costs_nobody_their_command(database: Database):
    heard: list[Sequence[Event]] = []

    def broken(_: Sequence[Event]) -> None:
        raise RuntimeError("not now")

    database.on_commit.extend([broken, heard.append])

    assert await atomically(database, ring, 7, actor=TEST) == 7
    assert len(heard) == 1


async def test_what_a_failed_handler_recorded_is_neither_stored_nor_told(database: Database):
    async def answers_and_fails(tx: Tx, _: BellRung) -> None:
        tx.record(BellMuffled(9))
        raise RuntimeError("broken handler")

    await atomically(database, ring, 1, actor=TEST)
    heard: list[Sequence[Event]] = []
    database.on_commit.append(heard.append)
    await outbox.deliver_due(database, {BellRung: [answers_and_fails]}, limit=1)

    async def muffled(tx: Tx, _: None) -> Any:
        return await tx.scalar(
            text("select count(*) from outbox_event where payload @> '{\"bell_id\": 9}'")
        )

    assert heard == []
    assert await atomically(database, muffled, None, actor=TEST) == 0


async def described(tx: Tx, events: Sequence[BellRung]) -> list[Change]:
    if any(event.bell_id == 13 for event in events):
        raise RuntimeError("nobody can describe it")
    return [Change(f"bell:{event.bell_id}", "bell", {"id": event.bell_id}) for event in events]


DESCRIBERS = (Describer(frozenset({BellRung}), described),)


async def test_pages_are_told_what_they_listen_to_and_nothing_else(database: Database):
    pages = Streams(streams_max=10, streams_per_address=10)
    relay = Relay(None)
    announcer = Announcer(database, DESCRIBERS, relay.publish)
    async with relay.heard_by(pages.tell), announcer.listening():
        with (
            pages.opened("bell:1", address="a") as first,
            pages.opened("bell:2", address="a") as second,
        ):
            # What cannot be described is not told, and does not end the telling.
            await atomically(database, ring, 13, actor=TEST)
            await asyncio.sleep(0.2)
            await atomically(database, ring, 1, actor=TEST)
            (told,) = await first.next(seconds=2)

            assert told == Change("bell:1", "bell", {"id": 1})
            assert await second.next(seconds=0.1) == []


async def test_a_process_that_stops_still_tells_what_was_committed_before(database: Database):
    told: list[Change] = []

    async def publish(changes: Sequence[Change]) -> None:
        told.extend(changes)

    async with Announcer(database, DESCRIBERS, publish).listening():
        await atomically(database, ring, 5, actor=TEST)
    await atomically(database, ring, 6, actor=TEST)

    assert [change.topic for change in told] == ["bell:5"]


async def test_nothing_is_described_for_nobody(database: Database):
    asked: list[Any] = []

    async def describe(tx: Tx, events: Sequence[Event]) -> list[Change]:
        asked.append(events)
        return []

    async def publish(changes: Sequence[Change]) -> None: ...

    describers = [Describer(frozenset({BellRung}), describe)]
    async with Announcer(database, describers, publish, wanted=lambda: False).listening():
        await atomically(database, ring, 5, actor=TEST)

    assert asked == []


async def test_events_that_nobody_can_take_in_time_are_dropped_not_kept():
    async def publish(changes: Sequence[Change]) -> None: ...

    announcer = Announcer(Database("postgresql://nobody@127.0.0.1:1/none"), DESCRIBERS, publish)
    announcer.hear([BellRung(number) for number in range(WAITING_MAX + 5)])

    assert announcer._waiting.qsize() == WAITING_MAX


def test_a_page_that_does_not_keep_up_gets_the_latest():
    pages = Streams(streams_max=1, streams_per_address=1)
    with pages.opened("bell:1", address="a") as stream:
        for number in range(BACKLOG_MAX + 10):
            pages.tell(Change("bell:1", "bell", {"id": number}))
        told = asyncio.run(stream.next(seconds=0.1))

    assert [change.facts["id"] for change in told] == list(range(10, BACKLOG_MAX + 10))


def test_streams_are_bounded_and_forgotten_when_they_end():
    pages = Streams(streams_max=3, streams_per_address=2)
    with pages.opened("a", address="x"), pages.opened("b", address="x"):
        with pytest.raises(TooMany), pages.opened("a", address="x"):
            pass
        with pages.opened("a", address="y"):
            with pytest.raises(Unavailable), pages.opened("a", address="z"):
                pass
            assert pages.count == 3

    assert pages.count == 0
    assert pages._by_topic == {}
    assert pages._by_address == {}


def test_everybody_is_told_to_read_again_and_nobody_comes_in_after_the_end():
    pages = Streams(streams_max=9, streams_per_address=9)
    with pages.opened("a", address="x") as first, pages.opened("b", address="y") as second:
        pages.tell(RELOAD)
        pages.close()

        assert asyncio.run(first.next(seconds=1)) == asyncio.run(second.next(seconds=1)) == [RELOAD]
        assert (first.ended, second.ended) == (True, True)
        with pytest.raises(Unavailable), pages.opened("a", address="z"):
            pass


def test_an_event_is_one_that_browsers_read():
    event = as_event(Change("t", "calendar", {"text": "a\nb", "none": None}))

    assert event == b'event: calendar\ndata: {"text":"a\\nb","none":null}\n\n'


class Client:
    """What a server hands to an application: a client that may stop taking what it is sent."""

    def __init__(self, *, takes: int = 1_000_000) -> None:
        self.sent: list[bytes] = []
        self.left = asyncio.Event()
        self.ended = False
        self._takes = takes

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.sent) >= self._takes:
            await asyncio.Event().wait()
        if message.get("body"):
            self.sent.append(message["body"])
        self.ended = message.get("more_body") is False

    async def listens(self, streams_of: Streams, *, seconds: float = 5.0) -> None:
        answer = EventStream(
            lambda: streams_of.opened("bell:1", address="a"), seconds=seconds
        ).to_asgi_response(None, None)
        async with asyncio.timeout(5):
            scope: Any = {"type": "http", "state": {}}
            await answer(scope, self.receive, self.send)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a minute in a twentieth of a second."""
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(streams, "SEND_SECONDS_MAX", 0.2)


async def test_a_quiet_stream_shows_that_it_lives_and_ends_in_time(quick: None):
    client = Client()
    await client.listens(Streams(streams_max=1, streams_per_address=1), seconds=0.18)

    assert client.sent[0] == b"retry: 3000\nevent: open\ndata: {}\n\n"
    assert set(client.sent[1:]) == {b": still here\n\n"}
    assert len(client.sent) >= 3
    assert client.ended


async def test_a_client_that_leaves_or_takes_nothing_any_more_is_forgotten(quick: None):
    open_ones = Streams(streams_max=2, streams_per_address=2)
    gone, stuck = Client(), Client(takes=2)
    listening = asyncio.gather(gone.listens(open_ones), stuck.listens(open_ones))
    await asyncio.sleep(0.06)
    assert open_ones.count == 2
    gone.left.set()
    await listening

    assert open_ones.count == 0
    assert (gone.ended, stuck.ended) == (False, False)
