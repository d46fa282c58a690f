"""The terms of a price list as people name them, where two versions are compared."""

from __future__ import annotations

import re
from typing import Final

from marketplace.web.words.labels import label
from marketplace.web.words.speech import Speech

_PRICE: Final = re.compile(r"price (\w+) per (\w+)(?:, (minimum|minutes|from (\d+)))?")
_HOURS: Final = re.compile(r"hours (\d) (\d{4})-(\d{4}) (.+)")
_EXTRA: Final = re.compile(r"extra (.+) per (\w+)")
_NAMED: Final = {
    "urgent_basis_points": ("加急加价", "Urgent surcharge"),
    "carried_surplus_fen": ("结转的盈余", "Surplus carried over"),
    "unit_cost_fen": ("单位成本（每小时）", "Cost of an hour"),
    "state_source": ("政府定价文号", "Set by the state in"),
}


def price_term(what: str, speech: Speech) -> str:
    """`what` of a difference between two price lists, in the reader's language."""
    if what in _NAMED:
        return speech.t(*_NAMED[what])
    if found := _PRICE.fullmatch(what):
        customer, unit = _name("customer_class", found[1], speech), _name("unit", found[2], speech)
        price = speech.t("{c} 每{u}", "{c}, per {u}", c=customer, u=unit)
        return f"{price}{_detail(found[3], found[4], speech)}"
    if found := _HOURS.fullmatch(what):
        times = f"{_clock(found[2])}–{_clock(found[3])}"
        return f"{found[4]} {speech.weekday_name(int(found[1]))} {times}"
    if found := _EXTRA.fullmatch(what):
        return speech.t(
            "附加服务 {e} 每{u}",
            "Extra {e}, per {u}",
            e=found[1],
            u=_name("unit", found[2], speech),
        )
    return what


def _detail(part: str | None, start: str | None, speech: Speech) -> str:
    if part is None:
        return ""
    if start is not None:
        return speech.t("，自 {n} 起", ", from {n} on", n=start)
    return speech.t("，最低", ", at least") if part == "minimum" else speech.t("，用时", ", time")


def _name(group: str, value: str, speech: Speech) -> str:
    named = label(group, value)
    return speech.t(named.chinese, named.english)


def _clock(minute: str) -> str:
    hours, minutes = divmod(int(minute), 60)
    return f"{hours:02d}:{minutes:02d}"
