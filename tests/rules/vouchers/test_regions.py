"""Policy: J.22a. Regions that fund a programme together, and whom they serve."""

import pytest

from marketplace.vouchers.rules.regions import (
    LayerRegion,
    highest_ratio,
    layers_for,
    lies_in,
    region_prefix,
)

PROVINCE = LayerRegion(1, "province", "320000", 2_500)
SUZHOU = LayerRegion(2, "city", "320500", 2_500)
NANTONG = LayerRegion(3, "city", "320600", 4_000)


@pytest.mark.parametrize(
    ("code", "prefix"),
    [("000000", ""), ("320000", "32"), ("320500", "3205"), ("320583", "320583")],
)
def test_trailing_zeros_name_the_wider_region(code, prefix):
    assert region_prefix(code) == prefix


@pytest.mark.parametrize(
    ("place", "region", "inside"),
    [
        ("320583", "320500", True),
        ("320583", "320000", True),
        ("320583", "000000", True),
        ("320500", "320583", False),
        ("430100", "320000", False),
    ],
)
def test_a_place_lies_in_its_district_city_province_and_country(place, region, inside):
    assert lies_in(place, region) is inside


@pytest.mark.parametrize(
    ("place", "layers", "paying"),
    [
        ("320583", [PROVINCE, SUZHOU, NANTONG], [PROVINCE, SUZHOU]),
        # Not in a co-funding region: the province alone does not pay either.
        ("320100", [PROVINCE, SUZHOU, NANTONG], []),
        ("320100", [PROVINCE], [PROVINCE]),
        ("430100", [PROVINCE, SUZHOU], []),
    ],
)
def test_an_sme_is_paid_by_the_layers_of_its_region(place, layers, paying):
    assert layers_for(place, layers) == paying


def test_the_highest_ratio_is_that_of_the_best_funded_place_not_the_sum_of_all_cities():
    assert highest_ratio([PROVINCE, SUZHOU, NANTONG]) == 6_500
    assert highest_ratio([]) == 0
