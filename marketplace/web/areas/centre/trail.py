"""The audit trail: who did what, when, to what."""

from __future__ import annotations

import json
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.http import read
from marketplace.kernel.operations import Trail, TrailSearch, audit_trail
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words.labels import LABELS

READERS = (Role.AUDITOR, Role.ADMINISTRATOR)
PAGE_SIZE = 50
HEADS = (
    ("时间", "When"),
    ("谁", "Who"),
    ("单位编号", "Organisation"),
    ("动作", "Action"),
    ("对象", "To what"),
    ("对象编号", "Its number"),
    ("内容", "Facts"),
    ("请求编号", "Request"),
)


async def named_trail(tx: Tx, search: TrailSearch) -> tuple[Trail, dict[int, str]]:
    """The trail, and the names of those in it."""
    found = await audit_trail(tx, search)
    return found, await parties.names_of_people(tx, {line.person_id for line in found.lines})


def _search(form: Typed, *, number: int, size: int) -> TrailSearch:
    search = TrailSearch(
        action=form.text("action", length_max=60, needed=False),
        subject=form.text("subject", length_max=60, needed=False),
        subject_id=form.whole("subject_id", least=1, most=2**62, needed=False),
        person_id=form.whole("person", least=1, most=2**62, needed=False),
        request_id=form.text("request", length_max=64, needed=False),
        first_day=form.day("from", needed=False),
        last_day=form.day("until", needed=False),
        page=number,
        page_size=size,
    )
    form.require()
    return search


def _choices(group: str, form: Typed) -> list[tuple[str, str]]:
    """What can be chosen, by its name in the reader's language."""
    either = form.speech.either
    named = [(value, either(it.chinese, it.english)) for value, it in LABELS[group].items()]
    return sorted(named, key=lambda pair: pair[1])


@get("/ops/audit", **members(*READERS))
async def show_trail(request: PageRequest) -> Response[Any]:
    """One page of the trail, the newest line first."""
    form = Typed(request.query_params, visitor_of(request).speech)
    number = form.whole("page", least=1, most=200, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    found, names = await read(request, named_trail, search)
    return page(
        request,
        "centre/trail.html",
        form=form,
        found=found,
        names=names,
        actions=_choices("trail_action", form),
        subjects=_choices("trail_subject", form),
        page_number=number,
        page_size=PAGE_SIZE,
    )


@get("/ops/audit/file", **members(*READERS))
async def get_trail_file(request: PageRequest) -> Response[bytes]:
    """The lines that the filters leave, as CSV or Excel; narrower filters for more."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found, names = await read(request, named_trail, _search(form, number=1, size=ROWS_MAX + 1))
    rows = [
        [
            line.at,
            line.label or names.get(line.person_id, line.person_id),
            line.organisation_id,
            line.action,
            line.subject,
            line.subject_id,
            json.dumps(line.facts, ensure_ascii=False, default=str),
            line.request_id,
        ]
        for line in found.lines
    ]
    return await as_file(form, "audit-trail", HEADS, rows)


routes: list[ControllerRouterHandler] = [show_trail, get_trail_file]
