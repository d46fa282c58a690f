"""Finding instruments: words, filters, facets, pages."""

import random
import sys
from collections import Counter
from typing import Any

import pytest

from marketplace.catalogue import queries
from marketplace.catalogue.queries import InstrumentSearch, SearchHits
from marketplace.catalogue.rules.categories import MIDDLE_CLASSES
from marketplace.catalogue.rules.states import Kind, ShareMode
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, atomically
from tests.builders.catalogue import a_csv, a_line, an_instrument, imported
from tests.builders.parties import a_provider


async def search(database: Database, **asked: Any) -> SearchHits:
    return await atomically(database, queries.search, InstrumentSearch(**asked), actor=NOBODY)


NAMES = {
    "SEM": ("场发射扫描电子显微镜", "FE scanning electron microscope", "010101"),
    "TEM": ("透射电镜", "TEM", "010102"),
    "XRD": ("X射线衍射仪", "X-ray diffractometer", "010301"),
    "NMR": ("核磁共振波谱仪", "NMR spectrometer 400 MHz", "010601"),
    "ICP-MS": ("电感耦合等离子体质谱仪", "ICPMS", "010201"),
    "HPLC": ("高效液相色谱仪", "", "010502"),
    "GC-MS": ("气相色谱-质谱联用仪", "", "010202"),
    "semi": ("半导体参数分析仪", "Semiconductor analyser", "080501"),
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SEM", {"SEM"}),
        ("sem", {"SEM"}),
        ("扫描电镜", {"SEM"}),
        ("扫描电子显微镜", {"SEM"}),
        ("scanning electron", {"SEM"}),
        ("电镜", {"TEM"}),
        ("显微", {"SEM"}),
        ("transmission electron microscope", {"TEM"}),
        ("XRD", {"XRD"}),
        ("x射线衍射", {"XRD"}),
        ("x-ray", {"XRD"}),
        ("nmr 400", {"NMR"}),
        ("核磁", {"NMR"}),
        ("icp ms", {"ICP-MS"}),
        ("ICP-MS", {"ICP-MS"}),
        ("icpms", {"ICP-MS"}),
        ("液相色谱", {"HPLC"}),
        ("hplc", {"HPLC"}),
        ("gcms", {"GC-MS"}),
        ("气质联用", {"GC-MS"}),
        ("质谱", {"ICP-MS", "GC-MS"}),
        ("mass spectrometers", {"ICP-MS", "GC-MS"}),
        ("semiconduct", {"semi"}),
        ("大学 扫描", {"SEM"}),
        ("没有的东西", set()),
        ("???", set()),
        ("质谱仪器", {"ICP-MS", "GC-MS"}),
        ("仪器", set(NAMES)),
        ("", set(NAMES)),
    ],
)
async def test_a_method_is_found_in_chinese_and_english_under_its_names(
    named: tuple[Database, dict[int, str]], text: str, found: set[str]
) -> None:
    database, by_id = named

    hits = await search(database, text=text)

    assert {by_id[hit.id] for hit in hits.hits} == found
    assert hits.total == len(found)


@pytest.fixture
async def named(database: Database) -> tuple[Database, dict[int, str]]:
    """One instrument for each method, all of one university."""
    provider_id = await a_provider(database, name="江东大学分析测试中心")
    by_id = {}
    for name, (cname, ename, code) in NAMES.items():
        instrument_id = await an_instrument(
            database,
            provider_id=provider_id,
            cname=cname,
            ename=ename,
            category_code=code,
            functions="",
            model="",
            manufacturer="",
        )
        by_id[instrument_id] = name
    return database, by_id


async def test_names_come_before_mentions_and_then_the_older_before_the_newer(
    database: Database,
) -> None:
    mention = await an_instrument(database, cname="喷金仪", ename="", functions="扫描电镜制样")
    first = await an_instrument(database, cname="扫描电镜")
    second = await an_instrument(database, cname="台式扫描电镜")

    hits = await search(database, text="SEM")

    assert [hit.id for hit in hits.hits] == [first, second, mention]


@pytest.fixture
async def many(database: Database) -> tuple[Database, list[dict[str, Any]]]:
    """Two hundred instruments of three providers in three cities, from files."""
    chance = random.Random(7)
    everything: list[dict[str, Any]] = []
    for region in ("320100", "320505", "430100"):
        provider_id = await a_provider(database, region_code=region)
        lines = [
            a_line(
                innerId=f"{number}",
                cname=chance.choice(["质谱仪", "色谱仪", "光谱仪"]),
                instrCategory=chance.choice(["010201", "010202", "010501", "010401", "999999"]),
                type=chance.choice(["通用", "专用"]),
                worth=f"{chance.randrange(1, 10_000) / 100:.2f}",
                shareMode=chance.choice(["外部共享", "内部共享"]),
                funds="单位自有资金",
            )
            for number in range(70)
        ]
        report = await imported(database, provider_id, a_csv(lines))
        assert report.added == 70
        everything += [line | {"region": region, "provider": provider_id} for line in lines]
    return database, everything


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": "谱仪"},
        {"text": "质谱仪", "kind": Kind.SPECIAL},
        {"category": "0102"},
        {"category": "010201", "share_mode": ShareMode.EXTERNAL},
        {"region": "32"},
        {"region": "320505", "text": "光谱仪"},
        {"worth_fen_min": 20_000_000, "worth_fen_max": 60_000_000},
        {"worth_fen_min": 60_000_000, "worth_fen_max": 20_000_000},
        {"category": "9900"},
    ],
)
async def test_facets_count_what_a_naive_count_counts(
    many: tuple[Database, list[dict[str, Any]]], asked: dict[str, Any]
) -> None:
    database, everything = many
    wanted = [line for line in everything if _naive(line, asked)]

    hits = await search(database, **asked)

    assert hits.total == len(wanted)
    assert not hits.capped
    codes = Counter(line["instrCategory"].replace("9999", "9900")[:4] for line in wanted)
    assert {facet.value: facet.count for facet in hits.facets.category} == codes
    cities = Counter(line["region"][:4] for line in wanted)
    assert {facet.value: facet.count for facet in hits.facets.region} == cities
    kinds = Counter("special" if line["type"] == "专用" else "general" for line in wanted)
    assert {facet.value: facet.count for facet in hits.facets.kind} == kinds


def _naive(line: dict[str, Any], asked: dict[str, Any]) -> bool:
    code = line["instrCategory"].replace("999999", "990000")
    worth = round(float(line["worth"]) * 1_000_000)
    text = asked.get("text", "")
    share = "external" if line["shareMode"] == "外部共享" else "internal"
    return (
        (text in line["cname"] or text in MIDDLE_CLASSES[code[:4]][0])
        and code.startswith(asked.get("category", ""))
        and line["region"].startswith(asked.get("region", ""))
        and asked.get("kind", "") in ("", "special" if line["type"] == "专用" else "general")
        and asked.get("share_mode", share) == share
        and asked.get("worth_fen_min", 0) <= worth <= asked.get("worth_fen_max", 10**12)
    )


async def test_facets_have_names_in_both_languages(
    many: tuple[Database, list[dict[str, Any]]],
) -> None:
    facets = (await search(many[0])).facets

    names = {facet.value: (facet.name, facet.name_en) for facet in facets.category}
    assert names["0102"] == ("质谱仪器", "Mass spectrometers")
    assert {facet.name for facet in facets.region} == {"南京市", "苏州市", "长沙市"}
    assert {facet.name for facet in facets.kind} == {"通用", "专用"}


async def test_pages_show_every_hit_once_in_a_stable_order(
    many: tuple[Database, list[dict[str, Any]]],
) -> None:
    database, _ = many
    whole = await search(database, text="谱仪", page_size=200)

    paged = [
        hit.id
        for page in range(1, 12)
        for hit in (await search(database, text="谱仪", page=page, page_size=20)).hits
    ]

    assert len(set(paged)) == len(paged) == whole.total == 210
    assert paged[:200] == [hit.id for hit in whole.hits]
    assert (await search(database, text="谱仪", page=12, page_size=20)).hits == ()
    assert (await search(database, text="谱仪", page=500, page_size=20)).total == 210


async def test_one_providers_instruments_are_a_filter(
    many: tuple[Database, list[dict[str, Any]]],
) -> None:
    database, everything = many
    provider_id = everything[0]["provider"]

    hits = await search(database, provider_id=provider_id, page_size=100)

    assert hits.total == 70
    assert {(hit.provider_id, hit.provider_name[:8]) for hit in hits.hits} == {
        (provider_id, "provider")
    }


async def test_a_broad_word_is_counted_up_to_the_cap(
    many: tuple[Database, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[queries.search.__module__], "HITS_MAX", 50)

    hits = await search(many[0], text="谱仪", page_size=20)

    assert (hits.total, hits.capped, len(hits.hits)) == (50, True, 20)


async def test_only_listed_instruments_are_found(database: Database) -> None:
    await an_instrument(database, listed=False)

    assert (await search(database)).total == 0
