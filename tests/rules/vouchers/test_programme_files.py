"""A programme's file is a programme without a fault, or every fault of it is told."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.vouchers.rules.limits import CapScope
from marketplace.vouchers.rules.programme_check import highest_together
from marketplace.vouchers.rules.programme_file import (
    FILE_BYTES_MAX,
    FOLDER,
    read_programme,
    shipped_programme,
)
from marketplace.vouchers.rules.terms import terms_of
from tests.rules.vouchers.terms import terms

HEAD = """
code = "own"
name = "创新券"
name_en = "Vouchers"
year = 2025
opens_on = 2025-01-01
closes_on = 2025-12-15
source = "苏科发〔2025〕1号"

[[layers]]
funder = "province"
region_code = "320000"
ratio_basis_points = 5000
budget_fen = 1_000_000

[terms]
"""


def refused(text: str) -> dict[str, str]:
    with pytest.raises(ProgrammeRefused) as told:
        read_programme(text.encode())
    return {reason.rule: reason.message for reason in told.value.reasons}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_programme_is_valid_and_says_where_each_term_comes_from(path):
    plan = read_programme(path.read_bytes())
    read = terms_of(plan.terms)

    assert plan.file.code == path.stem
    assert plan.file.assumed
    assert all(given["source"] for given in plan.terms.values())
    assert 0 < highest_together(read, plan.file.regions) <= 10_000


def test_what_a_file_leaves_out_is_neutral():
    read = terms_of(read_programme(HEAD.encode()).terms)
    plain = terms()

    assert read.ratios == {"province": 5_000}
    assert read.excluded_services == plain.excluded_services
    assert (read.staff_max, read.validity) == (500, "year-end")
    assert (read.caps, read.rates, read.batches) == ((), (), ())
    assert read.cap_on(CapScope.GRANT) is None
    assert [each.kind for each in read.eligible] == ["technology-sme"]


@pytest.mark.parametrize(
    ("term", "where"),
    [
        ("nonsense = { value = 1, source = 'x' }", "terms.nonsense"),
        ("staff_max = { value = 'many', source = 'x' }", "terms.staff_max"),
        ("staff_max = { source = 'x' }", "terms.staff_max.value"),
        ("staff_max = { value = 10 }", "terms.staff_max.source"),
        ("validity = { value = 'for ever', source = 'x' }", "terms.validity"),
        ("validity = { value = 'programme-end', source = 'x' }", "terms.ends_on"),
        ("validity = { value = 'day-2025-06-30', source = 'x' }", "terms.validity"),
        ("face_vouchers_max = { value = 40, source = 'x' }", "terms.face_vouchers_max"),
        ("face_value_fen = { value = 0, source = 'x' }", "terms.face_value_fen"),
        (
            "cost_split = { value = { home_parts = 2, host_parts = 1 }, source = 'x' }",
            "terms.cost_split",
        ),
        (
            "caps = { value = [{ scope = 'order', amount_fen = 1, funder = 'city' }],"
            " source = 'x' }",
            "terms.caps.0",
        ),
        (
            "caps = { value = [{ scope = 'order', amount_fen = 1, beneficiaries = ['student'] }],"
            " source = 'x' }",
            "terms.caps.0",
        ),
        (
            "caps = { value = [{ scope = 'day', amount_fen = 1 }], source = 'x' }",
            "terms.caps.0.scope",
        ),
        (
            "rates = { value = [{ ratio_basis_points = 1, service_kinds = ['statutory-test'] }],"
            " source = 'x' }",
            "terms.rates.0",
        ),
        ("service_kinds = { value = ['bulk-inspection'], source = 'x' }", "terms.service_kinds"),
        (
            "ratio_steps = { value = [{ ratio_basis_points = 1 }, { ratio_basis_points = 1 }],"
            " source = 'x' }",
            "terms.ratio_steps",
        ),
        (
            "batches = { value = [{ number = 2, opens_on = 2025-01-01, closes_on = 2025-02-01 }],"
            " source = 'x' }",
            "terms.batches",
        ),
        (
            "batches = { value = [{ number = 1, opens_on = 2026-01-01, closes_on = 2026-02-01 }],"
            " source = 'x' }",
            "terms.batches",
        ),
        (
            "services_within = { value = { opens_on = 2025-02-01, closes_on = 2025-01-01 },"
            " source = 'x' }",
            "terms.services_within",
        ),
        (
            "invoices_within = { value = { opens_on = 2025-02-01, closes_on = 2025-01-01 },"
            " source = 'x' }",
            "terms.invoices_within",
        ),
        (
            "payments_within = { value = { opens_on = 2025-01-01, closes_on = 2025-02-01 },"
            " source = 'x' }\nrequired_evidence = { value = ['contract'], source = 'x' }",
            "terms.payments_within",
        ),
        (
            "invoices_within = { value = { opens_on = 2025-01-01, closes_on = 2025-02-01 },"
            " source = 'x' }\nrequired_evidence = { value = ['result'], source = 'x' }",
            "terms.invoices_within",
        ),
        ("waiting_first = { value = [{}], source = 'x' }", "terms.waiting_first.0"),
        (
            "caps = { value = [{ scope = 'grant', amount_fen = 1, service_kinds = ['pilot'] }],"
            " source = 'x' }",
            "terms.caps.0",
        ),
        (
            "caps = { value = [{ scope = 'person', amount_fen = 1,"
            " service_kinds = ['medical-service'] }], source = 'x' }",
            "terms.caps.0",
        ),
        ("required_evidence = { value = ['photo'], source = 'x' }", "terms.required_evidence.0"),
        (
            "claim_windows = { value = [{ opens_on = 2025-01-01, closes_on = 2025-02-01 },"
            " { opens_on = 2025-02-01, closes_on = 2025-03-01 }], source = 'x' }",
            "terms.claim_windows",
        ),
        (
            "stacking = { value = { exclusive_layers = [['city', 'province']] }, source = 'x' }",
            "terms.stacking.exclusive_layers",
        ),
    ],
)
def test_a_term_that_cannot_be_is_told_with_its_place(term, where):
    assert where in refused(f"{HEAD}\n{term}")


def test_everything_that_is_wrong_is_told_at_once():
    wrong = (
        HEAD.replace("2025-12-15", "2024-12-15") + "validity = { value = 'weeks-1', source = 'x' }"
    )

    assert {"days", "terms.validity"} <= set(refused(wrong))
    assert {"code", "year"} <= set(
        refused(HEAD.replace('"own"', '"Our own"').replace("2025\n", "1\n"))
    )


def test_layers_of_one_place_take_over_at_most_everything():
    city = """
[[layers]]
funder = "city"
region_code = "320500"
ratio_basis_points = 6000
budget_fen = 1
"""

    assert "stacking" in refused(HEAD.replace("[terms]", f"{city}\n[terms]"))
    next_year = city.replace("budget_fen = 1", "budget_fen = 1\nbudget_year = 2026")
    this_year = HEAD.replace("budget_fen = 1_000_000", "budget_fen = 1\nbudget_year = 2025")
    plan = read_programme(this_year.replace("[terms]", f"{next_year}\n[terms]").encode())

    assert len(plan.file.layers) == 2


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"= 1", b"#" * (FILE_BYTES_MAX + 1)], ids=["bytes", "toml", "large"]
)
def test_a_file_that_is_no_programme_is_refused(content):
    with pytest.raises(ProgrammeRefused):
        read_programme(content)


def test_a_text_that_no_table_can_hold_is_refused():
    assert "name" in refused(HEAD.replace('"创新券"', r'"创新\u0000券"'))


def test_a_programme_that_comes_along_is_named_by_its_code():
    assert read_programme(shipped_programme("hunan-2026").read_bytes()).file.year == 2026
    assert (
        date(2026, 1, 1)
        == read_programme(shipped_programme("hunan-2026").read_bytes()).file.opens_on
    )
