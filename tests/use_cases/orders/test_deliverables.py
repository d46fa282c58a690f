"""Results: large ones lie in the store of files, and nothing is lost between file and row."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore
from sqlalchemy import insert, select

from marketplace.kernel.db import Database, Tx
from marketplace.kernel.errors import Refused, Unavailable
from marketplace.kernel.storage import BucketFiles, DiskFiles, FileDamaged, Files, use_files
from marketplace.kernel.time import SHANGHAI
from marketplace.orders import queries, tables
from marketplace.orders.errors import OrderMissing
from marketplace.orders.jobs import remove_orphans
from marketplace.orders.queries.downloads import DownloadsAsked, downloads
from marketplace.orders.use_cases import (
    DownloadDeliverable,
    ReceiveSamples,
    StoreDeliverable,
    download_deliverable,
    receive_samples,
    store_deliverable,
)
from marketplace.orders.use_cases.delivery import KEPT_IN_ROW_BYTES_MAX
from marketplace.parties.roles import Role
from tests.builders.orders import Market, a_market, a_report, a_sample_order, move_to
from tests.builders.parties import an_actor

LARGE = b"%PDF" + b"x" * KEPT_IN_ROW_BYTES_MAX
# The stores write with the machine's own time, the market's clock stands in 2025.
LATER = datetime.now(SHANGHAI) + timedelta(days=2)


@pytest.fixture(params=[DiskFiles, lambda folder: BucketFiles(LocalStore(folder))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    made: Files = request.param(tmp_path)
    with use_files(made):
        yield made


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def in_service(database: Database) -> tuple[Market, int]:
    market = await a_market(database)
    order = await a_sample_order(market)
    await market.do(receive_samples, ReceiveSamples(order.id, 5), by=market.technician)
    return market, order.id


async def row_of(market: Market, deliverable_id: int) -> tuple[bytes | None, str | None]:
    async def ask(tx: Tx, _: None) -> tuple[bytes | None, str | None]:
        table = tables.deliverable.c
        found = await tx.execute(
            select(table.content, table.storage_key).where(table.id == deliverable_id)
        )
        row = found.one()
        return row.content, row.storage_key

    return await market.do(ask, None)


async def test_large_results_lie_in_the_store_and_small_ones_in_their_row(
    database: Database, store: Files, tmp_path: Path
) -> None:
    market, order_id = await in_service(database)
    for content in (LARGE, LARGE[:KEPT_IN_ROW_BYTES_MAX]):
        stored = await market.do(
            store_deliverable, a_report(order_id, content=content), by=market.technician
        )
        kept, key = await row_of(market, stored.id)
        asked = DownloadDeliverable(order_id, stored.id)

        assert (kept is None, key is None) == (content is LARGE, content is not LARGE)
        assert (await market.do(download_deliverable, asked, by=market.buyer)).content == content
    assert [path.read_bytes() for path in files_in(tmp_path)] == [LARGE]


async def test_a_damaged_result_is_not_served_and_no_download_is_noted(
    database: Database, store: Files, tmp_path: Path
) -> None:
    market, order_id = await in_service(database)
    stored = await market.do(
        store_deliverable, a_report(order_id, content=LARGE), by=market.technician
    )
    (path,) = files_in(tmp_path)
    asked = DownloadDeliverable(order_id, stored.id)

    path.write_bytes(LARGE[:-1] + b"y")
    with pytest.raises(FileDamaged):
        await market.do(download_deliverable, asked, by=market.buyer)
    path.unlink()
    with pytest.raises(FileDamaged):
        await market.do(download_deliverable, asked, by=market.buyer)

    story = await market.do(queries.order_story, order_id, by=market.buyer)
    assert "download" not in {event.kind for event in story.timeline}


async def test_a_result_damaged_in_its_row_is_not_served_either(database: Database) -> None:
    market, order_id = await in_service(database)

    async def write(tx: Tx, _: None) -> int:
        found: int = await tx.scalar(
            insert(tables.deliverable)
            .values(
                order_id=order_id,
                name="old.pdf",
                media_type="application/pdf",
                sha256="0" * 64,
                size_bytes=3,
                content=b"old",
                stored_by=market.technician.person_id,
                stored_at=tx.now,
            )
            .returning(tables.deliverable.c.id)
        )
        return found

    asked = DownloadDeliverable(order_id, await market.do(write, None))
    with pytest.raises(FileDamaged):
        await market.do(download_deliverable, asked, by=market.buyer)


async def test_a_crash_between_file_and_row_leaves_an_orphan_that_goes_after_a_day(
    database: Database, store: Files, tmp_path: Path
) -> None:
    market, order_id = await in_service(database)

    class Crash(Exception):
        pass

    async def store_and_crash(tx: Tx, command: StoreDeliverable) -> None:
        await store_deliverable(tx, command)
        raise Crash

    with pytest.raises(Crash):
        await market.do(store_and_crash, a_report(order_id, content=LARGE), by=market.technician)
    kept = a_report(order_id, content=LARGE + b"kept")
    await market.do(store_deliverable, kept, by=market.technician)

    assert await market.do(queries.deliverables, order_id, by=market.buyer) != []
    assert len(files_in(tmp_path)) == 2
    assert await remove_orphans(database) == 0
    move_to(market, LATER)
    assert await remove_orphans(database) == 1
    assert await remove_orphans(database) == 0
    assert [path.read_bytes() for path in files_in(tmp_path)] == [kept.content]


async def test_the_file_of_an_upload_under_way_is_no_orphan_however_old_it_is(
    database: Database, store: Files, tmp_path: Path
) -> None:
    """An orphan of long ago is sent again, and the job comes between its file and its row."""
    market, order_id = await in_service(database)
    move_to(market, LATER)
    written, go_on = asyncio.Event(), asyncio.Event()

    async def store_slowly(tx: Tx, command: StoreDeliverable) -> int:
        stored = await store_deliverable(tx, command)
        written.set()
        await go_on.wait()
        return stored.id

    upload = asyncio.ensure_future(
        market.do(store_slowly, a_report(order_id, content=LARGE), by=market.technician)
    )
    await written.wait()
    assert await remove_orphans(database) == 0
    go_on.set()
    asked = DownloadDeliverable(order_id, await upload)

    assert await remove_orphans(database) == 0
    assert (await market.do(download_deliverable, asked, by=market.buyer)).content == LARGE


async def test_a_store_that_cannot_take_a_file_leaves_no_row_behind(database: Database) -> None:
    market, order_id = await in_service(database)

    class Full(DiskFiles):
        async def write(self, key: str, content: bytes) -> None:
            raise Unavailable("The platform cannot keep files just now.")

    with use_files(Full(Path("/nowhere"))), pytest.raises(Unavailable):
        await market.do(store_deliverable, a_report(order_id, content=LARGE), by=market.technician)

    assert await market.do(queries.deliverables, order_id, by=market.buyer) == []


async def test_what_is_refused_is_not_written_to_the_store(
    database: Database, store: Files, tmp_path: Path
) -> None:
    market, order_id = await in_service(database)
    wrong = replace(a_report(order_id, content=LARGE), sha256="0" * 64)

    with pytest.raises(Refused):
        await market.do(store_deliverable, wrong, by=market.technician)

    assert files_in(tmp_path) == []


async def test_who_took_a_result_is_told_to_its_buyer_and_nobody_else(database: Database) -> None:
    market, order_id = await in_service(database)
    stored = await market.do(store_deliverable, a_report(order_id), by=market.technician)
    asked = DownloadDeliverable(order_id, stored.id)
    for _ in range(2):
        await market.do(download_deliverable, asked, by=market.technician)

    found = await market.do(downloads, DownloadsAsked(order_id, stored.id), by=market.buyer)
    assert (found.total, {each.deliverable_id for each in found.rows}) == (2, {stored.id})
    stranger = await an_actor(database, Role.BUYER)
    for actor in (market.technician, stranger, await an_actor(database, Role.AUDITOR)):
        with pytest.raises(OrderMissing):
            await market.do(downloads, DownloadsAsked(order_id), by=actor)
