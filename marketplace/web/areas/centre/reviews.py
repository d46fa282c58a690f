"""Comments that the centre hides and shows again, on the page of their order."""

from __future__ import annotations

from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.orders.use_cases import HideComment, ShowComment, hide_comment, show_comment
from marketplace.parties.roles import Role
from marketplace.web.areas.sme.order_pages import step
from marketplace.web.forms import Typed
from marketplace.web.visitor import PageRequest, members

REASON_LENGTH_MAX = 500


@post("/orders/{order_id:int}/review/hide", **members(Role.VOUCHER_OFFICER))
async def send_hiding(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """An abusive comment; its stars count on. Policy: J.25"""

    def asked(form: Typed) -> tuple[Any, Any]:
        return hide_comment, HideComment(order_id, _reason(form))

    said = ("评语已隐藏，星级仍计入", "The words are hidden; the stars count on.")
    return await step(request, order_id, asked, said)


@post("/orders/{order_id:int}/review/show", **members(Role.VOUCHER_OFFICER))
async def send_showing(request: PageRequest, order_id: FromPath[int]) -> Response[Any]:
    """It was hidden for no good reason. Policy: J.25"""

    def asked(form: Typed) -> tuple[Any, Any]:
        return show_comment, ShowComment(order_id, _reason(form))

    said = ("评语已恢复公开", "The words are public again.")
    return await step(request, order_id, asked, said)


def _reason(form: Typed) -> str:
    return form.text("moderation", length_max=REASON_LENGTH_MAX)


routes: list[ControllerRouterHandler] = [send_hiding, send_showing]
