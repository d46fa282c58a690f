"""Files are shown to a virus scanner over its own protocol, here to one that plays its part."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from marketplace.kernel import virus_scan
from marketplace.kernel.settings import Settings
from marketplace.kernel.uploads import (
    DOCUMENTS,
    FileInfected,
    FileUnfit,
    ScanUnavailable,
    received_file,
)

BAD = b"%PDF-1.7 EICAR"
GOOD = b"%PDF-1.7 fine " + b"x" * 200_000


@asynccontextmanager
async def a_clamd(
    monkeypatch: pytest.MonkeyPatch, *, answer: bytes | None = None, hangs: bool = False
) -> AsyncIterator[list[bytes]]:
    """A daemon that reads INSTREAM as ClamAV does, and what it was shown."""
    shown: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\x00") == b"zINSTREAM\x00"
        content = b""
        while length := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(length)
        shown.append(content)
        if hangs:
            await asyncio.sleep(5)
        found = b"stream: Eicar-Test FOUND\x00" if b"EICAR" in content else b"stream: OK\x00"
        writer.write(found if answer is None else answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = Settings(clamd=f"127.0.0.1:{port}")
    monkeypatch.setattr(virus_scan, "settings", lambda: found)
    try:
        yield shown
    finally:
        server.close()


async def received(content: bytes) -> str:
    checked = await received_file("a.pdf", content, allowed=DOCUMENTS, bytes_max=1_000_000)
    return checked.media_type


async def test_a_clean_file_is_shown_whole_and_taken(monkeypatch):
    async with a_clamd(monkeypatch) as shown:
        assert await received(GOOD) == "application/pdf"

    assert shown == [GOOD]


async def test_a_file_with_a_virus_is_refused_with_its_name(monkeypatch):
    async with a_clamd(monkeypatch):
        with pytest.raises(FileInfected) as refusal:
            await received(BAD)

    assert refusal.value.extras["found"] == "Eicar-Test"


async def test_what_cannot_be_taken_anyway_is_not_shown(monkeypatch):
    async with a_clamd(monkeypatch) as shown:
        with pytest.raises(FileUnfit):
            await received(b"MZ\x90\x00")

    assert shown == []


@pytest.mark.parametrize(
    "answer",
    [b"INSTREAM size limit exceeded. ERROR\x00", b"stream: OK", b"", b"\xff\x00", b"x" * 9_999],
)
async def test_a_scanner_without_a_clear_answer_lets_nothing_through(monkeypatch, answer):
    async with a_clamd(monkeypatch, answer=answer):
        with pytest.raises(ScanUnavailable):
            await received(GOOD)


async def test_a_scanner_that_hangs_or_is_gone_lets_nothing_through(monkeypatch):
    monkeypatch.setattr(virus_scan, "SCAN_SECONDS", 0.2)
    async with a_clamd(monkeypatch, hangs=True):
        with pytest.raises(ScanUnavailable):
            await received(GOOD)
    with pytest.raises(ScanUnavailable):
        await received(GOOD)


async def test_without_a_scanner_in_the_settings_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(virus_scan, "settings", lambda: Settings(clamd=""))

    assert await received(BAD) == "application/pdf"
