"""The files in which units send their instruments, as real units do: workbooks and tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import xlsxwriter

from marketplace.demo.facts import Kind
from marketplace.demo.plan import PlannedProvider

# So many units send a workbook, the others a table as text.
WORKBOOKS = 5
HEADERS = (
    "单位内部编号", "仪器名称", "英文名称", "仪器分类编码", "规格型号", "生产制造商", "产地国别",
    "原值（万元）", "主要购置经费来源", "海关监管情况", "启用日期", "仪器设备类别", "主要技术指标",
    "主要功能", "服务内容", "收费标准", "开放共享模式", "仪器设备状态", "省", "市", "联系电话",
)  # fmt: skip


def provider_file(planned: PlannedProvider, number: int) -> tuple[str, bytes]:
    """The unit's instruments as it would send them: national layout, Chinese headers.

    Some send a workbook, some a table in GB18030, most one in UTF-8; returns name and content.
    """
    rows = [[f"{planned.name} 单台套科学仪器设备"], HEADERS, *_lines(planned)]
    if number <= WORKBOOKS:
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"in_memory": True})
        sheet = book.add_worksheet("仪器")
        for place, row in enumerate(rows):
            sheet.write_row(place, 0, row)
        book.close()
        return f"{planned.name}.xlsx", out.getvalue()
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    encoding = "gb18030" if number % 3 == 0 else "utf-8"
    return f"{planned.name}.csv", text.getvalue().encode(encoding)


def _lines(planned: PlannedProvider) -> Iterator[list[str]]:
    for one in planned.instruments:
        kind = one.kind
        yield (
            [
                one.inner_id,
                kind.cname,
                kind.ename,
                kind.category,
                one.model,
                one.maker,
                one.nation,
                f"{one.worth_wan}.00",
                one.funds,
                "否",
                f"{one.began_year}-09-01",
                "专用" if kind.special else "通用",
                f"{one.maker} {one.model}",
                kind.services,
                kind.services,
                _fees(kind),
                "外部共享",
                "正常",
                "江苏省",
                planned.entity.city,
                "025-00000000",
            ]
        )


def _fees(kind: Kind) -> str:
    sample = f"；{kind.sample_yuan} 元/样品" if kind.sample_yuan else ""
    return f"{kind.hour_yuan} 元/小时{sample}"
