"""A company's pages, without scripts: orders and their papers, enquiries, stars, searches."""

from __future__ import annotations

import pytest

from marketplace.orders.jobs import look_through_searches
from marketplace.orders.use_cases import (
    FinishSamples,
    ReceiveSamples,
    finish_samples,
    receive_samples,
)
from marketplace.orders.use_cases.custody import SendSamples, send_samples
from marketplace.parties.roles import Role
from tests.builders.attachments import a_pdf
from tests.builders.booking import a_bookable_instrument, at_hours
from tests.builders.enquiries import an_approved_offer, an_enquiry
from tests.builders.items import a_second_instrument, an_order_for, time_on
from tests.builders.orders import a_delivered_order, a_market, a_move, a_sample_order, an_order
from tests.builders.parties import an_actor

pytestmark = pytest.mark.timeout(240)


async def test_a_buyer_moves_an_order_after_seeing_the_figures(enter, database):
    market = await a_market(database)
    order = await an_order(market)
    browser = await enter(market.buyer)
    path = f"/orders/{order.id}/time"
    as_it_is = await browser.open(path)
    looked = await browser.open(path, day="2025-03-06", start="13:00", minutes=180)
    moved = await browser.post(path, looked.forms[-1].fields | {"reason": "样品晚到"})
    closed = await browser.open(path, day="2025-03-02", start="03:00", minutes=180)

    assert "2025-03-05" == as_it_is.form(path).fields["day"]
    assert "差价" in looked.text
    assert 64 == len(looked.forms[-1].fields["agreed"])
    assert f"/orders/{order.id}" == moved.path
    assert "改期记录" in moved.text
    assert [] == [form for form in closed.forms if "agreed" in form.fields]


async def test_each_item_of_an_order_moves_from_its_own_time(enter, database):
    market = await a_market(database)
    order = await an_order_for(market, time_on(await a_second_instrument(market)))
    browser = await enter(market.buyer)
    path = f"/orders/{order.id}/time"
    first = (await browser.open(path)).form(path).fields
    second = (await browser.open(path, item=2)).form(path).fields
    looked = await browser.open(path, **second | {"start": "14:00"})
    moved = await browser.post(path, looked.forms[-1].fields)
    after = (await browser.open(path, item=2)).form(path).fields
    unmoved = (await browser.open(path, item=1)).form(path).fields

    assert ("1", "09:00") == (first["item"], first["start"])
    assert ("2", "13:00") == (second["item"], second["start"])
    assert f"/orders/{order.id}" == moved.path
    assert ("14:00", "09:00") == (after["start"], unmoved["start"])


async def test_the_fee_of_cancelling_is_shown_before_it_is_due(enter, database):
    market = await a_market(database)
    order = await an_order(market)
    browser = await enter(market.buyer)
    asked = await browser.open(f"/orders/{order.id}/cancel")
    unsaid = await browser.send(asked, f"/orders/{order.id}/cancel", reason="")
    done = await browser.send(asked, f"/orders/{order.id}/cancel", reason="项目延期")
    again = await browser.open(f"/orders/{order.id}/cancel")

    assert "现在取消的费用" in asked.text
    assert (400, True) == (unsaid.status, "请填写" in unsaid.text)
    assert "订单已取消" in done.text
    assert not [form for form in again.forms if form.action.endswith("/cancel")]


async def test_a_buyer_answers_what_the_provider_proposes(enter, database):
    market = await a_market(database)
    order = await an_order(market)
    other = await an_order(market, during=at_hours(6, 9, 11))
    first = await a_move(market, order.id, at_hours(7, 13, 15), by=market.manager)
    second = await a_move(market, other.id, at_hours(8, 13, 15), by=market.manager)
    browser = await enter(market.buyer)
    start = await browser.open("/me")
    shown = await browser.open(f"/orders/{order.id}/changes/{first.change.id}")
    agreed = await browser.send(shown, f"/orders/{order.id}/changes/{first.change.id}/accept")
    path = f"/orders/{other.id}/changes/{second.change.id}"
    refused = await browser.send(await browser.open(path), f"{path}/decline", reason="来不及")

    assert "服务方提议改到" in start.text
    assert "已同意新的时间" in agreed.text
    assert "已谢绝，订单保持不变" in refused.text


async def test_results_contract_and_review_are_on_the_page_of_an_order(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    browser = await enter(market.buyer)
    shown = await browser.open(f"/orders/{order.id}")
    contract = await browser.http.get(f"/orders/{order.id}/contract.pdf?in=en")
    result = await browser.http.get(shown.links["下载结果"])
    settled = await browser.send(shown, f"/orders/{order.id}/accept")
    unsaid = await browser.send(settled, f"/orders/{order.id}/review")
    reviewed = await browser.send(settled, f"/orders/{order.id}/review", stars="4", text="清楚")
    entry = await browser.http.get(f"/reservations/{order.reservation_id}/calendar.ics")
    file = await browser.http.get("/orders/file", params={"status": "settled"})

    assert contract.content.startswith(b"%PDF")
    assert "attachment" in result.headers["content-disposition"]
    assert 400 == unsaid.status
    assert "基本满意" in reviewed.text
    assert b"BEGIN:VEVENT" in entry.content
    assert str(order.id) in file.text


async def test_an_objection_goes_through_its_steps_on_the_page(enter, database):
    market = await a_market(database)
    order = await a_delivered_order(market)
    browser = await enter(market.buyer)
    path = f"/orders/{order.id}"
    shown = await browser.open(path)
    filed = await browser.send(shown, f"{path}/dispute", reason="方法不符")
    nothing = await browser.post(f"{path}/dispute/evidence", {})
    shown_file = await browser.post(
        f"{path}/dispute/evidence", {}, evidence=("证据.pdf", a_pdf(), "application/pdf")
    )
    back = await browser.send(shown_file, f"{path}/dispute/withdraw", reason="说清楚了")

    assert "异议已提交" in filed.text
    assert (400, "请选择文件") == (
        nothing.status,
        "请选择文件" if "请选择文件" in nothing.text else "",
    )
    assert "证据.pdf" in shown_file.text
    assert "异议已撤回" in back.text


async def test_samples_are_declared_and_sent_with_their_sheet(enter, database):
    market = await a_market(database)
    order = await a_sample_order(market)
    browser = await enter(market.buyer)
    form = await browser.open(f"/orders/{order.id}/samples")
    declared = await browser.send(
        form, f"/orders/{order.id}/samples", GHS02="yes", storage="cool", return_to="南京"
    )
    sheet = await browser.http.get(f"/orders/{order.id}/sample-sheet.pdf?in=zh")

    assert "易燃" in declared.text
    assert "冷藏" in declared.text
    assert sheet.content.startswith(b"%PDF")


async def test_what_comes_back_of_samples_is_received_by_who_sent_them(enter, database):
    market = await a_market(database)
    order = await a_sample_order(market)
    await market.do(receive_samples, ReceiveSamples(order.id, 5), by=market.technician)
    await market.do(finish_samples, FinishSamples(order.id, 5), by=market.technician)
    sent = SendSamples(order.id, "京东", "JD7", 5)
    back = await market.do(send_samples, sent, by=market.technician)
    receipt = f"/orders/{order.id}/shipments/{back.id}/receive"
    browser = await enter(market.buyer)
    shown = await browser.open(f"/orders/{order.id}")
    too_many = await browser.send(shown, receipt, arrived="6", condition="intact")
    arrived = await browser.send(
        shown, receipt, arrived="4", condition="incomplete", condition_note="少一片"
    )
    twice = await browser.post(receipt, {"arrived": "4", "condition": "intact"})
    stranger = await enter(await an_actor(database, Role.BUYER))

    assert 422 == too_many.status
    assert "已登记收到" in arrived.text
    assert "数量不足" in arrived.text
    assert receipt not in [each.action for each in arrived.forms]
    assert 409 == twice.status
    assert 404 == (await stranger.post(receipt, {"arrived": "4"})).status


async def test_an_enquiry_leads_to_a_quote(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    form = await browser.open("/enquiries/new", instrument=market.instrument_id)
    unsaid = await browser.send(form, "/enquiries", subject="电镜", need="")
    asked = await browser.send(form, "/enquiries", subject="电镜", need="表面形貌 20 个样")
    number = int(asked.path.rsplit("/", 1)[1])
    wrote = await browser.send(asked, f"{asked.path}/messages", text="最好本周")
    offer = await an_approved_offer(market, number)
    shown = await browser.open(f"/enquiries/{number}")
    taken = await browser.send(shown, f"/enquiries/{number}/offers/{offer.id}/accept")
    other = await an_enquiry(market, subject="另一个")
    ended = await browser.send(
        await browser.open(f"/enquiries/{other.id}"),
        f"/enquiries/{other.id}/withdraw",
        reason="不用了",
    )

    assert (400, "电镜") == (unsaid.status, unsaid.form("/enquiries").fields["subject"])
    assert "最好本周" in wrote.text
    assert taken.path.startswith("/quotes/")
    assert "询价已撤回" in ended.text


async def test_stars_searches_and_calendar_addresses_are_ones_own(enter, database):
    market = await a_market(database)
    browser = await enter(market.buyer)
    results = await browser.open("/instruments")
    starred = await browser.send(results, f"/instruments/{market.instrument_id}/star")
    await browser.send(results, "/saved/searches")
    await a_bookable_instrument(database)
    await look_through_searches(database)
    saved = await browser.open("/saved")
    made = await browser.send(saved, "/saved/feeds", name="组会")
    again = await browser.open("/saved")
    stranger = await enter(await an_actor(database, Role.BUYER))

    assert "/instruments" == starred.path
    assert "★" in starred.text
    assert "1 台新" in saved.text
    assert "/api/v1/calendars/" in made.text
    assert "/api/v1/calendars/" not in again.text
    assert "1 台新" not in (await stranger.open("/saved")).text


async def test_results_are_sorted_and_what_is_free_later_is_told(visitor, enter, database):
    market = await a_market(database)
    for order in ("price", "free", "name"):
        assert 200 == (await visitor.open("/instruments", order=order)).status
    browser = await enter(market.buyer)
    past = await browser.open("/instruments", on="2025-03-01", by="2025-03-01", hours=2)
    backwards = await browser.open("/instruments", on="2025-03-09", by="2025-03-08")
    wrong = await browser.open("/instruments", order="best")

    assert "最早有空的仪器" in past.text
    assert (422, 422) == (backwards.status, wrong.status)


async def test_everybody_reads_the_rules_and_who_the_providers_are(visitor, database):
    market = await a_market(database)
    provider = await visitor.open(f"/providers/{market.manager.organisation_id}")
    buyer = await visitor.open(f"/providers/{market.buyer.organisation_id}")
    rules = await visitor.open("/vouchers/rules", lang="en")

    assert (200, 404) == (provider.status, buyer.status)
    assert "How vouchers work" in rules.text
    assert 200 == (await visitor.open("/help", lang="en")).status
