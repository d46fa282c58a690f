"""The archive of an audit pack, written in order and in bounded memory, with digests of its files.

Pure: bytes come out in parts of one size, and whoever writes the archive keeps them somewhere.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

PART_BYTES = 4 * 1024 * 1024
# A zip says when its files were made; the same pack made twice is the same bytes.
_MADE_AT = (1980, 1, 1, 0, 0, 0)


class _Parts(io.RawIOBase):
    """What the archive is written to: it cannot go back, so that parts can leave it."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.waiting += data
        return len(data)


@dataclass(slots=True)
class Member:
    """A file of the archive: its name, size and digest."""

    name: str
    size: int = 0
    sha256: str = ""
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        """More of the file."""
        self.size += len(data)
        self._digest.update(data)

    def end(self) -> None:
        """The file is complete."""
        self.sha256 = self._digest.hexdigest()


class Archive:
    """Files one after the other, and what they come to."""

    def __init__(self) -> None:
        self._parts = _Parts()
        self._zip = zipfile.ZipFile(self._parts, "w", zipfile.ZIP_DEFLATED)
        self._open: IO[bytes] | None = None
        self.members: list[Member] = []
        self.size = 0
        self._digest = hashlib.sha256()

    def begin(self, name: str) -> None:
        """Begin a file; the one before is complete."""
        self.end_file()
        info = zipfile.ZipInfo(name, _MADE_AT)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._open = self._zip.open(info, "w", force_zip64=True)
        self.members.append(Member(name))

    def write(self, data: bytes) -> None:
        """More of the file that was begun last."""
        assert self._open is not None
        self._open.write(data)
        self.members[-1].add(data)

    def write_rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """More lines of a CSV file."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(
            [_cell(value) for value in row] for row in rows
        )
        self.write(text.getvalue().encode())

    def end(self) -> None:
        """The archive is complete; `parts(last=True)` has the rest of it."""
        self.end_file()
        self._zip.close()

    def parts(self, *, last: bool = False) -> Iterator[bytes]:
        """The parts that are full, and what is left over at the end."""
        waiting = self._parts.waiting
        while len(waiting) >= PART_BYTES or (last and waiting):
            part = bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
            self.size += len(part)
            self._digest.update(part)
            yield part

    @property
    def sha256(self) -> str:
        """The digest of the parts so far."""
        return self._digest.hexdigest()

    def end_file(self) -> None:
        """The file that was begun last is complete, and has its digest."""
        if self._open is not None:
            self._open.close()
            self.members[-1].end()
            self._open = None


def _cell(value: Any) -> Any:
    """As it was written, but never a formula to the program that opens the file."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
