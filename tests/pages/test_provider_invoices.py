"""A provider's invoices on pages: what waits for one, recorded by number or by file."""

from __future__ import annotations

import pytest

from marketplace.orders.use_cases import AcceptOrder, accept_order
from tests.builders.booking import at_hours
from tests.builders.einvoice import an_invoice_file
from tests.builders.orders import a_delivered_order, a_market, an_order
from tests.builders.vouchers import an_invoice_number

pytestmark = pytest.mark.timeout(180)


async def test_a_settled_order_waits_for_its_invoice_until_it_is_recorded(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    settled = await market.do(accept_order, AcceptOrder(order.id), by=market.buyer)
    open_order = await an_order(market, during=at_hours(6, 9, 11))
    manager = await enter(market.manager)
    here = f"/provider/invoices/{order.id}"

    waiting = await manager.open("/provider/invoices")
    nobody = await manager.open("/provider/invoices", text="没有这个客户")
    file = await manager.http.get("/provider/invoices/file?format=csv")
    early = await manager.open(f"/provider/invoices/{open_order.id}")
    asked = await manager.open(here)
    wrong = await manager.send(asked, here, number="1", amount="1")
    content = await an_invoice_file(market, settled)
    none = await manager.post(f"{here}/upload", {}, file=("发票.xml", b"", "text/xml"))
    unread = await manager.post(f"{here}/upload", {}, file=("发票.xml", b"<x/>", "text/xml"))
    done = await manager.post(f"{here}/upload", {}, file=("发票.xml", content, "text/xml"))
    again = await manager.post(
        here, {"number": an_invoice_number(), "amount": "1", "on": "2025-03-03"}
    )
    after = await manager.open("/provider/invoices")
    issued = await manager.open("/provider/invoices/issued", kind="blue")
    issued_file = await manager.http.get("/provider/invoices/issued/file?kind=blue&format=csv")

    assert here in waiting.links.values()
    assert "没有待开票的订单" in nobody.text
    assert len(file.text.strip().splitlines()) == 2
    assert "订单结算后才能开票" in early.text
    assert asked.form(here).fields["amount"] == f"{(settled.settled_fen or 0) / 100:.2f}"
    assert wrong.status == 422
    assert wrong.form(here).fields["number"] == "1"
    assert none.status == 400
    assert unread.status in (400, 422)
    assert "文件已存档" in done.text
    assert again.status == 409
    assert "没有待开票的订单" in after.text
    assert here in issued.links.values()
    assert len(issued_file.text.strip().splitlines()) == 2
