"""What a store of files does, whichever it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from marketplace.kernel.errors import Unavailable

# How many keys a store lists at once. Each is a lock while orphans are looked for, in a table that
# all transactions share.
LISTED_AT_ONCE = 200
AREA = re.compile(r"[a-z][a-z_]{1,40}")
_KEY = re.compile(r"[a-z][a-z_]{1,40}/([0-9a-f]{2})/(\1[0-9a-f]{62})")


class FileDamaged(Unavailable):
    """A file is gone, or its bytes are not those that were kept; what is left is not served."""

    code = "file-damaged"
    title = "The file is damaged where it is kept"


class Files(Protocol):
    """A store of files under keys made by `key_of`."""

    async def write(self, key: str, content: bytes) -> None:
        """Keep `content`, whole or not at all; writing the same again makes it young again.

        Raises:
            Unavailable: when the store cannot take it now.
        """

    async def read(self, key: str) -> bytes:
        """The bytes as they lie there.

        Raises:
            FileNotFoundError: when there are none.
            Unavailable: when the store does not answer.
        """

    async def remove(self, keys: Sequence[str]) -> None:
        """Take files away; one that is gone already is no error."""

    def written_before(self, area: str, instant: datetime) -> AsyncIterator[list[str]]:
        """The keys of an area that were last written before `instant`, in bounded lists."""


def key_of(area: str, content: bytes) -> str:
    """Where `content` lies: `area/ab/ab…`, by its SHA-256."""
    if not AREA.fullmatch(area):
        raise ValueError(f"{area!r} cannot be an area")
    digest = hashlib.sha256(content).hexdigest()
    return f"{area}/{digest[:2]}/{digest}"


def is_key(name: str) -> bool:
    """Whether a store made this name: everything else that lies there is left alone."""
    return _KEY.fullmatch(name) is not None


def is_whole(key: str, content: bytes) -> bool:
    """Whether `content` is what the key was made of."""
    return key.endswith("/" + hashlib.sha256(content).hexdigest())
