"""What goes through the driver belongs to the transaction like everything else."""

import pytest
from sqlalchemy import text

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, Tx, atomically


class CalledOff(Exception):
    pass


async def test_what_the_driver_writes_first_is_rolled_back_with_the_rest(database: Database):
    async def write_and_fail(tx: Tx, _: None) -> None:
        driver = await tx.raw()
        await driver.execute("create table written_by_driver ()")
        raise CalledOff

    async def is_there(tx: Tx, _: None) -> bool:
        return bool(await tx.scalar(text("select to_regclass('written_by_driver') is not null")))

    with pytest.raises(CalledOff):
        await atomically(database, write_and_fail, None, actor=system_actor("test"))

    assert not await atomically(database, is_there, None, actor=system_actor("test"))
