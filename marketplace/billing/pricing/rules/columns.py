"""The columns of a file that a price desk sends: what they may be called, and what is in a cell.

Units write the headers in Chinese or English, in any order, with remarks in brackets and lines of
title above them. An amount is in yuan, or in 万元 where its header says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marketplace.kernel.money import AMOUNT_FEN_MAX

# Rows above the header that may hold titles and explanations.
PREAMBLE_ROWS_MAX = 30
# A row with this many known headers is the header.
HEADERS_RECOGNISED_MIN = 3
HEADER_LENGTH_MAX = 200
# As much as a reader of CSV takes; a workbook keeps less.
CELL_LENGTH_MAX = 131_072
VALUE_SHOWN_MAX = 80
INNER_ID_LENGTH_MAX = 200
FEN_PER_YUAN = 100
FEN_PER_WAN_YUAN = 1_000_000

_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|【[^】]*】|<[^>]*>")
_NOISE = re.compile(r"[\s_\-*:.,;/、。·]+")
_MONEY_UNIT = re.compile(r"(?:人民币)?万?元$")
_AMOUNT = re.compile(r"[¥]?([0-9]{1,13}(?:\.[0-9]{0,6})?)元?")
_HOURS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{0,6})?")
_YEAR = re.compile(r"(20[0-9]{2}|2100)年?")
# Spreadsheets save a number that must keep its zeros as ="00123".
_KEPT_ZEROS = re.compile(r'="([^"]*)"')
# And what would be taken for a formula is sent with an apostrophe before it.
_KEPT_TEXT = re.compile(r"'(?=[=+\-@\t\r])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: our name, and what files call it (the first is written)."""

    name: str
    headers: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What the header row of a file says: `columns` are (place, text) by our name.

    `in_wan_yuan` are the columns whose amounts are in 万元.
    """

    columns: dict[str, tuple[int, str]]
    ignored: tuple[str, ...]
    doubled: tuple[str, ...]
    missing: tuple[str, ...]
    in_wan_yuan: frozenset[str]

    def text_of(self, name: str) -> str:
        """What the file calls the column; our name where it does not have it."""
        return self.columns.get(name, (0, name))[1]


INSTRUMENT = Column(
    "inner_id",
    (
        "单位内部编号",
        "所属单位内部编号",
        "内部编号",
        "仪器编号",
        "设备编号",
        "资产编号",
        "inner id",
        "innerId",
        "asset number",
        "instrument number",
    ),
    required=True,
)


class Layout:
    """The columns of one kind of file."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._by_header = {
            _normal(spelling): column
            for column in columns
            for spelling in (*column.headers, column.name)
        }

    @property
    def written(self) -> list[str]:
        """The header as it is written into a file."""
        return [column.headers[0] for column in self.columns]

    def recognised(self, cells: Sequence[str]) -> int:
        """How many different columns the cells of a row name."""
        found = {self._by_header.get(_normal(cell[:HEADER_LENGTH_MAX])) for cell in cells if cell}
        return len(found - {None})

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a row is the header, or the same header in the other language below it."""
        return self.recognised(cells) >= HEADERS_RECOGNISED_MIN

    def read_header(self, cells: Sequence[str]) -> Header:
        """What the header row says."""
        columns: dict[str, tuple[int, str]] = {}
        ignored, doubled = [], []
        for place, cell in enumerate(cells):
            text = cell.strip()[:HEADER_LENGTH_MAX]
            column = self._by_header.get(_normal(text))
            if column is None:
                if text:
                    ignored.append(text)
            elif column.name in columns:
                doubled.append(text)
            else:
                columns[column.name] = (place, text)
        return Header(
            columns=columns,
            ignored=tuple(ignored),
            doubled=tuple(doubled),
            missing=tuple(
                f"{column.headers[0]} ({column.name})"
                for column in self.columns
                if column.required and column.name not in columns
            ),
            in_wan_yuan=frozenset(name for name, (_, text) in columns.items() if "万" in text),
        )


def _normal(header: str) -> str:
    text = unicodedata.normalize("NFKC", header).casefold()
    return _MONEY_UNIT.sub("", _NOISE.sub("", _BRACKETS.sub("", text)))


class CellWrong(Exception):
    """A cell does not say what its column asks for; `rule` names the message that is told."""

    def __init__(self, rule: str, value: object = None, **facts: Any) -> None:
        super().__init__(rule)
        self.rule, self.value, self.facts = rule, value, facts


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one cell: where, what stands there, and why it cannot be taken."""

    line: int
    column: str
    value: str
    rule: str
    message: str
    message_en: str


def line_error(
    messages: Mapping[str, tuple[str, str]],
    *,
    line: int,
    column: str,
    value: object,
    rule: str,
    **facts: Any,
) -> LineError:
    """An error in both languages; what is shown of the value is short and printable."""
    message, message_en = messages[rule] if rule in messages else COMMON_MESSAGES[rule]
    shown = _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value)[: VALUE_SHOWN_MAX + 1])
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


class LineReader:
    """Reads the cells of one line and collects everything that is wrong with them."""

    def __init__(
        self,
        line: int,
        cells: Sequence[str],
        header: Header,
        messages: Mapping[str, tuple[str, str]],
    ) -> None:
        self.line, self.header = line, header
        self._cells, self._messages = cells, messages
        self._errors: list[LineError] = []

    def read(self, name: str, understand: Callable[[str], Any], *, empty: Any = None) -> Any:
        """What the cell says; `empty` for an empty one, or for a column that is not there.

        Without `empty` a cell is required; None stands for what was refused.
        """
        if name not in self.header.columns:
            return empty
        place, column = self.header.columns[name]
        text = self._cells[place] if place < len(self._cells) else ""
        try:
            text = cell_text(self._cells, place)
            return understand(text) if text or empty is None else empty
        except CellWrong as wrong:
            rule = "empty" if not text else wrong.rule
            value = text if wrong.value is None else wrong.value
            self.refuse(column, value, rule, **wrong.facts)
            return None

    def money(self, name: str, *, empty: Any = None) -> Any:
        """An amount in fen, as `read`."""
        in_wan = name in self.header.in_wan_yuan
        return self.read(name, lambda text: fen_of(text, wan_yuan=in_wan), empty=empty)

    def refuse(self, column: str, value: object, rule: str, **facts: Any) -> None:
        """Note what is wrong with a column."""
        self._errors.append(
            line_error(
                self._messages, line=self.line, column=column, value=value, rule=rule, **facts
            )
        )

    @property
    def errors(self) -> list[LineError]:
        """Everything that was wrong, from left to right."""
        places = {text: place for place, text in self.header.columns.values()}
        return sorted(self._errors, key=lambda error: places.get(error.column, len(places)))


def inner_id_of(text: str) -> str:
    """The number that a provider gives its instrument.

    Raises:
        CellWrong: when there is none.
    """
    if not text:
        raise CellWrong("empty")
    return text[: INNER_ID_LENGTH_MAX + 1]


COMMON_MESSAGES: dict[str, tuple[str, str]] = {
    "empty": ("必填项为空", "this is required"),
    "amount": (
        "不是金额：写数字，精确到分",
        "not an amount: write a number, exact to the fen",
    ),
    "amount_large": ("金额过大", "larger than any amount on the platform"),
    "cell_long": (
        f"单元格超过 {CELL_LENGTH_MAX} 个字符",
        f"the cell is longer than {CELL_LENGTH_MAX} characters",
    ),
    "controls": ("含有控制字符", "the cell holds control characters"),
    "formula": ("单元格是公式，请粘贴为数值", "the cell is a formula: paste its value"),
    "instrument_unknown": (
        "本单位没有此内部编号的仪器",
        "the provider has no instrument of this number",
    ),
    "line_broken": ("此行无法读取：引号或单元格不完整", "the line cannot be read: an open quote"),
    "choice": ("只能是：{choices}", "one of: {choices}"),
}


def cell_text(cells: Sequence[str], place: int) -> str:
    """A cell as its writer meant it.

    Raises:
        CellWrong: when it is too long, a formula, or holds control characters.
    """
    text = cells[place].strip() if place < len(cells) else ""
    kept = _KEPT_ZEROS.fullmatch(text)
    if kept:
        text = kept.group(1)
    elif text.startswith("="):
        raise CellWrong("formula", text)
    else:
        text = _KEPT_TEXT.sub("", text, count=1) if text.startswith("'") else text
    if len(text) > CELL_LENGTH_MAX:
        raise CellWrong("cell_long", text)
    if _CONTROLS.search(text):
        raise CellWrong("controls", text)
    return text


def fen_of(text: str, *, wan_yuan: bool = False) -> int:
    """An amount in whole fen, exactly: `'1,234.5'` → `123450`.

    Raises:
        CellWrong: when it is not an amount, not a whole number of fen, or larger than any.
    """
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    match = _AMOUNT.fullmatch(plain)
    if match is None:
        raise CellWrong("amount", text)
    fen = Decimal(match.group(1)) * (FEN_PER_WAN_YUAN if wan_yuan else FEN_PER_YUAN)
    if fen != fen.to_integral_value():
        raise CellWrong("amount", text)
    if fen > AMOUNT_FEN_MAX:
        raise CellWrong("amount_large", text)
    return int(fen)


def amount_cell(amount_fen: int) -> str:
    """An amount as it is written into a file: yuan, with two decimals."""
    whole, fen = divmod(amount_fen, FEN_PER_YUAN)
    return f"{whole}.{fen:02d}"


def year_of(text: str) -> int:
    """A year: `2025` or `2025年`.

    Raises:
        CellWrong: when it is none of 2000 to 2100.
    """
    match = _YEAR.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    if match is None:
        raise CellWrong("year", text)
    return int(match.group(1))


def minutes_of(text: str) -> int:
    """Hours as whole minutes: `1400` → 84,000; four decimals tell each minute apart.

    Raises:
        CellWrong: when it is no number of hours, or not a whole number of minutes.
    """
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    if _HOURS.fullmatch(plain) is None:
        raise CellWrong("hours", text)
    minutes = Decimal(plain) * 60
    whole = minutes.to_integral_value()
    # A third of an hour is 0.3333 in a file: 19.998 minutes.
    if abs(minutes - whole) > Decimal("0.01"):
        raise CellWrong("hours", text)
    return int(whole)


def hours_cell(minutes: int) -> str:
    """Minutes as they are written into a file: hours, with at most four decimals."""
    text = f"{Decimal(minutes) / 60:.4f}".rstrip("0")
    return text.rstrip(".")


def escaped(part: str) -> str:
    """A text in a cell of several: what separates the parts gets a backslash."""
    marked = re.sub(r"([\\:：;；])", r"\\\1", part)
    marked = marked.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    # Spaces at the ends would be taken for layout.
    return re.sub(r"^\s|\s$", lambda space: f"\\{space.group()}", marked)


_CONTROL_SIGNS = {"n": "\n", "r": "\r", "t": "\t"}


def parts_of(cell: str) -> list[list[str]]:
    """`a:1; b:2` → `[[a, 1], [b, 2]]`; a backslash takes the next sign as it is."""
    entries: list[list[list[tuple[str, bool]]]] = [[[]]]
    signs = iter(cell)
    for sign in signs:
        if sign == "\\":
            following = next(signs, "\\")
            entries[-1][-1].append((_CONTROL_SIGNS.get(following, following), True))
        elif sign in ";；":
            entries.append([[]])
        elif sign in ":：":
            entries[-1].append([])
        else:
            entries[-1][-1].append((sign, False))
    read = [[_trimmed(part) for part in entry] for entry in entries]
    return [entry for entry in read if entry != [""]]


def _trimmed(signs: Iterable[tuple[str, bool]]) -> str:
    kept = list(signs)
    while kept and kept[0][0].isspace() and not kept[0][1]:
        kept.pop(0)
    while kept and kept[-1][0].isspace() and not kept[-1][1]:
        kept.pop()
    return "".join(sign for sign, _ in kept)
