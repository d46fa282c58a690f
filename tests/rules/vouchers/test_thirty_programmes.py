"""All thirty programmes of the table come along, and their files say what each is known for.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from marketplace.vouchers.rules.beneficiaries import beneficiary_of
from marketplace.vouchers.rules.eligibility import Facts, Profile
from marketplace.vouchers.rules.limits import CapScope, Preference, Window
from marketplace.vouchers.rules.programme_file import FOLDER, read_programme, shipped_programme
from marketplace.vouchers.rules.terms import Terms, terms_of

THIRTY: tuple[tuple[str, ...], ...] = (
    ("jiangsu-2020",),
    ("jiangsu-2024",),
    ("jiangsu-user-2020",),
    ("jiangsu-suzhou-2024",),
    (
        "jiangsu-nantong-2023",
        "jiangsu-nantong-shanghai-2023",
    ),
    ("jiangsu-zhenjiang-2022",),
    ("zhejiang-2017",),
    ("zhejiang-yuhuan-2023",),
    ("shanghai-2015",),
    (
        "shanghai-2023",
        "shanghai-2020",
    ),
    ("beijing-2015",),
    ("beijing-2018",),
    ("beijing-2023",),
    ("guangdong-2020",),
    ("guangdong-cities-2015",),
    ("shenzhen-2015",),
    ("hubei-2022",),
    ("sichuan-2025",),
    ("liaoning-2025",),
    ("hebei-2025",),
    ("fujian-2021",),
    ("shandong-2016",),
    ("shanxi-2017",),
    ("delta-2021",),
    ("delta-shuangchuang",),
    ("tianjin-binhai-2024",),
    ("hunan-2018",),
    ("hunan-2026",),
    ("anhui-2023",),
    ("karamay-2025",),
)
"""The files of each programme of the table in docs/vouchers.md, row by row."""


def terms_of_file(code: str) -> Terms:
    return terms_of(read_programme(shipped_programme(code).read_bytes()).terms)


def cap(code: str, scope: CapScope, buyer: str = "technology-sme", **of: Any) -> int | None:
    """A cap of a programme in yuan."""
    found = terms_of_file(code).cap_on(scope, beneficiary=buyer, **of)
    return None if found is None else found // 100


def within(first: str, last: str) -> Window:
    return Window(date.fromisoformat(first), date.fromisoformat(last))


def test_every_row_of_the_table_has_its_files_and_every_file_its_row():
    told = [code for codes in THIRTY for code in codes]

    assert len(THIRTY) == 30
    assert sorted(told) == sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_the_page_tells_the_rows_in_this_order():
    page = (FOLDER.parents[2] / "docs" / "vouchers.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "](vouchers/" in line]

    assert [line.split("|")[1].strip() for line in rows] == [str(n) for n in range(1, 31)]
    for line, codes in zip(rows, THIRTY, strict=True):
        assert all(f"(vouchers/{code}.md)" in line for code in codes), line


YEAR = CapScope.SME_YEAR
KNOWN_FOR: list[tuple[str, dict[str, Any]]] = [
    ("jiangsu-2020", {"ratios": {"province": 2500, "city": 2500}, "applications_per_year": 1}),
    ("jiangsu-user-2020", {"invoices_within": within("2019-10-01", "2020-09-30")}),
    (
        "jiangsu-suzhou-2024",
        {
            "payments_within": within("2023-01-01", "2023-12-31"),
            "waiting_first": (Preference(founded_from=date(2019, 1, 1)),),
        },
    ),
    ("jiangsu-nantong-2023", {"ratios": {"city": 4000}, "local_audit": True}),
    ("jiangsu-nantong-shanghai-2023", {"ratios": {"city": 5000}, "provider_regions": ("310000",)}),
    ("jiangsu-zhenjiang-2022", {"payments_within": within("2022-01-01", "2022-12-31")}),
    ("zhejiang-2017", {"validity": "months-3", "claim_every": "month"}),
    ("zhejiang-yuhuan-2023", {"validity": "months-3", "spot_check_basis_points": 500}),
    ("shanghai-2023", {"claim_every": "quarter", "ratios": {"province": 5000}}),
    ("shanghai-2020", {"cap_per_sme_year_fen": 50_000_000}),
    ("beijing-2015", {"face_value_fen": 500_000, "face_vouchers_max": 40, "validity": "months-12"}),
    ("beijing-2018", {"cap_per_sme_year_fen": 48_000_000, "round_to_fen": 10_000}),
    ("guangdong-2020", {"required_evidence": ("contract", "invoice", "result")}),
    ("guangdong-cities-2015", {"validity": "months-24"}),
    ("shenzhen-2015", {"applications_per_year": 5, "oldest_first": True}),
    ("hubei-2022", {"redeemed_by": "sme", "ratios": {"province": 3000}}),
    (
        "sichuan-2025",
        {"invoices_within": within("2025-01-01", "2025-06-30"), "services_within": None},
    ),
    ("liaoning-2025", {"cap_per_sme_year_fen": 20_000_000}),
    ("fujian-2021", {"payments_within": within("2020-01-01", "2020-12-31")}),
    ("shandong-2016", {"ratios": {"province": 4000}}),
    ("shanxi-2017", {"cap_per_sme_year_fen": 20_000_000, "redeemed_by": "sme"}),
    ("delta-2021", {"cost_split": None}),
    ("hunan-2018", {"claim_windows": (within("2019-08-28", "2019-10-14"),)}),
    ("karamay-2025", {"application_documents": ("credit-report",), "redeemed_by": "sme"}),
]


@pytest.mark.parametrize(("code", "told"), KNOWN_FOR, ids=lambda each: str(each)[:40])
def test_a_file_says_what_its_programme_is_known_for(code: str, told: dict[str, Any]):
    terms = terms_of_file(code)
    found = {name: getattr(terms, name) for name in told}

    # The clause beside a window is told elsewhere.
    assert {
        name: Window(value.opens_on, value.closes_on)
        if isinstance(value, Window)
        else tuple(Window(each.opens_on, each.closes_on) for each in value)
        if name == "claim_windows"
        else value
        for name, value in found.items()
    } == told


def test_caps_are_those_of_the_table():
    assert cap("jiangsu-2020", YEAR, funder="province") == 100_000
    assert cap("jiangsu-nantong-2023", YEAR) == 200_000
    assert cap("jiangsu-nantong-shanghai-2023", YEAR) == 300_000
    assert cap("jiangsu-suzhou-2024", YEAR) == 500_000
    assert cap("zhejiang-yuhuan-2023", CapScope.APPLICATION) == 20_000
    assert cap("zhejiang-yuhuan-2023", CapScope.HELD) == 50_000
    assert cap("beijing-2015", CapScope.GRANT, first_use=True) == 50_000
    assert cap("sichuan-2025", CapScope.PERSON) == 1_000
    assert cap("fujian-2021", YEAR, funder="province") == 120_000
    assert cap("delta-2021", YEAR) == 300_000
    assert cap("anhui-2023", YEAR, "first-research") == 600_000
    assert cap("anhui-2023", YEAR) == 300_000
    assert cap("guangdong-cities-2015", YEAR) == 3_000_000


@pytest.mark.parametrize(
    ("staff", "kind", "cap_yuan"),
    [(8, "micro", 50_000), (60, "small", 100_000), (300, "medium", 200_000)],
)
def test_shenzhen_caps_an_application_by_the_size_of_the_company(staff, kind, cap_yuan):
    terms = terms_of_file("shenzhen-2015")
    filed = Profile(2015, staff, 10**9, 10**9, "")
    found = beneficiary_of(filed, Facts(), terms, 2015, date(2015, 6, 1))

    assert found is not None
    assert found.kind == kind
    assert cap("shenzhen-2015", CapScope.APPLICATION, kind) == cap_yuan
    maker = beneficiary_of(None, Facts(members=1), terms, 2015, date(2015, 6, 1))
    assert maker is not None
    assert cap("shenzhen-2015", CapScope.APPLICATION, maker.kind) == 10_000


def test_hebei_asks_for_staff_or_revenue_and_for_a_verified_share_of_research():
    terms = terms_of_file("hebei-2025")
    facts = Facts(certificates={"class-one-ip": None, "research-share": None})
    many_staff = Profile(2025, 3_000, 39_900_000_000, 10**12, "")

    found = beneficiary_of(many_staff, facts, terms, 2025, date(2025, 6, 2))

    assert found is not None
    assert found.kind == "by-sales"
    assert beneficiary_of(many_staff, Facts(), terms, 2025, date(2025, 6, 2)) is None


def test_what_may_not_be_put_together_is_excluded_by_both():
    first = terms_of_file("jiangsu-nantong-2023").stacking
    second = terms_of_file("jiangsu-nantong-shanghai-2023").stacking

    assert first.excludes_programmes == {"jiangsu-nantong-shanghai-2023"}
    assert second.excludes_programmes == {"jiangsu-nantong-2023"}
    assert first.excludes_funders == second.excludes_funders == {"province"}
    assert terms_of_file("shenzhen-2015").stacking.excludes_funders == {"city"}
    assert terms_of_file("jiangsu-zhenjiang-2022").stacking.deduct_times == 2


def test_tianjin_asks_for_all_the_papers_that_programmes_ask_for_together():
    asked = set(terms_of_file("tianjin-binhai-2024").required_evidence)

    assert {"provider-qualification", "service-confirmation", "service-rating"} <= asked
    assert {"contract", "invoice", "payment-proof", "result"} <= asked
    assert "service-confirmation" in terms_of_file("shanxi-2017").required_evidence
    assert "provider-qualification" in terms_of_file("sichuan-2025").required_evidence
