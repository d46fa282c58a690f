"""Refusals in Chinese: titles by the code of the problem, sentences by the rule of a reason.

Sentences may name `{limit}` and `{asked}`. What is not here is told in English.
"""

from typing import Final

from marketplace.web.words.finance_refusals import FINANCE

TITLES: Final[dict[str, str]] = {
    **FINANCE,
    "malformed": "填写有误",
    "unauthenticated": "请先登录",
    "forbidden": "您的角色不能进行此操作",
    "not-found": "没有找到",
    "conflict": "与现有情况冲突",
    "refused": "按规定不能办理",
    "too-many-requests": "请求过于频繁",
    "unavailable": "暂时无法服务，请稍后再试",
}

REASONS: Final[dict[str, str]] = {}
