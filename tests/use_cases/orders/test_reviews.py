"""Reviews in public: counted, answered once, hidden with a reason; and how fast one answers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.db import Database, Tx
from marketplace.orders import queries
from marketplace.orders.errors import OrderMissing, ReviewAnswered, ReviewMissing, ReviewWritten
from marketplace.orders.jobs import JOBS
from marketplace.orders.queries import ResponseTime, ReviewList, ReviewPage
from marketplace.orders.rules.reviews import Step
from marketplace.orders.tables import review
from marketplace.orders.use_cases import (
    AcceptOrder,
    AnswerReview,
    ConfirmOrder,
    HideComment,
    RejectOrder,
    ReviewOrder,
    ShowComment,
    accept_order,
    answer_review,
    confirm_order,
    hide_comment,
    reject_order,
    review_order,
    show_comment,
)
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import Role
from tests.builders.booking import at_hours
from tests.builders.orders import Market, a_delivered_order, a_market, a_quote, an_order, move_to
from tests.builders.parties import an_actor


async def a_reviewed_order(market: Market, stars: int, words: str, *, day: int = 2) -> int:
    done = await a_delivered_order(market, during=at_hours(day, 9, 11))
    await market.do(accept_order, AcceptOrder(done.id), by=market.buyer)
    await market.do(review_order, ReviewOrder(done.id, stars, words), by=market.buyer)
    return done.id


async def of_provider(market: Market, **asked: Any) -> ReviewPage:
    question = ReviewList(provider_id=market.manager.organisation_id, **asked)
    return await market.do(queries.provider_reviews, question, by=NOBODY)


async def test_reviews_are_public_with_counts_a_mean_and_a_masked_buyer(database: Database):
    market = await a_market(database)
    await a_reviewed_order(market, 5, "清晰")
    newest = await a_reviewed_order(market, 4, "", day=4)

    page = await of_provider(market)

    assert ([4, 5], 2) == ([row.stars for row in page.rows], page.total)
    assert {5: 1, 4: 1, 3: 0, 2: 0, 1: 0} == page.counts
    assert Decimal("4.5") == page.mean
    assert all("***" in row.buyer and row.order_id is None for row in page.rows)
    assert [5] == [row.stars for row in (await of_provider(market, with_words=True)).rows]
    fours = await of_provider(market, stars=4)
    assert (1, page.counts) == (fours.total, fours.counts)
    assert [5] == [row.stars for row in (await of_provider(market, page=2, page_size=1)).rows]
    own = ReviewList(provider_id=market.manager.organisation_id)
    seen = await market.do(queries.provider_reviews, own, by=market.manager)
    assert newest == seen.rows[0].order_id
    on_instrument = ReviewList(instrument_id=market.instrument_id)
    shown = await market.do(queries.instrument_reviews, on_instrument, by=NOBODY)
    assert (page.counts, page.mean) == (shown.counts, shown.mean)


async def test_a_buyer_and_an_unknown_instrument_have_no_reviews(database: Database):
    market = await a_market(database, voucher_fen=0)
    buyer_id = market.buyer.organisation_id
    nobody_rated = await of_provider(market)

    assert (0, None) == (nobody_rated.total, nobody_rated.mean)
    with pytest.raises(OrganisationMissing):
        await market.do(queries.provider_reviews, ReviewList(provider_id=buyer_id), by=NOBODY)
    with pytest.raises(OrganisationMissing):
        await market.do(queries.response_time, buyer_id, by=NOBODY)
    unknown = ReviewList(instrument_id=999_999)
    with pytest.raises(InstrumentMissing):
        await market.do(queries.instrument_reviews, unknown, by=NOBODY)


async def test_a_provider_answers_a_review_once_for_everybody_to_read(database: Database):
    market = await a_market(database)
    order_id = await a_reviewed_order(market, 3, "等了很久")
    answer = AnswerReview(order_id, "已增加操作员。")
    other = await an_actor(database, Role.PROVIDER_MANAGER)
    with pytest.raises(OrderMissing):
        await market.do(answer_review, answer, by=other)

    await market.do(answer_review, answer, by=market.manager)

    assert ["已增加操作员。"] == [row.reply for row in (await of_provider(market)).rows]
    with pytest.raises(ReviewAnswered):
        await market.do(answer_review, AnswerReview(order_id, "另外"), by=market.manager)
    unrated = await an_order(market, during=at_hours(5, 9, 11))
    with pytest.raises(ReviewMissing):
        await market.do(answer_review, AnswerReview(unrated.id, "谢谢"), by=market.manager)


async def test_what_a_buyer_wrote_is_rewritten_by_nobody(database: Database):
    market = await a_market(database)
    order_id = await a_reviewed_order(market, 1, "等了很久")

    async def praise(tx: Tx, order_id: int) -> None:
        of_order = review.c.order_id == order_id
        await tx.execute(update(review).where(of_order).values(stars=5))

    with pytest.raises(ReviewWritten):
        await market.do(praise, order_id, by=market.manager)


async def test_hidden_words_are_gone_for_others_and_their_stars_count_on(database: Database):
    market = await a_market(database)
    order_id = await a_reviewed_order(market, 1, "骂人的话")
    await market.do(answer_review, AnswerReview(order_id, "请文明用语"), by=market.manager)

    await market.do(hide_comment, HideComment(order_id, "辱骂"), by=market.officer)
    hidden = await of_provider(market)

    assert (True, "", None) == (hidden.rows[0].hidden, hidden.rows[0].text, hidden.rows[0].reply)
    assert (1, Decimal("1.0")) == (hidden.counts[Step.VERY_POOR], hidden.mean)
    assert 0 == (await of_provider(market, with_words=True)).total
    story = await market.do(queries.order_story, order_id, by=market.buyer)
    assert story.review is not None
    assert ("骂人的话", "辱骂") == (story.review.text, story.review.hidden_because)
    await market.do(show_comment, ShowComment(order_id, "误判"), by=market.officer)
    assert "骂人的话" == (await of_provider(market)).rows[0].text
    kinds = [
        event.kind
        for event in (await market.do(queries.order_story, order_id, by=market.buyer)).timeline
    ]
    assert ["review", "review_reply", "review_hidden", "review_shown"] == kinds[-4:]


async def test_the_response_time_is_that_of_requests_somebody_answered(database: Database):
    market = await a_market(database, needs_approval=True, funds_fen=10_000_000, voucher_fen=0)
    clock = database.clock
    start = clock.now()
    for number, minutes in enumerate((5, 10, 20, 28)):
        placed = await an_order(market, during=at_hours(7 + number, 9, 11))
        move_to(market, clock.now() + timedelta(minutes=minutes))
        if number:
            await market.do(confirm_order, ConfirmOrder(placed.id), by=market.manager)
        else:
            await market.do(reject_order, RejectOrder(placed.id, "维护"), by=market.manager)

    provider_id = market.manager.organisation_id
    found = await market.do(queries.response_time, provider_id, by=NOBODY)

    assert ResponseTime(provider_id, 90, 4, 0, 0, 15, 26) == found
    move_to(market, start + timedelta(days=91))
    later = await market.do(queries.response_time, provider_id, by=NOBODY)
    assert ResponseTime(provider_id, 90, 0, 0, 0, None, None) == later


async def test_standing_offers_and_requests_that_lapsed_are_told_apart(database: Database):
    market = await a_market(database)
    await an_order(market)
    await an_order(market, quote=await a_quote(market, during=None))
    move_to(market, database.clock.now() + timedelta(days=60))
    for job in JOBS:
        if job.name == "orders.expire_unanswered":
            await job.run(database)

    found = await market.do(queries.response_time, market.manager.organisation_id, by=NOBODY)

    assert (0, 1, 1, None) == (
        found.answered,
        found.at_once,
        found.unanswered,
        found.median_minutes,
    )
