"""Reading ISO 20022 statements (camt.053) and notices (camt.054), in any version of either.

Versions differ in where a status, a party's name or an amount of a part stands, and not in what it
says. What is refused: entities and document types, other messages, other currencies, and a file
that ends before it is finished. An entry that the bank books as a batch is read part by part where
the parts come to the whole.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from marketplace.billing.reconciliation.rules.cells import (
    BALANCE_FEN_MAX,
    amount_fen,
    clean,
    day,
)
from marketplace.billing.reconciliation.rules.files import Format, ReadFile
from marketplace.billing.reconciliation.rules.layout import same_account
from marketplace.billing.reconciliation.rules.reading import LINES_MAX, ReadLine
from marketplace.kernel.money import AMOUNT_FEN_MAX

DEPTH_MAX = 40
_MESSAGE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(camt\.05[34])\.001\.(\d{2})\}Document")
_DECLARED = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding=[\"'](gb[k0-9]+)[\"'][^>]*\?>", re.I
)
_AMOUNT = re.compile(r"\d{1,18}(?:\.\d{1,5})?")
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


class _Unreadable(ValueError):
    """Why the message as a whole cannot be read."""


def read_camt(content: bytes, account_number: str) -> ReadFile:
    """Every booked entry of the account's statements, in order."""
    file = ReadFile(Format.CAMT_053)
    try:
        _Reader(file, account_number).read(_utf8(content))
    except DefusedXmlException:
        file.refuse(0, "", "the file has a document type or entities, which no bank's file has")
    except ParseError as error:
        line, column = error.position
        file.refuse(line, "", f"not well-formed XML at column {column}: damaged, or cut short")
    except (_Unreadable, UnicodeError, LookupError) as error:
        file.refuse(0, "", str(error))
    return file


def _utf8(content: bytes) -> bytes:
    """Chinese banks declare GBK, which XML readers do not know."""
    declared = _DECLARED.match(content)
    if declared is None:
        return content
    codecs.lookup(declared[1].decode())
    return content[declared.end() :].decode("gb18030").encode()


class _Reader:
    """Goes through the messages of one file."""

    def __init__(self, file: ReadFile, account_number: str) -> None:
        self.file = file
        self.account_number = account_number
        self.mine = False
        self.entries = 0
        self.expected: int | None = None

    def read(self, content: bytes) -> None:
        depth = 0
        path: list[str] = []
        for event, element in iterparse(
            io.BytesIO(content), events=("start", "end"), forbid_dtd=True
        ):
            if event == "start":
                depth += 1
                if depth > DEPTH_MAX:
                    raise _Unreadable("the XML is nested deeper than any statement")
                if depth == 1:
                    self._begin(element)
                path.append(_name(element))
                if depth == 3:
                    self.mine = False
                continue
            depth -= 1
            path.pop()
            self._end(element, path)
            if len(self.file.lines) > LINES_MAX:
                return
        if not self.file.lines and not self.file.bad_total:
            others = ", ".join(self.file.other_accounts[:5])
            self.file.refuse(
                0,
                "Acct" if others else "Ntry",
                "the file is of another account" if others else "no booked entry",
                others,
            )

    def _begin(self, root: Element) -> None:
        found = _MESSAGE.fullmatch(root.tag)
        if found is None:
            raise _Unreadable("neither a camt.053 nor a camt.054 message")
        self.file.format = Format(found[1])

    def _end(self, element: Element, path: list[str]) -> None:
        where = path[2:] if len(path) > 2 else None
        if where is None or path[2] not in ("Stmt", "Ntfctn"):
            return
        name = _name(element)
        if len(where) == 1:
            if name == "Acct":
                self._account(element)
            elif name == "Bal" and self.mine:
                self._balance(element)
            elif name == "FrToDt" and self.mine:
                self._days(element)
            elif name == "Ntry":
                self.entries += 1
                if self.mine:
                    self._entry(element)
            if name in ("Ntry", "Bal"):
                element.clear()

    def _account(self, element: Element) -> None:
        number = _text(element, "Id/IBAN") or _text(element, "Id/Othr/Id")
        number = number.replace(" ", "").replace("-", "")
        currency = _text(element, "Ccy")
        self.mine = same_account(number, self.account_number)
        if not self.mine:
            self.file.other_accounts.append(number[:40])
        elif currency not in ("", "CNY"):
            self.file.refuse(self.entries, "Ccy", "not in CNY", currency)

    def _balance(self, element: Element) -> None:
        kind = _text(element, "Tp/CdOrPrtry/Cd")
        if kind not in (*_OPENING, *_CLOSING, "ITBD"):
            return
        fen = self._amount(element, "Amt", BALANCE_FEN_MAX)
        if fen is None:
            return
        fen = fen if _text(element, "CdtDbtInd") == "CRDT" else -fen
        stated = self.file.stated
        opening = kind in _OPENING or (kind == "ITBD" and self.expected is None)
        if opening and stated.opening_fen is None:
            stated.opening_fen = fen
        elif kind in _OPENING and self.expected is not None and fen != self.expected:
            self.file.refuse(
                self.entries, "Bal", "a statement does not open with what the one before closed"
            )
        if kind not in _OPENING:
            stated.closing_fen = self.expected = fen
        stated.days += self._booked(element, "Dt")

    def _days(self, element: Element) -> None:
        for name in ("FrDtTm", "ToDtTm", "FrDt", "ToDt"):
            text = _text(element, name)
            if text:
                self.file.stated.days += self._day_of(name, text)

    def _entry(self, element: Element) -> None:
        status = _text(element, "Sts/Cd") or _text(element, "Sts/Prtry") or _text(element, "Sts")
        if status != "BOOK":
            return
        amount = self._amount(element, "Amt")
        sign = _sign(element)
        days = self._booked(element, "BookgDt") or self._booked(element, "ValDt")
        if sign is None:
            self.file.refuse(self.entries, "CdtDbtInd", "neither CRDT nor DBIT")
        if not days:
            self.file.refuse(self.entries, "BookgDt", "no day of booking")
        if amount is None or sign is None or not days:
            return
        reference = _text(element, "AcctSvcrRef") or _text(element, "NtryRef")
        if reference == "NOTPROVIDED":
            reference = ""
        parts = list(_parts(element, sign))
        details = [detail for detail, _ in parts]
        amounts = [fen for _, fen in parts]
        whole = len(parts) < 2 or None in amounts
        if not whole and sum(fen or 0 for fen in amounts) == sign * amount:
            for place, (detail, fen) in enumerate(parts, 1):
                own = _text(detail, "Refs/AcctSvcrRef") or f"{reference}/{place}" * bool(reference)
                self._line(element, [detail], fen or 0, days[0], own)
        else:
            self._line(element, details, sign * amount, days[0], reference)

    def _line(
        self, entry: Element, details: list[Element], fen: int, booked_on: date, reference: str
    ) -> None:
        other = "Cdtr" if fen < 0 else "Dbtr"
        party = details[0] if len(details) == 1 else None
        self.file.lines.append(
            ReadLine(
                number=self.entries,
                booked_on=booked_on,
                amount_fen=fen,
                balance_fen=None,
                name=_party(party, other)[:200],
                account=_party_account(party, other)[:64],
                remark=_remark(entry, details)[:500],
                reference=reference[:100],
                end_to_end_id=" ".join(
                    dict.fromkeys(
                        text
                        for detail in details
                        if (text := _text(detail, "Refs/EndToEndId")) not in ("", "NOTPROVIDED")
                    )
                )[:500],
            )
        )

    def _amount(self, element: Element, path: str, limit: int = AMOUNT_FEN_MAX) -> int | None:
        fen = _fen(_find(element, path), limit)
        found = _find(element, path)
        if fen is None:
            self.file.refuse(self.entries, path, "not an amount", _text(element, path))
        elif found is not None and found.get("Ccy", "CNY") != "CNY":
            self.file.refuse(self.entries, path, "not in CNY", found.get("Ccy", ""))
            return None
        return fen

    def _booked(self, element: Element, name: str) -> list[date]:
        text = _text(element, f"{name}/Dt") or _text(element, f"{name}/DtTm")
        return self._day_of(name, text) if text else []

    def _day_of(self, name: str, text: str) -> list[date]:
        try:
            return [day(text[:10])]
        except ValueError:
            self.file.refuse(self.entries, name, "not a day", text)
            return []


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _find(element: Element, path: str) -> Element | None:
    found: Element | None = element
    for name in path.split("/"):
        if found is None:
            return None
        found = next((child for child in found if _name(child) == name), None)
    return found


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return clean(found.text or "") if found is not None else ""


def _fen(found: Element | None, limit: int = AMOUNT_FEN_MAX) -> int | None:
    text = clean(found.text or "") if found is not None else ""
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        return amount_fen(text, limit)
    except ValueError:
        return None


def _sign(element: Element) -> int | None:
    return {"CRDT": 1, "DBIT": -1}.get(_text(element, "CdtDbtInd"))


def _parts(entry: Element, sign: int) -> Iterator[tuple[Element, int | None]]:
    """The transactions behind an entry, each with its amount where one is stated."""
    for details in entry:
        if _name(details) != "NtryDtls":
            continue
        for part in details:
            if _name(part) != "TxDtls":
                continue
            stated = _find(part, "Amt")
            if stated is None:
                stated = _find(part, "AmtDtls/TxAmt/Amt")
            fen = _fen(stated)
            yield part, None if fen is None else fen * (_sign(part) or sign)


def _party(detail: Element | None, other: str) -> str:
    if detail is None:
        return ""
    at = f"RltdPties/{other}"
    return _text(detail, f"{at}/Pty/Nm") or _text(detail, f"{at}/Nm")


def _party_account(detail: Element | None, other: str) -> str:
    if detail is None:
        return ""
    at = f"RltdPties/{other}Acct/Id"
    number = _text(detail, f"{at}/Othr/Id") or _text(detail, f"{at}/IBAN")
    return number.replace(" ", "").replace("-", "")


def _remark(entry: Element, details: list[Element]) -> str:
    said = []
    for detail in details:
        remittance = _find(detail, "RmtInf")
        said += [
            clean(child.text or "")
            for child in (remittance if remittance is not None else ())
            if _name(child) == "Ustrd"
        ]
        said.append(_text(detail, "AddtlTxInf"))
        said.append(_text(detail, "RtrInf/Rsn/Cd"))
    said.append(_text(entry, "AddtlNtryInf"))
    return " ".join(dict.fromkeys(word for word in said if word))
