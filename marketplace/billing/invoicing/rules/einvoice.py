"""The XML file of a fully digital tax invoice (数电票), held against its order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from marketplace.billing.invoicing.errors import InvoiceFileUnreadable, InvoiceRefused
from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import parse_yuan, yuan

# Where a field stands: the first that is there counts. Issuers differ in how deep they nest.
_FIELDS = {
    "number": ("InvoiceNumber", "EIid"),
    "issued_on": ("IssueTime", "RequestTime"),
    "seller_uscc": ("SellerIdNum",),
    "seller_name": ("SellerName",),
    "buyer_uscc": ("BuyerIdNum",),
    "buyer_name": ("BuyerName",),
    "net": ("TotalAmWithoutTax",),
    "tax": ("TotalTaxAm",),
    "total": ("TotalTax-includedAmount",),
}
_CELL_MAX = 200


@dataclass(frozen=True, slots=True)
class ElectronicInvoice:
    """What the file says; amounts in fen."""

    number: str
    issued_on: date
    seller_uscc: str
    seller_name: str
    buyer_uscc: str
    buyer_name: str
    net_fen: int
    tax_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class Party:
    """A side of the order, as its legal entity is registered."""

    uscc: str
    name: str


def read_invoice(content: bytes) -> ElectronicInvoice:
    """The invoice in an XML file.

    Raises:
        InvoiceFileUnreadable: when it is no XML, or with each field that is missing or wrong.

    Policy: F.invoice
    """
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise InvoiceFileUnreadable("The file is no XML that can be read.") from error
    found = {name: _text(root, tags) for name, tags in _FIELDS.items()}
    reasons = Reasons()
    for name, text in found.items():
        if not text:
            tags = " or ".join(_FIELDS[name])
            reasons.add("invoice-field", f"{tags} is missing.", asked=name, source="F.invoice")
    reasons.raise_as(InvoiceFileUnreadable)
    amounts = {name: _amount(reasons, name, found[name]) for name in ("net", "tax", "total")}
    issued_on = _day(reasons, found["issued_on"])
    reasons.raise_as(InvoiceFileUnreadable)
    if amounts["net"] + amounts["tax"] != amounts["total"]:
        raise InvoiceFileUnreadable(
            f"{yuan(amounts['net'])} CNY and {yuan(amounts['tax'])} CNY of tax are not"
            f" {yuan(amounts['total'])} CNY."
        )
    return ElectronicInvoice(
        number=found["number"],
        issued_on=issued_on,
        seller_uscc=found["seller_uscc"].upper(),
        seller_name=found["seller_name"],
        buyer_uscc=found["buyer_uscc"].upper(),
        buyer_name=found["buyer_name"],
        net_fen=amounts["net"],
        tax_fen=amounts["tax"],
        total_fen=amounts["total"],
    )


def require_invoice_of(
    found: ElectronicInvoice, *, seller: Party, buyer: Party, amount_fen: int
) -> None:
    """Refuse the invoice of somebody else, to somebody else, or over another amount.

    Raises:
        InvoiceRefused: with each reason.

    Policy: F.invoice
    """
    reasons = Reasons()
    for side, party, uscc, name in (
        ("seller", seller, found.seller_uscc, found.seller_name),
        ("buyer", buyer, found.buyer_uscc, found.buyer_name),
    ):
        if uscc != party.uscc:
            reasons.add(
                f"invoice-{side}-number",
                f"The {side} of the order is {party.name}, {party.uscc}.",
                limit=party.uscc,
                asked=uscc,
            )
        elif name != party.name:
            reasons.add(
                f"invoice-{side}-name",
                f"The {side} of the order is called {party.name}.",
                limit=party.name,
                asked=name,
            )
    if found.total_fen != amount_fen:
        reasons.add(
            "invoice-amount",
            f"{yuan(amount_fen)} CNY are to be invoiced, voucher part included.",
            limit=amount_fen,
            asked=found.total_fen,
        )
    reasons.raise_as(InvoiceRefused)


def _text(root: Element, tags: tuple[str, ...]) -> str:
    for tag in tags:
        for element in root.iter():
            if element.tag.rpartition("}")[2] == tag and element.text and element.text.strip():
                return element.text.strip()[:_CELL_MAX]
    return ""


def _amount(reasons: Reasons, name: str, text: str) -> int:
    try:
        amount_fen = parse_yuan(text.lstrip("¥￥"))
    except ValueError:
        amount_fen = -1
    if amount_fen < 0:
        reasons.add("invoice-amount-field", f"{text} is no amount.", asked=name)
    return amount_fen


def _day(reasons: Reasons, text: str) -> date:
    try:
        return date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        reasons.add("invoice-day-field", f"{text} is no day.", asked="issued_on")
        return date.min
