"""Every field of the service record has its rule, and everything wrong is told with its column."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.exchange.rules.layout import COLUMNS, FIELDS, NAMES, wrong_fields

FIRST, END = date(2025, 1, 1), date(2025, 4, 1)
GOOD = {
    **dict.fromkeys(NAMES, ""),
    "innerId": "A-1",
    "insCode": "0123456789abcdef0123456789ABCDEF",
    "recordInnerId": "O1",
    "amounts": "123.45",
    "serviceTime": "3",
    "endTime": "2025-03-31 23",
    "serviceAmount": "12.3",
    "serviceContent": "上机使用",
    "serviceWay": "占用共享",
    "subjectIncome": "无",
    "applicant": "王**",
    "applicantUnit": "某公司",
    "serviceType": "130",
    "serviceDirection": "136",
    "adressType": "0",
    "signAgreement": "0",
}


def wrong(**changes: str) -> list[tuple[str, str]]:
    found = wrong_fields(GOOD | changes, first_on=FIRST, ends_before=END)
    return [(one.field, one.message) for one in found]


def fields(**changes: str) -> list[str]:
    return [field for field, _ in wrong(**changes)]


def test_a_record_as_the_layout_has_it_passes():
    assert [] == wrong()
    assert [] == wrong(comment="非常满意", subjectName="项目", subjectIncome="其他")
    assert [] == wrong(serviceWay="委托共享", serviceAmount="7")
    assert [] == wrong(adressType="1", moveAddress="苏州")


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if field.required], ids=lambda f: f.name
)
def test_a_required_field_that_is_empty_is_told_by_its_column(field):
    found = wrong_fields(GOOD | {field.name: ""}, first_on=FIRST, ends_before=END)

    assert (COLUMNS[field.name], field.header, "this field is required") in [
        (one.column, one.header, one.message) for one in found
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("insCode", "xyz"),
        ("insCode", "0" * 31),
        ("amounts", "12"),
        ("amounts", "-1.00"),
        ("amounts", "1,234.00"),
        ("serviceTime", "0"),
        ("endTime", "2025-03-31"),
        ("endTime", "2025-03-31 24"),
        ("endTime", "2025-02-30 10"),
        ("endTime", "2024-12-31 23"),
        ("endTime", "2025-04-01 00"),
        ("serviceAmount", "0.0"),
        ("serviceAmount", "1.25"),
        ("serviceAmount", "12"),
        ("serviceWay", "独占"),
        ("serviceContent", "长" * 501),
        ("serviceContent", "两行\n文字"),
        ("subjectIncome", "自筹"),
        ("applicantPhone", "call me"),
        ("applicantEmail", "no address"),
        ("comment", "很好"),
        ("serviceType", "140"),
        ("serviceDirection", "139"),
        ("adressType", "2"),
        ("signAgreement", "yes"),
        ("recordInnerId", "O" * 65),
    ],
)
def test_a_value_that_a_field_may_not_hold_is_told(field: str, value: str):
    assert [field] == fields(**{field: value})


def test_fields_are_also_judged_together():
    assert ["serviceAmount"] == fields(serviceWay="委托共享")
    assert ["subjectName"] == fields(subjectIncome="973计划")
    assert ["moveAddress"] == fields(adressType="1")


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_columns():
    found = wrong_fields(dict.fromkeys(NAMES, "\x00"), first_on=FIRST, ends_before=END)

    assert list(NAMES) == [one.field for one in found]
    assert list(range(1, len(NAMES) + 1)) == [one.column for one in found]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_no_value_whatever_is_more_than_a_reason(changes: dict[str, str]):
    found = wrong_fields(GOOD | changes, first_on=FIRST, ends_before=END)

    assert all(one.message and one.field in NAMES for one in found)
    assert [] == wrong_fields({**GOOD}, first_on=FIRST, ends_before=END)
