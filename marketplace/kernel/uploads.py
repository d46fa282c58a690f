"""Files that people send: as the body, or as the one file of a form."""

from __future__ import annotations

from litestar.datastructures import UploadFile

from marketplace.kernel.errors import Malformed
from marketplace.kernel.http import ApiRequest


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
