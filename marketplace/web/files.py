"""Lists as files: exactly what a page shows, as far as one file goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Response

from marketplace.kernel.errors import Malformed
from marketplace.kernel.spreadsheets import MEDIA_TYPES, FileFormat, table_file
from marketplace.web.forms import Typed

ROWS_MAX = 5_000


def file_format(form: Typed) -> FileFormat:
    """CSV unless XLSX is asked for.

    Raises:
        FormWrong: for anything else.
    """
    asked = form.choice("format", list(FileFormat), needed=False)
    form.require()
    return FileFormat(asked or FileFormat.CSV)


async def as_file(
    form: Typed, name: str, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]
) -> Response[bytes]:
    """`rows` under heads in the reader's language.

    Raises:
        Malformed: when they are more than one file holds.
    """
    if len(rows) > ROWS_MAX:
        raise Malformed(
            form.speech.t("请缩小筛选范围。", "Narrow the filters down."), limit=ROWS_MAX
        )
    kind = file_format(form)
    table = [[form.speech.t(*head) for head in heads], *rows]
    return Response(
        content=await table_file(table, kind, sheet=name),
        media_type=MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'},
    )


def paper_file(content: bytes, name: str) -> Response[bytes]:
    """A paper to save, printed or sent on."""
    return Response(
        content=content,
        media_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
