"""The contract as PDF: everything agreed is in it, and the same contract gives the same bytes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from marketplace.orders.papers import ContractPrinted, Language, contract_number, contract_paper
from marketplace.orders.queries import SignedContract
from marketplace.orders.rules.contract import (
    FORMS,
    Amends,
    Service,
    addendum_document,
    contract_document,
    document_sha256,
    standard_clauses,
)
from tests.rules.orders.test_contract import BUYER, PROVIDER, SERVICE

OWN_CLAUSE = "数据归委托方所有，论文由双方共同署名。"
LINES: tuple[dict[str, Any], ...] = (
    {
        "kind": "service",
        "text": "Machine time, night",
        "unit": "hour",
        "quantity": 120,
        "unit_price_fen": 40_000,
        "amount_fen": 80_000,
    },
    {
        "kind": "urgent",
        "text": "Urgent: 20 % on the service",
        "unit": "charge",
        "quantity": 1,
        "unit_price_fen": 16_000,
        "amount_fen": 16_000,
    },
    {"kind": "consumable", "text": "铜网", "amount_fen": 5},
)
AGREED = replace(SERVICE, lines=LINES, total_fen=96_005, voucher_fen=20_000, own_fen=76_005)
AT = "2025-03-03T01:00:00+00:00"


def a_contract(service: Service = AGREED, **changes: Any) -> SignedContract:
    document = contract_document(
        buyer=BUYER,
        provider=PROVIDER,
        service=service,
        clauses=standard_clauses(tuple(FORMS)) | {"ip-ownership": OWN_CLAUSE},
        order=tuple(FORMS),
        signed_at=AT,
    )
    signed = SignedContract(
        order_id=5,
        amendment=0,
        version=2,
        document=document,
        sha256=document_sha256(document),
        buyer_signed_name="王小明",
        buyer_signed_at=datetime(2025, 3, 3, 1, tzinfo=UTC),
        buyer_signed_from="203.0.113.7",
        provider_signed_how="person",
        provider_signed_name="赵敏",
        provider_signed_at=datetime(2025, 3, 3, 2, 30, tzinfo=UTC),
        provider_signed_from="198.51.100.9",
    )
    return replace(signed, **changes)


def an_addendum() -> SignedContract:
    first = a_contract()
    amends = Amends(1, first.sha256, "样品未制备完成", 10_000)
    document = addendum_document(first.document, amends=amends, service=AGREED, signed_at=AT)
    return replace(first, amendment=1, document=document, sha256=document_sha256(document))


def printed(contract: SignedContract, language: Language = "zh") -> bytes:
    address = f"https://platform.example/api/v1/contracts/verify/{contract.sha256}"
    return contract_paper(contract, ContractPrinted(address, language))


def words_of(pdf: bytes) -> str:
    """The text without its line breaks and blanks, which depend on the width of the paper."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(BytesIO(pdf)).pages)


def squeezed(*texts: str) -> list[str]:
    return ["".join(text.split()) for text in texts]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_contract_gives_the_same_bytes(language: Language):
    assert printed(a_contract(), language) == printed(a_contract(), language)
    assert printed(a_contract(), language) != printed(an_addendum(), language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_parties_price_clauses_signatures_and_digest_are_there_in_both_languages(
    language: Language,
):
    contract = a_contract()
    text = words_of(printed(contract, language))

    for part in squeezed(
        *(BUYER.legal_entity, BUYER.uscc, PROVIDER.legal_entity, PROVIDER.uscc, "张三"),
        *("透射电子显微镜", "2025-03-10 09:00", "2025-03-10 11:00", "800.00", "960.05"),
        *("玖佰陆拾元零伍分", "200.00", "760.05", "铜网", OWN_CLAUSE),
        *(form.text for form in FORMS.values() if form.name != "ip-ownership"),
        *("王小明", "203.0.113.7", "赵敏", "198.51.100.9", "2025-03-03 10:30"),
        contract.sha256,
    ):
        assert part in text, part


def test_each_language_names_lines_and_articles_in_its_own_words():
    chinese, english = (words_of(printed(a_contract(), of)) for of in ("zh", "en"))

    for part in ("技术服务合同", "第八条", "机时费，night", "加急费", "自主上机", "保密"):
        assert part in chinese
    for form in FORMS.values():
        own = form.name == "ip-ownership"
        assert own != (squeezed(form.text_en)[0] in english)
        assert squeezed(form.title_en)[0] in english
    assert "Urgent:20%ontheservice" in english


def test_samples_are_told_with_their_number_and_day_instead_of_an_appointment():
    sent = replace(
        AGREED, mode="samples", samples=12, starts_at=None, ends_at=None, arrives_on="2025-03-12"
    )
    text = words_of(printed(a_contract(sent)))

    assert "样品数12" in text
    assert "到样日期2025-03-12" in text
    assert "预约时段" not in text


def test_an_addendum_names_what_it_takes_the_place_of_why_and_the_fee():
    addendum = an_addendum()
    text = words_of(printed(addendum))

    for part in ("补充协议", a_contract().sha256, "样品未制备完成", "100.00元"):
        assert part in text
    assert ("2025-000005", "2025-000005-1") == (
        contract_number(a_contract()),
        contract_number(addendum),
    )


def test_a_missing_signature_is_said_to_be_missing_and_a_standing_offer_is_one():
    nobody = a_contract(provider_signed_name=None, provider_signed_from=None)
    unsigned = replace(nobody, provider_signed_how=None, provider_signed_at=None)
    offered = replace(nobody, provider_signed_how="standing_offer")

    assert "尚未签署" in words_of(printed(unsigned))
    assert "以公布的收费标准为要约" in words_of(printed(offered))


ITEMS = (
    {"item": 1, "instrument_id": 7, "instrument": "场发射扫描电镜", "mode": "machine_time"}
    | {"starts_at": AT, "ends_at": "2025-03-03T03:00:00+00:00", "samples": None}
    | {"unit": "hour", "urgent": False, "price_list_id": 3, "total_fen": 80_000},
    {"item": 2, "instrument_id": 8, "instrument": "电感耦合质谱仪", "mode": "samples"}
    | {"starts_at": None, "ends_at": None, "samples": 4}
    | {"unit": "sample", "urgent": False, "price_list_id": 9, "total_fen": 16_005},
)
BY_ITEM = tuple(line | {"item": item} for line, item in zip(LINES, (1, 1, 2), strict=True))


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ["场发射扫描电镜（7）", "2025-03-03 09:00 – 2025-03-03 11:00", "2. 铜网", "3, 9"]),
        ("en", ["电感耦合质谱仪 (8)", "Samples, tested by the provider: 4", "160.05", "3, 9"]),
    ],
)
def test_every_instrument_of_several_is_named_with_its_time_and_its_price_list(language, told):
    words = words_of(printed(a_contract(replace(AGREED, items=ITEMS, lines=BY_ITEM)), language))

    assert [text for text in squeezed(*told) if text not in words] == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ["记账，按双方信用额度约定到期支付", "可自行申请创新券兑付", "200.00 元"]),
        ("en", ["On account, by the credit line's terms", "may claim by voucher", "200.00 CNY"]),
    ],
)
def test_what_is_owed_on_account_and_claimed_afterwards_is_said(language, told):
    agreed = replace(AGREED, on_account=True, reimbursed_fen=20_000)
    words = words_of(printed(a_contract(agreed, version=3), language))
    plain = words_of(printed(a_contract(), language))

    assert [text for text in squeezed(*told) if text not in words] == []
    assert [text for text in squeezed(*told[:2]) if text in plain] == []


def test_a_contract_of_an_earlier_version_still_prints():
    old = a_contract()
    service = {
        name: value
        for name, value in old.document["service"].items()
        if name not in {"on_account", "reimbursed_fen"}
    }
    earlier = replace(old, document=old.document | {"version": 2, "service": service})

    assert squeezed(service["instrument"])[0] in words_of(printed(earlier))
