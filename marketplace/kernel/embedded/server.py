"""What the embedded servers have in common: the locks, the keeper, and the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform != "win32":
    import fcntl

KEEPER = Path(__file__).with_name("keeper.py")
LOCK_SECONDS = 90.0
START_SECONDS = 60.0
STOP_SECONDS = 45.0
POLL_SECONDS = 0.01
ATTEMPTS_MAX = 3
RETRY_SECONDS = 0.2
LOG_BYTES_MAX = 5_000_000
LOG_LINES_SHOWN = 12


class EmbeddedServerError(RuntimeError):
    """The embedded server cannot be had here; the message says why and what to do instead."""


class ServerWentAway(EmbeddedServerError):
    """The server ended while it was being started or attached to: worth another attempt."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to run a server: the command, as whom, and which folder to remove afterwards."""

    command: Sequence[str]
    uid: int = -1
    gid: int = -1
    tidy: str = ""


class EmbeddedServer(ABC):
    """A server on a folder, shared by every process that has started it and not yet stopped it.

    Args:
        folder: where the server lives; one server per folder. Created when missing.
        follow_parent: end the server when its last user ends. With False it stays until some
            process calls `stop()` on an object that was made with False, too.

    `start()` and `stop()` may be called in any thread and block it: for a fraction of a second,
    or for as long as another process is bringing the same server up or down.
    """

    def __init__(self, folder: Path, *, follow_parent: bool = True) -> None:
        if sys.platform == "win32":
            raise EmbeddedServerError(
                "The embedded servers run on Linux and macOS. "
                "Set DATABASE_URL (and REDIS_URL), or use the Windows Subsystem for Linux."
            )
        self.folder = Path(os.path.abspath(folder))
        self.follow_parent = follow_parent
        self._users: int | None = None
        self._url: str | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server is; only after `start()`."""
        if self._url is None:
            raise EmbeddedServerError(f"The server in {self.folder} has not been started.")
        return self._url

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.folder / "server.log"

    def start(self) -> str:
        """Bring the server up or attach to it; the answer is its URL. Repeating it is harmless.

        Raises:
            EmbeddedServerError: no binaries, no place, or the server does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._starting():
            if self._users is None:
                # While a keeper ends the server it holds the exclusive lock, so this waits for it.
                self._users = _take(self.folder / "users.lock", fcntl.LOCK_SH)
            try:
                if not self.follow_parent:
                    (self.folder / "keep").touch()
                self._url = self._brought_up()
            except BaseException:
                self._release()
                raise
        return self._url

    def stop(self) -> None:
        """Say that this object needs the server no longer, and end it unless another one does.

        Returns when the server has ended, or at once when it goes on for others.
        """
        if self._users is None:
            return
        with self._starting():
            if not self.follow_parent:
                (self.folder / "keep").unlink(missing_ok=True)
            self._release()
            ended = self._ended()
        if ended and self._keeper is not None:
            self._keeper.wait(STOP_SECONDS)
            self._keeper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def _running(self) -> bool:
        """Whether a server that can be attached to runs on the folder."""

    @abstractmethod
    def _settle(self) -> None:
        """Wait while a server without a keeper is coming up or going down."""

    @abstractmethod
    def _prepare(self) -> Launch:
        """Lay out what the server needs before it runs, and say how to run it."""

    @abstractmethod
    def _ready(self) -> str:
        """The URL of the running server, after whatever must exist in it has been made."""

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One process at a time lays out the folder, launches, attaches, or leaves."""
        lock = _take(self.folder / "start.lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)

    def _brought_up(self) -> str:
        """Attach or launch; again when the server found was just going down."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                self._settle()
                if not self._running():
                    self._launch()
                return self._ready()
            except ServerWentAway:
                if attempt == ATTEMPTS_MAX:
                    raise
                time.sleep(RETRY_SECONDS)
        raise AssertionError("The last attempt returns or raises.")

    def _launch(self) -> None:
        launch = self._prepare()
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        self._keeper = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(KEEPER), str(self.folder)),
                *(str(launch.uid), str(launch.gid), launch.tidy, "--", *launch.command),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=plain_environment(),
            start_new_session=True,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._running():
            if self._keeper.poll() is not None:
                raise ServerWentAway(f"The server did not start:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"The server is not ready:\n{self._last_words()}")
            time.sleep(POLL_SECONDS)

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError as error:
            return str(error)
        return "\n".join([*lines[-LOG_LINES_SHOWN:], f"(from {self.log})"])

    def _release(self) -> None:
        if self._users is not None:
            os.close(self._users)
        self._users = self._url = None

    def _ended(self) -> bool:
        """Wait while the keeper ends the server; False when the server goes on for others.

        The users' lock is refused in its exclusive form both by another user and by the keeper at
        work, and in its shared form only by the keeper. Nobody can arrive in between, since the
        caller holds `start.lock`.
        """
        if (self.folder / "keep").exists():
            return False
        users, keeper = self.folder / "users.lock", self.folder / "keeper.lock"
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if _may_take(keeper, fcntl.LOCK_EX):
                return True
            if not _may_take(users, fcntl.LOCK_EX) and _may_take(users, fcntl.LOCK_SH):
                return False
            time.sleep(POLL_SECONDS)
        raise EmbeddedServerError(f"The server did not stop:\n{self._last_words()}")


def plain_environment() -> dict[str, str]:
    """What a server needs of our environment: no `PG*` that would steer it, and no secret."""
    names = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in names if name in os.environ} | {"LC_ALL": "C"}


def _take(path: Path, kind: int) -> int:
    """Open a lock file and lock it, waiting for the others. Closing the descriptor unlocks it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise EmbeddedServerError(
            f"{path} belongs to another user: run as that user or choose another data folder."
        ) from error
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise EmbeddedServerError(
                    f"Another process has held {path} for {LOCK_SECONDS:.0f} seconds."
                ) from error
            time.sleep(POLL_SECONDS)
        else:
            return descriptor


def _may_take(path: Path, kind: int) -> bool:
    """Whether the lock could be had right now; it is given back at once."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
