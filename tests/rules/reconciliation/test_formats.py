"""Statements in the formats of ISO 20022 and SWIFT, whole, damaged and hostile."""

from datetime import date
from pathlib import Path

import pytest

from marketplace.billing.reconciliation.rules.camt import read_camt
from marketplace.billing.reconciliation.rules.continuity import Added, added_up
from marketplace.billing.reconciliation.rules.files import Format, ReadFile, is_mt940, is_xml
from marketplace.billing.reconciliation.rules.mt940 import read_mt940
from tests.builders.reconciliation import BANK_ACCOUNT

FILES = Path(__file__).parent / "files"
V02, V08 = FILES / "camt.053.001.02.xml", FILES / "camt.053.001.08.xml"
NOTICE, SWIFT = FILES / "camt.054.001.08.xml", FILES / "swift.mt940"


def the_statement(file: ReadFile) -> Added:
    assert file.bad == []
    added = added_up(file.lines, file.stated)
    assert isinstance(added, Added)
    return added


def test_a_camt_statement_is_read_with_the_parts_of_its_batches() -> None:
    file = read_camt(V02.read_bytes(), BANK_ACCOUNT)
    assert file.format is Format.CAMT_053
    added = the_statement(file)
    assert (added.opening_fen, added.closing_fen) == (0, 479_500)
    assert [
        (line.amount_fen, line.reference, line.end_to_end_id, line.name, line.account)
        for line in added.lines
    ] == [
        (500_000, "2025030300001", "", "南京某科技有限公司", "6222020000000001"),
        (-12_000, "2025030300002/1", "SC-P-1", "某大学", "6222000000000011"),
        (-8_000, "2025030300002/2", "SC-P-2", "某研究所", "6222000000000012"),
        (-500, "2025030300003", "", "", ""),
    ]
    assert [line.remark for line in added.lines] == ["充值 SC-W-7", "", "", "网银汇划手续费"]


def test_later_versions_say_the_same_in_other_places_and_other_accounts_are_left() -> None:
    file = read_camt(V08.read_bytes(), BANK_ACCOUNT)
    (line,) = the_statement(file).lines
    assert (line.booked_on, line.amount_fen) == (date(2025, 3, 4), 8_000)
    assert (line.name, line.account) == ("某研究所", "6222000000000012")
    assert (line.end_to_end_id, line.remark) == ("SC-P-2", "AC01")
    assert file.other_accounts == ["3200000000000000999"]


def test_a_notice_in_gbk_has_lines_and_no_balance() -> None:
    file = read_camt(NOTICE.read_bytes(), BANK_ACCOUNT)
    assert (file.format, file.bad) == (Format.CAMT_054, [])
    assert [(line.amount_fen, line.name) for line in file.lines] == [
        (-10_000, "某大学"),
        (-20_000, "某学院"),
    ]
    assert file.stated.opening_fen is None


def test_parts_that_do_not_come_to_the_whole_leave_it_whole() -> None:
    content = V02.read_bytes().replace(b">80.00<", b">81.00<")
    line = read_camt(content, BANK_ACCOUNT).lines[1]
    assert (line.amount_fen, line.end_to_end_id) == (-20_000, "SC-P-1 SC-P-2")


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&c;</Document>'
)
OUTSIDE = LAUGHS.replace(b'"ha"', b'SYSTEM "file:///etc/hostname"')
DEEP = (
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'
    + b"<a>" * 5_000
    + b"</a>" * 5_000
    + b"</Document>"
)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (LAUGHS, "document type or entities"),
        (OUTSIDE, "document type or entities"),
        (DEEP, "nested deeper"),
        (V02.read_bytes()[:2_000], "damaged, or cut short"),
        (V02.read_bytes().replace(b"camt.053.001.02", b"camt.052.001.02"), "neither a camt.053"),
        (b"<html><body>login</body></html>", "neither a camt.053"),
        (
            V02.read_bytes().replace(b'encoding="UTF-8"', b'encoding="EBCDIC-XX"'),
            "unknown encoding",
        ),
        (V02.read_bytes().replace(b'encoding="UTF-8"', b'encoding="ascii"'), "not well-formed"),
        (V02.read_bytes().replace(b'"CNY"', b'"EUR"'), "not in CNY"),
        (V02.read_bytes().replace(b"5000.00", b"5,000.00"), "not an amount"),
        (V02.read_bytes().replace(b"<Dt>2025-03-03</Dt>", b"<Dt>2025-13-03</Dt>"), "not a day"),
        (V02.read_bytes().replace(b"0000001<", b"0000009<"), "of another account"),
        (V02.read_bytes().replace(b">BOOK<", b">PDNG<"), "no booked entry"),
        (V02.read_bytes().replace(b"DBIT", b"XXXX"), "neither CRDT nor DBIT"),
    ],
)
def test_damaged_hostile_and_foreign_xml_is_refused_with_its_reason(
    content: bytes, why: str
) -> None:
    assert is_xml(content)
    file = read_camt(content, BANK_ACCOUNT)
    assert file.bad_total
    assert any(why in bad.reason for bad in file.bad), file.bad


def test_a_statement_whose_lines_do_not_reach_its_closing_balance_does_not_add_up() -> None:
    content = V02.read_bytes().replace(b"4795.00", b"4796.00")
    file = read_camt(content, BANK_ACCOUNT)
    assert isinstance(added_up(file.lines, file.stated), list)


def test_swift_messages_are_read_over_their_pages() -> None:
    assert is_mt940(SWIFT.read_bytes())
    added = the_statement(read_mt940(SWIFT.read_bytes(), BANK_ACCOUNT))
    assert (added.opening_fen, added.closing_fen) == (0, 490_000)
    assert [
        (line.amount_fen, line.reference, line.end_to_end_id, line.name, line.account)
        for line in added.lines
    ] == [
        (500_000, "2025030300001", "", "NANJING KEJI YOUXIAN GONGSI", "6222020000000001"),
        (-12_000, "2025030300002", "SC-P-1", "SOME UNIVERSITY", "6222000000000011"),
        (8_050, "2025030300003", "", "", ""),
        (-6_050, "2025030300004", "", "", ""),
    ]
    assert "SC-W-7" in added.lines[0].remark
    assert added.lines[2].remark == "returned cheque"


def test_a_day_of_booking_without_its_year_is_the_nearest_to_the_value_day() -> None:
    content = SWIFT.read_bytes().replace(b":61:2503030303RC", b":61:2412310102RC")
    lines = read_mt940(content, BANK_ACCOUNT).lines
    assert lines[3].booked_on == date(2025, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b":62F:", b":99X:", "not a field"),
        (b":61:2503030303C5000,00", b":61:2503030303C5000.00", "not a line"),
        (b":60F:C250303CNY0,", b":60F:C250303EUR0,", "not in CNY"),
        (b":60F:C250303CNY0,", b":60F:C250303CNY", "not a balance"),
        (b":60F:C250303", b":60F:C251303", "not a day"),
        (b":60M:C250303CNY4960,50", b":60M:C250303CNY4960,51", "does not open"),
        (b"000001\n:28C", b"000009\n:28C", "another account"),
        (b":60F:C250303CNY0,\n", b"", "no opening balance"),
    ],
)
def test_what_swift_messages_do_not_say_is_refused(old: bytes, new: bytes, why: str) -> None:
    file = read_mt940(SWIFT.read_bytes().replace(old, new), BANK_ACCOUNT)
    assert any(why in bad.reason for bad in file.bad), file.bad


def test_a_swift_file_cut_short_is_refused() -> None:
    whole = SWIFT.read_bytes()
    file = read_mt940(whole[: whole.index(b":62F:")], BANK_ACCOUNT)
    assert [bad.reason for bad in file.bad] == ["the file is cut short: no closing balance"]
    assert read_mt940(b":20:X\n\xff\xff\xff", BANK_ACCOUNT).bad_total
