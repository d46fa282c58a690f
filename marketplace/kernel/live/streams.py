"""The streams of open pages: which topics they listen to, how many there may be, how they end."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send
from prometheus_client import Gauge

from marketplace.kernel.errors import TooMany, Unavailable
from marketplace.kernel.live.announcer import Change
from marketplace.kernel.live.relay import EVERYTHING
from marketplace.kernel.observe import REGISTRY

HEARTBEAT_SECONDS = 15.0
# A page that takes nothing for so long is gone, whatever its connection says.
SEND_SECONDS_MAX = 30.0
RETRY_MILLISECONDS = 3_000
BACKLOG_MAX = 64
OPEN = Gauge(
    "marketplace_live_streams",
    "Streams of live updates that are open.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # Proxies that gather an answer before they pass it on would keep it for ever.
    (b"x-accel-buffering", b"no"),
]


@dataclass(eq=False, slots=True)
class Stream:
    """One open page: what it has not been sent yet, and whether it is to end."""

    topic: str
    ended: bool = False
    _waiting: deque[Change] = field(default_factory=lambda: deque(maxlen=BACKLOG_MAX))
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, change: Change) -> None:
        """One more change; of too many the oldest go, because any one makes a page read again."""
        self._waiting.append(change)
        self._woken.set()

    def end(self) -> None:
        """Let the stream end after what waits was sent."""
        self.ended = True
        self._woken.set()

    async def next(self, *, seconds: float) -> list[Change]:
        """What there is, as soon as there is something; nothing after `seconds` or at the end."""
        if not self._waiting and not self.ended:
            try:
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
            except TimeoutError:
                return []
        self._woken.clear()
        found = list(self._waiting)
        self._waiting.clear()
        return found


class Streams:
    """The open streams of one process, by topic, within bounds."""

    def __init__(self, *, streams_max: int, streams_per_address: int) -> None:
        self._max = streams_max
        self._per_address = streams_per_address
        self._by_topic: dict[str, set[Stream]] = {}
        self._by_address: Counter[str] = Counter()
        self._closed = False

    @property
    def count(self) -> int:
        """How many are open."""
        return self._by_address.total()

    @contextmanager
    def opened(self, topic: str, *, address: str) -> Iterator[Stream]:
        """A stream of `topic` for as long as the block lasts.

        Raises:
            TooMany: when the address has as many as one may have.
            Unavailable: when the process has, or is stopping.
        """
        if self._by_address[address] >= self._per_address:
            raise TooMany(
                f"At most {self._per_address} live streams from one address; close some pages.",
                limit=self._per_address,
                retry_after_seconds=30,
            )
        if self._closed or self.count >= self._max:
            raise Unavailable("Too many live streams are open; ask for the calendar instead.")
        stream = Stream(topic)
        self._by_topic.setdefault(topic, set()).add(stream)
        self._by_address[address] += 1
        OPEN.inc()
        try:
            yield stream
        finally:
            OPEN.dec()
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            self._by_topic[topic].discard(stream)
            if not self._by_topic[topic]:
                del self._by_topic[topic]

    def tell(self, change: Change) -> None:
        """Pass a change on to those who listen to its topic."""
        if change.topic == EVERYTHING:
            for streams in self._by_topic.values():
                for stream in streams:
                    stream.put(change)
            return
        for stream in self._by_topic.get(change.topic, ()):
            stream.put(change)

    def close(self) -> None:
        """End every stream and open no more: the process is about to stop."""
        self._closed = True
        for streams in self._by_topic.values():
            for stream in streams:
                stream.end()


class EventStream(Response[None]):
    """Server-sent events for as long as the page stays, at most `seconds`; then it comes again."""

    def __init__(
        self, opened: Callable[[], AbstractContextManager[Stream]], *, seconds: float
    ) -> None:
        super().__init__(content=None, media_type="text/event-stream")
        self._opened = opened
        self._seconds = seconds

    def to_asgi_response(self, app: Any, request: Any, **_: Any) -> ASGIResponse:
        """What sends it."""
        return _Sending(self._opened, self._seconds)


class _Sending(ASGIResponse):
    """Opens the stream before it answers, and closes it however the answer ends."""

    def __init__(
        self, opened: Callable[[], AbstractContextManager[Stream]], seconds: float
    ) -> None:
        super().__init__(media_type="text/event-stream")
        self._opened = opened
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client leaves, the time is up, or the process stops."""
        with self._opened() as stream:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            sent = scope["state"].get("head") or await self._sent(stream, receive, send)
        if sent:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _sent(self, stream: Stream, receive: Receive, send: Send) -> bool:
        """Whether the stream came to its end while the client was there and took it."""
        sending = asyncio.create_task(self._send(stream, send))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stayed = not leaving.done()
            for task in (sending, leaving):
                task.cancel()
            ended, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
        return stayed and ended is None

    async def _send(self, stream: Stream, send: Send) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        chunk = f"retry: {RETRY_MILLISECONDS}\nevent: open\ndata: {{}}\n\n".encode()
        while chunk:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            left = ends - loop.time()
            if stream.ended or left <= 0:
                return
            changes = await stream.next(seconds=min(HEARTBEAT_SECONDS, left))
            chunk = b"".join(map(as_event, changes)) or b": still here\n\n"


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def as_event(change: Change) -> bytes:
    """A change as a server-sent event; JSON has no line breaks of its own."""
    data = msgspec.json.encode(change.facts)
    return b"event: " + change.kind.encode() + b"\ndata: " + data + b"\n\n"
