"""The bench: samples that are awaited, here, tested, and to be given back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import read
from marketplace.orders import queries as orders
from marketplace.orders.queries import BenchStage
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import label

PAGE_SIZE = 30
HEADS = (
    ("订单", "Order"),
    ("内容", "What"),
    ("委托方", "Buyer"),
    ("阶段", "Stage"),
    ("样品", "Samples"),
    ("已收", "Received"),
    ("已测", "Tested"),
    ("预计到样", "Expected"),
    ("危险性", "Hazards"),
    ("处置", "Afterwards"),
)


@get("/provider/samples", **members(*STAFF))
async def show_samples(request: PageRequest) -> Response[Any]:
    """What is to be done next with the samples of each order."""
    form, asked = _asked(request)
    found = await read(request, orders.sample_bench, asked)
    return page(
        request,
        "provider/samples.html",
        form=form,
        found=found,
        asked=asked,
        stages=list(BenchStage),
        key=new_key(),
    )


@get("/provider/samples/file", **members(*STAFF))
async def show_samples_file(request: PageRequest) -> Response[bytes]:
    """The same list as a file."""
    form, asked = _asked(request)
    found = await read(request, orders.sample_bench, replace(asked, page=1, page_size=ROWS_MAX))
    rows = [
        [
            each.order.id,
            each.order.title,
            each.buyer,
            form.speech.either(
                label("bench", each.stage).chinese, label("bench", each.stage).english
            ),
            each.samples.samples,
            each.samples.received if each.samples.received is not None else "",
            each.samples.tested if each.samples.tested is not None else "",
            each.arrives_on or "",
            each.samples.hazards,
            each.samples.disposal,
        ]
        for each in found.rows
    ]
    return await as_file(form, "samples", HEADS, rows)


def _asked(request: PageRequest) -> tuple[Typed, orders.BenchList]:
    form = Typed(request.query_params, visitor_of(request).speech)
    stage = form.choice("stage", list(BenchStage), needed=False)
    asked = orders.BenchList(
        stage=BenchStage(stage) if stage else None,
        text=form.text("text", length_max=15, needed=False),
        page=form.whole("page", least=1, most=10_000, needed=False) or 1,
        page_size=PAGE_SIZE,
    )
    form.require()
    return form, asked


routes: list[ControllerRouterHandler] = [show_samples, show_samples_file]
