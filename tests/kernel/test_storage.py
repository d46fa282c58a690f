"""Files are kept whole or not at all, and served as they were kept or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, S3Store

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Unavailable
from marketplace.kernel.settings import Settings
from marketplace.kernel.storage import (
    BucketFiles,
    DiskFiles,
    FileDamaged,
    Files,
    keep_file,
    kept_file,
    use_files,
)
from marketplace.kernel.storage.files import key_of
from marketplace.kernel.time import SHANGHAI

CONTENT = "谱图".encode() * 5_000
KEY = key_of("results", CONTENT)
LONG_AGO, LONG_AFTER = (datetime(year, 1, 1, tzinfo=SHANGHAI) for year in (2000, 2100))


def on_disk(folder: Path) -> Files:
    return DiskFiles(folder)


def in_memory(_: Path) -> Files:
    return BucketFiles(MemoryStore())


def in_local_store(folder: Path) -> Files:
    return BucketFiles(LocalStore(folder))


@pytest.fixture(params=[on_disk, in_memory, in_local_store])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    make: Callable[[Path], Files] = request.param
    made = make(tmp_path)
    with use_files(made):
        yield made


async def all_of(listed: AsyncIterator[list[str]]) -> list[str]:
    return [key async for keys in listed for key in keys]


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_what_is_kept_is_read_back_as_it_was(store: Files) -> None:
    await store.write(KEY, CONTENT)
    await store.write(KEY, CONTENT)

    assert await kept_file(KEY) == CONTENT
    assert await all_of(store.written_before("results", LONG_AFTER)) == [KEY]
    assert await all_of(store.written_before("results", LONG_AGO)) == []
    assert await all_of(store.written_before("others", LONG_AFTER)) == []


async def test_a_damaged_file_is_an_error_and_never_served(store: Files) -> None:
    await store.write(KEY, CONTENT[:-1])

    with pytest.raises(FileDamaged, match="not as it was kept"):
        await kept_file(KEY)


async def test_a_file_that_is_gone_is_an_error_and_is_gone_once(store: Files) -> None:
    await store.write(KEY, CONTENT)
    await store.remove([KEY])
    await store.remove([KEY])

    with pytest.raises(FileDamaged, match="gone"):
        await kept_file(KEY)


async def test_what_somebody_else_put_there_is_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "results" / "ab").mkdir(parents=True)
    (tmp_path / "results" / "ab" / "notes.txt").write_text("mine")

    for store in (DiskFiles(tmp_path), BucketFiles(LocalStore(tmp_path))):
        assert await all_of(store.written_before("results", LONG_AFTER)) == []


async def test_a_crash_while_a_file_is_written_leaves_no_half_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskFiles(tmp_path)

    def crash(*_: object) -> None:
        raise OSError("no space left on device")

    for call in ("fsync", "replace"):
        with monkeypatch.context() as broken:
            broken.setattr(os, call, crash)
            with pytest.raises(Unavailable):
                await store.write(KEY, CONTENT)

    assert files_in(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        await store.read(KEY)


async def test_what_a_killed_process_was_writing_goes_once_it_is_old(tmp_path: Path) -> None:
    store = DiskFiles(tmp_path)
    (tmp_path / ".parts").mkdir()
    for name in ("old", "young"):
        (tmp_path / ".parts" / name).write_bytes(CONTENT[:100])
    os.utime(tmp_path / ".parts" / "old", (0, 0))

    assert await all_of(store.written_before("results", LONG_AGO)) == []

    assert files_in(tmp_path) == ["young"]


async def test_a_store_that_does_not_answer_is_unavailable_and_no_secret_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        settings = Settings.model_validate(
            {
                "files_bucket": "results",
                "files_endpoint": f"http://127.0.0.1:{nobody.getsockname()[1]}",
                "files_key": "the key",
                "files_secret": "the secret",
            }
        )
        store = BucketFiles.of(settings)
        for call in (
            store.write(KEY, CONTENT),
            store.read(KEY),
            store.remove([KEY]),
            all_of(store.written_before("results", LONG_AFTER)),
        ):
            with pytest.raises(Unavailable) as away:
                await call
            assert "secret" not in str(away.value)
    assert "the secret" not in repr(settings)


def test_the_bucket_of_the_settings_is_an_s3_store() -> None:
    store = BucketFiles.of(Settings.model_validate({"files_bucket": "results"}))

    assert isinstance(store._store, S3Store)


async def test_a_file_is_locked_from_its_writing_until_the_transaction_ends(
    database: Database, store: Files
) -> None:
    """The lock is what keeps the orphans' job away from a file whose row is not there yet."""

    async def keep(tx: Tx, _: None) -> str:
        key = await keep_file(tx, "results", CONTENT)
        driver = await tx.raw()
        locks = "select count(*) from pg_locks where locktype = 'advisory' and granted"
        assert await driver.fetchval(locks) == 1
        return key

    assert await atomically(database, keep, None, actor=system_actor("test")) == KEY
