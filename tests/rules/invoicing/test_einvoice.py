"""Reading the tax authority's file, and holding it against the order."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.invoicing.errors import InvoiceFileUnreadable, InvoiceRefused
from marketplace.billing.invoicing.rules.einvoice import Party, read_invoice, require_invoice_of
from tests.builders.einvoice import an_invoice_xml

SELLER = Party("12320000466007597M", "东南大学")
BUYER = Party("91320100MA1MX0000X", "南京材料公司")
BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>
<EInvoice><EIid>&c;</EIid></EInvoice>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><EInvoice>&x;</EInvoice>"""


def test_an_invoice_is_read_to_the_fen():
    found = read_invoice(an_invoice_xml(net="1,000.00", total="¥1060.00"))

    assert ("25322000000012345678", date(2025, 3, 3)) == (found.number, found.issued_on)
    assert (1_000_00, 60_00, 1_060_00) == (found.net_fen, found.tax_fen, found.total_fen)
    require_invoice_of(found, seller=SELLER, buyer=BUYER, amount_fen=1_060_00)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_names_in_a_namespace_and_another_encoding_are_found(encoding):
    content = an_invoice_xml().decode().replace("<EInvoice>", '<EInvoice xmlns="urn:tax">')
    content = content.replace('encoding="UTF-8"', f'encoding="{encoding}"')

    assert "南京材料公司" == read_invoice(content.encode(encoding)).buyer_name


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"<a", BOMB, OUTSIDE, b"\xff\xfe<"])
def test_what_is_no_harmless_xml_is_refused(content):
    with pytest.raises(InvoiceFileUnreadable):
        read_invoice(content)


def test_every_missing_field_is_named_at_once():
    with pytest.raises(InvoiceFileUnreadable) as refusal:
        read_invoice(b"<EInvoice><EIid>25322000000012345678</EIid></EInvoice>")

    assert 8 == len(refusal.value.reasons)


@pytest.mark.parametrize(
    "changes",
    [
        {"net": "ten"},
        {"tax": "-60.00"},
        {"total": "1060.001"},
        {"issued_at": "soon"},
        {"net": "999.99"},
    ],
)
def test_fields_that_contradict_themselves_are_refused(changes):
    with pytest.raises(InvoiceFileUnreadable):
        read_invoice(an_invoice_xml(**changes))


def test_the_invoice_of_another_order_is_refused_with_every_reason():
    found = read_invoice(an_invoice_xml(seller_uscc="91320100MA1MX0000X", buyer_name="别的公司"))

    with pytest.raises(InvoiceRefused) as refusal:
        require_invoice_of(found, seller=SELLER, buyer=BUYER, amount_fen=1)

    assert ["invoice-seller-number", "invoice-buyer-name", "invoice-amount"] == [
        reason.rule for reason in refusal.value.reasons
    ]


@given(
    content=st.binary(max_size=400)
    | st.text(max_size=200).map(lambda text: an_invoice_xml(seller_name=text))
)
def test_no_file_is_more_than_refused(content):
    with suppress(InvoiceFileUnreadable):
        read_invoice(content)
