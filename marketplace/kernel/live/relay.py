"""Carries changes to every web process: in memory where there is one, through Redis for several.

Built on the framework's channels. Every process listens to one channel and passes on to its own
streams what their topics ask for: subscribing to a channel per topic would race with itself when
one stream leaves a topic and another enters it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog
from litestar.channels import ChannelsPlugin
from litestar.channels.backends.base import ChannelsBackend
from litestar.channels.backends.memory import MemoryChannelsBackend
from litestar.channels.backends.redis import RedisChannelsPubSubBackend
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from marketplace.kernel.live.announcer import Change, ended

log = structlog.get_logger()

CHANNEL = "marketplace-live"
# Messages that a busy process has not passed on yet; beyond it the oldest go.
BACKLOG_MAX = 1_000
PUBLISH_SECONDS_MAX = 2.0
RECONNECT_SECONDS = 1.0
# Every topic at once: something may have been missed.
EVERYTHING = "*"
RELOAD = Change(EVERYTHING, "reload", {})


class _Subscription(PubSub):
    """A subscription that knows when its connection was made anew: messages may be missing."""

    made_anew = False

    async def on_connect(self, connection: Connection) -> None:
        """Subscribe again, and remember it."""
        self.made_anew = bool(self.channels)
        await super().on_connect(connection)


class SteadyPubSub(RedisChannelsPubSubBackend):
    """The framework's backend, living through a Redis that goes away and comes back.

    The framework's own ends its listening at the first lost connection, for good.
    """

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis=redis)
        self._subscription = _Subscription(redis.connection_pool)
        self._wanted: list[str] = []
        self.listening = False

    @property
    def _pub_sub(self) -> PubSub:
        return self._subscription

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Remember what to listen to; `stream_events` does it, as often as it takes."""
        self._wanted = list(channels)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Nothing: the connection is closed at shutdown, and until then the channel is wanted."""

    async def publish(self, data: bytes, channels: Iterable[str]) -> None:
        """Publish, or say in the log why not: nobody waits for it."""
        try:
            async with asyncio.timeout(PUBLISH_SECONDS_MAX):
                await super().publish(data, channels)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("live.not_published", error=type(error).__name__)

    async def stream_events(self) -> AsyncGenerator[tuple[str, Any], None]:
        """What is published, for ever; after an interruption first a call to read everything."""
        lost = False
        self.listening = True
        # Also ends where the plugin's cancellation got lost on the way.
        while self.listening:
            try:
                if not self._subscription.subscribed:
                    await self._subscription.subscribe(*self._wanted)
                message = await self._subscription.get_message(
                    ignore_subscribe_messages=True, timeout=RECONNECT_SECONDS
                )
            except (RedisError, OSError) as error:
                if not lost:
                    log.warning("live.redis_lost", error=type(error).__name__)
                lost = True
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            if lost or self._subscription.made_anew:
                lost = self._subscription.made_anew = False
                yield CHANNEL, encoded(RELOAD)
            if message is not None:
                yield message["channel"].decode(), message["data"]


def encoded(change: Change) -> bytes:
    """A change as it travels."""
    return msgspec.json.encode(change)


class Relay:
    """Where changes are published, and heard."""

    def __init__(self, redis: Redis | None) -> None:
        self._backend: ChannelsBackend = MemoryChannelsBackend()
        if redis is not None:
            self._backend = SteadyPubSub(redis)
        self.reaches_other_processes = redis is not None

    async def publish(self, changes: Sequence[Change]) -> None:
        """Carry `changes` to every process that listens."""
        for change in changes:
            await self._backend.publish(encoded(change), [CHANNEL])

    @asynccontextmanager
    async def heard_by(self, listener: Callable[[Change], None]) -> AsyncIterator[None]:
        """Inside the block `listener` is told every change, whichever process published it."""
        channels = ChannelsPlugin(
            self._backend,
            channels=[CHANNEL],
            subscriber_max_backlog=BACKLOG_MAX,
            subscriber_backlog_strategy="dropleft",
        )
        async with channels, channels.start_subscription(CHANNEL) as subscriber:
            task = asyncio.create_task(_pass_on(subscriber.iter_events(), listener))
            try:
                yield
            finally:
                await ended(task)
                if isinstance(self._backend, SteadyPubSub):
                    self._backend.listening = False


async def _pass_on(messages: AsyncIterator[bytes], listener: Callable[[Change], None]) -> None:
    async for message in messages:
        try:
            change = msgspec.json.decode(message, type=Change)
        except msgspec.MsgspecError:
            # Written by another release, or by somebody else in the same Redis.
            log.warning("live.message_unreadable", bytes=len(message))
            continue
        listener(change)
