"""Bank statements: looked at before they are imported, imported whole or not at all."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.reconciliation.use_cases import (
    STATEMENT_BYTES_MAX,
    ImportStatement,
    MatchStatement,
    Preview,
    PreviewStatement,
    import_statement,
    match_statement,
    preview_statement,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.finance.payouts import PAGES_MAX
from marketplace.web.areas.finance.roles import MAKER, READERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 25
# A previewed file travels packed in the form: half as much again as the file at most.
BODY_MAX = STATEMENT_BYTES_MAX * 3 // 2
HEADS = (
    ("对账单", "Statement"),
    ("账号", "Account"),
    ("文件", "File"),
    ("从", "From"),
    ("到", "Until"),
    ("期初", "Opening"),
    ("收入", "In"),
    ("支出", "Out"),
    ("期末", "Closing"),
    ("笔数", "Lines"),
    ("待查明", "Open"),
    ("导入人", "Imported by"),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """A page of statements, and who imported them."""

    rows: list[reconciliation.BankStatement]
    total: int
    names: Names


async def statement_list(tx: Tx, search: reconciliation.StatementSearch) -> Statements:
    """The newest first."""
    rows, total = await reconciliation.statements(tx, search)
    return Statements(rows, total, await names(tx, people=[each.imported_by for each in rows]))


async def one_statement(tx: Tx, statement_id: int) -> Statements:
    """One statement with whoever imported it."""
    found = await reconciliation.statement_by_id(tx, statement_id)
    return Statements([found], 1, await names(tx, people=[found.imported_by]))


def _search(form: Typed, page_size: int = PAGE_SIZE) -> reconciliation.StatementSearch:
    search = reconciliation.StatementSearch(
        account_number=form.text("account", length_max=40, needed=False).replace(" ", "") or None,
        page=form.whole("page", least=1, most=PAGES_MAX, needed=False) or 1,
        page_size=page_size,
    )
    form.require()
    return search


@get("/finance/imports", **members(*READERS))
async def show_imports(request: PageRequest) -> Response[Any]:
    """Every statement, and a form for the next one."""
    return await _imports(request, empty(visitor_of(request).speech))


@get("/finance/imports/file", **members(*READERS))
async def show_imports_file(request: PageRequest) -> Response[bytes]:
    """The same statements as a file."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, statement_list, _search(form, ROWS_MAX + 1))
    rows = [
        [
            each.id,
            each.account_number,
            each.file_name,
            each.from_on.isoformat(),
            each.until_on.isoformat(),
            yuan(each.opening_fen),
            yuan(each.in_fen),
            yuan(each.out_fen),
            yuan(each.closing_fen),
            each.lines,
            each.unmatched,
            found.names.people.get(each.imported_by, ""),
        ]
        for each in found.rows
    ]
    return await as_file(form, "statements", HEADS, rows)


@post("/finance/imports/preview", request_max_body_size=BODY_MAX, **members(*MAKER))
async def send_preview(request: PageRequest) -> Response[Any]:
    """What would be read from a file, and why it would be refused; nothing is kept."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    number = form.text("account", length_max=44)
    file = await form.file("file", bytes_max=STATEMENT_BYTES_MAX)
    try:
        form.require()
        assert file is not None, "required"
        found = await rehearse(request, preview_statement, PreviewStatement(number, file[1]))
    except DomainError as error:
        return await _imports(request, form, told(error, speech), error.status)
    return await _imports(request, form, preview=found, file_name=file[0], kept=packed(file[1]))


@post("/finance/imports/send", request_max_body_size=BODY_MAX, **members(*MAKER))
async def send_import(request: PageRequest) -> Response[Any]:
    """Import the file that was previewed, or one that is chosen now."""
    speech = visitor_of(request).speech
    form = await typed(request, speech)
    number = form.text("account", length_max=44)
    name = form.text("file_name", length_max=200, needed=False)
    content = unpacked(form.raw("kept"))
    if content is None:
        file = await form.file("file", bytes_max=STATEMENT_BYTES_MAX)
        name, content = file or ("", b"")
    try:
        form.require()
        said = ("对账单已导入", "The statement is imported.")
        return await act(
            request,
            form,
            import_statement,
            ImportStatement(number, name or "statement", content),
            to=lambda made: f"/finance/imports/{made.id}",
            said=said,
        )
    except DomainError as error:
        return await _imports(request, form, told(error, speech), error.status)


def packed(content: bytes) -> str:
    """A file as a form carries it from the preview to the import."""
    return base64.b64encode(zlib.compress(content)).decode()


def unpacked(text: str) -> bytes | None:
    """The file again; None for what no preview packed, or is longer than a statement may be."""
    if not text:
        return None
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(base64.b64decode(text, validate=True), STATEMENT_BYTES_MAX)
    except (binascii.Error, zlib.error, ValueError):
        return None
    return content if reader.eof and not reader.unconsumed_tail else None


async def _imports(
    request: PageRequest,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
    *,
    preview: Preview | None = None,
    file_name: str = "",
    kept: str = "",
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    search = _search(filters)
    return page(
        request,
        "finance/imports.html",
        status=status,
        form=form,
        filters=filters,
        search=search,
        found=await read(request, statement_list, search),
        refusal=refusal,
        preview=preview,
        file_name=file_name,
        kept=kept,
        may_make=visitor.has(*MAKER),
        key=new_key(),
    )


@get("/finance/imports/{statement_id:int}", **members(*READERS))
async def show_statement(request: PageRequest, statement_id: FromPath[int]) -> Response[Any]:
    """A statement: opening + in − out = closing, and what of it is open."""
    return await _statement(request, statement_id)


@post("/finance/imports/{statement_id:int}/match", **members(*MAKER))
async def send_matching(request: PageRequest, statement_id: FromPath[int]) -> Response[Any]:
    """Explain by rules what is certain, and leave the rest to a person."""
    speech = visitor_of(request).speech
    await read(request, reconciliation.statement_by_id, statement_id)
    form = await typed(request, speech)
    try:
        said = ("已按规则匹配；其余待人工查明", "Matched by rules; the rest is left to a person.")
        here = f"/finance/imports/{statement_id}"
        return await act(
            request, form, match_statement, MatchStatement(statement_id), to=here, said=said
        )
    except DomainError as error:
        return await _statement(request, statement_id, told(error, speech), error.status)


async def _statement(
    request: PageRequest, statement_id: int, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    return page(
        request,
        "finance/statement.html",
        status=status,
        found=await read(request, one_statement, statement_id),
        refusal=refusal,
        may_make=visitor_of(request).has(*MAKER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_imports,
    show_imports_file,
    send_preview,
    send_import,
    show_statement,
    send_matching,
]
