"""A month's statement drawn up by one person, confirmed by another, dropped or corrected."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking.use_cases import (
    ConfirmStatement,
    DraftStatement,
    confirm_statement,
    discard_statement,
    draft_statement,
)
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.web.acting import act, take
from marketplace.web.areas.provider.roles import MANAGER, STAFF
from marketplace.web.areas.provider.statements import month_of, months_page, statement_page
from marketplace.web.forms import Typed, typed
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

REASON_LENGTH_MAX = 500
DIGEST_LENGTH = 64


@post("/provider/reports/statements", **members(*STAFF))
async def send_draft(request: PageRequest) -> Response[Any]:
    """Draw a month up from its sessions: first, anew, or as a correction with its reason."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    month = month_of(form, "month")
    reason = form.text("reason", length_max=REASON_LENGTH_MAX, needed=False) or None
    try:
        form.require()
        assert month is not None
        return await act(
            request,
            form,
            draft_statement,
            DraftStatement(month, reason),
            to=lambda made: f"/provider/reports/statements/{made.id}",
            said=("机时表已编制，请另一人确认", "Drawn up; a colleague confirms it."),
        )
    except DomainError as error:
        return await months_page(request, form, told(error, speech), error.status)


@post("/provider/reports/statements/{statement_id:int}/confirm", **members(*MANAGER))
async def send_confirmation(request: PageRequest, statement_id: FromPath[int]) -> Response[Any]:
    """Vouch for the month as it was read; it stands from then on. Policy: F.289-15"""
    await read(request, booking.statement_page, statement_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        digest = form.text("sha256", length_max=DIGEST_LENGTH)
        return confirm_statement, ConfirmStatement(statement_id, digest)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await statement_page(request, statement_id, form, refusal, error.status)

    said = ("本月机时表已确认", "The month is confirmed.")
    to = f"/provider/reports/statements/{statement_id}"
    return await take(request, asked, to=to, said=said, again=again)


@post("/provider/reports/statements/{statement_id:int}/discard", **members(*STAFF))
async def send_discard(request: PageRequest, statement_id: FromPath[int]) -> Response[Any]:
    """Drop a draft; the version before it holds again."""
    await read(request, booking.statement_page, statement_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await statement_page(request, statement_id, form, refusal, error.status)

    said = ("草稿已删除", "The draft is dropped.")
    return await take(
        request,
        lambda _: (discard_statement, statement_id),
        to="/provider/reports/statements",
        said=said,
        again=again,
    )


routes: list[ControllerRouterHandler] = [send_draft, send_confirmation, send_discard]
