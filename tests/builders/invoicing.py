"""Charge lines and invoices for tests: the orders behind them need not exist."""

import itertools
from datetime import date
from typing import Any

from sqlalchemy import text

from marketplace.billing.invoicing.use_cases import (
    CreditCharge,
    RecordCharge,
    credit_charge,
    record_charge,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, transaction
from marketplace.kernel.time import shanghai_instant
from marketplace.parties import queries as parties
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_sme

TEST = system_actor("test")

_orders = itertools.count(1_000_001)


async def a_charge(
    database: Database,
    *,
    provider_id: int | None = None,
    buyer_id: int | None = None,
    settled_on: date | None = None,
    **changes: Any,
) -> int:
    """The order id of a settled service of 1,000 CNY, a quarter of it paid by voucher.

    The legal entities are those of provider and buyer. Order and instrument do not exist: the
    line is written without asking for what it refers to.
    """
    provider_id = provider_id or await a_provider(database)
    buyer_id = buyer_id or await an_sme(database, profile_year=None)
    async with transaction(database, actor=TEST) as tx:
        if settled_on is not None:
            tx.now = shanghai_instant(settled_on, 9 * 60)
        asked: dict[str, Any] = {
            "order_id": next(_orders),
            "provider_id": provider_id,
            "legal_entity_id": (await parties.organisation(tx, provider_id)).legal_entity_id,
            "instrument_id": 1,
            "buyer_id": buyer_id,
            "buyer_legal_entity_id": (await parties.organisation(tx, buyer_id)).legal_entity_id,
            "voucher_fen": 250_00,
            "own_fen": 750_00,
            "affiliated": False,
        }
        command = RecordCharge(**(asked | changes))
        await become_owner(tx)
        await tx.execute(text("set local session_replication_role = replica"))
        await record_charge(tx, command)
    return command.order_id


async def a_credit(database: Database, *, order_id: int, **changes: Any) -> int:
    """A correction that gives 100 CNY of the own part back."""
    asked: dict[str, Any] = {
        "order_id": order_id,
        "voucher_fen": 0,
        "own_fen": 100_00,
        "reason": "Measured at the wrong temperature",
    }
    async with transaction(database, actor=TEST) as tx:
        await become_owner(tx)
        await tx.execute(text("set local session_replication_role = replica"))
        return await credit_charge(tx, CreditCharge(**(asked | changes)))


def an_invoice_number(*, year: int = 2025, region: str = "32") -> str:
    """A number that a tax authority could have given, another one on each call."""
    return f"{year % 100:02d}{region}2{next(_orders):015d}"
