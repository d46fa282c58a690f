"""What buyers said of own services, and the provider's answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.use_cases import AnswerReview, answer_review
from marketplace.web.areas.provider.order_steps import own_order
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.sme.order_pages import REVIEW_LENGTH_MAX, step
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech
from marketplace.web.words.choices import name_of

PAGE_SIZE = 20
STARS = (5, 4, 3, 2, 1)
HEADS = (
    ("订单", "Order"),
    ("仪器", "Instrument"),
    ("满意度", "Satisfied"),
    ("评价日期", "Written"),
    ("评语", "In words"),
    ("答复", "Reply"),
    ("答复日期", "Replied"),
)


@dataclass(frozen=True, slots=True)
class Reviews:
    """A page of reviews, and the instruments that they are about."""

    found: orders.ReviewPage
    instruments: Mapping[int, catalogue.Instrument]

    def called(self, instrument_id: int, speech: Speech) -> str:
        """An instrument's name in the reader's language."""
        found = self.instruments[instrument_id]
        return speech.either(found.cname, found.ename)


async def own_reviews(tx: Tx, question: orders.ReviewList) -> Reviews:
    """The reviews of the actor's provider, the newest first. Policy: J.25"""
    found = await orders.provider_reviews(
        tx, replace(question, provider_id=tx.actor.organisation_id)
    )
    ids = {each.instrument_id for each in found.rows}
    return Reviews(found, await catalogue.instruments(tx, ids))


@get("/provider/reviews", **members(*STAFF))
async def show_reviews(request: PageRequest) -> Response[Any]:
    """Each with its order, where it is answered."""
    form, question = _asked(request)
    return page(
        request,
        "provider/reviews.html",
        form=form,
        asked=question,
        reviews=await read(request, own_reviews, question),
        steps=STARS,
        manages=visitor_of(request).has(*MANAGER),
    )


@get("/provider/reviews/file", **members(*STAFF))
async def show_reviews_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    form, question = _asked(request)
    found = await read(request, own_reviews, replace(question, page=1, page_size=ROWS_MAX + 1))
    rows = [
        [
            each.order_id,
            found.called(each.instrument_id, form.speech),
            name_of(form.speech, "stars", each.stars),
            each.written_on.isoformat(),
            each.text,
            each.reply or "",
            each.replied_on.isoformat() if each.replied_on else "",
        ]
        for each in found.found.rows
    ]
    return await as_file(form, "reviews", HEADS, rows)


@post("/orders/{order_id:int}/review/reply", **members(*MANAGER))
async def send_reply(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """Answer in public, once. Policy: J.25"""
    await read(request, own_order, order_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        return answer_review, AnswerReview(
            order_id, form.text("reply", length_max=REVIEW_LENGTH_MAX)
        )

    return await step(request, order_id, asked, ("答复已公开", "Your answer is public."))


def _asked(request: PageRequest) -> tuple[Typed, orders.ReviewList]:
    form = Typed(request.query_params, visitor_of(request).speech)
    question = orders.ReviewList(
        stars=form.whole("stars", least=1, most=5, needed=False),
        with_words=form.ticked("words"),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )
    form.require()
    return form, question


routes: list[ControllerRouterHandler] = [show_reviews, show_reviews_file, send_reply]
