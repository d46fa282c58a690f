"""Instruments by file: imported in the national layout after a look, and saved in it."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.catalogue import queries as catalogue
from marketplace.catalogue.use_cases import ImportInstruments, ImportReport, import_instruments
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.settings import settings
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.provider.roles import MANAGER
from marketplace.web.files import as_file
from marketplace.web.forms import Typed, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 20
ERRORS_SHOWN = 200
FILE_BYTES_MAX = settings().upload_bytes_max
HEADS = (
    ("行", "Line"),
    ("列", "Column"),
    ("内容", "Content"),
    ("问题", "What is wrong"),
)


@get("/provider/instruments/imports", **members(*MANAGER))
async def show_imports(request: PageRequest) -> Response[Any]:
    """The form, and the files that were imported before, the newest first."""
    return await _page(request, Typed(request.query_params, visitor_of(request).speech))


@post(
    "/provider/instruments/imports",
    request_max_body_size=FILE_BYTES_MAX + 100_000,
    **members(*MANAGER),
)
async def send_import(request: PageRequest) -> Response[Any]:
    """Try a file, or import its good lines; the same file again changes nothing. Policy: J.15"""
    visitor = visitor_of(request)
    form = await typed(request, visitor.speech)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    dry_run = form.raw("step") != "import"
    try:
        form.require()
        assert file is not None
        command = ImportInstruments(visitor.actor.organisation_id, *file, dry_run=dry_run)
        if dry_run:
            report = await rehearse(request, import_instruments, command)
            return await _page(request, form, report=report)
        return await act(
            request,
            form,
            import_instruments,
            command,
            to=lambda landed: f"/provider/instruments/imports/{landed.batch_id}",
            said=("文件已导入", "The file is imported."),
        )
    except DomainError as error:
        refusal = told(error, visitor.speech)
        return await _page(request, form, refusal=refusal, status=error.status)


async def _page(
    request: PageRequest,
    form: Typed,
    *,
    report: ImportReport | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    asked = Typed(request.query_params, form.speech)
    number = asked.whole("page", least=1, most=10_000, needed=False) or 1
    own = visitor_of(request).actor.organisation_id
    question = catalogue.ImportBatches(own, number, PAGE_SIZE)
    batches, total = await read(request, catalogue.import_batches, question)
    return page(
        request,
        "provider/instrument_imports.html",
        status=status,
        form=form,
        asked=question,
        batches=batches,
        total=total,
        report=report,
        errors_shown=ERRORS_SHOWN,
        megabytes=FILE_BYTES_MAX // 1_000_000,
        refusal=refusal,
    )


@get("/provider/instruments/imports/{batch_id:int}", **members(*MANAGER))
async def show_import(request: PageRequest, batch_id: FromPath[int]) -> Response[Any]:
    """One import: what became of its lines, and what was wrong with those refused."""
    return page(
        request,
        "provider/instrument_import.html",
        batch=await read(request, catalogue.import_batch, batch_id),
        errors_shown=ERRORS_SHOWN,
    )


@get("/provider/instruments/imports/{batch_id:int}/file", **members(*MANAGER))
async def show_import_file(request: PageRequest, batch_id: FromPath[int]) -> Response[bytes]:
    """What was wrong with its lines, as a file to work through."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, catalogue.import_batch, batch_id)
    rows = [
        [
            each["line"],
            each["column"],
            each["value"],
            form.speech.either(each["message"], each["message_en"]),
        ]
        for each in found.report["errors"]
    ]
    return await as_file(form, f"import-{found.id}", HEADS, rows)


@get("/provider/instruments/national/file", **members(*MANAGER))
async def show_national_file(request: PageRequest) -> Response[bytes]:
    """Own instruments in the national layout, to be changed and imported again. Policy: J.15"""
    content = await read(request, catalogue.export_csv, visitor_of(request).actor.organisation_id)
    return Response(
        content=content,
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="instruments-national.csv"'},
    )


routes: list[ControllerRouterHandler] = [
    show_imports,
    send_import,
    show_import,
    show_import_file,
    show_national_file,
]
