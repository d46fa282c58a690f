"""Names of the people of the demo: each of the centre by their own, the others by their number."""

from __future__ import annotations

from typing import Final

_CENTRE: Final = {
    "administrator": "周岚",
    "finance-maker": "王静",
    "finance-checker": "李敏",
    "voucher-officer": "张磊",
    "second-officer": "刘洋",
    "evaluator": "陈晨",
    "second-evaluator": "杨帆",
    "expert": "赵启明",
    "auditor": "黄诚",
}
_FAMILY = "孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程"
_GIVEN = ("建国", "雅琴", "志远", "晓东", "丽华", "文博", "海燕", "思源", "国栋", "春梅", "子涵")


def person_name(mail_name: str) -> str:
    """The name of whoever signs in by this; the same one in every demo."""
    if mail_name in _CENTRE:
        return _CENTRE[mail_name]
    seed = sum(ord(letter) * (at + 1) for at, letter in enumerate(mail_name))
    return _FAMILY[seed % len(_FAMILY)] + _GIVEN[seed % len(_GIVEN)]
