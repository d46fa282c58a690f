"""The parent of an embedded server: runs it while somebody uses it, then ends it in good order.

Started by path with `python -I -S`, so that it imports only the standard library and is up in
a few milliseconds. `marketplace.kernel.embedded` tells the whole arrangement.

    keeper.py FOLDER UID GID TIDY -- COMMAND...

UID and GID of -1 mean: stay who you are. TIDY is a socket folder to remove at the end, or "".
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

KEEP_POLL_SECONDS = 0.25
FAST_STOP_SECONDS = 30.0
IMMEDIATE_STOP_SECONDS = 5.0
PR_SET_PDEATHSIG = 1


class Ended(Exception):
    """The server ended by itself, or this process was told to end it."""


def end(signum: int, frame: FrameType | None) -> NoReturn:
    """Leave whatever is waiting. Python would otherwise resume the wait for the lock."""
    raise Ended


def follow(parent: int) -> Callable[[], None]:
    """What the server's process does before exec: ask to be ended when this process is killed.

    Only Linux can do that; elsewhere a keeper ended by SIGKILL leaves its server running, and the
    next start attaches to it.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def ask() -> None:
        if libc is None:
            return
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != parent:  # Killed between the fork and the request.
            os._exit(1)

    return ask


def open_lock(path: Path) -> int:
    """A descriptor to lock; the server does not inherit it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def wait_until_unused(folder: Path) -> None:
    """Return, holding the exclusive lock, when the server has no user and need not be kept."""
    lock = open_lock(folder / "users.lock")
    while True:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "keep").exists():
            return
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(KEEP_POLL_SECONDS)


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server: without waiting for its clients, and at worst without asking it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, seconds in (
        (signal.SIGINT, FAST_STOP_SECONDS),
        (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS),
    ):
        if server.poll() is not None:
            return
        server.send_signal(number)
        try:
            server.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    server.kill()
    server.wait()


def main(arguments: list[str]) -> int:
    """Run the server until nobody uses it; the answer is its exit status."""
    folder, uid, gid, tidy = Path(arguments[0]), int(arguments[1]), int(arguments[2]), arguments[3]
    # Held as long as this process lives: by it others see that the server has a keeper.
    fcntl.flock(open_lock(folder / "keeper.lock"), fcntl.LOCK_EX)
    log = os.open(folder / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = subprocess.Popen(
        arguments[5:],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        user=None if uid < 0 else uid,
        group=None if gid < 0 else gid,
        extra_groups=None if uid < 0 else [],
        # The server runs in a session of its own, so that an interrupt typed at a terminal reaches
        # the programs that use it, and not the server under them.
        start_new_session=True,
        preexec_fn=follow(os.getpid()),  # noqa: PLW1509 - This process has one thread.
    )
    try:
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        if server.poll() is None:
            wait_until_unused(folder)
    except Ended:
        pass  # Both ways lead to the same end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    stop(server)
    if tidy:
        with contextlib.suppress(OSError):
            os.rmdir(tidy)
    return server.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
