"""Files in a folder of this machine."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import structlog

from marketplace.kernel.errors import Unavailable
from marketplace.kernel.storage.files import LISTED_AT_ONCE, is_key

log = structlog.get_logger()

# Files that are being written; what a crash leaves here goes with the orphans.
_PARTS = ".parts"


class DiskFiles:
    """A folder: a file is written beside its place, brought to the disk, and moved there whole."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def write(self, key: str, content: bytes) -> None:
        """Write, fsync, rename, fsync: after a crash the file is there whole or not at all."""
        try:
            await asyncio.to_thread(self._write, key, content)
        except OSError as error:
            log.error("files.not_written", key=key, error=str(error))
            raise Unavailable("The platform cannot keep files just now.") from error

    async def read(self, key: str) -> bytes:
        """The bytes as they lie there."""
        try:
            return await asyncio.to_thread((self.root / key).read_bytes)
        except FileNotFoundError:
            raise
        except OSError as error:
            log.error("files.not_read", key=key, error=str(error))
            raise Unavailable("The platform cannot read its files just now.") from error

    async def remove(self, keys: Sequence[str]) -> None:
        """Take files away."""
        await asyncio.to_thread(self._remove, keys)

    async def written_before(self, area: str, instant: datetime) -> AsyncIterator[list[str]]:
        """By modification time, a folder at a time; parts that a crash left go on the way."""
        before = instant.timestamp()
        await asyncio.to_thread(self._remove_parts, before)
        for number in range(256):
            keys = await asyncio.to_thread(self._old_in, f"{area}/{number:02x}", before)
            for start in range(0, len(keys), LISTED_AT_ONCE):
                yield keys[start : start + LISTED_AT_ONCE]

    def _write(self, key: str, content: bytes) -> None:
        target = self.root / key
        parts = self.root / _PARTS
        for folder in (parts, target.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=parts)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        # The names on the way may be as new as the file's own.
        for folder in (target.parent, target.parent.parent, self.root):
            _bring_to_disk(folder)

    def _remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            (self.root / key).unlink(missing_ok=True)

    def _remove_parts(self, before: float) -> None:
        for path in self._files_of(_PARTS):
            if _written_at(path) < before:
                path.unlink(missing_ok=True)

    def _old_in(self, folder: str, before: float) -> list[str]:
        return [
            key
            for path in self._files_of(folder)
            if is_key(key := f"{folder}/{path.name}") and _written_at(path) < before
        ]

    def _files_of(self, folder: str) -> list[Path]:
        try:
            return sorted((self.root / folder).iterdir())
        except FileNotFoundError:
            return []


def _written_at(path: Path) -> float:
    """When a file was last written; one that is gone meanwhile is as young as can be."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _bring_to_disk(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder; its rename is journalled.
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
