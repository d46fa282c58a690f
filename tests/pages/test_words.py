"""What pages say is said in both languages: refusals, amounts, days, lengths of time."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

import marketplace
from marketplace.kernel.errors import DomainError, Reason, Refused
from marketplace.rulebook import Rulebook, Schedule, load, rulebook, rulebook_path
from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.web.areas.centre.rulebook_page import rules_of
from marketplace.web.words import Speech, told
from marketplace.web.words.refusals import TITLES
from marketplace.web.words.rule_words import NAMES, PLACES, SECTIONS

CHINESE, ENGLISH = Speech("zh"), Speech("en")


def refusals(of: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Every refusal there is."""
    for each in of.__subclasses__():
        yield each
        yield from refusals(each)


def test_every_refusal_has_a_title_in_chinese_and_no_title_is_left_over():
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    codes = {
        each.code for each in refusals() if each.code and each.__module__.startswith("marketplace.")
    }

    assert sorted(codes - TITLES.keys()) == []
    assert sorted(TITLES.keys() - codes) == []


def test_a_refusal_is_told_with_every_reason_and_its_source():
    error = Refused(
        "Too soon.",
        reasons=[
            Reason("notice", "Order a day ahead.", limit=1440, source="F.booking"),
            Reason("unheard-of", "By practice.", source="J.gap"),
        ],
    )
    english = told(error, ENGLISH)

    assert english.title == "Refused by a rule"
    assert english.reasons == ("Order a day ahead. (F.booking)", "By practice.")
    assert english.detail == ""
    assert told(error, CHINESE).title == "按规定不能办理"


@pytest.mark.parametrize(
    ("fen", "chinese", "english"),
    [
        (0, "¥0.00", "CN¥0.00"),
        (1, "¥0.01", "CN¥0.01"),
        (123_456_750, "¥1,234,567.50", "CN¥1,234,567.50"),
        (-5, "−¥0.05", "−CN¥0.05"),
    ],
)
def test_an_amount_is_told_to_the_fen(fen, chinese, english):
    assert (CHINESE.yuan(fen), ENGLISH.yuan(fen)) == (chinese, english)


@pytest.mark.parametrize(
    ("fen", "chinese", "english"),
    [
        (12_300, "¥123", "CN¥123"),
        (123_456_700, "¥123.5万", "CN¥1.2M"),
        (25_000_000_000, "¥2.5亿", "CN¥250M"),
        (-25_000_000_000, "−¥2.5亿", "−CN¥250M"),
    ],
)
def test_a_large_amount_is_told_as_people_speak_of_it(fen, chinese, english):
    assert (CHINESE.about(fen), ENGLISH.about(fen)) == (chinese, english)


def test_days_and_times_are_those_of_shanghai():
    late = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)

    assert CHINESE.moment(late) == "2026年11月21日 00:05"
    assert ENGLISH.moment(late) == "Nov 21, 2026, 00:05"
    assert CHINESE.day(date(2026, 11, 20)) == "2026年11月20日"
    assert ENGLISH.day(date(2026, 11, 20)) == "Nov 20, 2026"
    assert CHINESE.short_day(date(2026, 11, 20)) == "11/20 周五"


def test_a_span_says_its_day_once():
    begins = datetime(2025, 3, 10, 1, tzinfo=UTC)

    assert CHINESE.span(begins, begins.replace(hour=3)) == "2025年3月10日 09:00–11:00"
    assert " – " in ENGLISH.span(begins, begins.replace(day=11))


@pytest.mark.parametrize(
    ("minutes", "chinese", "english"),
    [(0, "0 分", "0 min"), (90, "1 小时 30 分", "1 h 30 min"), (120, "2 小时", "2 h")],
)
def test_lengths_of_time_are_hours_and_minutes(minutes, chinese, english):
    assert (CHINESE.minutes(minutes), ENGLISH.minutes(minutes)) == (chinese, english)


@pytest.mark.parametrize(("points", "said"), [(500, "5%"), (1250, "12.5%"), (33, "0.33%")])
def test_a_share_has_as_many_digits_as_it_needs(points, said):
    assert CHINESE.percent(points) == said


def test_a_reason_is_told_in_chinese_by_the_rule_of_its_refusal_or_the_one_above():
    error = ProgrammeRefused(
        reasons=[
            Reason("terms.caps.0.funder", "terms.caps.0: the zone does not fund."),
            Reason("starts-on", "Later.", limit="2025-03-03", asked="2025-03-01"),
        ]
    )

    assert told(error, CHINESE).reasons == (
        "封顶条款 terms.caps.0.funder 有误：出资方和受益对象须属于本政策",
        "生效日须在今天之后，且晚于上一版本生效日（2025-03-03）；所填为 2025-03-01",
    )
    assert told(error, ENGLISH).reasons[1] == "Later."


def test_every_term_of_the_rulebook_has_a_name_and_no_name_is_left_over():
    terms = {
        f"{section}.{name}"
        for section in Rulebook.model_fields
        for name, schedule in dict(getattr(rulebook(), section)).items()
        if isinstance(schedule, Schedule)
    }

    assert NAMES.keys() == terms
    assert SECTIONS.keys() == PLACES.keys() == {term.split(".")[0] for term in terms}


@pytest.mark.parametrize("book", ["jiangsu", "hunan", "national"])
def test_every_number_of_the_rulebook_is_told_in_both_languages(book):
    told_terms = [
        (rule.key, line)
        for rule in rules_of(load(rulebook_path(book)), date(2026, 6, 1), CHINESE)
        for term in [*([rule.now] if rule.now else []), *rule.others]
        for line in [*term.value, term.note]
    ]

    assert not [each for each in told_terms if re.search(r"[a-z]{2,}|[{}()'\[\]]", each[1])]
