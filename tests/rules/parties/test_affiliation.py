"""No public money between those who hold, represent or control each other (J.22b)."""

from dataclasses import replace

import pytest

from marketplace.parties.errors import ShareholdingsRefused
from marketplace.parties.rules.affiliation import (
    Affiliation,
    AffiliationKind,
    Control,
    affiliation,
)
from marketplace.parties.rules.shareholding import Shareholding, require_shareholdings

HALF = 5_000
LAB = Control(
    legal_entity_id=1,
    uscc="91110000600037341L",
    name="江东大学",
    legal_representative="张三",
    holders=(),
)
FIRM = Control(
    legal_entity_id=2,
    uscc="91320000000000012X",
    name="南京精测有限公司",
    legal_representative="李四",
    holders=(Shareholding("李四", 6_000), Shareholding("王五", 4_000)),
)


def tie(one: Control, other: Control) -> AffiliationKind | None:
    there = affiliation(one, other, common_control_basis_points=HALF)
    back = affiliation(other, one, common_control_basis_points=HALF)
    assert (there is None) == (back is None)
    return there.kind if there else None


def held(*holders: tuple[str, int]) -> tuple[Shareholding, ...]:
    return tuple(Shareholding(*holder) for holder in holders)


def test_strangers_are_not_affiliated() -> None:
    assert tie(LAB, FIRM) is None


def test_a_legal_entity_is_affiliated_with_itself() -> None:
    assert tie(LAB, LAB) is AffiliationKind.SAME_LEGAL_ENTITY


@pytest.mark.parametrize("holder", [LAB.uscc, LAB.name, " 江东大学 "])
@pytest.mark.parametrize("basis_points", [1, 10_000])
def test_a_direct_share_of_any_size_is_a_tie(holder: str, basis_points: int) -> None:
    owned = replace(FIRM, holders=held((holder, basis_points)))

    assert tie(LAB, owned) is AffiliationKind.DIRECT_SHAREHOLDING


def test_one_person_representing_both_is_a_tie() -> None:
    assert (
        tie(LAB, replace(FIRM, legal_representative="张 三"))
        is AffiliationKind.SAME_LEGAL_REPRESENTATIVE
    )


def test_nobody_representing_either_is_no_tie() -> None:
    unknown = replace(LAB, legal_representative="")

    assert tie(unknown, replace(FIRM, legal_representative="")) is None


@pytest.mark.parametrize(
    ("in_one", "in_other", "tied"),
    [
        (5_000, 5_000, True),
        (10_000, 5_000, True),
        (4_999, 5_000, False),
        (5_000, 4_999, False),
        (10_000, 1, False),
    ],
)
def test_a_common_holder_counts_from_half_of_both(in_one: int, in_other: int, tied: bool) -> None:
    one = replace(LAB, holders=held(("某控股公司", in_one)))
    other = replace(FIRM, holders=held(("某控股公司", in_other)))

    assert (tie(one, other) is AffiliationKind.COMMON_CONTROL) is tied


def test_the_degree_of_common_control_is_a_term() -> None:
    one = replace(LAB, holders=held(("某控股公司", 3_000)))
    other = replace(FIRM, holders=held(("某控股公司", 3_000)))

    assert affiliation(one, other, common_control_basis_points=3_000) == Affiliation(
        AffiliationKind.COMMON_CONTROL,
        "某控股公司 holds 30.00 % of 江东大学 and 30.00 % of 南京精测有限公司.",
    )


def test_holders_are_kept_in_one_form_the_largest_first() -> None:
    found = require_shareholdings(held((" 王五 ", 100), (LAB.uscc.lower(), 9_900)))

    assert found == [Shareholding(LAB.uscc, 9_900), Shareholding("王五", 100)]


@pytest.mark.parametrize(
    ("holders", "rule"),
    [
        (held(("王五", 6_000), ("李四", 4_001)), "whole"),
        (held(("王五", 10), ("王 五", 10)), "holder-once"),
        (held(("王五", 0)), "part-positive"),
        (held((" ", 10)), "holder-named"),
    ],
)
def test_impossible_holders_are_refused(holders: tuple[Shareholding, ...], rule: str) -> None:
    with pytest.raises(ShareholdingsRefused) as refused:
        require_shareholdings(holders)

    assert rule in {reason.rule for reason in refused.value.reasons}


def test_everything_wrong_with_the_holders_is_said_at_once() -> None:
    with pytest.raises(ShareholdingsRefused) as refused:
        require_shareholdings(held(("王五", 20_000), ("李四", 0)))

    assert {reason.rule for reason in refused.value.reasons} == {"whole", "part-positive"}
