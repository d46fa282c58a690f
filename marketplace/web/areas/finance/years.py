"""How a year opened, what moved in it, and how it closed."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.kernel.errors import Missing
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.areas.finance.roles import READERS, READS_ENTRIES
from marketplace.web.files import as_file
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import label

HEADS = (
    ("账簿", "Ledger"),
    ("类型", "Type"),
    ("期初（借为正）", "Opening, debit positive"),
    ("借方", "Debits"),
    ("贷方", "Credits"),
    ("期末（借为正）", "Closing, debit positive"),
)


@get("/finance/periods/years/{year:int}", **members(*READERS))
async def show_year(request: PageRequest, year: FromPath[int]) -> Response[Any]:
    """Each type of account: a year opens with what the one before it closed with."""
    return page(
        request,
        "finance/year.html",
        year=year,
        lines=await read(request, ledger.year_of, _known(year)),
        reads_entries=visitor_of(request).has(*READS_ENTRIES),
    )


@get("/finance/periods/years/{year:int}/file", **members(*READERS))
async def show_year_file(request: PageRequest, year: FromPath[int]) -> Response[bytes]:
    """The same lines as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    rows = [
        [
            form.speech.either(
                label("ledger", each.ledger).chinese, label("ledger", each.ledger).english
            ),
            form.speech.either(
                label("account", each.type).chinese, label("account", each.type).english
            ),
            *(
                yuan(fen) if fen >= 0 else f"-{yuan(-fen)}"
                for fen in (each.opening_fen, each.debit_fen, each.credit_fen, each.closing_fen)
            ),
        ]
        for each in await read(request, ledger.year_of, _known(year))
    ]
    return await as_file(form, f"year-{year}", HEADS, rows)


def _known(year: int) -> int:
    if not 2000 <= year <= 2100:
        raise Missing()
    return year


routes: list[ControllerRouterHandler] = [show_year, show_year_file]
