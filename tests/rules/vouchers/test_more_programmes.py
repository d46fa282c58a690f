"""Programmes that do not come along are written by data alone: what each is known for is said.

Policy: J.22a, J.22b
"""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.vouchers.rules.beneficiaries import beneficiary_of
from marketplace.vouchers.rules.eligibility import Facts, Profile
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.programme_file import read_programme
from marketplace.vouchers.rules.purchases import LayerRoom, Purchase
from marketplace.vouchers.rules.shares import voucher_shares
from marketplace.vouchers.rules.terms import Terms, terms_of

ON = date(2025, 6, 2)
YUAN = 100


def written(terms: str, *, funder: str = "city", ratio: int = 5000) -> Terms:
    """A programme of one funder with these terms; a fault in them would be told."""
    head = f"""
code = "own"
name = "创新券"
name_en = "Vouchers"
year = 2025
opens_on = 2025-01-01
closes_on = 2025-12-31
source = "S"
[[layers]]
funder = "{funder}"
region_code = "440300"
ratio_basis_points = {ratio}
budget_fen = 1_000_000_000
[terms]
"""
    return terms_of(read_programme((head + terms).encode()).terms)


def paid(terms: Terms, yuan: int, **of: object) -> int:
    """What an order of so many yuan is paid, in yuan."""
    ((funder, ratio),) = terms.ratios.items()
    room = LayerRoom(1, funder, ratio, 10**12)
    return voucher_shares(yuan * YUAN, [room], terms, Purchase(**of)).total_fen // YUAN  # type: ignore[arg-type]


SHENZHEN = """
beneficiaries = { source = "S", value = [
  { kind = "micro", staff_max = 10 }, { kind = "small", staff_max = 100 },
  { kind = "medium", staff_max = 300 }, { kind = "maker", entity = "team", members_min = 1 },
] }
caps = { source = "S", value = [
  { scope = "application", amount_fen = 20_000_000, beneficiaries = ["medium"] },
  { scope = "application", amount_fen = 10_000_000, beneficiaries = ["small"] },
  { scope = "application", amount_fen = 5_000_000, beneficiaries = ["micro"] },
  { scope = "application", amount_fen = 1_000_000, beneficiaries = ["maker"] },
] }
applications_per_year = { source = "S", value = 5 }
oldest_first = { source = "S", value = true }
stacking = { source = "S", value = { excludes_funders = ["city"] } }
"""


@pytest.mark.parametrize(
    ("staff", "kind", "cap_yuan"),
    [(8, "micro", 50_000), (60, "small", 100_000), (300, "medium", 200_000)],
)
def test_shenzhen_caps_an_application_by_the_size_of_the_company(staff, kind, cap_yuan):
    terms = written(SHENZHEN)
    filed = Profile(2025, staff, 10**9, 10**9, "")
    found = beneficiary_of(filed, Facts(), terms, 2025, ON)

    assert found is not None
    assert found.kind == kind
    assert terms.cap_on(CapScope.APPLICATION, beneficiary=kind) == cap_yuan * YUAN
    assert (terms.applications_per_year, terms.oldest_first) == (5, True)


def test_a_maker_in_shenzhen_is_a_team_with_a_cap_of_its_own():
    terms = written(SHENZHEN)
    found = beneficiary_of(None, Facts(members=1), terms, 2025, ON)

    assert found is not None
    assert terms.cap_on(CapScope.APPLICATION, beneficiary=found.kind) == 10_000 * YUAN


def test_zhenjiang_takes_what_the_province_paid_off_twice():
    terms = written(
        """
cap_per_sme_year_fen = { source = "S", value = 30_000_000 }
redeemed_by = { source = "S", value = "sme" }
claim_windows = { source = "S", value = [{ opens_on = 2026-04-18, closes_on = 2026-04-28 }] }
stacking = { source = "S", value = { deduct_times = 2 } }
rates = { source = "S", value = [{ ratio_basis_points = 4500, beneficiaries = ["in-sample"] }] }
beneficiaries = { source = "S", value = [
  { kind = "in-sample", certificates = ["voucher-holder", "research-sample"] },
  { kind = "holder", certificates = ["voucher-holder"] },
] }
""",
        ratio=4000,
    )

    assert paid(terms, 10_000, beneficiary="holder") == 4_000
    assert paid(terms, 10_000, beneficiary="in-sample") == 4_500
    assert paid(terms, 10_000, beneficiary="holder", others_fen=1_500 * YUAN) == 1_000


def test_shanxi_pays_in_full_up_to_a_sum_and_less_above():
    terms = written(
        """
ratio_steps = { source = "S", value = [
  { ratio_basis_points = 10_000, up_to_fen = 5_000_000 },
  { ratio_basis_points = 5_000, up_to_fen = 15_000_000 }, { ratio_basis_points = 3_000 },
] }
steps_over = { source = "S", value = "sme-year" }
cap_per_sme_year_fen = { source = "S", value = 20_000_000 }
""",
        funder="province",
        ratio=10_000,
    )

    assert paid(terms, 40_000) == 40_000
    assert paid(terms, 40_000, value_in_year_fen=40_000 * YUAN) == 10_000 + 15_000


def test_hebei_asks_for_staff_or_revenue_and_for_a_verified_share_of_research():
    terms = written(
        """
beneficiaries = { source = "S", value = [
  { kind = "by-staff", staff_max = 1000, certificates = ["ip", "research-share"] },
  { kind = "by-sales", sales_max_fen = 40_000_000_000, certificates = ["ip", "research-share"] },
] }
""",
        funder="province",
    )
    facts = Facts(certificates={"ip": None, "research-share": None})
    many_staff = Profile(2025, 3_000, 39_900_000_000, 10**12, "")

    found = beneficiary_of(many_staff, facts, terms, 2025, ON)

    assert found is not None
    assert found.kind == "by-sales"
    assert beneficiary_of(many_staff, Facts(), terms, 2025, ON) is None


def test_nantong_pays_more_in_shanghai_and_shanghai_publishes_its_instruments_in_batches():
    nantong = written(
        """
rates = { source = "S", value = [{ ratio_basis_points = 5000, provider_regions = ["310000"] }] }
stacking = { source = "S", value = { excludes_funders = ["province"] } }
local_audit = { source = "S", value = true }
""",
        ratio=4000,
    )
    shanghai = written(
        """
instrument_categories = { source = "Batch 5", value = ["0102", "0106", "010801"] }
instrument_worth_min_fen = { source = "S", value = 50_000_000 }
claim_every = { source = "S", value = "quarter" }
""",
        funder="province",
    )

    assert paid(nantong, 1_000, provider_region="320600") == 400
    assert paid(nantong, 1_000, provider_region="310104") == 500
    assert shanghai.instrument_categories == ("0102", "0106", "010801")
    assert shanghai.instrument_worth_min_fen == 500_000 * YUAN
