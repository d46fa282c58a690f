"""Instruments for tests: valid by default, made through the domain's own use cases."""

import csv
import io
import itertools
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from marketplace.catalogue import queries
from marketplace.catalogue.queries import Instrument, OwnInstruments
from marketplace.catalogue.rules.layout import LAYOUT
from marketplace.catalogue.rules.opening import OpeningHours
from marketplace.catalogue.use_cases import (
    ImportInstruments,
    ImportReport,
    RegisterInstrument,
    SetOpeningHours,
    import_instruments,
    register_instrument,
    set_opening_hours,
)
from marketplace.kernel.actors import Actor, system_actor
from marketplace.kernel.db import Database, atomically
from tests.builders.parties import a_provider

TEST = system_actor("test")
EVERY_DAY = tuple(OpeningHours(weekday, 0, 1440) for weekday in range(7))
OFFICE_HOURS = tuple(OpeningHours(weekday, 8 * 60, 18 * 60) for weekday in range(5))

_numbers = itertools.count(1)


def a_description(**changes: Any) -> dict[str, Any]:
    """What a provider says of a scanning electron microscope; another number on each call."""
    described: dict[str, Any] = {
        "inner_id": f"2018{next(_numbers):05d}",
        "cname": "场发射扫描电子显微镜",
        "ename": "Field emission scanning electron microscope",
        "category_code": "010101",
        "model": "Regulus 8100",
        "manufacturer": "Hitachi",
        "nation": "日本",
        "worth_fen": 250_000_000,
        "funds": "central",
        "source": "purchased",
        "customs_supervised": False,
        "kind": "general",
        "share_mode": "external",
        "condition": "normal",
        "functions": "表面形貌观察",
    }
    return described | changes


async def an_instrument(
    database: Database,
    *,
    provider_id: int | None = None,
    hours: Sequence[OpeningHours] = (),
    listed: bool = True,
    **changes: Any,
) -> int:
    """A listed instrument of a provider, of a new one unless given; with a week when given."""
    if provider_id is None:
        provider_id = await a_provider(database)
    command = RegisterInstrument(provider_id, a_description(**changes), listed=listed)
    instrument_id = (await atomically(database, register_instrument, command, actor=TEST)).id
    if hours:
        week = SetOpeningHours(instrument_id, tuple(hours))
        await atomically(database, set_opening_hours, week, actor=TEST)
    return instrument_id


# What a line of the national layout says, by the national names of its fields.
A_LINE = {
    "innerId": "A-001",
    "cname": "透射电子显微镜",
    "ename": "Transmission electron microscope",
    "instrCategory": "010102",
    "instrVersion": "JEM-2100F",
    "manufacturer": "JEOL",
    "nation": "日本",
    "worth": "512.34",
    "funds": "中央财政资金",
    "instrSource": "购置",
    "instrSupervise": "否",
    "beginDate": "2018-06-01",
    "type": "通用",
    "technical": "分辨率 0.19 nm",
    "function": "晶体结构分析",
    "status": "正常",
    "shareMode": "外部共享",
    "province": "江苏省",
    "city": "南京市",
    "contact": "王工",
    "phone": "025-83590000",
    "runMachine": "1200",
}
CHINESE = {field.national: field.headers[0] for field in LAYOUT}


def a_line(**changes: str) -> dict[str, str]:
    """A line as a provider writes it."""
    return A_LINE | changes


def rows_of(
    lines: Sequence[dict[str, str]], *, chinese: bool = True, above: Sequence[list[str]] = ()
) -> list[list[str]]:
    """The rows of a file: what stands above, the header, the lines."""
    fields = list(dict.fromkeys(name for line in lines for name in line))
    header = [CHINESE.get(name, name) if chinese else name for name in fields]
    return [*above, header, *([line.get(name, "") for name in fields] for line in lines)]


def a_csv(
    lines: Sequence[dict[str, str]], *, encoding: str = "utf-8", delimiter: str = ",", **how: Any
) -> bytes:
    """A CSV file of `lines`."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows_of(lines, **how))
    return text.getvalue().encode(encoding)


def an_xlsx(rows: Sequence[Sequence[Any]], *, sheets_before: int = 0) -> bytes:
    """A workbook with `rows` on its last sheet, typed as Python types them."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    for number in range(sheets_before):
        book.add_worksheet(f"说明{number}").write(0, 0, "填表说明")
    sheet = book.add_worksheet("仪器")
    for at, row in enumerate(rows):
        for place, value in enumerate(row):
            sheet.write(at, place, value)
    book.close()
    return file.getvalue()


async def imported(
    database: Database,
    provider_id: int,
    content: bytes,
    *,
    dry_run: bool = False,
    actor: Actor = TEST,
    file_name: str = "instruments.csv",
) -> ImportReport:
    """The report of an import."""
    command = ImportInstruments(provider_id, file_name, content, dry_run=dry_run)
    return await atomically(database, import_instruments, command, actor=actor)


async def held(database: Database, provider_id: int) -> list[Instrument]:
    """Everything that the provider has on the platform."""
    question = OwnInstruments(provider_id, page_size=200)
    return (await atomically(database, queries.own_instruments, question, actor=TEST))[0]


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    """Lines, added, changed, unchanged, refused."""
    return (report.lines, report.added, report.changed, report.unchanged, report.refused)
