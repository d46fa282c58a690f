"""The national layout of a service record (record type 6): its fields and what each may hold.

The names are those of the wire; the headers are what people read in a file. Every field that is
wrong is told, with the column in which it stands.

Policy: F.record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

INSTRUMENT_TYPE = 6

SERVICE_WAYS = ("占用共享", "技术共享", "委托共享", "远程共享", "其他")
BY_SAMPLES = "委托共享"
SUBJECT_INCOMES = (
    "国家重大科技专项", "国家自然科学基金", "863计划", "国家科技支撑计划", "火炬计划", "星火计划",
    "973计划", "211工程", "985工程", "公益性行业科研专项", "国家社会科学基金",
    "国家科技基础性工作专项", "国家科技基础条件平台专项", "其他中央财政项目", "地方财政项目",
    "其他", "无",
)  # fmt: skip
NO_SUBJECT = "无"
# Five stars to one.
COMMENTS = ("非常满意", "基本满意", "一般", "不满意", "极差")
INTERNAL, EXTERNAL = "120", "130"
RESEARCH, DEVELOPMENT, TEACHING, OTHER = "135", "136", "137", "138"
AT_THE_UNIT, ELSEWHERE = "0", "1"
AGREED, NOT_AGREED = "0", "1"


@dataclass(frozen=True, slots=True)
class RecordField:
    """One field: the name on the wire, the header in a file, and what it may hold."""

    name: str
    header: str
    required: bool = False
    length_max: int = 200
    pattern: str = ""
    shape: str = ""
    choices: tuple[str, ...] = ()
    personal: bool = False


FIELDS: tuple[RecordField, ...] = (
    RecordField("innerId", "仪器单位内部编号", required=True, length_max=100),
    RecordField("insCode", "单位编码", required=True, pattern=r"[0-9a-fA-F]{32}",
                shape="32 hexadecimal digits, as the national platform issued it"),
    RecordField("recordInnerId", "服务记录单位内部编号", required=True, length_max=64),
    RecordField("amounts", "服务金额（元）", required=True, pattern=r"[0-9]{1,12}\.[0-9]{2}",
                shape="yuan with two decimals"),
    RecordField("serviceTime", "服务次数", required=True, pattern=r"[1-9][0-9]{0,5}",
                shape="a number of times from 1"),
    RecordField("endTime", "服务结束时间", required=True,
                pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2} ([01][0-9]|2[0-3])",
                shape="a day and an hour, as 2025-03-31 17"),
    RecordField("serviceAmount", "服务量（小时或样品数）", required=True,
                pattern=r"[0-9]{1,7}(\.[0-9])?", shape="hours with one decimal, or samples"),
    RecordField("serviceContent", "服务内容", required=True, length_max=500),
    RecordField("serviceWay", "服务方式", required=True, choices=SERVICE_WAYS),
    RecordField("subjectName", "课题名称"),
    RecordField("subjectIncome", "课题经费来源", required=True, choices=SUBJECT_INCOMES),
    RecordField("subjectArea", "课题主要学科领域"),
    RecordField("subjectContent", "课题研究内容", length_max=500),
    RecordField("applicant", "申请人", required=True, length_max=50, personal=True),
    RecordField("applicantPhone", "申请人电话", pattern=r"[0-9*+\- ()]{5,30}",
                shape="digits; those that are masked are *", personal=True),
    RecordField("applicantEmail", "申请人电子邮箱", length_max=254,
                pattern=r"[^@\s]+@[^@\s]+", shape="a mail address", personal=True),
    RecordField("applicantUnit", "申请人单位", required=True),
    RecordField("comment", "服务评价意见", choices=COMMENTS),
    RecordField("serviceType", "用户类型", required=True, choices=(INTERNAL, EXTERNAL)),
    RecordField("serviceDirection", "服务方向", required=True,
                choices=(RESEARCH, DEVELOPMENT, TEACHING, OTHER)),
    RecordField("record", "完税记录", length_max=100),
    RecordField("adressType", "服务地点", required=True, choices=(AT_THE_UNIT, ELSEWHERE)),
    RecordField("moveAddress", "移机地址"),
    RecordField("serviceCode", "海关通知书编号", length_max=50),
    RecordField("signAgreement", "是否签订协议", required=True, choices=(AGREED, NOT_AGREED)),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(field.name for field in FIELDS)
COLUMNS: dict[str, int] = {field.name: place for place, field in enumerate(FIELDS, start=1)}
_HEADERS = {field.name: field.header for field in FIELDS}

Content = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldReason:
    """Why a field is wrong: where it stands, what it holds, and what it should."""

    column: int
    field: str
    header: str
    message: str
    value: str


def wrong_fields(content: Content, *, first_on: date, ends_before: date) -> list[FieldReason]:
    """Everything that is wrong with a record of a quarter, in the order of the columns.

    Policy: F.record.
    """
    found = [
        reason_for(field.name, message, content)
        for field in FIELDS
        if (message := _own_rule(field, content.get(field.name, ""))) is not None
    ]
    # A field that has not even its shape is not asked about its sense.
    shapeless = {reason.field for reason in found}
    found += [
        reason_for(name, message, content)
        for name, rule in _TOGETHER
        if name not in shapeless and (message := rule(content)) is not None
    ]
    if "endTime" not in shapeless and not _lies_in(content["endTime"], first_on, ends_before):
        found.append(
            reason_for("endTime", f"from {first_on} up to, not including, {ends_before}", content)
        )
    return sorted(found, key=lambda reason: reason.column)


def reason_for(field: str, message: str, content: Content) -> FieldReason:
    """A reason in its column."""
    return FieldReason(
        COLUMNS[field], field, _HEADERS[field], message, content.get(field, "")[:200]
    )


def _own_rule(field: RecordField, value: str) -> str | None:
    if not value:
        return "this field is required" if field.required else None
    if any(ord(character) < 32 for character in value):
        return "no line breaks and no control characters"
    if field.choices and value not in field.choices:
        return f"one of {'、'.join(field.choices)}"
    if len(value) > field.length_max:
        return f"at most {field.length_max} characters"
    if field.pattern and not re.fullmatch(field.pattern, value):
        return field.shape
    return None


def _amount(content: Content) -> str | None:
    value, by_samples = content["serviceAmount"], content.get("serviceWay") == BY_SAMPLES
    if by_samples and "." in value:
        return "a whole number of samples, because the service is 委托共享"
    if not by_samples and "." not in value:
        return "hours with one decimal"
    return None if float(value) > 0 else "more than nothing"


def _subject_name(content: Content) -> str | None:
    source = content.get("subjectIncome")
    if source == NO_SUBJECT or source not in SUBJECT_INCOMES or content.get("subjectName"):
        return None
    return f"a project's name, unless its source is {NO_SUBJECT}"


def _moved(content: Content) -> str | None:
    if content.get("adressType") == ELSEWHERE and not content.get("moveAddress"):
        return "where it was moved to, because the service was elsewhere"
    return None


# Rules that look at two fields, under the one that has to change.
_TOGETHER: tuple[tuple[str, Callable[[Content], str | None]], ...] = (
    ("serviceAmount", _amount),
    ("subjectName", _subject_name),
    ("moveAddress", _moved),
)


def _lies_in(end_time: str, first_on: date, ends_before: date) -> bool:
    try:
        day = datetime.strptime(end_time, "%Y-%m-%d %H").date()  # noqa: DTZ007 a wall clock
    except ValueError:
        return False
    return first_on <= day < ends_before
