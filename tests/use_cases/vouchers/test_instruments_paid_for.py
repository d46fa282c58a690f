"""A programme that names classes of instruments, or what they are worth, pays for these only."""

from datetime import date
from typing import Any

import pytest

from marketplace.kernel.db import Database, atomically
from marketplace.vouchers import queries
from marketplace.vouchers.errors import VoucherNotUsable
from tests.builders.catalogue import an_instrument
from tests.builders.parties import a_provider
from tests.builders.vouchers import TEST, a_grant, a_hold, with_terms


@pytest.mark.parametrize(
    ("terms", "rules"),
    [
        ({"instrument_categories": ["0102"]}, []),
        ({"instrument_categories": ["0101"]}, ["instrument-category"]),
        ({"instrument_worth_min_fen": 60_000_000}, []),
        ({"instrument_worth_min_fen": 60_000_001}, ["instrument-worth"]),
        (
            {"instrument_categories": ["02"], "instrument_worth_min_fen": 10**12},
            ["instrument-category", "instrument-worth"],
        ),
    ],
)
async def test_the_order_and_the_list_of_offers_ask_the_same_of_the_instrument(
    database: Database, terms: dict[str, Any], rules: list[str]
):
    provider_id = await a_provider(database)
    instrument_id = await an_instrument(
        database, provider_id=provider_id, category_code="010299", worth_fen=60_000_000
    )
    granted = await a_grant(database)
    await with_terms(database, granted.programme_id, **terms)
    offer = queries.ServiceValue(1, provider_id, 100_000, instrument_id)
    asked = queries.ManyVoucherQuestions(
        granted.sme.organisation_id, "research", date(2025, 3, 3), (offer,)
    )

    listed = (await atomically(database, queries.voucher_parts, asked, actor=TEST))[1]

    assert [reason.rule for reason in listed.refusals] == rules
    assert listed.total_fen == (0 if rules else 50_000)
    holding = a_hold(
        database, granted=granted, provider_id=provider_id, instrument_id=instrument_id
    )
    if not rules:
        assert (await holding).amount_fen == 50_000
        return
    with pytest.raises(VoucherNotUsable) as told:
        await holding
    assert [reason.rule for reason in told.value.reasons] == rules
