"""Reading what a bank says of a payment file: ISO 20022 status reports (pain.002), any version.

What is refused: entities and document types, other messages, files that are cut short, and a code
that nobody knows, because a payment that is wrongly taken for refused would be paid twice.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

DEPTH_MAX = 40
PAYMENTS_MAX = 20_000
TEXT_MAX = 500
_MESSAGE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.\d{2}\}Document")


class BankOutcome(StrEnum):
    """What the bank says of a payment."""

    ACCEPTED = "accepted"
    """It has taken the payment; only its statement says that the money has left."""
    REJECTED = "rejected"
    """It will not be made."""
    PENDING = "pending"
    """The bank has not decided."""


OUTCOMES = {
    "RJCT": BankOutcome.REJECTED,
    "PDNG": BankOutcome.PENDING,
    "RCVD": BankOutcome.PENDING,
    "PART": BankOutcome.PENDING,
    **dict.fromkeys(("ACCP", "ACTC", "ACSP", "ACSC", "ACWC", "ACCC", "ACFC"), BankOutcome.ACCEPTED),
}


class ReportUnreadable(ValueError):
    """Why a report cannot be read; `why` names it for whoever translates."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why, self.detail = why, detail


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """What the report says of one payment."""

    end_to_end_id: str
    code: str
    reason: str

    @property
    def outcome(self) -> BankOutcome:
        """What its code means."""
        return OUTCOMES[self.code]


@dataclass(slots=True)
class Report:
    """A report as it was read; `group` speaks of every payment that it does not name."""

    message_id: str = ""
    original_message_id: str = ""
    group: PaymentStatus | None = None
    payments: list[PaymentStatus] = field(default_factory=list)


def read_pain002(content: bytes) -> Report:
    """Everything that a status report says.

    Raises:
        ReportUnreadable: when it is none, or says what nobody knows.
    """
    report = Report()
    try:
        for name, element in _parts(content):
            if name == "GrpHdr":
                report.message_id = _text(element, "MsgId")
            elif name == "OrgnlGrpInfAndSts":
                _group(report, element)
            elif name == "OrgnlPmtInfAndSts":
                _instruction(report, element)
            if len(report.payments) > PAYMENTS_MAX:
                raise ReportUnreadable("report-too-long", str(PAYMENTS_MAX))
    except DefusedXmlException as error:
        raise ReportUnreadable("report-entities") from error
    except (ParseError, UnicodeError, LookupError) as error:
        raise ReportUnreadable("report-damaged") from error
    if not report.original_message_id:
        raise ReportUnreadable("report-names-no-file")
    if report.group is None and not report.payments:
        raise ReportUnreadable("report-says-nothing")
    return report


def _parts(content: bytes) -> Iterator[tuple[str, Element]]:
    """The parts of the report, one after the other; what was read is let go."""
    depth = 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            depth += 1
            if depth > DEPTH_MAX:
                raise ReportUnreadable("report-too-deep")
            if depth == 1 and _MESSAGE.fullmatch(element.tag) is None:
                raise ReportUnreadable("report-other-message")
            continue
        depth -= 1
        if depth == 2:
            yield _name(element), element
            element.clear()


def _group(report: Report, element: Element) -> None:
    report.original_message_id = _text(element, "OrgnlMsgId")
    if _text(element, "GrpSts"):
        report.group = _status(element, "GrpSts", "")


def _instruction(report: Report, element: Element) -> None:
    """One instruction of ours: its payments, or a word on all of them."""
    named = [each for each in element if _name(each) == "TxInfAndSts"]
    for each in named:
        reference = _text(each, "OrgnlEndToEndId")
        if not reference:
            raise ReportUnreadable("report-payment-unnamed")
        report.payments.append(_status(each, "TxSts", reference))
    if not named and _text(element, "PmtInfSts"):
        report.group = _status(element, "PmtInfSts", "")


def _status(element: Element, name: str, reference: str) -> PaymentStatus:
    code = _text(element, name)
    if code not in OUTCOMES:
        raise ReportUnreadable("report-code-unknown", code[:20] or "-")
    told = [
        text
        for info in element
        if _name(info) == "StsRsnInf"
        for text in (
            _text(info, "Rsn/Cd") or _text(info, "Rsn/Prtry"),
            *(_own(each) for each in info if _name(each) == "AddtlInf"),
        )
        if text
    ]
    return PaymentStatus(reference, code, " ".join(told)[:TEXT_MAX])


def _text(element: Element, path: str) -> str:
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return ""
        found = next((each for each in found if _name(each) == name), None)
    return "" if found is None else _own(found)


def _own(element: Element) -> str:
    text = element.text or ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]
