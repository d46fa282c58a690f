"""Live updates of one web process: put together from announcer, relay and streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from litestar.connection import ASGIConnection
from redis.asyncio import Redis

from marketplace.kernel.db import Database
from marketplace.kernel.limits import address_of
from marketplace.kernel.live.announcer import Announcer, Describer
from marketplace.kernel.live.relay import Relay
from marketplace.kernel.live.streams import EventStream, Streams


class Live:
    """What a web process needs to tell open pages what changed; lives in `app.state.live`."""

    def __init__(
        self,
        database: Database,
        redis: Redis | None,
        describers: Sequence[Describer],
        *,
        streams: Streams,
        stream_seconds: float,
    ) -> None:
        self.streams = streams
        self._relay = Relay(redis)
        self._announcer = Announcer(
            database, describers, self._relay.publish, wanted=self._anybody_listens
        )
        self._seconds = stream_seconds

    def _anybody_listens(self) -> bool:
        return self._relay.reaches_other_processes or self.streams.count > 0

    @asynccontextmanager
    async def running(self, _: Any = None) -> AsyncIterator[None]:
        """Inside the block changes are announced and streams are told: the life of the process."""
        async with self._relay.heard_by(self.streams.tell), self._announcer.listening():
            try:
                yield
            finally:
                self.streams.close()

    def stream(self, connection: ASGIConnection[Any, Any, Any, Any], topic: str) -> EventStream:
        """The answer to a page that wants to hear of `topic`."""
        address = address_of(connection)
        return EventStream(
            lambda: self.streams.opened(topic, address=address), seconds=self._seconds
        )


def live_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Live:
    """The live updates of the process that answers."""
    found: Live = connection.app.state.live
    return found
