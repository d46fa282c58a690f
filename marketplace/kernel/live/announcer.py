"""From what a transaction recorded to what open pages are told, after it has committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, transaction
from marketplace.kernel.events import Event

log = structlog.get_logger()

# Events that wait to be described; beyond it they are dropped, because pages can read again.
WAITING_MAX = 10_000
# One question describes what was recorded within this time.
GATHERED_SECONDS = 0.05
GATHERED_MAX = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What those are told who listen to `topic`."""

    topic: str
    kind: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Describer:
    """How a domain's events become changes: one question for any number of them."""

    events: frozenset[type[Event]]
    describe: Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Change]]]


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel `task` until it has ended: a cancellation can get lost in what it is waiting for."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1.0)


class Announcer:
    """Listens to the commits of a process, and publishes what they changed."""

    def __init__(
        self,
        database: Database,
        describers: Sequence[Describer],
        publish: Callable[[Sequence[Change]], Awaitable[None]],
        *,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """`wanted` says whether anybody could be listening: nothing is described for nobody."""
        self._database = database
        self._describers = describers
        self._known = frozenset[type[Event]]().union(*(each.events for each in describers))
        self._publish = publish
        self._wanted = wanted
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(WAITING_MAX)

    def hear(self, events: Sequence[Event]) -> None:
        """Take note of what was committed; returns at once and never fails."""
        if not self._wanted():
            return
        for event in events:
            if type(event) in self._known:
                # A full queue means that pages are behind anyway.
                with suppress(asyncio.QueueFull):
                    self._waiting.put_nowait(event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Inside the block what commits is announced; what waits at its end is still told."""
        task = asyncio.create_task(self._announce_forever())
        self._database.on_commit.append(self.hear)
        try:
            yield
        finally:
            self._database.on_commit.remove(self.hear)
            await ended(task)
            await self._announce(self._gathered())

    async def _announce_forever(self) -> None:
        while True:
            first = await self._waiting.get()
            await asyncio.sleep(GATHERED_SECONDS)
            await self._announce([first, *self._gathered()])

    def _gathered(self) -> list[Event]:
        gathered: list[Event] = []
        while len(gathered) < GATHERED_MAX and not self._waiting.empty():
            gathered.append(self._waiting.get_nowait())
        return gathered

    async def _announce(self, events: Sequence[Event]) -> None:
        if not events:
            return
        try:
            changes: list[Change] = []
            async with transaction(self._database, actor=system_actor("live")) as tx:
                for describer in self._describers:
                    theirs = [event for event in events if type(event) in describer.events]
                    if theirs:
                        changes.extend(await describer.describe(tx, theirs))
            await self._publish(changes)
        except Exception:
            # Pages that were not told are stale for a while; the platform goes on.
            log.exception("live.not_announced", events=len(events))
