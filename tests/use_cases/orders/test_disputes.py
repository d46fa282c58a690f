"""A dispute: answered in time or not, agreed on, conceded, withdrawn, or ruled on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from marketplace.kernel.db import atomically
from marketplace.kernel.file_types import FileUnfit
from marketplace.orders.errors import (
    AnswerByParty,
    DisputeAnswered,
    DisputeMissing,
    EvidenceFull,
    EvidenceKnown,
    EvidenceMissing,
    NothingOffered,
    OrderMissing,
    RulingTooSoon,
    StepNotOpen,
)
from marketplace.orders.jobs import remind_disputes
from marketplace.orders.queries import DisputeList, dispute_evidence, disputes, order_story
from marketplace.orders.use_cases import (
    AcceptOrder,
    AgreeToOffer,
    AnswerDispute,
    DisputeOrder,
    OpenService,
    RuleOnDispute,
    ShowEvidence,
    TakeEvidence,
    WithdrawDispute,
    accept_order,
    agree_to_offer,
    answer_dispute,
    dispute_order,
    open_service,
    rule_on_dispute,
    show_evidence,
    take_evidence,
    withdraw_dispute,
)
from marketplace.orders.use_cases.dispute_evidence import EVIDENCE_MAX
from marketplace.parties.roles import Role
from tests.builders.attachments import a_pdf
from tests.builders.disputes import a_disputed_order
from tests.builders.orders import (
    TEST,
    WEDNESDAY_MORNING,
    Market,
    a_market,
    an_order,
    move_to,
)
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

# Five samples at 120 CNY each, half of it by voucher.
VALUE_FEN = 60_000


async def timeline(market: Market, order_id: int) -> list[str]:
    story = await market.do(order_story, order_id, by=market.buyer)
    return [event.kind for event in story.timeline]


async def answered(market: Market, order_id: int, offered: int | None = None):
    command = AnswerDispute(order_id, "按约定的方法测试", offered)
    return await market.do(answer_dispute, command, by=market.manager)


async def test_an_offer_that_the_buyer_takes_settles_the_order_by_agreement(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    with pytest.raises(NothingOffered):
        await market.do(agree_to_offer, AgreeToOffer(order_id), by=market.buyer)
    assert (await answered(market, order_id, 6_000)).status == "disputed"

    settled = await market.do(agree_to_offer, AgreeToOffer(order_id), by=market.buyer)

    assert (settled.status, settled.settled_fen) == ("settled", VALUE_FEN * 6 // 10)
    assert (await market.payable()).posted_fen == settled.settled_own_fen
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0
    story = await market.do(order_story, order_id, by=market.manager)
    assert story.dispute is not None
    assert (story.dispute.ended_how, story.dispute.offered_basis_points) == ("agreed", 6_000)
    assert (await timeline(market, order_id))[-3:] == ["dispute", "answer", "agree"]


async def test_a_provider_that_concedes_gives_everything_back_at_once(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)

    settled = await answered(market, order_id, 0)

    assert (settled.status, settled.settled_fen) == ("settled", 0)
    assert (await market.payable()).posted_fen == 0
    assert (await market.wallet()).held_fen == (await market.voucher()).held_fen == 0
    assert (await timeline(market, order_id))[-2:] == ["answer", "concede"]


async def test_nobody_is_ruled_on_before_they_answered_or_had_their_time(database, clock):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    ruling = RuleOnDispute(order_id, 5_000, "各半")
    with pytest.raises(RulingTooSoon):
        await market.do(rule_on_dispute, ruling, by=market.officer)

    assert await remind_disputes(database) == 0
    clock.set(clock.now() + timedelta(days=7))
    assert await remind_disputes(database) == 1
    assert await remind_disputes(database) == 0
    clock.set(clock.now() + timedelta(days=1))
    assert await remind_disputes(database) == 1
    assert await remind_disputes(database) == 0
    late = await market.do(disputes, DisputeList(state="overdue"), by=market.officer)
    assert [row.order_id for row in late.rows] == [order_id]
    settled = await market.do(rule_on_dispute, ruling, by=market.officer)

    assert settled.settled_fen == VALUE_FEN // 2
    assert (await timeline(market, order_id))[-3:] == ["answer-due", "answer-overdue", "rule"]
    ruled = await market.do(disputes, DisputeList(state="ruled"), by=market.buyer)
    assert [(row.order_id, row.pay_basis_points) for row in ruled.rows] == [(order_id, 5_000)]


async def test_a_withdrawn_dispute_leaves_the_order_where_it_stood(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    withdraw = WithdrawDispute(order_id, "样品标签看错")

    assert (await market.do(withdraw_dispute, withdraw, by=market.buyer)).status == "delivered"
    with pytest.raises(StepNotOpen):
        await market.do(withdraw_dispute, withdraw, by=market.buyer)
    await market.do(dispute_order, DisputeOrder(order_id, "again"), by=market.buyer)
    await market.do(withdraw_dispute, withdraw, by=market.buyer)
    settled = await market.do(accept_order, AcceptOrder(order_id), by=market.buyer)
    assert settled.settled_fen == VALUE_FEN
    page = await market.do(disputes, DisputeList(state="withdrawn"), by=market.manager)
    assert page.total == 2


async def test_what_was_objected_to_before_delivery_goes_on_when_that_is_withdrawn(database):
    market = await a_market(database)
    placed = await an_order(market)
    move_to(market, WEDNESDAY_MORNING.starts_at)
    await market.do(open_service, OpenService(placed.id), by=market.technician)
    await market.do(dispute_order, DisputeOrder(placed.id, "nobody there"), by=market.buyer)

    back = await market.do(withdraw_dispute, WithdrawDispute(placed.id, "came"), by=market.buyer)

    assert back.status == "in_service"


async def test_a_provider_answers_once_and_never_by_the_one_who_objected(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(OrderMissing):
        await market.do(answer_dispute, AnswerDispute(order_id, "ours"), by=stranger)
    both = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=market.manager.organisation_id
    )
    await atomically(database, _objected_by, (order_id, both.person_id), actor=TEST)
    with pytest.raises(AnswerByParty):
        await market.do(answer_dispute, AnswerDispute(order_id, "mine"), by=both)
    await answered(market, order_id)

    with pytest.raises(DisputeAnswered):
        await answered(market, order_id, 5_000)
    with pytest.raises(NothingOffered):
        await market.do(agree_to_offer, AgreeToOffer(order_id), by=market.buyer)


async def _objected_by(tx, facts):
    """As if that person had objected, which only a member of both organisations could."""
    await become_owner(tx)
    await tx.execute(text("alter table dispute disable trigger dispute_opening_kept"))
    await tx.execute(
        text("update dispute set opened_by = :person where order_id = :order"),
        {"order": facts[0], "person": facts[1]},
    )
    await tx.execute(text("alter table dispute enable trigger dispute_opening_kept"))


async def test_evidence_is_hashed_kept_and_read_by_both_sides_and_whoever_rules(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    photo = a_pdf(b"/Title (photo)")
    show = ShowEvidence(order_id, "照片.pdf", photo)
    mine = await market.do(show_evidence, show, by=market.buyer)
    theirs = ShowEvidence(order_id, "原始记录.pdf", a_pdf(), mine.sha256)
    with pytest.raises(FileUnfit):
        await market.do(show_evidence, theirs, by=market.manager)
    with pytest.raises(FileUnfit):
        await market.do(
            show_evidence, ShowEvidence(order_id, "x.exe", b"MZ\x90\x00"), by=market.manager
        )
    with pytest.raises(EvidenceKnown):
        await market.do(show_evidence, show, by=market.buyer)
    await market.do(show_evidence, ShowEvidence(order_id, "同.pdf", photo), by=market.manager)

    found = await market.do(dispute_evidence, order_id, by=market.officer)
    assert [(each.side, each.name) for each in found] == [
        ("buyer", "照片.pdf"),
        ("provider", "同.pdf"),
    ]
    taken = await market.do(take_evidence, TakeEvidence(order_id, mine.id), by=market.officer)
    assert (taken.content, taken.sha256) == (photo, mine.sha256)
    with pytest.raises(EvidenceMissing):
        await market.do(take_evidence, TakeEvidence(order_id, 4_000), by=market.buyer)
    stranger = await an_actor(database, Role.BUYER)
    with pytest.raises(OrderMissing):
        await market.do(take_evidence, TakeEvidence(order_id, mine.id), by=stranger)
    with pytest.raises(OrderMissing):
        await market.do(show_evidence, show, by=stranger)
    await market.do(withdraw_dispute, WithdrawDispute(order_id, "ok"), by=market.buyer)
    with pytest.raises(DisputeMissing):
        await market.do(
            show_evidence, ShowEvidence(order_id, "late.pdf", a_pdf(b"/X 1")), by=market.buyer
        )


async def test_a_side_shows_so_many_files_and_no_more(database):
    market = await a_market(database)
    order_id = await a_disputed_order(market)
    for number in range(EVIDENCE_MAX):
        file = a_pdf(f"/N {number}".encode())
        await market.do(show_evidence, ShowEvidence(order_id, "x.pdf", file), by=market.buyer)

    with pytest.raises(EvidenceFull):
        await market.do(show_evidence, ShowEvidence(order_id, "y.pdf", a_pdf()), by=market.buyer)

    await market.do(show_evidence, ShowEvidence(order_id, "y.pdf", a_pdf()), by=market.manager)
