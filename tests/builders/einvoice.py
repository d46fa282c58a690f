"""The XML of an electronic tax invoice, as issuers write it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.orders.queries import Order
from tests.builders.invoicing import an_invoice_number
from tests.builders.orders import Market

TEMPLATE = """<?xml version="1.0" encoding="UTF-8"?>
<EInvoice>
  <Header><EIid>{number}</EIid><EInvoiceTag>SWEI3200</EInvoiceTag></Header>
  <EInvoiceData>
    <SellerInformation>
      <SellerIdNum>{seller_uscc}</SellerIdNum><SellerName>{seller_name}</SellerName>
    </SellerInformation>
    <BuyerInformation>
      <BuyerIdNum>{buyer_uscc}</BuyerIdNum><BuyerName>{buyer_name}</BuyerName>
    </BuyerInformation>
    <BasicInformation>
      <TotalAmWithoutTax>{net}</TotalAmWithoutTax><TotalTaxAm>{tax}</TotalTaxAm>
      <TotalTax-includedAmount>{total}</TotalTax-includedAmount>
      <RequestTime>{issued_at}</RequestTime>
    </BasicInformation>
    <IssuItemInformation><ItemName>*研发和技术服务*检测</ItemName></IssuItemInformation>
  </EInvoiceData>
  <TaxSupervisionInfo>
    <InvoiceNumber>{number}</InvoiceNumber><IssueTime>{issued_at}</IssueTime>
  </TaxSupervisionInfo>
</EInvoice>
"""


def an_invoice_xml(**changes: Any) -> bytes:
    """An invoice over 1,060.00 CNY, 60.00 of them tax; `changes` replace what it says."""
    said = {
        "number": "25322000000012345678",
        "seller_uscc": "12320000466007597M",
        "seller_name": "东南大学",
        "buyer_uscc": "91320100MA1MX0000X",
        "buyer_name": "南京材料公司",
        "net": "1000.00",
        "tax": "60.00",
        "total": "1060.00",
        "issued_at": "2025-03-03 10:00:00",
    }
    return TEMPLATE.format(**(said | changes)).encode()


async def an_invoice_file(market: Market, order: Order, **changes: Any) -> bytes:
    """The file of the invoice that a settled order is to have, issued today."""
    async with market.database.engine.connect() as connection:
        rows = await connection.execute(
            text("select id, uscc, name from legal_entity where id in (:seller, :buyer)"),
            {"seller": order.provider_legal_entity_id, "buyer": order.buyer_legal_entity_id},
        )
        entities = {row.id: row for row in rows}
    seller, buyer = (
        entities[order.provider_legal_entity_id],
        entities[order.buyer_legal_entity_id],
    )
    today = shanghai_day(market.database.clock.now())
    assert order.settled_fen is not None
    said = {
        "number": an_invoice_number(year=today.year),
        "seller_uscc": seller.uscc,
        "seller_name": seller.name,
        "buyer_uscc": buyer.uscc,
        "buyer_name": buyer.name,
        "net": yuan(order.settled_fen - 100),
        "tax": "1.00",
        "total": yuan(order.settled_fen),
        "issued_at": f"{today} 10:00:00",
    }
    return an_invoice_xml(**(said | changes))
