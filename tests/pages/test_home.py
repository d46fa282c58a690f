"""The start page and the search: in two languages, without scripts, whatever is typed."""

from __future__ import annotations

import re

import pytest

from marketplace.rulebook import load, rulebook_path, use_rulebook
from tests.builders.catalogue import an_instrument
from tests.builders.pages import OWN_PAGE, Shown
from tests.builders.parties import a_provider, an_sme


@pytest.mark.parametrize(
    ("asked", "accepted", "lang"),
    [
        ({}, None, "zh-CN"),
        ({}, "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ({}, "de,en;q=0.5", "zh-CN"),
        ({}, "en-GB,en;q=0.9", "en"),
        ({"lang": "zh"}, "en", "zh-CN"),
        ({"lang": "en"}, "zh", "en"),
        ({"lang": "<script>"}, "en", "en"),
    ],
)
async def test_the_start_page_speaks_the_readers_language(visitor, asked, accepted, lang):
    headers = OWN_PAGE | ({"Accept-Language": accepted} if accepted else {})
    shown = Shown(await visitor.http.get("/", params=asked, headers=headers))

    assert (200, lang) == (shown.status, shown.lang)


async def test_the_english_start_page_has_no_chinese_but_the_way_back(visitor):
    shown = await visitor.open("/", lang="en")

    assert ["中文"] == re.findall(r"[\u4e00-\u9fff]+", shown.text)


async def test_the_figures_are_those_of_today(visitor, database):
    provider_id = await a_provider(database)
    for worth_fen in (12_999_999_98, 1):
        await an_instrument(database, provider_id=provider_id, worth_fen=worth_fen)
    await an_instrument(database, provider_id=provider_id, listed=False)
    await an_sme(database)

    shown = (await visitor.open("/", lang="en")).text

    assert "Instruments listed 2 " in shown
    assert "Original value CN¥13M" in shown
    assert "Providers 1 " in shown
    assert "Technology SMEs 1 " in shown
    assert "仪器原值 ¥1,300万" in (await visitor.open("/", lang="zh")).text


async def test_the_rules_of_the_money_are_shown_with_their_clauses(visitor):
    shown = (await visitor.open("/", lang="en")).text

    assert "at most this share of the actual service total 5% J.30a" in shown
    assert "per legal entity and year CN¥500,000.00 J.30b" in shown
    assert "province 25% + city 25% J.22b" in shown
    assert "5 working days J.21d" in shown
    assert "from each funder CN¥100,000.00 left open; by practice" in shown


@pytest.mark.parametrize("name", ["hunan", "national"])
async def test_another_provinces_page_shows_its_own_rules(visitor, name):
    book = load(rulebook_path(name))
    with use_rulebook(book):
        shown = await visitor.open("/", lang="en")

    assert book.province.name_en in shown.text


async def test_a_day_without_a_rule_has_a_page_without_it(visitor, clock):
    clock.set(clock.now().replace(year=2016))
    shown = (await visitor.open("/", lang="en")).text

    assert "5%" not in shown
    assert "J.30a" not in shown


async def test_what_is_looked_for_is_found_without_scripts(visitor, database):
    instrument_id = await an_instrument(database, cname="透射电子显微镜", model="JEM-2100F")
    start = await visitor.open("/")
    shown = await visitor.send(start, "/instruments", text="透射电子")

    assert "1 台仪器" in shown.text
    assert "JEM-2100F" in shown.text
    assert f"/instruments/{instrument_id}" == shown.links["透射电子显微镜"]


async def test_what_is_not_found_is_said_so_with_a_way_out(visitor):
    shown = await visitor.open("/instruments", text="unobtainium", lang="en")

    assert "Nothing fits" in shown.text
    assert "/instruments" == shown.links["Remove all conditions"]


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' or 1=1 --",
        "{{ 7 * 7 }}",
        "%s%n\\",
        "a\x00b\x1b[31m",
        "\ud83d\ude00 😀",
        "???",
        "   ",
        "显" * 7_000,
        "x" * 10_000,
        "& | ! ( ) : * <->",
    ],
    ids=lambda typed: ascii(typed)[:24],
)
async def test_hostile_input_is_text_and_nothing_else(visitor, typed):
    typed = typed.encode("utf-8", "replace").decode()
    shown = await visitor.open("/instruments", text=typed, lang="en")

    assert shown.status in (200, 422)
    assert "<script>alert" not in shown.source
    assert "<img src=x" not in shown.source
    assert "49" not in shown.text
    assert len(shown.source) < 60_000


async def test_what_was_typed_stays_in_the_box(visitor):
    shown = await visitor.open("/instruments", text='XRD "4"')

    assert 'XRD "4"' == shown.forms[-1].fields["text"] or 'XRD "4"' in [
        form.fields.get("text") for form in shown.forms
    ]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"on": "yesterday"}, "A date, please"),
        ({"on": "2025-03-04", "hours": "none"}, "A whole number, please"),
        ({"page": "0"}, "From 1 to 500"),
        ({"text": "x" * 101}, "At most 100 characters"),
    ],
)
async def test_a_search_that_does_not_read_says_what_is_wrong(visitor, query, said):
    shown = await visitor.open("/instruments", lang="en", **query)

    assert 422 == shown.status
    assert said in shown.text
