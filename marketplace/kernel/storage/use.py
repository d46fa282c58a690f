"""The store that this process uses, and keeping and reading in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import structlog
from sqlalchemy import func, select

from marketplace.kernel.db import Tx
from marketplace.kernel.settings import settings
from marketplace.kernel.storage.bucket import BucketFiles
from marketplace.kernel.storage.disk import DiskFiles
from marketplace.kernel.storage.files import FileDamaged, Files, is_whole, key_of
from marketplace.kernel.storage.orphans import lock_of

log = structlog.get_logger()

_in_use: list[Files] = []


@lru_cache(maxsize=1)
def _by_settings() -> Files:
    found = settings()
    return BucketFiles.of(found) if found.files_bucket else DiskFiles(found.data_folder / "files")


def files() -> Files:
    """The store of this process: the bucket that the settings name, or the data folder."""
    return _in_use[-1] if _in_use else _by_settings()


@contextmanager
def use_files(store: Files) -> Iterator[None]:
    """Keep files in another store inside the block, in the whole process: for tests."""
    _in_use.append(store)
    try:
        yield
    finally:
        _in_use.remove(store)


async def keep_file(tx: Tx, area: str, content: bytes) -> str:
    """Keep a file and say under which key; the caller then writes the row that names it.

    The key stays locked until the transaction ends, so that the file is not taken for an orphan.

    Raises:
        Unavailable: when the store cannot take it now.
    """
    key = key_of(area, content)
    await tx.execute(select(func.pg_advisory_xact_lock(lock_of(key))))
    await files().write(key, content)
    return key


async def kept_file(key: str) -> bytes:
    """A file as it was kept.

    Raises:
        FileDamaged: when it is gone, or its bytes are others than those that were kept.
        Unavailable: when the store does not answer.
    """
    try:
        content = await files().read(key)
    except FileNotFoundError:
        log.error("files.gone", key=key)
        raise FileDamaged("The file is gone; its owner has to send it again.") from None
    if not is_whole(key, content):
        log.error("files.damaged", key=key)
        raise FileDamaged("The file is not as it was kept; its owner has to send it again.")
    return content
