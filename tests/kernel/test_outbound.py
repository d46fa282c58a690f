"""Fetching what strangers name: over real TLS, within bounds, and never from our own network."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import pytest_asyncio

from marketplace.kernel.outbound import Fetched, Fetcher, FetchRefused, checked_url, is_public
from tests.builders.outside import OutsideServer

BYTES_MAX = 10_000


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[OutsideServer]:
    async with OutsideServer() as server:
        yield server


def a_fetcher(server: OutsideServer, **changes: object) -> Fetcher:
    bounds: dict[str, object] = {
        "bytes_max": BYTES_MAX,
        "seconds_max": 5.0,
        "allowed_hosts": frozenset({"localhost"}),
        "certificates": server.trusted,
    }
    return Fetcher(**(bounds | changes))  # type: ignore[arg-type]


async def refusal(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchRefused) as refused:
        await fetcher.fetch(url)
    return str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255",
        "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "localhost", "", "0x7f.1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_public_internet_is_known_as_such(address: str):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://calendar.example/a.ics", "https"),
        ("file:///etc/passwd", "https"),
        ("gopher://calendar.example/", "https"),
        ("//calendar.example/a", "https"),
        ("https://", "host"),
        ("https://user:secret@calendar.example/", "password"),
        ("https://calendar.example:22/", "443"),
        ("https://127.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://[::ffff:7f00:1]/", "public"),
        ("https://calendar.example/" + "x" * 2000, "longer"),
        ("https://calendar.example:99999999/", "443"),
        ("https://[not-an-address/", "address"),
    ],
)
def test_an_address_that_is_never_fetched_says_why(url: str, why: str):
    with pytest.raises(FetchRefused, match=why):
        checked_url(url)


def test_a_host_that_the_operator_named_may_be_anywhere():
    allowed = frozenset({"calendar.campus"})

    assert checked_url("https://Calendar.Campus:8443/a", allowed_hosts=allowed).port == 8443
    with pytest.raises(FetchRefused):
        checked_url("http://calendar.campus/a", allowed_hosts=allowed)


async def test_a_file_comes_with_what_says_whether_it_changed(outside: OutsideServer):
    outside.files["/a.ics"] = b"BEGIN:VCALENDAR"
    fetcher = a_fetcher(outside)
    first = await fetcher.fetch(outside.url("/a.ics"))
    again = await fetcher.fetch(outside.url("/a.ics"), etag=first.etag)

    assert first.content == b"BEGIN:VCALENDAR"
    assert first.etag is not None
    assert again == Fetched(None)
    # The certificate was checked against the name, though the connection went to an address.
    assert outside.asked[0].headers["host"] == f"localhost:{outside.port}"


async def test_redirects_are_followed_three_times_and_no_further(outside: OutsideServer):
    outside.files["/end"] = b"found"
    outside.redirects |= {f"/{hops}": outside.url(f"/{hops - 1}") for hops in range(2, 5)}
    outside.redirects["/1"] = "/end"
    fetcher = a_fetcher(outside)

    assert (await fetcher.fetch(outside.url("/3"))).content == b"found"
    assert "redirects" in await refusal(fetcher, outside.url("/4"))


async def test_no_redirect_leads_into_our_own_network(outside: OutsideServer):
    outside.files["/secret"] = b"of the platform"
    outside.redirects |= {
        "/by-address": f"https://127.0.0.1:{outside.port}/secret",
        "/metadata": "https://169.254.169.254/latest/meta-data",
        "/plain": f"http://localhost:{outside.port}/secret",
        "/by-name": "https://rebound.example/secret",
    }

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    fetcher = a_fetcher(outside, resolve=resolve)
    for path in outside.redirects:
        reason = await refusal(fetcher, outside.url(path))
        assert any(word in reason for word in ("public", "443", "https")), reason
    assert [each.path for each in outside.asked] == list(outside.redirects)


async def test_a_name_is_resolved_once_and_connected_to_where_it_was_checked(
    outside: OutsideServer,
):
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    sent: list[httpx.Request] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        return next(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"ok"))

    fetcher = a_fetcher(outside, resolve=resolve, transport=httpx.MockTransport(answer))
    found = await fetcher.fetch("https://calendar.example/a.ics?key=1#part")

    (request,) = sent
    assert found.content == b"ok"
    assert str(request.url) == "https://93.184.216.34/a.ics?key=1"
    assert request.headers["host"] == "calendar.example"
    assert request.extensions["sni_hostname"] == "calendar.example"


async def test_one_private_address_among_public_ones_is_enough_to_refuse(outside: OutsideServer):
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34", "10.0.0.7"]

    fetcher = a_fetcher(outside, resolve=resolve)
    assert "not public" in await refusal(fetcher, "https://calendar.example/a.ics")


@pytest.mark.parametrize("port", [None, 1])
async def test_a_server_that_is_not_there_is_told_without_its_address(
    outside: OutsideServer, port: int | None
):
    fetcher = a_fetcher(outside, allowed_hosts=frozenset({"localhost", "nowhere.invalid"}))
    host = "nowhere.invalid" if port is None else f"localhost:{port}"
    reason = await refusal(fetcher, f"https://{host}/secret-path")

    assert "secret-path" not in reason


async def test_a_certificate_that_nobody_vouches_for_is_refused(outside: OutsideServer):
    outside.files["/a.ics"] = b"ok"
    stranger = a_fetcher(outside, certificates=ssl.create_default_context())
    other_name = a_fetcher(outside, allowed_hosts=frozenset({"127.0.0.1"}))

    assert "certificate" in await refusal(stranger, outside.url("/a.ics"))
    by_address = f"https://127.0.0.1:{outside.port}/a.ics"
    assert "certificate" in await refusal(other_name, by_address)


async def test_what_is_too_large_too_slow_or_not_there_says_so(outside: OutsideServer):
    outside.files["/large"] = b"x" * (BYTES_MAX + 1)
    outside.files["/just-right"] = b"x" * BYTES_MAX
    outside.files["/slow"] = b"never"
    outside.seconds["/slow"] = 30.0
    outside.headers["/packed"] = {"Content-Encoding": "gzip"}
    outside.files["/packed"] = b"..."
    fetcher = a_fetcher(outside, seconds_max=1.0)
    began = asyncio.get_running_loop().time()

    assert "larger than" in await refusal(fetcher, outside.url("/large"))
    assert len((await fetcher.fetch(outside.url("/just-right"))).content or b"") == BYTES_MAX
    assert "within 1 seconds" in await refusal(fetcher, outside.url("/slow"))
    assert "compresses" in await refusal(fetcher, outside.url("/packed"))
    assert "404" in await refusal(fetcher, outside.url("/nothing"))
    assert asyncio.get_running_loop().time() - began < 10
