"""What a worker commits is told to pages that are open on web processes, through Redis."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from redis.asyncio import Redis

from marketplace.booking.jobs import JOBS
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedRedis
from marketplace.kernel.live import Change, Relay
from marketplace.kernel.time import SetClock
from marketplace.worker import announcing
from tests.builders.booking import a_bookable_instrument, a_reservation, at_hours

RUN = {job.name.removeprefix("booking."): job.run for job in JOBS}


async def test_a_request_that_a_job_lets_lapse_frees_its_time_on_open_pages(
    database: Database, clock: SetClock, tmp_path: Path
):
    instrument_id = await a_bookable_instrument(database, needs_approval=True)
    placed = await a_reservation(database, instrument_id=instrument_id)
    clock.set(clock.now() + timedelta(days=1))
    server = EmbeddedRedis(tmp_path / "valkey")
    address = server.start()
    heard: asyncio.Queue[Change] = asyncio.Queue()
    redis = Redis.from_url(address)
    try:
        async with Relay(redis).heard_by(heard.put_nowait):
            await asyncio.sleep(0.3)
            async with announcing(database, address):
                assert await RUN["expire_requests"](database) == 1
            told = [await asyncio.wait_for(heard.get(), 5) for _ in range(2)]
    finally:
        await redis.aclose()
        server.stop()

    assert {change.topic for change in told} == {
        f"calendar:{instrument_id}",
        f"provider:{placed.provider_id}",
    }
    assert {change.facts["kind"] for change in told} == {"freed"}
    assert told[0].facts["starts_at"] == at_hours(2, 9, 11).starts_at.isoformat().replace(
        "+00:00", "Z"
    )


async def test_without_redis_a_worker_tells_nobody(database: Database):
    async with announcing(database, ""):
        assert database.on_commit == []
