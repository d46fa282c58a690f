"""Files are shown to ClamAV's daemon before they are kept, where the settings name one.

The protocol is clamd's INSTREAM: lengths and chunks, a zero length, one line of answer. A scan that
gives no clear answer is no answer: the file is not taken, and its sender may try again.
"""

from __future__ import annotations

import asyncio
import re

import structlog

from marketplace.kernel.errors import Refused, Unavailable
from marketplace.kernel.settings import settings

log = structlog.get_logger()

_CHUNK_BYTES = 64 * 1024
_ANSWER_BYTES_MAX = 4096
# A transaction may wait for the answer, for less than PostgreSQL lets it be idle (60 s).
SCAN_SECONDS = 20
_FOUND = re.compile(r"^stream: (?P<virus>[\x20-\x7e]{1,200}) FOUND$")


class FileInfected(Refused):
    """The virus scanner knows what is in the file; it is not kept."""

    code = "file-infected"
    title = "The file carries a virus"


class ScanUnavailable(Unavailable):
    """The virus scanner does not answer, or not clearly; the file is not kept unscanned."""

    code = "scan-unavailable"
    title = "Files cannot be scanned just now"


async def require_clean(content: bytes) -> None:
    """The scanner has nothing against the file; without a scanner in the settings, nobody asks.

    Raises:
        FileInfected: with the name of what was found.
        ScanUnavailable: when the scanner cannot be reached, is slow, or refuses to look.
    """
    address = settings().clamd
    if not address:
        return
    try:
        async with asyncio.timeout(SCAN_SECONDS):
            answer = await _asked(address, content)
    except (OSError, EOFError, asyncio.LimitOverrunError, UnicodeDecodeError) as error:
        log.error("uploads.not_scanned", error=repr(error))
        raise ScanUnavailable("The virus scanner does not answer; send the file again.") from error
    if answer == "stream: OK":
        return
    found = _FOUND.fullmatch(answer)
    if found is None:
        log.error("uploads.not_scanned", answer=answer)
        raise ScanUnavailable("The virus scanner would not look at the file; ask the operator.")
    log.warning("uploads.infected", virus=found["virus"])
    raise FileInfected("Remove what was found, or send another file.", found=found["virus"])


async def _asked(address: str, content: bytes) -> str:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(
        host.strip("[]"), int(port), limit=_ANSWER_BYTES_MAX
    )
    try:
        # A daemon that has seen enough answers and hangs up while we still write.
        sending = asyncio.ensure_future(_send(writer, content))
        try:
            answer = await reader.readuntil(b"\x00")
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    finally:
        writer.close()
    return answer.decode("utf-8").strip("\x00\r\n ")


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(b"zINSTREAM\x00")
    for start in range(0, len(content), _CHUNK_BYTES):
        chunk = content[start : start + _CHUNK_BYTES]
        writer.write(len(chunk).to_bytes(4, "big") + chunk)
        await writer.drain()
    writer.write(b"\x00\x00\x00\x00")
    await writer.drain()
