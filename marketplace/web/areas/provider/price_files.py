"""Cost sheets and prices of many instruments as one file, looked at before they are filed."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from marketplace.billing.pricing.use_cases import (
    ImportCostSheets,
    ImportPriceLists,
    import_cost_sheets,
    import_price_lists,
)
from marketplace.kernel.db import atomically
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import request_id_of, services
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.forms import Typed, empty, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

FILE_BYTES_MAX = 5_000_000
KINDS = ("prices", "costs")


@get("/provider/prices/upload", **members(*MANAGER))
async def show_upload(request: PageRequest) -> Response[Any]:
    """The form."""
    return _shown(request, empty(visitor_of(request).speech))


@post(
    "/provider/prices/upload",
    request_max_body_size=FILE_BYTES_MAX + 100_000,
    **members(*MANAGER),
)
async def send_upload(request: PageRequest) -> Response[Any]:
    """Try or file every line; the same file again files nothing."""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    kind = form.choice("kind", KINDS)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    dry_run = form.raw("step") != "file"
    try:
        form.require()
        assert file is not None
        provider_id = visitor.actor.organisation_id
        where: dict[str, Any] = {
            "actor": visitor.actor,
            "request_id": request_id_of(request),
        }
        database = services(request).database
        if kind == "costs":
            costs = ImportCostSheets(provider_id, *file, dry_run=dry_run)
            report = await atomically(database, import_cost_sheets, costs, **where)
        else:
            prices = ImportPriceLists(provider_id, *file, dry_run=dry_run)
            report = await atomically(database, import_price_lists, prices, **where)
    except DomainError as error:
        return _shown(request, form, refusal=told(error, visitor.speech), status=error.status)
    return _shown(request, form, report=report)


def _shown(
    request: PageRequest,
    form: Typed,
    *,
    report: Any = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[str]:
    return page(
        request,
        "provider/price_files.html",
        status=status,
        form=form,
        report=report,
        refusal=refusal,
    )


routes: list[ControllerRouterHandler] = [show_upload, send_upload]
