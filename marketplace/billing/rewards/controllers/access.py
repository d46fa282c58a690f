"""Who reads about rewards, and how their lists become files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Annotated, Any

from litestar import Response
from litestar.params import QueryParameter

from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.parties.roles import SEES_EVERYTHING, Role

READERS = (*SEES_EVERYTHING, Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.EVALUATOR)
FILE_ROWS_MAX = 100_000
Format = Annotated[FileFormat, QueryParameter(name="format")]


async def rows_file(
    rows: Sequence[Any], of: type[Any], total: int, file_format: FileFormat, name: str
) -> Response[bytes]:
    """Rows as they are listed, the names of the columns first; amounts are in fen."""
    names = [field.name for field in fields(of) if field.name != "arithmetic"]
    table = [names, *([asdict(row)[each] for each in names] for row in rows)]
    return Response(
        content=await table_file(table, file_format, sheet=name),
        media_type=MEDIA_TYPES[file_format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{file_format}"',
            "Total-Rows": str(total),
        },
    )


def saved_paper(content: bytes, name: str) -> Response[bytes]:
    """A paper to save, printed or sent on."""
    return Response(
        content=content,
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
