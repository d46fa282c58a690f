"""Terms within terms, in words: who may have a voucher, what else may pay, who shares a cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from marketplace.web.areas.centre.term_words import WORDS
from marketplace.web.words import Speech, label

Value = Mapping[str, Any]


def told_within(speech: Speech, term: str, value: Any) -> str | None:
    """The value of such a term in words; None for another term."""
    tell = _TOLD.get(term)
    return None if tell is None else tell(speech, value)


def _word(speech: Speech, word: str) -> str:
    return speech.t(*WORDS.get(word, (word, word)))


def _words(speech: Speech, words: Any) -> str:
    return speech.t("、", ", ").join(_word(speech, each) for each in words)


def _beneficiaries(speech: Speech, value: list[Value]) -> str:
    told = []
    for each in value:
        asked = "".join(speech.t("，", ", ") + one for one in _conditions(speech, each))
        told.append(f"{_word(speech, each['kind'])}{asked}")
    return speech.t("；", "; ").join(told)


def _conditions(speech: Speech, each: Value) -> list[str]:
    """What is asked of one kind of buyer."""
    found = []
    if each.get("entity") == "team":
        found.append(speech.t("团队", "a team"))
    if each.get("registration_number"):
        found.append(speech.t("当年入库登记编号", "registered this year"))
    if each.get("certificates"):
        found.append(_words(speech, sorted(each["certificates"])))
    for name, chinese, english in (
        ("staff_max", "职工不超过 {n} 人", "at most {n} staff"),
        ("members_min", "成员不少于 {n} 人", "at least {n} members"),
        ("incubated_months_max", "在孵不超过 {n} 个月", "incubated for at most {n} months"),
    ):
        if each.get(name) is not None:
            found.append(speech.t(chinese, english, n=speech.number(each[name])))
    for name, chinese, english in (
        ("sales_max_fen", "年销售不超过 {a}", "sales of at most {a}"),
        ("assets_max_fen", "资产不超过 {a}", "assets of at most {a}"),
        ("capital_max_fen", "注册资本不超过 {a}", "capital of at most {a}"),
    ):
        if each.get(name) is not None:
            found.append(speech.t(chinese, english, a=speech.about(each[name])))
    if each.get("founded_from"):
        day = speech.day(date.fromisoformat(str(each["founded_from"])))
        found.append(speech.t("{d} 或之后成立", "founded on or after {d}", d=day))
    return found


def _stacking(speech: Speech, value: Value) -> str:
    found = []
    if value.get("excludes_programmes"):
        names = _words(speech, value["excludes_programmes"])
        found.append(speech.t("不与 {p} 同用", "not beside {p}", p=names))
    if value.get("excludes_funders"):
        found.append(
            speech.t(
                "不与 {p} 的其他资金同用",
                "not beside other money of {p}",
                p=_funders(speech, value["excludes_funders"]),
            )
        )
    for each in value.get("exclusive_layers", ()):
        found.append(
            speech.t(
                "{p} 只取较多的一级", "of {p} the one that pays most", p=_funders(speech, each)
            )
        )
    if value.get("on_rest"):
        found.append(speech.t("按其他资金支付后的余额计", "of what others left to pay"))
    if value.get("deduct_times"):
        found.append(
            speech.t(
                "其他资金已付部分扣减 {n} 倍",
                "what others pay is taken off {n} times",
                n=value["deduct_times"],
            )
        )
    if value.get("together_max_basis_points", 10_000) < 10_000:
        part = speech.percent(value["together_max_basis_points"])
        found.append(speech.t("合计不超过 {p}", "together at most {p}", p=part))
    return speech.t("；", "; ").join(found)


def _funders(speech: Speech, funders: Any) -> str:
    named = [label("funder", each) for each in funders]
    return speech.t("、", ", ").join(speech.either(each.chinese, each.english) for each in named)


def _cost_split(speech: Speech, value: Value) -> str:
    return speech.t(
        "企业所在地 {a} 份，仪器所在地 {b} 份",
        "{a} parts by the SME's region, {b} by the provider's",
        a=value["home_parts"],
        b=value["host_parts"],
    )


_TOLD: Mapping[str, Callable[[Speech, Any], str]] = {
    "beneficiaries": _beneficiaries,
    "stacking": _stacking,
    "cost_split": _cost_split,
}
