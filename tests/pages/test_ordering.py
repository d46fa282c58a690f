"""An SME from an instrument to a settled order, without scripts; and what strangers see of it."""

from __future__ import annotations

import pytest

from marketplace.parties.roles import Role
from tests.builders.orders import a_delivered_order, a_market, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(180)


async def test_a_buyer_goes_from_the_instrument_to_a_signed_order(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    instrument = await browser.open(f"/instruments/{market.instrument_id}")
    asked = {"day": "2025-03-10", "start": "10:00", "hours": "2"}
    booking = await browser.send(instrument, "/bookings/new", **asked)
    quote = await browser.send(booking, "/bookings")
    order_path = f"{quote.path}/order"
    unsigned = await browser.send(quote, order_path)
    signed = await browser.send(unsigned, order_path, agreed="yes")

    assert "¥800.00" in booking.text
    assert "请先阅读并同意合同条款" in unsigned.text
    assert 400 == unsigned.status
    assert signed.path.startswith("/orders/")
    assert "订单已提交，合同已签署" in signed.text
    assert "下单并签署合同" in signed.text


async def test_the_price_says_everything_against_a_time_and_what_is_free_instead(enter, database):
    market = await a_market(database)
    await an_order(market)
    browser = await enter(market.buyer)
    taken = await browser.open(
        "/bookings/new",
        instrument=market.instrument_id,
        day="2025-03-05",
        start="09:00",
        hours=2,
        lang="en",
    )

    assert 200 == taken.status
    assert "Free instead:" in taken.text
    assert not [form for form in taken.forms if form.action == "/bookings"]


async def test_a_form_sent_twice_orders_once(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    booking = await browser.open(
        "/bookings/new", instrument=market.instrument_id, day="2025-03-10", start="10:00", hours=2
    )
    first = await browser.send(booking, "/bookings")
    again = await browser.send(booking, "/bookings")

    assert first.path == again.path


async def test_what_was_typed_is_still_there_after_a_refusal(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    shown = await browser.post(
        "/bookings",
        {"instrument": market.instrument_id, "day": "2025-03-10", "start": "noon", "hours": "2"},
    )

    assert 400 == shown.status
    assert "请填写时间" in shown.text
    assert "noon" == shown.form("/bookings/new").fields["start"]


async def test_a_buyer_accepts_or_objects_where_the_result_is_shown(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    browser = await enter(market.buyer)
    shown = await browser.open(f"/orders/{order.id}")
    refused = await browser.send(shown, f"/orders/{order.id}/dispute", reason="")
    settled = await browser.send(shown, f"/orders/{order.id}/accept")

    assert "请填写" in refused.text
    assert "已验收，订单已结算" in settled.text
    assert "已结算" in (await browser.open("/orders", status="settled")).text


async def test_an_order_exists_for_its_two_sides_only(enter, visitor, database):
    market = await a_market(database)
    order = await an_order(market)
    stranger = await enter(await an_actor(database, Role.BUYER))
    provider = await enter(market.technician)

    assert 404 == (await stranger.open(f"/orders/{order.id}")).status
    assert 404 == (await stranger.open(f"/quotes/{order.quote_id}")).status
    assert "没有符合条件的订单" in (await stranger.open("/orders")).text
    assert 200 == (await provider.open(f"/orders/{order.id}")).status
    assert 403 == (await provider.post(f"/orders/{order.id}/accept", {})).status
    assert (await visitor.open(f"/orders/{order.id}")).path.startswith("/sign-in")


async def test_times_for_the_calendar_never_say_for_whom(visitor, database):
    market = await a_market(database)
    await an_order(market)
    answer = await visitor.http.get(
        f"/instruments/{market.instrument_id}/times",
        params={"from": "2025-03-03", "until": "2025-03-10"},
    )
    wrong = await visitor.http.get(
        f"/instruments/{market.instrument_id}/times", params={"from": "soon"}
    )

    assert {"free", "busy", "own", "step"} == answer.json().keys()
    assert answer.json()["own"] == []
    assert {"start", "end", "title", "reason"} == answer.json()["busy"][0].keys()
    assert 400 == wrong.status_code


async def test_the_calendar_tells_a_buyer_which_times_are_its_own_and_where_they_are_moved(
    enter, database
):
    market = await a_market(database)
    order = await an_order(market)
    path = f"/instruments/{market.instrument_id}/times?from=2025-03-03&until=2025-03-10"

    (own,) = (await (await enter(market.buyer)).http.get(path)).json()["own"]
    technician = await (await enter(market.technician)).http.get(path)
    stranger = await (await enter(await an_actor(database, Role.BUYER))).http.get(path)

    assert (own["order"], own["item"]) == (f"/orders/{order.id}", 1)
    assert technician.json()["own"] == stranger.json()["own"] == []


async def test_orders_are_called_after_their_instrument_in_the_readers_language(enter, database):
    english_name = "Field emission scanning electron microscope"
    market = await a_market(database, content={"ename": english_name})
    order = await an_order(market)
    browser = await enter(market.buyer)
    english = await browser.open("/orders", lang="en")
    one = await browser.open(f"/orders/{order.id}", lang="en")
    file = await browser.http.get("/orders/file?lang=en")

    for text in (english.text, one.text, file.text):
        assert english_name in text
        assert "场发射" not in text
    assert "Machine time" in file.text
    assert "场发射扫描电子显微镜" in (await browser.open("/orders")).text


async def test_what_a_service_is_for_and_whom_it_trains_reach_the_quote(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    asked = {
        "instrument": market.instrument_id,
        "day": "2025-03-10",
        "start": "10:00",
        "hours": 2,
        "kind": "broker-training",
        "persons": 3,
    }
    booking = await browser.open("/bookings/new", **asked)
    quote = await browser.send(booking, "/bookings")
    unknown = await browser.open("/bookings/new", **asked | {"kind": "magic", "persons": -1})

    assert "技术经纪人培训" in quote.text
    assert "受训人数 3" in quote.text
    assert "请选择其中一项" in unknown.text
