"""Many orders like one that is there: its rows again, with ids and keys of their own."""

from __future__ import annotations

from typing import Any

import asyncpg

from marketplace.kernel.db import Database, Tx, atomically
from marketplace.orders.queries.orders import Order
from tests.builders.orders import TEST, Market, delivered_samples
from tests.builders.owner import become_owner


async def many_like(database: Database, found: Order, count: int) -> list[int]:
    """`count` more orders for samples, delivered like `found`; their ids.

    Everything that their settlement reads and moves is there: quotes, items, samples, contracts,
    the holds on the wallet and on the voucher.
    """

    async def multiply(tx: Tx, _: None) -> list[int]:
        await become_owner(tx)
        return await _Copies(await tx.raw(), count).of(found)

    return await atomically(database, multiply, None, actor=TEST)


async def many_delivered(market: Market, count: int, *, samples: int = 5) -> list[int]:
    """`count` orders for samples that were delivered, in a market that can pay for them."""
    first = await delivered_samples(market, samples=samples, tested=samples)
    more = await many_like(market.database, first, count - 1) if count > 1 else []
    return [first.id, *more]


class _Copies:
    """Copies of rows; the n-th copy of each has an id that lies n above the newest of its table."""

    def __init__(self, driver: asyncpg.Connection[Any], count: int) -> None:
        self.driver, self.count = driver, count

    async def of(self, found: Order) -> list[int]:
        quote = await self.copies("quote", found.quote_id)
        await self.copies("quote_item", found.quote_id, by="quote_id", quote_id=quote)
        holds: dict[str, Any] = {}
        if found.own_hold_id is not None:
            holds["own_hold_id"] = await self.holds(found.own_hold_id)
        order = await self.copies("service_order", found.id, quote_id=quote, **holds)
        for table in ("order_item", "sample_set", "contract"):
            await self.copies(table, found.id, by="order_id", order_id=order)
        for voucher_hold_id in await self.ids(
            "select id from voucher_hold where order_id = $1 and status = 'held'", found.id
        ):
            voucher = await self.copies("voucher_hold", voucher_hold_id, order_id=order)
            for held in await self.ids(
                "select ledger_hold_id from voucher_hold_part where hold_id = $1", voucher_hold_id
            ):
                await self.copies(
                    "voucher_hold_part",
                    held,
                    by="ledger_hold_id",
                    hold_id=voucher,
                    ledger_hold_id=await self.holds(held),
                )
        return list(range(order + 1, order + 1 + self.count))

    async def ids(self, question: str, value: int) -> list[int]:
        return [row[0] for row in await self.driver.fetch(question, value)]

    async def holds(self, hold_id: int) -> int:
        """More holds of the same amount, and what they hold on the account."""
        before = await self.copies("hold", hold_id)
        await self.driver.execute(
            "update account a set held_fen = a.held_fen + $2 * h.amount_fen from hold h"
            " where h.id = $1 and a.id = h.account_id",
            hold_id,
            self.count,
        )
        return before

    async def copies(self, table: str, value: int, *, by: str = "id", **shifted: int) -> int:
        """Copy the rows that have `value`; each column of `shifted` counts from there."""
        columns = await self.columns_of(table)
        before = 0
        if by == "id":
            before = await self.driver.fetchval(f"select max(id) from {table}")
            shifted = shifted | {"id": before}
        elif "id" in columns:
            columns.remove("id")
        cells = [
            f"{shifted[name]} + n"
            if name in shifted
            else f"{name} || '-' || n"
            if (table, name) == ("hold", "key")
            else name
            for name in columns
        ]
        await self.driver.execute(
            f"insert into {table} ({', '.join(columns)}) overriding system value"
            f" select {', '.join(cells)} from {table}, generate_series(1, {self.count}) as n"
            f" where {by} = $1",
            value,
        )
        if by == "id":
            await self.driver.execute(
                f"select setval(pg_get_serial_sequence('{table}', 'id'), {before + self.count})"
            )
        return before

    async def columns_of(self, table: str) -> list[str]:
        rows = await self.driver.fetch(
            "select column_name from information_schema.columns where table_name = $1"
            " and table_schema = 'public' and is_generated = 'NEVER' order by ordinal_position",
            table,
        )
        return [row[0] for row in rows]
