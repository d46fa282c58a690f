"""The demo's tour: one click signs in as each role, with three things to try.

Only a demo has stops; elsewhere there is nothing to enter by, and the address does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from marketplace.kernel.time import Clock, ShiftedClock, SystemClock


@dataclass(frozen=True, slots=True)
class Task:
    """Something to try, and the page where it begins."""

    chinese: str
    english: str
    path: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A role to step into: who signs in, and what there is to do."""

    name: str
    chinese: str
    english: str
    email: str
    password: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Tour:
    """The stops that a demo offers, and how far its day runs ahead of the machine's clock: a demo
    begins on a forenoon, whenever it is started.
    """

    stops: tuple[Stop, ...] = ()
    ahead_seconds: int = 0

    @property
    def clock(self) -> Clock:
        """The clock of the demo's day; the machine's where there is no demo."""
        if not self.ahead_seconds:
            return SystemClock()
        return ShiftedClock(timedelta(seconds=self.ahead_seconds))


def read_tour(path: str) -> Tour:
    """What a demo wrote; nothing without a file."""
    if not path:
        return Tour()
    return msgspec.json.decode(Path(path).read_bytes(), type=Tour)


def write_tour(path: Path, tour: Tour) -> None:
    """Keep the tour where only this user reads it: passwords are among it."""
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(tour))
