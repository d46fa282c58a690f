"""What goes through the driver belongs to the transaction like everything else."""

import asyncpg
import pytest
from sqlalchemy import bindparam, literal, select, text
from sqlalchemy.exc import DBAPIError

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Prepared, Tx, atomically
from marketplace.kernel.idempotency import TwinInProgress
from tests.builders.owner import become_owner

TEST = system_actor("test")
TWICE = """
    insert into idempotency_key (key, person_id, organisation_id, method, path, body_sha256, status,
      body, stored_at)
    select 'same', 1, 1, 'POST', '/', '', 201, '', now() from generate_series(1, 2)
"""


class CalledOff(Exception):
    pass


async def test_what_the_driver_writes_first_is_rolled_back_with_the_rest(database: Database):
    async def write_and_fail(tx: Tx, _: None) -> None:
        driver = await tx.raw()
        await become_owner(driver)
        await driver.execute("create table written_by_driver ()")
        raise CalledOff

    async def is_there(tx: Tx, _: None) -> bool:
        return bool(await tx.scalar(text("select to_regclass('written_by_driver') is not null")))

    with pytest.raises(CalledOff):
        await atomically(database, write_and_fail, None, actor=TEST)

    assert not await atomically(database, is_there, None, actor=TEST)


async def test_a_named_constraint_means_the_same_whichever_way_it_was_met(database: Database):
    async def through_the_driver(tx: Tx, _: None) -> None:
        await (await tx.raw()).execute(TWICE)

    async def through_sqlalchemy(tx: Tx, _: None) -> None:
        await tx.execute(text(TWICE))

    for way in (through_the_driver, through_sqlalchemy):
        with pytest.raises(TwinInProgress):
            await atomically(database, way, None, actor=TEST)


async def test_a_deadlock_met_by_the_driver_is_tried_again(database: Database):
    tries = 0

    async def unlucky_once(tx: Tx, _: None) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            await (await tx.raw()).execute("do $$ begin raise sqlstate '40P01'; end $$")
        return "done"

    assert await atomically(database, unlucky_once, None, actor=TEST) == "done"
    assert tries == 2


async def test_a_bug_in_a_statement_stays_a_bug(database: Database):
    async def misspelt(tx: Tx, _: None) -> None:
        await (await tx.raw()).execute("selct 1")

    async def misspelt_in_core(tx: Tx, _: None) -> None:
        await tx.execute(text("selct 1"))

    with pytest.raises(asyncpg.PostgresSyntaxError):
        await atomically(database, misspelt, None, actor=TEST)
    with pytest.raises(DBAPIError):
        await atomically(database, misspelt_in_core, None, actor=TEST)


async def test_a_prepared_statement_takes_values_by_name_and_misses_none(database: Database):
    sums = Prepared(select((bindparam("left", type_=literal(1).type) + 41).label("sum")))

    async def ask(tx: Tx, values: dict[str, int]) -> list[int]:
        return [row["sum"] for row in await tx.fetch(sums, values)]

    assert await atomically(database, ask, {"left": 1}, actor=TEST) == [42]
    with pytest.raises(KeyError):
        await atomically(database, ask, {"right": 1}, actor=TEST)
