"""Charging, crediting, invoicing, and the totals that rewards are computed from."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.invoicing import queries
from marketplace.billing.invoicing.errors import (
    ChargeMissing,
    CreditTooLarge,
    InvoiceNumberRefused,
    InvoiceNumberUsed,
    InvoiceRefused,
    MoveFeeCharged,
    OrderCharged,
    OrderInvoiced,
)
from marketplace.billing.invoicing.rules.charges import Charged
from marketplace.billing.invoicing.rules.states import ChargeKind
from marketplace.billing.invoicing.use_cases import (
    CreditCharge,
    RecordInvoice,
    credit_charge,
    record_invoice,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import atomically, transaction
from marketplace.kernel.errors import Missing
from marketplace.parties.roles import Role
from tests.builders.invoicing import a_charge, a_credit, an_invoice_number
from tests.builders.owner import become_owner
from tests.builders.parties import a_provider, an_actor, an_sme

TEST = system_actor("test")
TODAY = date(2025, 3, 3)


async def ask(database, query, question, *, actor=TEST):
    return await atomically(database, query, question, actor=actor)


async def invoice(database, order_id, *, actor=TEST, **changes):
    charge = await ask(database, queries.charge_line, order_id)
    asked: dict[str, Any] = {
        "order_id": order_id,
        "provider_id": charge.provider_id,
        "buyer_id": charge.buyer_id,
        "number": an_invoice_number(),
        "amount_fen": 1_000_00,
        "issued_on": TODAY,
    }
    # The orders behind these lines do not exist.
    async with transaction(database, actor=actor) as tx:
        await become_owner(tx)
        await tx.execute(text("set local session_replication_role = replica"))
        return await record_invoice(tx, RecordInvoice(**(asked | changes)))


async def test_a_charge_is_worth_its_parts(database):
    order_id = await a_charge(database, voucher_fen=250_00, own_fen=750_00)

    charge = await ask(database, queries.charge_line, order_id)

    assert (1_000_00, True, True, TODAY) == (
        charge.service_value_fen,
        charge.voucher_order,
        charge.counts_for_reward,
        charge.settled_on,
    )


async def test_an_order_is_charged_once(database):
    order_id = await a_charge(database)

    with pytest.raises(OrderCharged):
        await a_charge(database, order_id=order_id)


async def test_a_credit_counts_on_the_day_of_what_it_corrects(database):
    order_id = await a_charge(database, settled_on=date(2024, 12, 30))
    await a_credit(database, order_id=order_id, own_fen=100_00)

    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select service_value_fen, settled_on, voucher_order, reverses is null"
                " from charge_line order by id"
            )
        )
        lines = [tuple(row) for row in rows]

    assert [
        (1_000_00, date(2024, 12, 30), True, True),
        (-100_00, date(2024, 12, 30), True, False),
    ] == lines
    assert Charged(250_00, 650_00) == await ask(database, queries.charged, order_id)


async def test_credits_never_exceed_the_charge_together(database):
    order_id = await a_charge(database, voucher_fen=250_00, own_fen=750_00)
    await a_credit(database, order_id=order_id, own_fen=700_00)

    with pytest.raises(CreditTooLarge) as refusal:
        await a_credit(database, order_id=order_id, own_fen=50_01)

    assert [50_00] == [reason.limit for reason in refusal.value.reasons]


async def test_what_was_not_charged_cannot_be_credited(database):
    with pytest.raises(ChargeMissing):
        await ask(database, credit_charge, CreditCharge(5, 0, 1, "wrong order"))


async def test_the_provider_records_its_invoice(database):
    provider_id = await a_provider(database)
    order_id = await a_charge(database, provider_id=provider_id)
    manager = await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=provider_id)

    recorded = await invoice(database, order_id, actor=manager)

    assert recorded == await ask(database, queries.invoice_of, order_id)
    assert (provider_id, 1_000_00) == (recorded.provider_id, recorded.amount_fen)


async def test_an_invoice_is_over_what_stands_charged(database):
    order_id = await a_charge(database)
    await a_credit(database, order_id=order_id, own_fen=100_00)

    with pytest.raises(InvoiceRefused):
        await invoice(database, order_id, amount_fen=1_000_00)

    assert 900_00 == (await invoice(database, order_id, amount_fen=900_00)).amount_fen


async def test_an_invoice_with_an_impossible_number_is_refused(database):
    order_id = await a_charge(database)

    with pytest.raises(InvoiceNumberRefused):
        await invoice(database, order_id, number="2" * 20)


async def test_an_order_has_one_invoice_and_a_number_one_order(database):
    first, second = await a_charge(database), await a_charge(database)
    recorded = await invoice(database, first)

    with pytest.raises(OrderInvoiced):
        await invoice(database, first)
    with pytest.raises(InvoiceNumberUsed):
        await invoice(database, second, number=recorded.number)


async def test_only_the_orders_provider_invoices_it(database):
    order_id = await a_charge(database)
    other = await an_actor(database, Role.PROVIDER_MANAGER)

    with pytest.raises(Missing):
        await invoice(database, order_id, actor=other)


async def test_an_order_that_is_not_settled_is_not_invoiced(database):
    command = RecordInvoice(7, 1, 2, an_invoice_number(), 100, TODAY)

    with pytest.raises(ChargeMissing):
        await ask(database, record_invoice, command)


async def test_an_organisation_sees_the_invoices_it_issued_and_received(database):
    provider_id, buyer_id = await a_provider(database), await an_sme(database)
    mine = await invoice(
        database, await a_charge(database, provider_id=provider_id, buyer_id=buyer_id)
    )
    other = await invoice(database, await a_charge(database))

    async def seen_by(actor, **changes):
        page = await ask(database, queries.invoices, queries.InvoiceSearch(**changes), actor=actor)
        return [found.id for found in page.results], page.total

    manager = Actor(1, provider_id, "provider", frozenset({Role.PROVIDER_MANAGER}))
    buyer = Actor(1, buyer_id, "sme", frozenset({Role.BUYER}))
    stranger = await an_actor(database, Role.BUYER)
    finance = await an_actor(database, Role.FINANCE_MAKER)
    assert ([mine.id], 1) == await seen_by(manager)
    assert ([mine.id], 1) == await seen_by(buyer)
    assert ([], 0) == await seen_by(stranger)
    assert ([], 0) == await seen_by(stranger, number=mine.number)
    assert ([other.id, mine.id], 2) == await seen_by(finance)
    assert ([mine.id], 2) == await seen_by(finance, page=2, page_size=1)
    assert ([mine.id], 1) == await seen_by(finance, number=mine.number)
    assert ([], 0) == await seen_by(finance, issued_from=date(2025, 3, 4))


async def test_service_totals_count_what_earns_a_reward(database):
    provider_id, buyer_id = await a_provider(database), await an_sme(database)
    same: dict[str, Any] = {"provider_id": provider_id, "buyer_id": buyer_id}
    await a_charge(database, **same, voucher_fen=1, own_fen=9)
    await a_charge(database, **same, voucher_fen=0, own_fen=100)
    await a_charge(database, **same, voucher_fen=1, own_fen=999, affiliated=True)
    await a_charge(database, **same, voucher_fen=0, own_fen=10_000, kind=ChargeKind.NO_SHOW_FEE)
    await a_charge(database, **same, own_fen=100_000, settled_on=date(2024, 12, 31))
    await a_charge(database, **same, own_fen=100_000, settled_on=date(2025, 3, 2))

    async def total(**changes):
        asked: dict[str, Any] = {"year": 2025, "through": TODAY} | changes
        async with database.engine.connect() as connection:
            rows = await connection.execute(queries.service_totals(**asked))
            return [row.service_value_fen for row in rows if row.provider_id == provider_id]

    assert [10 + 125_000] == await total()
    assert [110 + 125_000] == await total(base_counts="all-orders")
    assert [125_000] == await total(through=date(2025, 3, 2))
    assert [125_000] == await total(year=2024, through=date(2024, 12, 31))
    assert [] == await total(year=2023, through=date(2023, 12, 31))


async def test_fees_for_moving_are_charged_beside_the_service_and_once(database):
    order_id = await a_charge(database)
    fee: dict[str, Any] = {
        "order_id": order_id,
        "voucher_fen": 0,
        "own_fen": 90_00,
        "kind": ChargeKind.MOVE_FEE,
    }
    await a_charge(database, **fee)

    with pytest.raises(MoveFeeCharged):
        await a_charge(database, **fee)

    assert Charged(250_00, 840_00) == await ask(database, queries.charged, order_id)
    line = await ask(database, queries.charge_line, order_id)
    assert ("service", True) == (line.kind, line.counts_for_reward)
    # A credit corrects the service, and no more than was charged for it.
    with pytest.raises(CreditTooLarge):
        await a_credit(database, order_id=order_id, own_fen=760_00)
    await a_credit(database, order_id=order_id, own_fen=750_00)
