"""One line of a file of prices: what a class of customers pays for a unit of an instrument.

The lines of an instrument are together one version of its prices.
Policy: J.15, J.21a
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from marketplace.billing.pricing.errors import PricesAboveCost, TiersUnclear
from marketplace.billing.pricing.rules.columns import (
    INSTRUMENT,
    CellWrong,
    Column,
    Header,
    Layout,
    LineError,
    LineReader,
    amount_cell,
    fen_of,
    inner_id_of,
    line_error,
    parts_of,
)
from marketplace.billing.pricing.rules.cost import Ceiling, require_clear_tiers, require_no_profit
from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked, Tariff, Tier

MINUTES_PER_UNIT_MAX = 366 * 24 * 60
TIERS_MAX = 10
TIER_FROM_MAX = 1_000_000
SOURCE_LENGTH_MAX = 500

LAYOUT = Layout(
    [
        INSTRUMENT,
        Column(
            "customer_class",
            ("客户类别", "用户类别", "收费对象", "服务对象", "class", "customer class"),
            required=True,
        ),
        Column("unit", ("计价单位", "计费单位", "收费单位", "单位", "priced by"), required=True),
        Column(
            "amount_fen",
            ("单价(元)", "单价", "价格", "收费标准", "收费", "price", "amount"),
            required=True,
        ),
        Column("minimum_fen", ("最低收费(元)", "最低收费", "起收费", "minimum", "minimum charge")),
        Column(
            "minutes_per_unit",
            ("每单位用时(分钟)", "每单位用时", "单位用时", "用时", "minutes", "minutes per unit"),
        ),
        Column("tiers", ("阶梯价", "优惠阶梯", "批量价", "volume tiers", "tiers")),
        Column("state_source", ("政府定价文件", "定价依据", "state price document")),
    ]
)

MESSAGES: dict[str, tuple[str, str]] = {
    "minutes": (
        f"每单位用时为 1 至 {MINUTES_PER_UNIT_MAX} 的整分钟数",
        f"whole minutes from 1 to {MINUTES_PER_UNIT_MAX}",
    ),
    "minutes_given": (
        "按小时计价不填每单位用时，其他计价单位必须填写",
        "a price per hour has none, every other price has it",
    ),
    "tiers_form": (
        f"阶梯写作 起始数量:单价，以分号隔开，最多 {TIERS_MAX} 级，起始数量至少为 2",
        f"write tiers as from:amount with semicolons between, at most {TIERS_MAX}, from 2 on",
    ),
    "tiers_unclear": (
        "阶梯须按数量递增、单价递减",
        "tiers rise in quantity and fall in price: {detail}",
    ),
    "source_long": (
        f"最多 {SOURCE_LENGTH_MAX} 个字符",
        f"at most {SOURCE_LENGTH_MAX} characters",
    ),
    "above_cost": (
        "高于服务成本 {limit} 元（不得以营利为目的）",
        "above the cost of {limit} CNY (source: J.21a, N.25c): {detail}",
    ),
    "price_twice": (
        "与第 {first} 行的客户类别和计价单位相同",
        "the same class and unit as in line {first}",
    ),
    "source_differs": (
        "与第 {first} 行的政府定价文件不一致：一份价目表只有一个依据",
        "another state document than in line {first}: one list rests on one",
    ),
    "instrument_refused": (
        "同一仪器的另一行有误，其价格均未登记",
        "another line of this instrument is wrong: none of its prices is filed",
    ),
    "no_cost_sheet": (
        "没有 {year} 年或以前的成本核算表，请先登记",
        "no cost sheet covers {year}: file one first (source: J.21d)",
    ),
    "extras_kept": (
        "现行附加项目与新的成本核算表不符，请单独登记此价目表",
        "the help and material of the newest prices do not fit the cost sheet, file these prices"
        " by themselves: {detail}",
    ),
}

W = TypeVar("W", bound=StrEnum)

_CLASSES = {
    "本单位": CustomerClass.OWN_UNIT,
    "校内": CustomerClass.OWN_UNIT,
    "内部": CustomerClass.OWN_UNIT,
    "高校院所": CustomerClass.ACADEMIC,
    "科研单位": CustomerClass.ACADEMIC,
    "中小企业": CustomerClass.SME,
    "科技型中小企业": CustomerClass.SME,
    "企业": CustomerClass.ENTERPRISE,
    "其他企业": CustomerClass.ENTERPRISE,
} | {one.value: one for one in CustomerClass}
_UNITS = {
    "小时": Unit.HOUR,
    "机时": Unit.HOUR,
    "天": Unit.DAY,
    "日": Unit.DAY,
    "次": Unit.SESSION,
    "样品": Unit.SAMPLE,
    "样": Unit.SAMPLE,
    "元素": Unit.ELEMENT,
    "批": Unit.RUN,
    "炉": Unit.RUN,
} | {one.value: one for one in Unit}


@dataclass(frozen=True, slots=True)
class PriceFileLine:
    """A price as a line writes it; the instrument is named by the provider's own number."""

    line: int
    inner_id: str
    price: PriceAsked
    state_source: str = ""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be taken; `inner_id` is what it is about, where that can be read."""

    line: int
    inner_id: str | None
    errors: tuple[LineError, ...]


def read_price_line(line: int, cells: Sequence[str], header: Header) -> PriceFileLine | BadLine:
    """The price that a line describes, or everything that is wrong with the line."""
    reader = LineReader(line, cells, header, MESSAGES)
    inner_id = reader.read("inner_id", inner_id_of)
    customer_class = reader.read("customer_class", lambda text: _one_of(text, _CLASSES))
    unit = reader.read("unit", lambda text: _one_of(text, _UNITS))
    amount_fen = reader.money("amount_fen")
    minimum_fen = reader.money("minimum_fen", empty=0)
    minutes = reader.read("minutes_per_unit", _minutes, empty=0)
    tiers = reader.read("tiers", _tiers, empty=())
    state_source = reader.read("state_source", _source, empty="")
    if not reader.errors and (unit is Unit.HOUR) != (not minutes):
        column = header.text_of("minutes_per_unit")
        reader.refuse(column, minutes or "", "minutes_given")
    if not reader.errors:
        asked = PriceAsked(customer_class, unit, amount_fen, minimum_fen, minutes or None, tiers)
        try:
            require_clear_tiers([asked])
        except TiersUnclear as unclear:
            reader.refuse(header.text_of("tiers"), "", "tiers_unclear", detail=unclear.detail)
    if reader.errors:
        return BadLine(line, inner_id, tuple(reader.errors))
    return PriceFileLine(line, inner_id, asked, state_source)


def cells_of_price(line: PriceFileLine) -> list[str]:
    """The line that describes a price: what is read again is the same."""
    asked = line.price
    return [
        line.inner_id,
        asked.customer_class.value,
        asked.unit.value,
        amount_cell(asked.amount_fen),
        amount_cell(asked.minimum_fen) if asked.minimum_fen else "",
        "" if asked.minutes_per_unit is None else str(asked.minutes_per_unit),
        ";".join(f"{tier.from_quantity}:{amount_cell(tier.amount_fen)}" for tier in asked.tiers),
        line.state_source,
    ]


def together_errors(lines: Sequence[PriceFileLine], header: Header) -> list[LineError]:
    """What is wrong with the lines of one instrument beside each other."""
    errors = []
    first_of: dict[tuple[CustomerClass, Unit], int] = {}
    for one in lines:
        first = first_of.setdefault((one.price.customer_class, one.price.unit), one.line)
        if first != one.line:
            column = header.text_of("customer_class")
            value = one.price.customer_class.value
            errors.append(price_error(one.line, column, value, "price_twice", first=first))
        if one.state_source != lines[0].state_source:
            column, first = header.text_of("state_source"), lines[0].line
            value = one.state_source
            errors.append(price_error(one.line, column, value, "source_differs", first=first))
    return errors


def cost_errors(
    lines: Sequence[PriceFileLine], header: Header, *, tariff: Tariff, ceiling: Ceiling
) -> list[LineError]:
    """Every price and minimum that is above cost, as in `require_no_profit`.

    Policy: J.21a, N.25c
    """
    errors = []
    for one in lines:
        try:
            require_no_profit([one.price], tariff=tariff, ceiling=ceiling)
        except PricesAboveCost as refused:
            for reason in refused.reasons:
                is_minimum = reason.rule == "no-profit-minimum"
                errors.append(
                    price_error(
                        one.line,
                        header.text_of("minimum_fen" if is_minimum else "amount_fen"),
                        amount_cell(reason.asked),
                        "above_cost",
                        limit=amount_cell(reason.limit),
                        detail=reason.message,
                    )
                )
    return errors


def price_error(line: int, column: str, value: object, rule: str, **facts: Any) -> LineError:
    """An error of a line of a file of prices."""
    return line_error(MESSAGES, line=line, column=column, value=value, rule=rule, **facts)


def _one_of(text: str, words: dict[str, W]) -> W:
    found = words.get(text.casefold())
    if found is None:
        raise CellWrong("choice", text, choices=" / ".join(words))
    return found


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MINUTES_PER_UNIT_MAX))):
        raise CellWrong("minutes", text)
    if not 1 <= int(text) <= MINUTES_PER_UNIT_MAX:
        raise CellWrong("minutes", text)
    return int(text)


def _tiers(cell: str) -> tuple[Tier, ...]:
    entries = parts_of(cell)
    if len(entries) > TIERS_MAX:
        raise CellWrong("tiers_form", cell)
    tiers = []
    for entry in entries:
        start = entry[0]
        if len(entry) != 2 or not (start.isascii() and start.isdigit() and len(start) <= 7):
            raise CellWrong("tiers_form", ":".join(entry))
        if not 2 <= int(start) <= TIER_FROM_MAX:
            raise CellWrong("tiers_form", ":".join(entry))
        tiers.append(Tier(int(start), fen_of(entry[1])))
    return tuple(tiers)


def _source(text: str) -> str:
    if len(text) > SOURCE_LENGTH_MAX:
        raise CellWrong("source_long", text)
    return text
