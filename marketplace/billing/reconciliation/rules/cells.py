"""What stands in a cell of a bank export: texts, amounts, days.

Banks pad cells with tabs and full-width blanks, write full-width digits, fill empty cells with
dashes and cut thousands with commas; what cannot be read for certain is an error, never a guess.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from marketplace.kernel.money import AMOUNT_FEN_MAX

# A balance may be larger than any single amount; a bigint holds it.
BALANCE_FEN_MAX = 10**16
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)

_FILLERS = frozenset({"-", "--", "---", "—", "——", "/", "无", "null", "NULL"})
_MINUS = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"})
_NUMBER = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.(\d+))?")
_CURRENCY_SIGN = re.compile(r"^(CNY|RMB|人民币|¥|￥)|元$", re.IGNORECASE)
_TIME = r"(?:[ T]?\d{1,2}[:时]?\d{2}(?:[:分]?\d{2}秒?)?(?:\.\d+)?)?"
_DAYS = (
    re.compile(rf"(\d{{4}})(\d{{2}})(\d{{2}}){_TIME}"),
    re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}"),
    re.compile(rf"(\d{{4}})年(\d{{1,2}})月(\d{{1,2}})日{_TIME}"),
)
_DAY_ANYWHERE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{4}年\d{1,2}月\d{1,2}日|\d{8}")


def clean(text: str) -> str:
    """`text` in one form: full-width characters narrowed, blanks single, no control characters."""
    normal = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if normal.isprintable():
        return " ".join(normal.split())
    spaced = "".join(
        " " if char.isspace() else "" if unicodedata.category(char)[0] == "C" else char
        for char in normal
    )
    return " ".join(spaced.split())


def content(text: str) -> str:
    """`clean(text)`, and nothing where a bank only fills the cell."""
    cleaned = clean(text)
    return "" if cleaned in _FILLERS else cleaned


def amount_fen(text: str, limit_fen: int = AMOUNT_FEN_MAX) -> int | None:
    """`'+1,234.00'` → `123400`; None for an empty or filled cell.

    Raises:
        ValueError: for anything that is not an amount in yuan with at most two decimals.
    """
    bare = content(text).translate(_MINUS).replace(" ", "")
    bare = _CURRENCY_SIGN.sub("", _CURRENCY_SIGN.sub("", bare))
    if not bare:
        return None
    found = _NUMBER.fullmatch(bare)
    if found is None:
        raise ValueError("not an amount")
    sign, whole, decimals = found.groups()
    fen = (decimals or "").rstrip("0").ljust(2, "0")
    if len(fen) > 2:
        raise ValueError("more than two decimals")
    amount = int(whole.replace(",", "")) * 100 + int(fen)
    if amount > limit_fen:
        raise ValueError("too large")
    return -amount if sign == "-" else amount


def day(text: str) -> date:
    """`20250303`, `2025-03-03`, `2025/3/3` or `2025年3月3日`, with or without a time, as a day.

    Raises:
        ValueError: for anything else; a day without its year is not guessed.
    """
    bare = content(text)
    for form in _DAYS:
        if found := form.fullmatch(bare):
            year, month, of_month = (int(part) for part in found.groups())
            named = date(year, month, of_month)
            if FIRST_DAY <= named <= LAST_DAY:
                return named
            break
    raise ValueError("not a day")


def days_in(text: str) -> list[date]:
    """Every day that stands in `text`, in order."""
    found = []
    for named in _DAY_ANYWHERE.findall(clean(text)):
        try:
            found.append(day(named))
        except ValueError:
            continue
    return found
