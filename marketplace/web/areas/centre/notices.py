"""Notices on top of pages: the list, a new one in both languages, taking one off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read, services
from marketplace.kernel.time import SHANGHAI
from marketplace.operations import queries
from marketplace.operations.queries import NoticeSearch
from marketplace.operations.use_cases import (
    NoticeState,
    PublishNotice,
    Severity,
    WithdrawNotice,
    publish_notice,
    withdraw_notice,
)
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.web.acting import act
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

READERS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
HEADS = (
    ("级别", "Severity"),
    ("中文标题", "Chinese title"),
    ("英文标题", "English title"),
    ("给谁", "Audience"),
    ("开始", "From"),
    ("结束", "Until"),
    ("撤回原因", "Withdrawn because"),
)


def _search(form: Typed, *, number: int, size: int) -> NoticeSearch:
    severity = form.choice("severity", list(Severity), needed=False)
    state = form.choice("state", list(NoticeState), needed=False)
    search = NoticeSearch(
        text=form.text("text", length_max=100, needed=False),
        severity=severity or None,
        state=NoticeState(state) if state else None,
        page=number,
        page_size=size,
    )
    form.require()
    return search


@get("/ops/notices", **members(*READERS))
async def show_notices(request: PageRequest) -> Response[Any]:
    """Every notice, the latest first, and a form for a new one."""
    now = services(request).database.clock.now().astimezone(SHANGHAI)
    form = empty(
        visitor_of(request).speech,
        severity=Severity.INFO,
        from_day=now.date(),
        from_time=now.strftime("%H:%M"),
        until_day=now.date() + timedelta(days=7),
        until_time="18:00",
    )
    return await _shown(request, form)


async def _shown(
    request: PageRequest, form: Typed, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    number = filters.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(filters, number=number, size=PAGE_SIZE)

    def named(group: str, values: Any) -> list[tuple[str, str]]:
        found = [(str(value), label(group, value)) for value in values]
        return [(value, visitor.speech.either(it.chinese, it.english)) for value, it in found]

    return page(
        request,
        "centre/notices.html",
        status=status,
        found=await read(request, queries.notices, search),
        filters=filters,
        form=form,
        refusal=refusal,
        severities=named("notice", Severity),
        states=named("notice_state", NoticeState),
        roles=named("role", Role),
        may_write=visitor.has(Role.ADMINISTRATOR),
        page_number=number,
        page_size=PAGE_SIZE,
        key=new_key(),
    )


@get("/ops/notices/file", **members(*READERS))
async def get_notices_file(request: PageRequest) -> Response[bytes]:
    """The notices that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, queries.notices, _search(form, number=1, size=ROWS_MAX + 1))
    rows = [
        [
            each.severity,
            each.title_zh,
            each.title_en,
            " ".join(each.audience),
            each.shown_from,
            each.shown_until,
            each.withdrawn_reason,
        ]
        for each in found.rows
    ]
    return await as_file(form, "notices", HEADS, rows)


@post("/ops/notices", **members(Role.ADMINISTRATOR))
async def send_notice(request: PageRequest) -> Response[Any]:
    """Publish one; what is wrong with it is said at once."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    severity = form.choice("severity", list(Severity))
    begins = form.moment("from_day", "from_time")
    ends = form.moment("until_day", "until_time")
    audience = [each for each in form.all("audience") if each in set(Role)]
    titles = (form.text("title_zh"), form.text("title_en"))
    texts = (form.text("text_zh", needed=False), form.text("text_en", needed=False))
    try:
        form.require()
        if begins is None or ends is None:
            raise AssertionError("a form without these has been refused")
        command = PublishNotice(
            Severity(severity), *titles, begins, ends, *texts, audience=tuple(audience)
        )
        said = ("通知已发布", "The notice is published.")
        return await act(request, form, publish_notice, command, to="/ops/notices", said=said)
    except DomainError as error:
        return await _shown(request, form, told(error, speech), error.status)


@post("/ops/notices/{notice_id:int}/withdraw", **members(Role.ADMINISTRATOR))
async def send_withdraw(request: PageRequest, notice_id: FromPath[int]) -> Response[Any]:
    """Take one off the pages, with the reason."""
    speech = visitor_of(request).speech
    await read(request, queries.notice, notice_id)
    form = await typed(request, speech)
    reason = form.text("withdrawn_reason", length_max=500)
    try:
        form.require()
        command = WithdrawNotice(notice_id, reason)
        said = ("通知已撤回", "The notice is withdrawn.")
        return await act(request, form, withdraw_notice, command, to="/ops/notices", said=said)
    except DomainError as error:
        return await _shown(request, form, told(error, speech), error.status)


routes: list[ControllerRouterHandler] = [
    show_notices,
    get_notices_file,
    send_notice,
    send_withdraw,
]
