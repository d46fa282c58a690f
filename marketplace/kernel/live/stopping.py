"""Knowing in time that the process is to stop."""

from __future__ import annotations

import asyncio
import faulthandler
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


def end_within(seconds: float) -> None:
    """Once the process is told to stop, it has ended after `seconds`, whatever hangs.

    What still ran is written to standard error first: the tasks, then the threads.
    """

    def watch() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds * 0.8, _print_tasks)
        faulthandler.dump_traceback_later(seconds, exit=True)

    when_stopping(watch)


def _print_tasks() -> None:
    for task in asyncio.all_tasks():
        task.print_stack()


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
