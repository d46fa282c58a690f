"""Files that people send: as the body, or as the one file of a form; what of them is taken."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from litestar import Response
from litestar.datastructures import UploadFile

from marketplace.kernel.errors import Malformed
from marketplace.kernel.file_types import DOCUMENTS, RESULTS, CheckedFile, FileUnfit, checked_file
from marketplace.kernel.http import ApiRequest
from marketplace.kernel.virus_scan import FileInfected, ScanUnavailable, require_clean

__all__ = [
    "DOCUMENTS",
    "RESULTS",
    "CheckedFile",
    "FileInfected",
    "FileUnfit",
    "ScanUnavailable",
    "checked_file",
    "received_file",
    "require_clean",
    "saved_file",
    "uploaded_file",
]


def saved_file(*, name: str, content: bytes, media_type: str, sha256: str) -> Response[bytes]:
    """A file that somebody sent, given out: saved, never shown.

    An uploaded page must not run under the platform's name.
    """
    return Response(
        content=content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "X-Content-SHA256": sha256,
        },
    )


async def uploaded_file(request: ApiRequest, file_name: str = "") -> tuple[str, bytes]:
    """The name and the bytes of the one file that was sent.

    Raises:
        Malformed: for an empty body, or a form without exactly one file.
    """
    body = await request.body()
    name, content = file_name, body
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        form = await request.form()
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise Malformed("Send exactly one file.", files=len(files))
        name, content = file_name or files[0].filename, await files[0].read()
    if not content:
        raise Malformed("The file is empty (文件为空).")
    return name, content


async def received_file(
    name: str, content: bytes, *, allowed: Collection[str], bytes_max: int
) -> CheckedFile:
    """What a file is that may be kept: of an allowed type and size, and clean where one scans.

    Ask before anything is locked: the scanner may take seconds.

    Raises:
        FileUnfit: with every reason: its size, its type, its name.
        FileInfected: when the virus scanner knows what is in it.
        ScanUnavailable: when the scanner that the settings name gives no clear answer.
    """
    checked = checked_file(name, content, allowed, bytes_max)
    await require_clean(content)
    return checked
