"""The sheet that travels with samples says everything, whatever was declared."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from marketplace.kernel.db import Database
from marketplace.orders.errors import OrderMissing, WrongMode
from marketplace.orders.queries.sample_sheet import sample_sheet
from marketplace.orders.rules.custody import Hazard, Storage
from marketplace.orders.sample_sheet import LABELS_MAX, sample_sheet_paper
from marketplace.orders.use_cases import PlaceOrder, SamplesSent, place_order
from marketplace.orders.use_cases.custody import DeclareSamples, declare_samples
from marketplace.parties.roles import Role
from tests.builders.orders import CLAUSES, a_market, a_quote, an_order
from tests.builders.parties import an_actor


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


async def test_a_sheet_holds_the_longest_texts_that_can_be_declared(database: Database) -> None:
    market = await a_market(database, funds_fen=10_000_000)
    quote = await a_quote(market, during=None, samples=LABELS_MAX + 1)
    sent = SamplesSent("长" * 2_000, "毒\n\r\t" * 100, "destroy")
    placed = await market.do(place_order, PlaceOrder(quote.id, CLAUSES, sent), by=market.buyer)
    bare = await market.do(sample_sheet, placed.id, by=market.buyer)
    assert "not declared" in text_of(
        sample_sheet_paper(bare, made_at=placed.placed_at, language="en")
    )
    declare = DeclareSamples(
        placed.id, tuple(Hazard), "W" * 500, Storage.SPECIAL, "\n" * 500, return_to="路 \n" * 160
    )
    await market.do(declare_samples, declare, by=market.buyer)

    sheet = await market.do(sample_sheet, placed.id, by=market.technician)
    first = text_of(sample_sheet_paper(sheet, made_at=placed.placed_at))
    rest = text_of(sample_sheet_paper(sheet, made_at=placed.placed_at, first=LABELS_MAX + 1))

    assert first.count("长") == 2_000
    assert [each for each in Hazard if each not in first] == []
    assert "GHS 01 02 03 04 05 06 07 08 09" in first
    codes = [f"\nSC-{placed.id}-{number}\n" in first for number in (1, LABELS_MAX, LABELS_MAX + 1)]
    assert codes == [True, True, False]
    assert f"\nSC-{placed.id}-{LABELS_MAX + 1}\n" in rest
    assert f"\nSC-{placed.id}-{LABELS_MAX}\n" not in rest


async def test_a_sheet_is_for_the_two_sides_of_an_order_for_samples(database: Database) -> None:
    market = await a_market(database)
    hours = await an_order(market)

    with pytest.raises(WrongMode):
        await market.do(sample_sheet, hours.id, by=market.buyer)
    for role in (Role.BUYER, Role.AUDITOR):
        with pytest.raises(OrderMissing):
            await market.do(sample_sheet, hours.id, by=await an_actor(database, role))
