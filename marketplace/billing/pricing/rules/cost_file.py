"""One line of a file of cost sheets: an instrument, a year, its hours and what it costs.

Policy: J.21a, J.21d
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.billing.pricing.errors import CostNotAllowed
from marketplace.billing.pricing.rules.columns import (
    INSTRUMENT,
    CellWrong,
    Column,
    Header,
    Layout,
    LineError,
    LineReader,
    amount_cell,
    escaped,
    fen_of,
    hours_cell,
    inner_id_of,
    line_error,
    minutes_of,
    parts_of,
    year_of,
)
from marketplace.billing.pricing.rules.cost import CostItemAsked, require_cost_allowed
from marketplace.billing.pricing.rules.states import CostKind, ExtraKind

PLANNED_MINUTES_MAX = 366 * 24 * 60
ITEMS_MAX = 100
ITEM_PARTS = 5
NAME_LENGTH_MAX = 500
UNIT_LENGTH_MAX = 100

COMPONENTS: dict[str, CostKind] = {f"{kind.value}_fen": kind for kind in CostKind}

LAYOUT = Layout(
    [
        INSTRUMENT,
        Column("year", ("年度", "年份", "核算年度", "成本年度", "fiscal year"), required=True),
        Column("basis", ("核算口径", "口径", "类型", "planned or actual")),
        Column(
            "planned_hours",
            ("计划机时(小时)", "计划机时", "年计划机时", "额定机时", "年机时", "机时",
             "hours", "machine hours"),
            required=True,
        ),
        Column(
            "consumables_fen",
            ("消耗费(元)", "消耗费", "材料费", "耗材费", "材料消耗费", "consumables"),
        ),
        Column(
            "water_electricity_fen",
            ("水电费(元)", "水电费", "水电", "能源费", "water and electricity", "utilities"),
        ),
        Column(
            "labour_fen",
            ("人工费(元)", "人工费", "劳务费", "人员费", "人力成本", "labour", "labor", "staff"),
        ),
        Column(
            "maintenance_fen",
            ("维护费(元)", "维护费", "维修费", "运行维护费", "维护维修费", "maintenance"),
        ),
        Column(
            "depreciation_fen",
            ("折旧费(元)", "折旧费", "设备折旧费", "折旧", "depreciation"),
        ),
        Column("other_fen", ("其他费用(元)", "其他费用", "其他", "其它", "其它费用", "other")),
        Column(
            "items",
            ("人工与耗材项目", "服务项目成本", "附加项目", "项目", "help and material", "extras"),
        ),
    ]
)  # fmt: skip

MESSAGES: dict[str, tuple[str, str]] = {
    "year": ("不是 2000 至 2100 之间的年份", "not a year from 2000 to 2100"),
    "hours": (
        "不是机时：写小时数，精确到分钟，如 1400 或 0.3333",
        "not a number of hours exact to the minute, for instance 1400 or 0.3333",
    ),
    "hours_range": (
        "一年的机时在 1 分钟与 8784 小时之间",
        "a year has between 1 minute and 8,784 hours",
    ),
    "no_component": (
        "没有任何成本：至少填写一项",
        "no cost at all: fill in one component or more",
    ),
    "depreciation_funds": (
        "此仪器的购置经费来源（{funds}）不允许收回折旧",
        "prices do not recover the purchase of an instrument bought with {funds} funds"
        " (source: J.21a)",
    ),
    "items_form": (
        "项目写作 代码:类别:名称:单位:成本，多项以分号隔开",
        "write an item as code:kind:name:unit:cost, and a semicolon between items",
    ),
    "items_code": (
        "项目代码为小写字母、数字和连字符，最多 40 个",
        "the code of an item is lower-case letters, digits and hyphens, at most 40",
    ),
    "items_text": (
        f"项目须有单位（最多 {UNIT_LENGTH_MAX} 字），名称最多 {NAME_LENGTH_MAX} 字",
        f"an item has a unit of at most {UNIT_LENGTH_MAX} characters and a name of at most"
        f" {NAME_LENGTH_MAX}",
    ),
    "items_twice": ("项目代码重复", "the same code stands twice"),
    "items_many": (f"最多 {ITEMS_MAX} 个项目", f"at most {ITEMS_MAX} items"),
    "line_twice": (
        "与第 {first} 行的仪器和年度相同，以先出现的为准",
        "the same instrument and year as in line {first}; the first one counts",
    ),
}

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KINDS = {
    "staff_help": ExtraKind.STAFF_HELP,
    "staffhelp": ExtraKind.STAFF_HELP,
    "staff": ExtraKind.STAFF_HELP,
    "人工": ExtraKind.STAFF_HELP,
    "人员": ExtraKind.STAFF_HELP,
    "consumable": ExtraKind.CONSUMABLE,
    "耗材": ExtraKind.CONSUMABLE,
    "材料": ExtraKind.CONSUMABLE,
    "other": ExtraKind.OTHER,
    "其他": ExtraKind.OTHER,
    "其它": ExtraKind.OTHER,
}
_BASES = {
    "": False,
    "planned": False,
    "plan": False,
    "计划": False,
    "预算": False,
    "actual": True,
    "实际": True,
    "决算": True,
}


@dataclass(frozen=True, slots=True)
class CostTerms:
    """What a cost sheet says: two that say the same are the same. A component of 0 says nothing."""

    planned_minutes: int
    components: frozenset[tuple[CostKind, int]]
    items: frozenset[CostItemAsked]

    @classmethod
    def of(
        cls,
        planned_minutes: int,
        components: Mapping[CostKind, int],
        items: Collection[CostItemAsked],
    ) -> CostTerms:
        """The terms of a sheet."""
        said = frozenset(part for part in components.items() if part[1])
        return cls(planned_minutes, said, frozenset(items))


@dataclass(frozen=True, slots=True)
class CostLine:
    """A cost sheet as a line writes it; the instrument is named by the provider's own number."""

    line: int
    inner_id: str
    year: int
    planned_minutes: int
    components: tuple[tuple[CostKind, int], ...]
    items: tuple[CostItemAsked, ...] = ()
    actual: bool = False

    @property
    def total_fen(self) -> int:
        """What the year costs."""
        return sum(amount_fen for _, amount_fen in self.components)

    @property
    def terms(self) -> CostTerms:
        """What it says."""
        return CostTerms.of(self.planned_minutes, dict(self.components), self.items)


def read_cost_line(line: int, cells: Sequence[str], header: Header) -> CostLine | list[LineError]:
    """The cost sheet that a line describes, or everything that is wrong with the line."""
    reader = LineReader(line, cells, header, MESSAGES)
    inner_id = reader.read("inner_id", inner_id_of)
    year = reader.read("year", year_of)
    actual = reader.read("basis", _basis, empty=False)
    planned_minutes = reader.read("planned_hours", _planned_minutes)
    components = tuple(
        (kind, amount_fen)
        for name, kind in COMPONENTS.items()
        if (amount_fen := reader.money(name, empty=_ABSENT)) is not _ABSENT
    )
    items = reader.read("items", _items, empty=())
    if not components:
        reader.refuse(_component_columns(header), "", "no_component")
    if reader.errors:
        return reader.errors
    return CostLine(line, inner_id, year, planned_minutes, components, items, actual)


def cells_of_cost_sheet(sheet: CostLine) -> list[str]:
    """The line that describes a cost sheet: what is read again is the same."""
    amounts = {kind: amount_cell(amount_fen) for kind, amount_fen in sheet.components}
    return [
        sheet.inner_id,
        str(sheet.year),
        "actual" if sheet.actual else "planned",
        hours_cell(sheet.planned_minutes),
        *(amounts.get(kind, "") for kind in COMPONENTS.values()),
        ";".join(
            ":".join(
                (
                    item.code,
                    item.kind.value,
                    escaped(item.name),
                    escaped(item.unit),
                    amount_cell(item.cost_fen),
                )
            )
            for item in sheet.items
        ),
    ]


def funds_error(
    sheet: CostLine, header: Header, *, funds: str, depreciation_funds: Collection[str]
) -> LineError | None:
    """Why the cost of this line may not be recovered, as in `require_cost_allowed`.

    Policy: J.21a
    """
    try:
        require_cost_allowed(
            dict(sheet.components), funds=funds, depreciation_funds=depreciation_funds
        )
    except CostNotAllowed as refused:
        asked = amount_cell(refused.reasons[0].asked)
        column = header.text_of("depreciation_fen")
        return cost_error(sheet.line, column, asked, "depreciation_funds", funds=funds)
    return None


def cost_error(line: int, column: str, value: object, rule: str, **facts: Any) -> LineError:
    """An error of a line of a file of cost sheets."""
    return line_error(MESSAGES, line=line, column=column, value=value, rule=rule, **facts)


# Tells a component that is not there from one that was refused.
_ABSENT = object()


def _component_columns(header: Header) -> str:
    named = [header.text_of(name) for name in COMPONENTS if name in header.columns]
    return " / ".join(named) or "cost components 成本构成"


def _basis(text: str) -> bool:
    if text.casefold() not in _BASES:
        raise CellWrong("choice", text, choices="计划 planned / 实际 actual")
    return _BASES[text.casefold()]


def _planned_minutes(text: str) -> int:
    minutes = minutes_of(text)
    if not 1 <= minutes <= PLANNED_MINUTES_MAX:
        raise CellWrong("hours_range", text)
    return minutes


def _items(cell: str) -> tuple[CostItemAsked, ...]:
    entries = parts_of(cell)
    if len(entries) > ITEMS_MAX:
        raise CellWrong("items_many", len(entries))
    items: dict[str, CostItemAsked] = {}
    for entry in entries:
        shown = ":".join(entry)
        if len(entry) != ITEM_PARTS:
            raise CellWrong("items_form", shown)
        code, kind, name, unit, cost = entry
        if _CODE.fullmatch(code) is None:
            raise CellWrong("items_code", shown)
        if kind.casefold() not in _KINDS:
            raise CellWrong(
                "choice", shown, choices="人工 staff_help / 耗材 consumable / 其他 other"
            )
        if not 1 <= len(unit) <= UNIT_LENGTH_MAX or len(name) > NAME_LENGTH_MAX:
            raise CellWrong("items_text", shown)
        if code in items:
            raise CellWrong("items_twice", shown)
        items[code] = CostItemAsked(code, _KINDS[kind.casefold()], name, unit, fen_of(cost))
    return tuple(items.values())
