"""The contract: its clauses, its canonical form, its text."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.orders.errors import ClausesIncomplete
from marketplace.orders.rules.contract import (
    FORMS,
    Amends,
    Party,
    Service,
    addendum_document,
    canonical_json,
    contract_document,
    contract_text,
    document_sha256,
    require_clauses,
    standard_clauses,
)

REQUIRED = tuple(FORMS)

BUYER = Party(8, "苏州微芯", "苏州微芯科技有限公司", "91320594MA1XXXXX0X", "张三")
PROVIDER = Party(9, "分析测试中心", "东南大学", "12100000466007069C", "李四")
SERVICE = Service(
    order_id=5,
    quote_id=6,
    instrument_id=7,
    instrument="透射电子显微镜",
    mode="machine_time",
    starts_at="2025-03-10T01:00:00+00:00",
    ends_at="2025-03-10T03:00:00+00:00",
    samples=None,
    price_list_id=3,
    lines=({"text": "2 h", "amount_fen": 80_000},),
    total_fen=80_000,
    voucher_fen=20_000,
    own_fen=60_000,
)


def a_document(**clauses: str) -> dict[str, Any]:
    return contract_document(
        buyer=BUYER,
        provider=PROVIDER,
        service=SERVICE,
        clauses=standard_clauses(REQUIRED) | clauses,
        order=REQUIRED,
        signed_at="2025-03-03T01:00:00+00:00",
    )


def test_the_standard_clauses_are_complete():
    require_clauses(standard_clauses(REQUIRED), required=REQUIRED)


def test_every_clause_that_is_absent_empty_or_unknown_is_named_at_once():
    clauses = standard_clauses(REQUIRED)
    del clauses["ip-ownership"]
    clauses["damages"] = " \n"
    clauses["weather"] = "sunny"
    with pytest.raises(ClausesIncomplete) as refusal:
        require_clauses(clauses, required=REQUIRED)

    named = [(reason.rule, reason.asked) for reason in refusal.value.reasons]

    assert [
        ("clause-required", "ip-ownership"),
        ("clause-required", "damages"),
        ("clause-unknown", "weather"),
    ] == named
    assert "N.24c" == refusal.value.reasons[0].source


@given(st.permutations(sorted(a_document())))
def test_the_digest_does_not_depend_on_the_order_of_keys(names):
    document = a_document()
    shuffled = {name: document[name] for name in names}

    assert document_sha256(document) == document_sha256(shuffled)


def test_the_digest_survives_the_way_through_json():
    document = a_document()

    assert document_sha256(document) == document_sha256(json.loads(canonical_json(document)))


def test_one_changed_word_changes_the_digest():
    assert document_sha256(a_document()) != document_sha256(a_document(breach="没有"))


def test_a_float_is_a_bug_and_not_an_amount():
    with pytest.raises(TypeError, match="no floats"):
        canonical_json({"lines": [{"amount_fen": 0.1}]})


def test_the_text_names_both_parties_the_price_and_every_clause():
    text = contract_text(a_document())

    for words in ("苏州微芯科技有限公司", "东南大学", "透射电子显微镜", "800.00 元", "200.00 元"):
        assert words in text
    for form in FORMS.values():
        assert form.title in text
        assert form.text in text


def test_an_addendum_repeats_the_contract_with_another_time_and_names_what_it_replaces():
    first = a_document()
    amends = Amends(number=1, sha256=document_sha256(first), because="仪器维护", fee_fen=15_000)
    later = replace(SERVICE, starts_at="2025-03-12T01:00:00+00:00", own_fen=70_000)

    document = addendum_document(
        first, amends=amends, service=later, signed_at="2025-03-04T01:00:00+00:00"
    )

    assert [first[part] for part in ("buyer", "provider", "clauses")] == [
        document[part] for part in ("buyer", "provider", "clauses")
    ]
    assert "2025-03-12T01:00:00+00:00" == document["service"]["starts_at"]
    assert document_sha256(first) != document_sha256(document)
    for words in ("补充协议第 1 号", document_sha256(first), "仪器维护", "150.00 元", "700.00 元"):
        assert words in contract_text(document)
    assert "补充协议" not in contract_text(first)
