"""The demo's tour: one click signs in as each role, with three things to try.

Only a demo has stops; elsewhere there is nothing to enter by, and the address does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec


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


def read_tour(path: str) -> tuple[Stop, ...]:
    """The stops that a demo wrote; none without a file."""
    if not path:
        return ()
    return msgspec.json.decode(Path(path).read_bytes(), type=tuple[Stop, ...])


def write_tour(path: Path, stops: Sequence[Stop]) -> None:
    """Keep the stops where only this user reads them: passwords are among them."""
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(list(stops)))
