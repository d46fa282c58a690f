"""Closures: of which kind they are, who hears of them, and how they end early."""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import select

from marketplace.catalogue import queries
from marketplace.catalogue.errors import ClosureMissing, ClosureOver, InstrumentMissing
from marketplace.catalogue.queries import Closure, ClosureKind, ClosureSearch
from marketplace.catalogue.use_cases import (
    CloseInstrument,
    ReopenInstrument,
    close_instrument,
    reopen_instrument,
)
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.http import Services
from marketplace.kernel.tables import outbox_event
from marketplace.kernel.time import SHANGHAI, During, SetClock
from marketplace.parties.roles import Role
from tests.builders.catalogue import TEST, an_instrument
from tests.builders.parties import an_actor, bearer

MONDAY = datetime(2025, 3, 3, tzinfo=SHANGHAI)


def hours(from_hour: int, until_hour: int) -> During:
    return During(MONDAY + timedelta(hours=from_hour), MONDAY + timedelta(hours=until_hour))


async def closed(
    database: Database, instrument_id: int, during: During, kind: ClosureKind
) -> Closure:
    command = CloseInstrument(instrument_id, during, "检修", kind)
    return await atomically(database, close_instrument, command, actor=TEST)


async def told(database: Database, name: str) -> list[dict[str, object]]:
    async def read(tx: Tx, _: None) -> list[dict[str, object]]:
        events = select(outbox_event.c.payload).where(outbox_event.c.name == name)
        return list(await tx.scalars(events))

    return await atomically(database, read, None, actor=TEST)


async def test_closures_are_listed_by_time_and_kind(database: Database) -> None:
    instrument_id = await an_instrument(database)
    late = await closed(database, instrument_id, hours(30, 32), ClosureKind.BREAKDOWN)
    early = await closed(database, instrument_id, hours(20, 22), ClosureKind.MAINTENANCE)

    async def found(**which: object) -> tuple[list[Closure], int]:
        question = ClosureSearch(instrument_id, **which)  # type: ignore[arg-type]
        return await atomically(database, queries.closures_page, question, actor=NOBODY)

    assert await found() == ([early, late], 2)
    assert await found(kind=ClosureKind.BREAKDOWN) == ([late], 1)
    assert await found(during=hours(22, 31)) == ([late], 1)
    assert await found(page=2, page_size=1) == ([late], 2)
    assert [one["kind"] for one in await told(database, "InstrumentClosed")] == [
        "breakdown",
        "maintenance",
    ]


async def test_a_repair_that_is_done_ends_the_closure_now(
    database: Database, clock: SetClock
) -> None:
    instrument_id = await an_instrument(database)
    broken = await closed(database, instrument_id, hours(8, 48), ClosureKind.BREAKDOWN)
    planned = await closed(database, instrument_id, hours(60, 62), ClosureKind.MAINTENANCE)

    async def reopened(closure_id: int) -> Closure | None:
        command = ReopenInstrument(instrument_id, closure_id)
        return await atomically(database, reopen_instrument, command, actor=TEST)

    left = await reopened(broken.id)
    dropped = await reopened(planned.id)

    assert left is not None
    assert (left.starts_at, left.ends_at) == (broken.starts_at, clock.now())
    assert dropped is None
    question = ClosureSearch(instrument_id)
    assert ([left], 1) == await atomically(database, queries.closures_page, question, actor=TEST)
    assert len(await told(database, "InstrumentReopened")) == 2
    with pytest.raises(ClosureOver):
        await reopened(broken.id)
    with pytest.raises(ClosureMissing):
        await reopened(planned.id)


async def test_another_providers_closure_does_not_exist(database: Database) -> None:
    instrument_id = await an_instrument(database)
    closure = await closed(database, instrument_id, hours(20, 22), ClosureKind.CLOSED)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    own_id = await an_instrument(database, provider_id=stranger.organisation_id)

    for one, missing in ((instrument_id, InstrumentMissing), (own_id, ClosureMissing)):
        command = ReopenInstrument(one, closure.id)
        with pytest.raises(missing):
            await atomically(database, reopen_instrument, command, actor=stranger)


async def test_closures_over_http_are_public_and_ended_by_the_providers_staff(
    api: httpx.AsyncClient, services: Services, database: Database
) -> None:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await an_instrument(database, provider_id=manager.organisation_id)
    path = f"/api/v1/instruments/{instrument_id}/closures"
    staff = bearer(services, manager)
    body = {
        "starts_at": "2025-03-03T08:00:00+08:00",
        "ends_at": "2025-03-05T08:00:00+08:00",
        "reason": "真空泵故障",
        "kind": "breakdown",
    }

    made = await api.post(path, json=body, headers=staff | {"Idempotency-Key": "close"})
    listed = await api.get(path, params={"from": "2025-03-04T00:00:00+08:00"})
    reopened = await api.post(
        f"{path}/{made.json()['id']}/reopen", headers=staff | {"Idempotency-Key": "reopen"}
    )

    assert (made.status_code, made.json()["kind"]) == (201, "breakdown")
    assert listed.json()["results"] == [made.json()]
    assert reopened.json()["closure"]["ends_at"] == "2025-03-03T01:00:00Z"
    for params in (
        {"from": "2025-03-04T00:00:00"},
        {"from": "1999-03-04T00:00:00Z"},
        {"from": "2025-03-04T00:00:00Z", "until": "2025-03-04T00:00:00Z"},
        {"kind": "tea"},
    ):
        assert (await api.get(path, params=params)).status_code == 400
