"""Fetching from addresses that users name, without becoming their way into our own network.

Only https. Every hop's host is resolved once, all its addresses must be public, and the connection
goes to the very address that was checked: a name that points elsewhere a moment later (DNS
rebinding) gains nothing. The certificate is checked against the name all the same.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from marketplace import __version__

REDIRECTS_MAX = 3
URL_LENGTH_MAX = 2_000
HTTPS_PORT = 443
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAME = re.compile(rb"[A-Za-z0-9_.-]+")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class FetchRefused(Exception):
    """The address is none that we fetch from, or it did not give what was asked; says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server gave; `content` is None when it has nothing newer than we know."""

    content: bytes | None
    etag: str | None = None
    last_modified: str | None = None


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when one hides in another."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
        if found.sixtofour is not None or found.teredo is not None:
            return False
    return found.is_global and not found.is_multicast


def checked_url(url: str, *, allowed_hosts: frozenset[str] = frozenset()) -> httpx.URL:
    """`url`, as far as it can be judged without asking anybody.

    Raises:
        FetchRefused: for anything but https to a host by name or public address.
    """
    if len(url) > URL_LENGTH_MAX:
        raise FetchRefused(f"The address is longer than {URL_LENGTH_MAX} characters.")
    try:
        found = httpx.URL(url)
        host = found.host
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchRefused("That is no address.") from error
    if found.scheme != "https":
        raise FetchRefused("The address must begin with https://.")
    if not host:
        raise FetchRefused("The address names no host.")
    if found.userinfo:
        raise FetchRefused("Put no user name or password into the address.")
    if host.lower() in allowed_hosts:
        return found
    if (found.port or HTTPS_PORT) != HTTPS_PORT:
        raise FetchRefused(f"Only the port {HTTPS_PORT} of https.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _NAME.fullmatch(found.raw_host):
            raise FetchRefused("That is no address.") from None
        return found
    if not is_public(host):
        raise FetchRefused(f"{host} is no public address.")
    return found


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Fetcher:
    """Fetches files within bounds of size, time and redirects."""

    def __init__(
        self,
        *,
        bytes_max: int,
        seconds_max: float = 30.0,
        allowed_hosts: frozenset[str] = frozenset(),
        certificates: ssl.SSLContext | None = None,
        resolve: Resolve = resolved,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`allowed_hosts` are fetched from wherever they are; `certificates` says whom to trust."""
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max
        self._allowed = allowed_hosts
        self._certificates = certificates or True
        self._resolve = resolve
        self._transport = transport

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Fetched:
        """The file at `url`, or that nothing has changed since `etag` and `last_modified`.

        Raises:
            FetchRefused: when it cannot be had, or must not be asked for.
        """
        try:
            async with (
                asyncio.timeout(self._seconds_max),
                httpx.AsyncClient(
                    transport=self._transport,
                    verify=self._certificates,
                    trust_env=False,
                    timeout=self._seconds_max,
                ) as client,
            ):
                return await self._follow(client, url, _conditions(etag, last_modified))
        except TimeoutError as error:
            raise FetchRefused(f"No answer within {self._seconds_max:.0f} seconds.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise FetchRefused(f"The server cannot be reached: {_why(error)}.") from error

    async def _follow(
        self, client: httpx.AsyncClient, url: str, conditions: dict[str, str]
    ) -> Fetched:
        for _ in range(REDIRECTS_MAX + 1):
            target = checked_url(url, allowed_hosts=self._allowed)
            request = client.build_request(
                "GET",
                target.copy_with(host=await self._address(target), fragment=None),
                headers={
                    "Host": target.netloc.decode(),
                    "User-Agent": f"marketplace/{__version__} (calendar)",
                    "Accept": "text/calendar, */*;q=0.1",
                    # What is compressed may be far larger than it says.
                    "Accept-Encoding": "identity",
                    **conditions,
                },
                extensions={"sni_hostname": target.raw_host.decode()},
            )
            answer = await client.send(request, stream=True)
            try:
                if answer.status_code not in _REDIRECTS:
                    return await self._taken(answer)
                url = str(target.join(answer.headers.get("location", "")))
            finally:
                await answer.aclose()
        raise FetchRefused(f"More than {REDIRECTS_MAX} redirects.")

    async def _address(self, target: httpx.URL) -> str:
        """The one address that the connection goes to."""
        host = target.host
        try:
            found = await self._resolve(host, target.port or HTTPS_PORT)
        except OSError as error:
            raise FetchRefused(f"Nobody knows the host {host}.") from error
        if not found:
            raise FetchRefused(f"Nobody knows the host {host}.")
        if host.lower() not in self._allowed and not all(map(is_public, found)):
            raise FetchRefused(f"The host {host} has an address that is not public.")
        return found[0]

    async def _taken(self, answer: httpx.Response) -> Fetched:
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return Fetched(None)
        if answer.status_code != httpx.codes.OK:
            raise FetchRefused(f"The server answered {answer.status_code}.")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise FetchRefused("The server compresses its answer although it was asked not to.")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > self._bytes_max:
                raise FetchRefused(f"The file is larger than {self._bytes_max} bytes.")
        return Fetched(
            bytes(content),
            etag=_kept(answer.headers.get("etag")),
            last_modified=_kept(answer.headers.get("last-modified")),
        )


def _conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in asked.items() if value}


def _kept(header: str | None) -> str | None:
    return header if header and len(header) <= 500 and header.isprintable() else None


def _why(error: Exception) -> str:
    """What went wrong, without the address that it went wrong with."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__
