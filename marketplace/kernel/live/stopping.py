"""Knowing in time that the process is to stop."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def when_stopping(callback: Callable[[], None]) -> None:
    """Call `callback` in the running loop as soon as the process is told to stop.

    A server tells its application only after every answer has ended, which streams do not by
    themselves. Whatever else listens to the signals hears them as before.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for each in SIGNALS:
        _before(each, loop, callback)


def _before(
    which: signal.Signals, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
) -> None:
    previous = signal.getsignal(which)

    def both(number: int, frame: FrameType | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(callback)
        if callable(previous):
            previous(number, frame)

    signal.signal(which, both)
