"""Two papers filed at the same moment do not become the same version."""

import asyncio

import pytest

from marketplace.billing.pricing.errors import CostSheetFiledAtOnce, PriceListFiledAtOnce
from marketplace.billing.pricing.rules.states import CostKind
from marketplace.billing.pricing.use_cases import (
    FileCostSheet,
    FilePriceList,
    file_cost_sheet,
    file_price_list,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import atomically, transaction
from tests.builders.catalogue import an_instrument
from tests.builders.pricing import a_cost_sheet, a_price

TEST = system_actor("test")


async def test_of_two_cost_sheets_filed_at_once_one_is_refused(database):
    command = FileCostSheet(await an_instrument(database), 2025, 60, ((CostKind.LABOUR, 100),))

    async with transaction(database, actor=TEST) as tx:
        first = await file_cost_sheet(tx, command)
        racing = asyncio.create_task(atomically(database, file_cost_sheet, command, actor=TEST))
        await asyncio.sleep(0.2)

    with pytest.raises(CostSheetFiledAtOnce):
        await racing
    assert 1 == first.version
    assert 2 == (await atomically(database, file_cost_sheet, command, actor=TEST)).version


async def test_of_two_price_lists_filed_at_once_one_is_refused(database):
    instrument_id = await an_instrument(database)
    await a_cost_sheet(database, instrument_id=instrument_id)
    command = FilePriceList(instrument_id, (a_price(),))

    async with transaction(database, actor=TEST) as tx:
        first = await file_price_list(tx, command)
        racing = asyncio.create_task(atomically(database, file_price_list, command, actor=TEST))
        await asyncio.sleep(0.2)

    with pytest.raises(PriceListFiledAtOnce):
        await racing
    assert 1 == first.version
    assert 2 == (await atomically(database, file_price_list, command, actor=TEST)).version
