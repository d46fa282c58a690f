"""Payments as an ISO 20022 message, pain.001.001.09: the same bytes whenever it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from marketplace.billing.payouts.rules.files import House, PaymentLine
from marketplace.kernel.time import SHANGHAI

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
# China's clearing system, whose members are known by twelve digits.
_CLEARING = "CNAPS"
_NAME_MAX, _TEXT_MAX, _ACCOUNT_MAX = 140, 140, 34


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says of itself."""

    number: str
    made_at: datetime


def pain001(lines: Sequence[PaymentLine], house: House, message: Message) -> bytes:
    """One payment instruction over all lines, each booked by the bank on its own."""
    document = Element("Document", {"xmlns": NAMESPACE})
    initiation = SubElement(document, "CstmrCdtTrfInitn")
    payments = sorted(lines, key=lambda line: line.payout_id)
    total = _yuan(sum(line.amount_fen for line in payments))
    local = message.made_at.astimezone(SHANGHAI)
    header = SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", message.number)
    _text(header, "CreDtTm", local.replace(microsecond=0).isoformat())
    _text(header, "NbOfTxs", str(len(payments)))
    _text(header, "CtrlSum", total)
    _text(SubElement(header, "InitgPty"), "Nm", house.holder[:_NAME_MAX])
    payment = SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", message.number)
    _text(payment, "PmtMtd", "TRF")
    _text(payment, "BtchBookg", "false")
    _text(payment, "NbOfTxs", str(len(payments)))
    _text(payment, "CtrlSum", total)
    _text(SubElement(payment, "ReqdExctnDt"), "Dt", local.date().isoformat())
    _text(SubElement(payment, "Dbtr"), "Nm", house.holder[:_NAME_MAX])
    account = _account(payment, "DbtrAcct", house.number)
    _text(account, "Ccy", "CNY")
    _agent(payment, "DbtrAgt", house.cnaps, house.bank_name)
    for line in payments:
        _transfer(payment, line)
    indent(document)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(document, "unicode").encode()


def _transfer(payment: Element, line: PaymentLine) -> None:
    transfer = SubElement(payment, "CdtTrfTxInf")
    identified = SubElement(transfer, "PmtId")
    _text(identified, "InstrId", line.end_to_end_id)
    _text(identified, "EndToEndId", line.end_to_end_id)
    amount = _text(SubElement(transfer, "Amt"), "InstdAmt", _yuan(line.amount_fen))
    amount.set("Ccy", "CNY")
    _agent(transfer, "CdtrAgt", line.cnaps, line.bank_name)
    _text(SubElement(transfer, "Cdtr"), "Nm", line.holder[:_NAME_MAX])
    _account(transfer, "CdtrAcct", line.number)
    _text(SubElement(transfer, "RmtInf"), "Ustrd", line.purpose[:_TEXT_MAX])


def _agent(parent: Element, name: str, cnaps: str, bank_name: str) -> None:
    institution = SubElement(SubElement(parent, name), "FinInstnId")
    member = SubElement(institution, "ClrSysMmbId")
    _text(SubElement(member, "ClrSysId"), "Cd", _CLEARING)
    _text(member, "MmbId", cnaps)
    _text(institution, "Nm", bank_name[:_NAME_MAX])


def _account(parent: Element, name: str, number: str) -> Element:
    account = SubElement(parent, name)
    _text(SubElement(SubElement(account, "Id"), "Othr"), "Id", number[:_ACCOUNT_MAX])
    return account


def _text(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    # Control characters have no place in XML, and none in a name.
    element.text = "".join(char if char.isprintable() else " " for char in text).strip() or "-"
    return element


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
