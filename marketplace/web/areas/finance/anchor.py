"""The ledger's seals: the anchor to keep elsewhere, and whether one that was kept still fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.closing.queries.months import Verification, last_verification
from marketplace.closing.queries.seals import anchor_problems, new_seals
from marketplace.closing.rules.anchor import AnchorUnreadable, Fault, read_anchor, written
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read, services
from marketplace.web.areas.finance.roles import READS_ENTRIES
from marketplace.web.forms import Typed, empty, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

ANCHOR_BYTES_MAX = 10_000_000
FAULTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of comparing an anchor with the database."""

    seals: int
    faults: list[Fault]


@get("/finance/periods/anchor", **members(*READS_ENTRIES))
async def show_anchor(request: PageRequest) -> Response[Any]:
    """What the last verification found, the anchor to take away, and the form to compare one."""
    return await _anchor(request, empty(visitor_of(request).speech))


@get("/finance/periods/anchor/file", **members(*READS_ENTRIES))
async def show_anchor_file(request: PageRequest) -> Response[bytes]:
    """Every seal, one line each: kept where the database's administrators cannot write."""
    seals = await new_seals(services(request).database, 0)
    content = "".join(written(number, sha256) for number, sha256 in seals)
    return Response(
        content=content.encode(),
        media_type="text/plain",
        headers={"Content-Disposition": 'attachment; filename="ledger-anchor.txt"'},
    )


@post("/finance/periods/anchor", **members(*READS_ENTRIES))
async def send_anchor(request: PageRequest) -> Response[Any]:
    """Compare an anchor that was kept with the seals of the database."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    upload = await form.file("anchor", bytes_max=ANCHOR_BYTES_MAX)
    anchored: dict[int, str] = {}
    try:
        if upload is not None:
            anchored = dict(read_anchor(upload[1].decode("ascii").splitlines()))
    except (AnchorUnreadable, UnicodeDecodeError):
        form.wrong("anchor", "这不是锚定文件：每行应为“编号 摘要”", "This is no anchor file")
    try:
        form.require()
    except DomainError as error:
        return await _anchor(request, form, told(error, speech), status=error.status)
    faults = await anchor_problems(services(request).database, anchored)
    return await _anchor(request, form, compared=Compared(len(anchored), faults))


async def _anchor(
    request: PageRequest,
    form: Typed,
    refusal: Told | None = None,
    *,
    compared: Compared | None = None,
    status: int = 200,
) -> Response[Any]:
    verified: Verification | None = await read(request, last_verification, None)
    return page(
        request,
        "finance/anchor.html",
        status=status,
        form=form,
        verified=verified,
        compared=compared,
        faults_shown=FAULTS_SHOWN,
        refusal=refusal,
    )


routes: list[ControllerRouterHandler] = [show_anchor, show_anchor_file, send_anchor]
