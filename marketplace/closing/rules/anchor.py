"""The anchor: a file outside the database that says what the seals were when it was written.

One line a seal, `number sha256`, appended and never rewritten. Who may rewrite the whole database
can make a new chain that fits itself; it does not fit the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(r"(?P<number>[1-9][0-9]{0,18}) (?P<sha256>[0-9a-f]{64})")


class AnchorUnreadable(ValueError):
    """A line of the file is no seal, or does not follow the one before."""


def written(number: int, sha256: str) -> str:
    """A seal as a line of the file."""
    return f"{number} {sha256}\n"


def read_anchor(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The seals of a file, in its order.

    Raises:
        AnchorUnreadable: at the first line that is none, or out of order.
    """
    last = 0
    for place, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line.rstrip("\n"))
        if found is None or int(found["number"]) <= last:
            raise AnchorUnreadable(f"line {place} is not a seal that follows the one before")
        last = int(found["number"])
        yield last, found["sha256"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A seal of the anchor that the database does not have, or has otherwise."""

    number: int
    gone: bool

    def __str__(self) -> str:
        """As the command line tells it."""
        if self.gone:
            return f"seal {self.number} is in the anchor and not in the database"
        return f"seal {self.number} is another one than was anchored"


def differences(anchored: dict[int, str], present: dict[int, str]) -> Iterator[Fault]:
    """What the file says otherwise than the database, seal by seal."""
    for number, sha256 in anchored.items():
        if present.get(number) != sha256:
            yield Fault(number, gone=number not in present)
