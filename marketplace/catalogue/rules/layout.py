"""The national layout of a single instrument (record type 4): its fields and their headers.

Units write the headers in Chinese or English, in any order, with remarks in brackets, an asterisk
where a field is required, and lines of title and explanation above them.
Policy: F.layout (record type 4)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Rows above the header that may hold titles and explanations.
PREAMBLE_ROWS_MAX = 30
# A row with this many known headers is the header.
HEADERS_RECOGNISED_MIN = 4


@dataclass(frozen=True, slots=True)
class LayoutField:
    """One field: our name, the national one, and what files call it (the first is written)."""

    name: str
    national: str
    headers: tuple[str, ...]
    required: bool = False
    passed_on: bool = False


def _required(name: str, national: str, *headers: str) -> LayoutField:
    return LayoutField(name, national, headers, required=True)


def _optional(name: str, national: str, *headers: str) -> LayoutField:
    return LayoutField(name, national, headers)


def _passed_on(national: str, *headers: str) -> LayoutField:
    return LayoutField(national, national, headers, passed_on=True)


LAYOUT: tuple[LayoutField, ...] = (
    _required("inner_id", "innerId", "单位内部编号", "所属单位内部编号", "单位内编号", "内部编号",
              "仪器编号", "设备编号", "资产编号", "inner id", "asset number"),
    _required("cname", "cname", "仪器名称", "中文名称", "仪器中文名称", "仪器设备名称", "设备名称",
              "name", "chinese name", "instrument name"),
    _optional("ename", "ename", "英文名称", "仪器英文名称", "外文名称", "english name"),
    _required("category_code", "instrCategory", "仪器分类编码", "仪器设备分类编码", "分类编码",
              "仪器分类", "分类代码", "category", "category code"),
    _optional("model", "instrVersion", "规格型号", "型号规格", "型号", "model", "version"),
    _optional("manufacturer", "manufacturer", "生产制造商", "制造厂商", "生产厂商", "厂商", "厂家",
              "制造商", "maker"),
    _optional("nation", "nation", "产地国别", "制造国别", "国别", "产地", "country"),
    _required("worth_fen", "worth", "原值", "仪器原值", "设备原值", "仪器设备原值",
              "original value", "value"),
    _required("funds", "funds", "主要购置经费来源", "购置经费来源", "经费来源", "资金来源",
              "funding", "funding source"),
    _optional("source", "instrSource", "仪器设备来源", "仪器来源", "设备来源", "source"),
    _required("customs_supervised", "instrSupervise", "海关监管情况", "是否海关监管", "海关监管",
              "是否海关监管设备", "customs", "customs supervised"),
    _optional("began_on", "beginDate", "启用日期", "启用时间", "began on", "commissioned on"),
    _optional("accepted_on", "acceptDate", "验收日期", "验收时间", "accepted on"),
    _required("kind", "type", "仪器设备类别", "设备类别", "仪器类别", "类别", "kind"),
    _optional("technical", "technical", "主要技术指标", "技术指标", "technical data"),
    _optional("functions", "function", "主要功能", "功能", "主要功能及应用范围", "用途",
              "functions"),
    _optional("subjects", "subject", "主要学科领域", "学科领域", "应用领域", "subjects"),
    _optional("service_content", "serviceContent", "服务内容", "services"),
    _optional("achievement", "achievement", "服务典型成果", "服务成果", "应用成果",
              "achievements"),
    _optional("requirement", "requirement", "对用户要求", "对用户的要求", "用户须知",
              "requirements"),
    _optional("fee_text", "fee", "收费标准", "参考收费标准", "fees"),
    _optional("service_url", "serviceUrl", "预约服务网址", "服务网址", "预约网址", "url"),
    _required("share_mode", "shareMode", "开放共享模式", "共享模式", "共享方式", "sharing"),
    _optional("exemption", "exemption", "不开放原因", "豁免原因", "exempt because"),
    _required("condition", "status", "仪器设备状态", "运行状态", "仪器状态", "设备状态", "状态",
              "condition"),
    _optional("department", "insideDepart", "所在部门", "使用部门", "所属部门", "department"),
    _optional("province", "province", "省", "所在省", "省份", "省直辖市"),
    _optional("city", "city", "市", "所在市", "城市", "地市"),
    _optional("county", "county", "区县", "县", "所在区县", "district"),
    _optional("street", "street", "街道", "街道门牌号", "详细地址"),
    _optional("postalcode", "postalcode", "邮政编码", "邮编", "postal code", "postcode"),
    _optional("contact", "contact", "联系人", "联系人姓名", "contact person"),
    _optional("phone", "phone", "联系电话", "电话", "telephone"),
    _optional("email", "email", "电子邮箱", "邮箱", "电子邮件", "e-mail"),
    _passed_on("insCode", "单位编码", "所属单位编码"),
    _passed_on("instrBelongsType", "所属资源载体类型", "载体类型"),
    _passed_on("instrBelongsName", "所属资源载体名称", "载体名称"),
    _passed_on("resourceName", "所属科学仪器中心", "资源名称"),
    _passed_on("address", "通讯地址", "联系地址", "安放地址"),
    _passed_on("image", "图片", "仪器图片"),
    _passed_on("runMachine", "年总运行机时", "年运行机时"),
    _passed_on("serviceMachine", "年服务机时", "年对外服务机时"),
    _passed_on("serviceIncome", "年服务收入", "年对外服务收入"),
)  # fmt: skip

BY_NAME = {field.name: field for field in LAYOUT}
PASSED_ON = frozenset(field.name for field in LAYOUT if field.passed_on)
REQUIRED = tuple(field for field in LAYOUT if field.required)

_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】|<[^>]*>")
_NOISE = re.compile(r"[\s_\-*:.,;/、。·]+")


def _normal(header: str) -> str:
    text = unicodedata.normalize("NFKC", header).casefold()
    return _NOISE.sub("", _BRACKETS.sub("", text))


_BY_HEADER: dict[str, LayoutField] = {
    _normal(spelling): field
    for field in LAYOUT
    for spelling in (*field.headers, field.national, field.name)
}


@dataclass(frozen=True, slots=True)
class Header:
    """Where the fields of a file stand.

    `columns` says at which place each field stands and what the file calls it; `worth_in_yuan` is
    set when the header of the original value says 元, where the layout wants 万元.
    """

    columns: dict[str, tuple[int, str]]
    ignored: tuple[str, ...]
    doubled: tuple[str, ...]
    missing: tuple[str, ...]
    worth_in_yuan: bool


def recognised(cells: Sequence[str]) -> int:
    """How many different fields the cells of a row name."""
    fields = {_BY_HEADER.get(_normal(cell[:200])) for cell in cells if cell}
    return len(fields - {None})


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row is the header, or the same header in the other language below it."""
    return recognised(cells) >= HEADERS_RECOGNISED_MIN


def read_header(cells: Sequence[str]) -> Header:
    """What the header row says."""
    columns: dict[str, tuple[int, str]] = {}
    ignored, doubled = [], []
    for place, cell in enumerate(cells):
        text = cell.strip()[:200]
        field = _BY_HEADER.get(_normal(text))
        if field is None:
            if text:
                ignored.append(text)
        elif field.name in columns:
            doubled.append(text)
        else:
            columns[field.name] = (place, text)
    return Header(
        columns=columns,
        ignored=tuple(ignored),
        doubled=tuple(doubled),
        missing=tuple(
            f"{field.headers[0]} ({field.national})"
            for field in REQUIRED
            if field.name not in columns
        ),
        worth_in_yuan=_says_yuan(columns.get("worth_fen", (0, ""))[1]),
    )


def _says_yuan(header: str) -> bool:
    text = unicodedata.normalize("NFKC", header).casefold()
    return ("元" in text and "万" not in text) or "(cny)" in text or "(yuan)" in text
