"""Amounts and numbers as Chinese contracts write them."""

from __future__ import annotations

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
_ORDINALS = "零一二三四五六七八九"


def capital_yuan(amount_fen: int) -> str:
    """An amount in capital characters, which nobody alters with a stroke: 800.05 → 捌佰元零伍分.

    Raises:
        ValueError: for an amount below zero.
    """
    if amount_fen < 0:
        raise ValueError("a contract has no amount below zero")
    yuan, fen = divmod(amount_fen, 100)
    jiao, cents = divmod(fen, 10)
    written = f"{_whole(yuan)}元" if yuan else ""
    if not jiao and not cents:
        return (written or "零元") + "整"
    if jiao:
        written += f"{_DIGITS[jiao]}角"
    elif yuan:
        written += "零"
    return written + (f"{_DIGITS[cents]}分" if cents else "整")


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    written = ""
    gap = False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if not group:
            gap = bool(written)
            continue
        if written and (gap or group < 1_000):
            written += "零"
        written += _group(group) + _GROUPS[place]
        gap = False
    return written


def _group(group: int) -> str:
    written, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if not digit:
            gap = bool(written)
            continue
        written += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return written


def ordinal(number: int) -> str:
    """A number from 1 to 99 as articles count: 12 → 十二."""
    tens, ones = divmod(number, 10)
    before = "" if not tens else ("十" if tens == 1 else f"{_ORDINALS[tens]}十")
    return before + (_ORDINALS[ones] if ones else "")
