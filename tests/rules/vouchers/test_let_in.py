"""Policy: J.22b. What would have to be looked up before an SME is said to be a beneficiary."""

from dataclasses import replace
from datetime import date

import pytest

from marketplace.vouchers.rules.beneficiaries import Facts, Profile, unknown_facts
from marketplace.vouchers.rules.limits import Beneficiary
from tests.rules.vouchers.terms import terms

ON = date(2025, 6, 30)
PROFILE = Profile(2025, 50, 10_000_000, 10_000_000, "202532010000000001")


NOTHING = Facts()


def missing(
    *kinds: Beneficiary, profile: Profile | None = PROFILE, facts: Facts = NOTHING
) -> set[str]:
    return set(unknown_facts(profile, facts, terms(beneficiaries=kinds), 2025, ON))


@pytest.mark.parametrize(
    ("kind", "facts", "found"),
    [
        (Beneficiary("any"), Facts(), set()),
        (Beneficiary("small", staff_max=49), Facts(), set()),
        (
            Beneficiary("high-tech", certificates=frozenset({"high-tech"})),
            Facts(),
            {"certificate-high-tech"},
        ),
        (Beneficiary("cheap", capital_max_fen=5), Facts(), {"capital"}),
        (Beneficiary("cheap", capital_max_fen=5), Facts(capital_fen=6), set()),
        (Beneficiary("young", founded_from=date(2020, 1, 1)), Facts(), {"founded"}),
        (Beneficiary("hatched", incubated_months_max=36), Facts(), {"incubated"}),
        (Beneficiary("team", entity="team", members_min=2), Facts(), set()),
        (Beneficiary("both", staff_max=49, capital_max_fen=5), Facts(), set()),
    ],
)
def test_a_fact_that_nobody_stated_is_not_known_and_one_that_fails_is(
    kind: Beneficiary, facts: Facts, found: set[str]
):
    assert missing(kind, facts=facts) == found


def test_of_several_kinds_the_one_with_the_fewest_open_questions_is_told():
    young = Beneficiary("young", founded_from=date(2020, 1, 1), capital_max_fen=5)
    hatched = Beneficiary("hatched", incubated_months_max=36)

    assert missing(young, hatched) == {"incubated"}
    assert missing(young, Beneficiary("any")) == set()


def test_without_a_profile_of_the_year_its_figures_are_not_known():
    kind = Beneficiary("technology-sme", registration_number=True, staff_max=500)

    assert missing(kind, profile=None) == {"profile-of-the-year", "registration-number", "staff"}
    assert missing(kind, profile=replace(PROFILE, staff=501)) == set()
