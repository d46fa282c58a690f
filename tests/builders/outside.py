"""A server outside the platform, on this machine, over real TLS, that does what a test says."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from dataclasses import dataclass, field
from typing import Self

import trustme


@dataclass
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]


@dataclass
class OutsideServer:
    """Files by path, with an ETag each; where others redirect to; how long some take."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        self.trusted = ssl.create_default_context()
        authority.configure_trust(self.trusted)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = dict(each.lower().split(": ", 1) for each in rest)
            path = line.split(" ")[1]
            self.asked.append(Asked(path, headers))
            await asyncio.sleep(self.seconds.get(path, 0))
            writer.write(self._answer(path, headers))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        finally:
            writer.close()

    def _answer(self, path: str, headers: dict[str, str]) -> bytes:
        if path in self.redirects:
            return _head("302 Found", {"Location": self.redirects[path]})
        if path not in self.files:
            return _head("404 Not Found", {})
        content = self.files[path]
        etag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        if headers.get("if-none-match") == etag:
            return _head("304 Not Modified", {"ETag": etag})
        more = self.headers.get(path, {})
        return (
            _head("200 OK", {"ETag": etag, "Content-Length": str(len(content)), **more}) + content
        )


def _head(status: str, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
