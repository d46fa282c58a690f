"""The XML of an electronic tax invoice, as issuers write it."""

from __future__ import annotations

from typing import Any

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
