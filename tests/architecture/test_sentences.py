"""What the domains say to people is in the catalogue of Chinese sentences, and nothing else is."""

from __future__ import annotations

import re

import pytest

from marketplace.web.words.domain_speech import CATALOGUE, in_chinese
from tools.sentences import sentences

PLACE = re.compile(r"\{\d+\}")


def test_every_sentence_of_the_domains_is_told_in_chinese() -> None:
    found = sentences()

    lacking = {text: place for text, place in found.items() if text not in CATALOGUE}
    assert not lacking, "\n".join(f"{place}: {text}" for text, place in lacking.items())
    assert len(found) > 700, "the search finds what is said"


def test_the_catalogue_has_no_sentence_that_nobody_says() -> None:
    assert sorted(CATALOGUE.keys() - sentences().keys()) == []


def test_chinese_fills_in_what_english_fills_in() -> None:
    wrong = [
        english
        for english, chinese in CATALOGUE.items()
        if set(PLACE.findall(chinese)) != set(PLACE.findall(english))
        or not re.search("[\u3000-\u9fff\uff00-\uffef]", chinese)
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("Sign in again.", "请重新登录。"),
        (
            "The wallet has 3.00 CNY available; 4.50 CNY are missing.",
            "账户可用余额 3.00 元，还差 4.50 元。",
        ),
        # States are named, also several of them.
        (
            "The order is delivered; that allows accept, dispute.",
            "订单为待验收，可以办理：验收、提出争议。",
        ),
        # A sentence within another.
        (
            "Item 2, instrument 7: Somebody else holds the instrument in that time.",
            "第 2 项，仪器 7：该时段已被他人占用。",
        ),
        # Several sentences in a row.
        (
            "The time is over; order again. Say why.",
            "时间已过，请重新下单。请说明理由。",
        ),
        (
            "Your qualification for this instrument ends 2025-03-03 09:00. Ask for training:"
            " POST /instruments/7/training-requests. Or reserve it with an operator: assisted.",
            "您在该仪器的上机资格 2025-03-03 09:00 到期。请申请培训（仪器 7）。"
            "或者预约由操作员代操作。",
        ),
        (
            "At most 600 minutes a week for one person: 540 used from 2025-03-03 to 2025-03-09,"
            " 120 asked for.",
            "每人最多 600 分钟（按周计）：已用 540（2025-03-03 至 2025-03-09），本次申请 120。",
        ),
        # What people wrote stays as it is.
        ("Please warm the stage before I come.", None),
        ("", None),
        ("x" * 100_000, None),
    ],
)
def test_what_is_filled_in_is_told_too(english: str, chinese: str | None) -> None:
    assert in_chinese(english) == chinese
