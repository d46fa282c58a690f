"""One line of a file in the national layout: read strictly, refused kindly, all errors at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from marketplace.catalogue.rules.content import (
    CONTROLS,
    TEXT_LENGTH_MAX,
    Day,
    InstrumentContent,
)
from marketplace.catalogue.rules.layout import BY_NAME, PASSED_ON, Header
from marketplace.catalogue.rules.states import (
    LABELS,
    Condition,
    Exemption,
    Funds,
    Kind,
    ShareMode,
    Source,
    label,
    members_by_label,
)
from marketplace.kernel.money import AMOUNT_FEN_MAX

FEN_PER_YUAN = 100
FEN_PER_WAN_YUAN = 1_000_000
VALUE_SHOWN_MAX = 80
CELL_LENGTH_MAX = TEXT_LENGTH_MAX

_AMOUNT = re.compile(r"[0-9]{1,13}(?:\.[0-9]{0,6})?")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?")
_DAY_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
# Spreadsheets save a number that must keep its zeros as ="00123".
_KEPT_ZEROS = re.compile(r'="([^"]*)"')

YES = frozenset({"是", "yes", "y", "true", "1"})
NO = frozenset({"否", "no", "n", "false", "0"})

W = TypeVar("W", bound=StrEnum)


def fen_of(text: str, *, fen_per_unit: int) -> int:
    """An original value in whole fen, exactly: `'123.45'` 万元 → `123450000`.

    The layout writes two decimals of 万元; up to six are taken, because six are still whole fen.

    Raises:
        PydanticCustomError: when it is not an amount, or not a whole number of fen.
    """
    digits = text.replace(",", "").replace("，", "")
    if _AMOUNT.fullmatch(digits) is None:
        raise PydanticCustomError("amount", "not an amount")
    fen = Decimal(digits) * fen_per_unit
    if fen != fen.to_integral_value():
        raise PydanticCustomError("amount", "not an amount")
    if fen > AMOUNT_FEN_MAX:
        raise PydanticCustomError("amount_large", "larger than an instrument can be worth")
    return int(fen)


def wan_yuan(amount_fen: int) -> str:
    """An amount as the layout writes it: two decimals of 万元, or as many as it takes."""
    text = f"{Decimal(amount_fen) / FEN_PER_WAN_YUAN:.6f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def day_of(text: str) -> date | None:
    """A day: `2019-03-01`, `2019/3/1`, `2019.3.1`, `2019年3月1日` or `20190301`."""
    if not text:
        return None
    match = _DAY.fullmatch(text) or _DAY_DIGITS.fullmatch(text)
    if match is None:
        raise PydanticCustomError("day", "not a day")
    year, month, day = (int(part) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError as error:
        raise PydanticCustomError("day", "not a day") from error


def _yes_or_no(text: str) -> bool:
    word = text.casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise PydanticCustomError("yes_or_no", "neither yes nor no")


def _one_of(words: type[W], *, required: bool) -> Callable[[str], StrEnum | None]:
    spellings = {
        spelling.casefold(): member for spelling, member in members_by_label(words).items()
    }
    allowed = " / ".join(label(member) for member in LABELS[words])

    def read(text: str) -> StrEnum | None:
        if not text and not required:
            return None
        member = spellings.get(text.casefold())
        if member is None:
            raise PydanticCustomError("choice", "not one of the choices", {"choices": allowed})
        return member

    return read


class InstrumentLine(InstrumentContent):
    """An instrument as a line writes it: texts become the platform's words and amounts."""

    worth_fen: int
    funds: Annotated[Funds, BeforeValidator(_one_of(Funds, required=True))]
    source: Annotated[Source | None, BeforeValidator(_one_of(Source, required=False))] = None
    customs_supervised: Annotated[bool, BeforeValidator(_yes_or_no)]
    began_on: Annotated[Day | None, BeforeValidator(day_of)] = None
    accepted_on: Annotated[Day | None, BeforeValidator(day_of)] = None
    kind: Annotated[Kind, BeforeValidator(_one_of(Kind, required=True))]
    share_mode: Annotated[ShareMode, BeforeValidator(_one_of(ShareMode, required=True))]
    exemption: Annotated[Exemption | None, BeforeValidator(_one_of(Exemption, required=False))] = (
        None
    )
    condition: Annotated[Condition, BeforeValidator(_one_of(Condition, required=True))]


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one cell: where, what stands there, and why it cannot be taken."""

    line: int
    column: str
    value: str
    rule: str
    message: str
    message_en: str


MESSAGES: dict[str, tuple[str, str]] = {
    "missing": ("缺少此列", "this column is missing"),
    "empty": ("不能为空", "must not be empty"),
    "too_long": ("不能超过 {max_length} 个字符", "at most {max_length} characters"),
    "string_type": ("不是文字", "not a text"),
    "string_unicode": ("不是文字", "not a text"),
    "control_character": ("含有不可见的控制字符", "holds a control character"),
    "category_unknown": (
        "不是有效的仪器分类编码：应为 6 位数字，前 4 位为中类代码",
        "not a category code: six digits, the first four a middle class",
    ),
    "amount": (
        "不是有效的金额：应为数字，最多精确到分",
        "not an amount: digits, at most to the fen",
    ),
    "amount_large": ("金额过大", "larger than an instrument can be worth"),
    "day": ("不是有效的日期：应为 YYYY-MM-DD", "not a day: write YYYY-MM-DD"),
    "date_implausible": ("日期不合理", "this day is not plausible"),
    "day_ahead": ("日期晚于今天", "this day is still to come"),
    "yes_or_no": ("应填“是”或“否”", "write 是 (yes) or 否 (no)"),
    "choice": ("应为：{choices}", "one of: {choices}"),
    "formula": ("单元格是公式，请粘贴为数值", "the cell holds a formula; paste its value"),
    "cell_long": (
        f"单元格超过 {CELL_LENGTH_MAX} 个字符",
        f"the cell is longer than {CELL_LENGTH_MAX} characters",
    ),
    "inner_id_twice": (
        "内部编号与第 {first} 行重复，以先出现的为准",
        "the same number as in line {first}; the first one counts",
    ),
    "must_be_open": (
        "财政资金购置且原值达到 {limit} 万元的仪器必须外部共享，或填写不开放原因",
        "bought with public funds for {limit} × 10,000 CNY or more it is shared externally, "
        "or says why it is exempt",
    ),
    "disposed": ("该仪器已报废", "this instrument was disposed of"),
    "line_broken": ("此行无法读取：引号或单元格不完整", "the line cannot be read: an open quote"),
}
_UNKNOWN = ("内容无效", "not valid")


def line_error(line: int, column: str, value: Any, rule: str, **facts: Any) -> LineError:
    """An error in both languages; what is shown of the value is short and printable."""
    message, message_en = MESSAGES.get(rule, _UNKNOWN)
    shown = CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value)[: VALUE_SHOWN_MAX + 1])
    if len(shown) > VALUE_SHOWN_MAX:
        shown = shown[:VALUE_SHOWN_MAX] + "…"
    return LineError(
        line=line,
        column=column,
        value=shown,
        rule=rule.replace("_", "-"),
        message=message.format(**facts),
        message_en=message_en.format(**facts),
    )


def _unwrapped(text: str) -> str:
    kept = _KEPT_ZEROS.fullmatch(text) if text.startswith("=") else None
    return kept.group(1) if kept else text


def _cell_error(line: int, column: str, text: str) -> LineError | None:
    if len(text) > CELL_LENGTH_MAX:
        return line_error(line, column, text, "cell_long")
    if text.startswith("="):
        return line_error(line, column, text, "formula")
    return None


def _read_worth(text: str, header: Header) -> int:
    unit = FEN_PER_YUAN if header.worth_in_yuan else FEN_PER_WAN_YUAN
    return fen_of(text, fen_per_unit=unit)


def read_line(
    line: int, cells: Sequence[str], header: Header, *, today: date
) -> InstrumentLine | list[LineError]:
    """The instrument that a line describes, or everything that is wrong with the line."""
    errors: list[LineError] = []
    values: dict[str, Any] = {}
    further: dict[str, str] = {}
    for name, (place, column) in header.columns.items():
        text = _unwrapped(cells[place].strip()) if place < len(cells) else ""
        error = _cell_error(line, column, text)
        if error is not None:
            errors.append(error)
        if name not in PASSED_ON:
            values[name] = text
        elif text and error is None:
            further[name] = text
    values["further"] = further
    _put_worth(line, values, header, errors)
    told = {error.column for error in errors}
    try:
        read = InstrumentLine.model_validate(values)
    except ValidationError as refused:
        errors.extend(error for error in _told(line, header, refused) if error.column not in told)
        return _from_left_to_right(errors, header)
    for name in ("began_on", "accepted_on"):
        day = getattr(read, name)
        if day is not None and day > today:
            errors.append(line_error(line, header.columns[name][1], day, "day_ahead"))
    return _from_left_to_right(errors, header) if errors else read


def _from_left_to_right(errors: list[LineError], header: Header) -> list[LineError]:
    places = {column: place for place, column in header.columns.values()}
    return sorted(errors, key=lambda error: places.get(error.column, len(places)))


def _put_worth(line: int, values: dict[str, Any], header: Header, errors: list[LineError]) -> None:
    """Read the original value, whose unit the header decides; 0 stands in for a refused one."""
    text, column = values["worth_fen"], header.columns["worth_fen"][1]
    try:
        values["worth_fen"] = _read_worth(text, header)
    except PydanticCustomError as error:
        values["worth_fen"] = 0
        if column not in {told.column for told in errors}:
            rule = error.type if text else "empty"
            errors.append(line_error(line, column, text, rule))


def _told(line: int, header: Header, refused: ValidationError) -> list[LineError]:
    found = []
    for error in refused.errors(include_url=False):
        place = [str(part) for part in error["loc"]]
        name = place[-1] if place[0] == "further" else place[0]
        column = header.columns.get(
            name, (0, BY_NAME[name].headers[0] if name in BY_NAME else name)
        )
        value, rule = error["input"], error["type"]
        if value == "" or rule in ("too_short", "string_too_short"):
            rule = "empty"
        found.append(line_error(line, column[1], value, rule, **error.get("ctx", {})))
    return found
