"""Vouchers lie below orders: here an order is only a number."""

import pytest_asyncio

from marketplace.kernel.db import Database
from tests.builders.vouchers import orders_are_numbers


@pytest_asyncio.fixture(autouse=True)
async def _orders_are_numbers(database: Database) -> None:
    await orders_are_numbers(database)
