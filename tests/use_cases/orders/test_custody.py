"""Samples from the buyer to the provider and back, with every hand that they went through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.kernel.db import Database
from marketplace.kernel.errors import DomainError
from marketplace.orders import queries
from marketplace.orders.errors import (
    CustodyRefused,
    DeclarationClosed,
    OrderMissing,
    SampleCodeMissing,
    ShipmentMissing,
    ShipmentReceived,
    StepNotOpen,
    WrongMode,
)
from marketplace.orders.queries.custody import (
    CustodyAsked,
    custody,
    declaration,
    scanned_sample,
    shipments,
)
from marketplace.orders.rules.custody import Condition, CustodyKind, Hazard, Storage
from marketplace.orders.use_cases import (
    ConfirmOrder,
    DeliverOrder,
    FinishSamples,
    PlaceOrder,
    ReceiveSamples,
    SamplesSent,
    confirm_order,
    deliver_order,
    finish_samples,
    place_order,
    receive_samples,
    store_deliverable,
)
from marketplace.orders.use_cases.custody import (
    DeclareSamples,
    NoteCustody,
    ReceiveShipment,
    SendSamples,
    declare_samples,
    note_custody,
    receive_shipment,
    send_samples,
)
from marketplace.parties.roles import Role
from tests.builders.orders import (
    CLAUSES,
    Market,
    a_market,
    a_quote,
    a_report,
    a_sample_order,
    an_order,
    move_to,
)
from tests.builders.parties import an_actor


def rules_of(refusal: pytest.ExceptionInfo[DomainError]) -> list[str]:
    return [each.rule for each in refusal.value.reasons]


async def an_order_to_destroy(market: Market) -> int:
    quote = await a_quote(market, during=None)
    asked = PlaceOrder(quote.id, CLAUSES, SamplesSent("尿液", "见申报", "destroy"))
    placed = await market.do(place_order, asked, by=market.buyer)
    await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
    return placed.id


async def kinds_of(market: Market, order_id: int) -> list[tuple[str, str, int]]:
    chain = await market.do(custody, CustodyAsked(order_id), by=market.buyer)
    return [(each.kind, each.side, each.samples) for each in chain.rows]


def later(market: Market, **by: float) -> None:
    move_to(market, market.database.clock.now() + timedelta(**by))


async def test_samples_travel_in_two_parcels_and_what_is_left_comes_back(
    database: Database,
) -> None:
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    clock = database.clock

    first = await market.do(
        send_samples, SendSamples(order_id, "顺丰", "SF100", 3), by=market.buyer
    )
    second = await market.do(
        send_samples, SendSamples(order_id, "顺丰", "SF101", 2), by=market.buyer
    )
    later(market, hours=20)
    warm = ReceiveShipment(order_id, first.id, 3, Condition.TOO_WARM, "14 °C", clock.now())
    arrived = await market.do(receive_shipment, warm, by=market.technician)
    assert (arrived.received_pieces, arrived.condition) == (3, "too_warm")
    opened = await market.do(queries.order, order_id, by=market.buyer)
    assert opened.status == "in_service"
    later(market, hours=1)
    await market.do(receive_shipment, ReceiveShipment(order_id, second.id, 2), by=market.technician)
    stored = NoteCustody(order_id, CustodyKind.STORED, 5, "三号楼 201 冰箱", "李工")
    await market.do(note_custody, stored, by=market.technician)
    await market.do(finish_samples, FinishSamples(order_id, 5), by=market.technician)
    later(market, hours=2)
    back = await market.do(
        send_samples, SendSamples(order_id, "京东", "JD7", 5), by=market.technician
    )
    later(market, days=1)
    await market.do(receive_shipment, ReceiveShipment(order_id, back.id, 5), by=market.buyer)

    assert await kinds_of(market, order_id) == [
        ("handed_over", "buyer", 3),
        ("handed_over", "buyer", 2),
        ("received", "provider", 3),
        ("received", "provider", 2),
        ("stored", "provider", 5),
        ("tested", "provider", 5),
        ("returned", "provider", 5),
        ("received", "buyer", 5),
    ]
    for actor in (market.buyer, market.technician):
        sent = await market.do(shipments, CustodyAsked(order_id), by=actor)
        assert [(each.direction, each.received_pieces) for each in sent.rows] == [
            ("out", 3),
            ("out", 2),
            ("back", 5),
        ]
        story = await market.do(queries.order_story, order_id, by=actor)
        noted = [event.kind for event in story.timeline]
        assert noted[-9:] == [
            "send_samples",
            "send_samples",
            "receive_shipment",
            "open",
            "receive_shipment",
            "stored",
            "test",
            "send_samples",
            "receive_shipment",
        ]
        assert story.samples is not None
        assert (story.samples.received, story.samples.returned_at is None) == (5, False)
    only = CustodyAsked(order_id, "back", page_size=1)
    assert (await market.do(shipments, only, by=market.buyer)).total == 1


async def test_what_cannot_be_is_refused_with_every_reason(database: Database) -> None:
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    send = SendSamples(order_id, "顺丰", "SF100", 4)

    with pytest.raises(CustodyRefused) as refusal:
        await market.do(send_samples, replace(send, pieces=1), by=market.technician)
    assert rules_of(refusal) == ["samples-received"]
    tomorrow = database.clock.now() + timedelta(days=1)
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(send_samples, replace(send, pieces=6, sent_at=tomorrow), by=market.buyer)
    assert rules_of(refusal) == ["custody-moment", "samples-ordered"]
    sent = await market.do(send_samples, send, by=market.buyer)
    receive = ReceiveShipment(order_id, sent.id, 5)
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(receive_shipment, receive, by=market.technician)
    assert rules_of(refusal) == ["pieces-sent"]
    with pytest.raises(OrderMissing):
        await market.do(receive_shipment, receive, by=market.buyer)
    with pytest.raises(ShipmentMissing):
        await market.do(
            receive_shipment, replace(receive, shipment_id=sent.id + 9), by=market.technician
        )
    await market.do(receive_shipment, replace(receive, pieces=4), by=market.technician)
    with pytest.raises(ShipmentReceived):
        await market.do(receive_shipment, replace(receive, pieces=4), by=market.technician)
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(
            note_custody,
            NoteCustody(order_id, CustodyKind.DISPOSED, 5),
            by=market.technician,
        )
    assert rules_of(refusal) == [
        "samples-held",
        "disposal-agreed",
        "disposal-day",
        "disposal-certificate",
    ]
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(
            note_custody, NoteCustody(order_id, CustodyKind.TESTED, 1), by=market.technician
        )
    assert rules_of(refusal) == ["custody-kind"]


async def test_samples_are_kept_until_the_agreed_day_and_then_destroyed(
    database: Database,
) -> None:
    market = await a_market(database)
    order_id = await an_order_to_destroy(market)
    keep_until = database.clock.now().date() + timedelta(days=30)
    declare = DeclareSamples(
        order_id,
        (Hazard.TOXIC, Hazard.FLAMMABLE, Hazard.TOXIC),
        "H225, H301",
        Storage.FROZEN,
        keep_until=keep_until,
        return_to="南京市某路 1 号",
    )
    past = replace(declare, keep_until=keep_until - timedelta(days=31))
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(declare_samples, past, by=market.buyer)
    assert rules_of(refusal) == ["keep-until"]
    assert await market.do(declaration, order_id, by=market.technician) is None
    await market.do(declare_samples, DeclareSamples(order_id), by=market.buyer)
    await market.do(declare_samples, declare, by=market.buyer)
    declared = await market.do(declaration, order_id, by=market.technician)
    assert declared is not None
    assert declared.ghs == ["GHS02", "GHS06"]

    await market.do(receive_samples, ReceiveSamples(order_id, 5), by=market.technician)
    with pytest.raises(DeclarationClosed):
        await market.do(declare_samples, declare, by=market.buyer)
    cleared = FinishSamples(order_id, 5, returned=True)
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(finish_samples, cleared, by=market.technician)
    assert rules_of(refusal) == ["disposal-day"]
    await market.do(finish_samples, FinishSamples(order_id, 5), by=market.technician)
    await market.do(store_deliverable, a_report(order_id), by=market.technician)
    await market.do(deliver_order, DeliverOrder(order_id), by=market.technician)
    destroy = NoteCustody(
        order_id, CustodyKind.DISPOSED, 5, "危废库", "江苏某环保公司", "处置联单 2025-071"
    )
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(note_custody, destroy, by=market.technician)
    assert rules_of(refusal) == ["disposal-day"]
    later(market, days=30)
    await market.do(note_custody, destroy, by=market.technician)
    with pytest.raises(CustodyRefused) as refusal:
        await market.do(note_custody, destroy, by=market.technician)
    assert rules_of(refusal) == ["samples-held"]

    scanned = await market.do(scanned_sample, f"sc-{order_id}-5", by=market.technician)
    assert scanned.last_event is not None
    assert (scanned.last_event.kind, scanned.samples.returned_at is None) == ("disposed", False)


async def test_nothing_left_ends_the_chain_and_late_parcels_begin_it_anew(
    database: Database,
) -> None:
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    late = await market.do(send_samples, SendSamples(order_id, "顺丰", "1", 2), by=market.buyer)
    await market.do(receive_samples, ReceiveSamples(order_id, 3), by=market.technician)
    await market.do(finish_samples, FinishSamples(order_id, 3, True), by=market.technician)
    back = NoteCustody(order_id, CustodyKind.RETURNED, 1)
    with pytest.raises(CustodyRefused):
        await market.do(note_custody, back, by=market.technician)

    await market.do(receive_shipment, ReceiveShipment(order_id, late.id, 2), by=market.technician)
    await market.do(note_custody, back, by=market.technician)
    await market.do(note_custody, back, by=market.technician)
    with pytest.raises(CustodyRefused):
        await market.do(note_custody, back, by=market.technician)

    assert (await kinds_of(market, order_id))[-3:] == [
        ("received", "provider", 2),
        ("returned", "provider", 1),
        ("returned", "provider", 1),
    ]


async def test_samples_travel_only_for_a_confirmed_order_for_samples(database: Database) -> None:
    market = await a_market(database)
    hours = await an_order(market)
    quote = await a_quote(market, during=None)
    asked = PlaceOrder(quote.id, CLAUSES, SamplesSent("水样", "none", "keep"))
    unconfirmed = await market.do(place_order, asked, by=market.buyer)

    with pytest.raises(WrongMode):
        await market.do(send_samples, SendSamples(hours.id, "顺丰", "1", 1), by=market.buyer)
    with pytest.raises(StepNotOpen):
        await market.do(send_samples, SendSamples(unconfirmed.id, "顺丰", "1", 1), by=market.buyer)


async def test_samples_are_nobody_elses_business(database: Database) -> None:
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    code = f"SC-{order_id}-1"

    for role in (Role.BUYER, Role.TECHNICIAN, Role.AUDITOR, Role.STATION_AGENT):
        stranger = await an_actor(database, role)
        with pytest.raises(OrderMissing):
            await market.do(custody, CustodyAsked(order_id), by=stranger)
        with pytest.raises(OrderMissing):
            await market.do(declaration, order_id, by=stranger)
        with pytest.raises(OrderMissing):
            await market.do(send_samples, SendSamples(order_id, "x", "1", 1), by=stranger)
        with pytest.raises(SampleCodeMissing):
            await market.do(scanned_sample, code, by=stranger)
    for wrong in ("SC-1", f"SC-{order_id}-6", "SC-999999-1", f"SC-{order_id}-0"):
        with pytest.raises(SampleCodeMissing):
            await market.do(scanned_sample, wrong, by=market.technician)
    with pytest.raises(SampleCodeMissing):
        await market.do(scanned_sample, code, by=market.buyer)
    assert (await market.do(scanned_sample, code, by=market.technician)).number == 1


async def test_two_people_at_the_desk_receive_a_shipment_once(database: Database) -> None:
    market = await a_market(database)
    order_id = (await a_sample_order(market)).id
    sent = await market.do(send_samples, SendSamples(order_id, "顺丰", "1", 5), by=market.buyer)
    receive = ReceiveShipment(order_id, sent.id, 5)

    answers = await asyncio.gather(
        *(market.do(receive_shipment, receive, by=market.technician) for _ in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == [
        "Shipment",
        *["ShipmentReceived"] * 3,
    ]
    story = await market.do(queries.order_story, order_id, by=market.buyer)
    assert story.samples is not None
    assert story.samples.received == 5
