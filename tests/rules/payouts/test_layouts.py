"""Payment files in the form that a bank reads, checked against the published schema."""

from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from xml.etree import ElementTree

import pytest
import xmlschema
from python_calamine import CalamineWorkbook

from marketplace.billing.payouts.rules.files import House
from marketplace.billing.payouts.rules.layouts import Layout, PaymentFormat, batch_bytes, lacking
from marketplace.billing.payouts.rules.limits import limit_of, who_may, within
from tests.rules.payouts.test_files import a_line

HOUSE = House("3200000000000000001", "江苏省大型仪器共享服务中心", "示例银行", "105301000013")
WHEN = datetime(2025, 3, 3, 1, 30, 0, 999, tzinfo=UTC)
LINES = [
    a_line(1),
    a_line(2, holder="示例\x01研究所 & 分所 <二>", purpose="x" * 300, bank_name="银行" * 100),
]
NS = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


def made(file_format: PaymentFormat, lines=LINES, columns=()) -> bytes:
    layout = Layout(file_format, HOUSE, tuple(columns))
    return batch_bytes(lines, layout, batch_id=7, made_at=WHEN)


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    found = files("sepaxml") / "schemas" / "pain.001.001.09.xsd"
    return xmlschema.XMLSchema(found.read_text())


def test_a_pain_001_message_keeps_the_published_schema(schema: xmlschema.XMLSchema) -> None:
    content = made(PaymentFormat.PAIN001)
    schema.validate(BytesIO(content))
    message = ElementTree.fromstring(content)
    assert message.findtext(f".//{NS}GrpHdr/{NS}CtrlSum") == "24690.10"
    assert message.findtext(f".//{NS}GrpHdr/{NS}CreDtTm") == "2025-03-03T09:30:00+08:00"
    assert [one.text for one in message.iter(f"{NS}EndToEndId")] == ["SC-P-1", "SC-P-2"]
    assert [one.text for one in message.iter(f"{NS}InstdAmt")] == ["12345.05", "12345.05"]
    assert message.findtext(f".//{NS}CdtrAgt//{NS}MmbId") == "105301000013"
    names = [one.findtext(f"{NS}Nm") for one in message.iter(f"{NS}Cdtr")]
    assert names == ["示例大学", "示例 研究所 & 分所 <二>"]


def test_the_schema_refuses_a_message_that_says_less(schema: xmlschema.XMLSchema) -> None:
    content = made(PaymentFormat.PAIN001).replace(b"<PmtMtd>TRF</PmtMtd>", b"")
    assert not schema.is_valid(BytesIO(content))


@pytest.mark.parametrize("file_format", list(PaymentFormat))
def test_a_batch_is_the_same_bytes_whenever_it_is_made(file_format: PaymentFormat) -> None:
    assert made(file_format) == made(file_format, LINES[::-1])
    assert made(file_format) != made(file_format, LINES[:1])


COLUMNS = (
    {"header": "序号", "field": "row", "text": ""},
    {"header": "付款账号", "field": "payer_account", "text": ""},
    {"header": "收款户名", "field": "holder", "text": ""},
    {"header": "收款账号", "field": "number", "text": ""},
    {"header": "金额（元）", "field": "amount", "text": ""},
    {"header": "业务类型", "field": "text", "text": "普通"},
    {"header": "企业流水号", "field": "end_to_end_id", "text": ""},
)


def test_a_bank_gets_the_columns_it_wants_with_account_numbers_as_text() -> None:
    book = CalamineWorkbook.from_filelike(BytesIO(made(PaymentFormat.XLSX, columns=COLUMNS)))
    header, first, _ = book.get_sheet_by_index(0).to_python()
    assert header == [column["header"] for column in COLUMNS]
    assert first == [
        "1",
        HOUSE.number,
        "示例大学",
        "6222000000000001",
        "12345.05",
        "普通",
        "SC-P-1",
    ]
    csv = made(PaymentFormat.CSV, columns=COLUMNS).decode("utf-8-sig").splitlines()
    assert csv[1] == ",".join(map(str, first))


def test_a_layout_without_account_or_reference_is_told() -> None:
    assert lacking(COLUMNS) == []
    assert lacking(COLUMNS[:3]) == ["number", "amount", "end_to_end_id"]


def test_limits_are_by_role_and_the_highest_of_a_person_counts() -> None:
    limits = {"finance_maker": 50, "finance_checker": 100, "administrator": 1_000}
    assert limit_of(["finance_maker", "finance_checker"], limits) == 100
    assert limit_of(["auditor"], limits) == 0
    assert within([60, 30, 80, 10], 100) == [0, 1, 3]
    roles = ["finance_checker", "administrator"]
    assert who_may(500, limits, roles) == ["administrator"]
    assert who_may(5_000, limits, roles) == []
