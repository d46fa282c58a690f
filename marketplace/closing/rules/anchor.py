"""The anchor: a file outside the database that says what the seals were when it was written.

One line a seal, `number sha256`, appended and never rewritten. Who may rewrite the whole database
can make a new chain that fits itself; it does not fit the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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


def differences(anchored: dict[int, str], present: dict[int, str]) -> Iterator[str]:
    """What the file says otherwise than the database, seal by seal."""
    for number, sha256 in anchored.items():
        if number not in present:
            yield f"seal {number} is in the anchor and not in the database"
        elif present[number] != sha256:
            yield f"seal {number} is another one than was anchored"
