"""What a page costs beside the JSON that holds the same data, of one server, turn by turn.

Searching is compared with `/offers`, which finds, prices and looks for free time as the page does;
an instrument's page with the calls that a client of the API needs for the same sheet; what the
calendar loads with the availability and the own reservations it is made of. Times are those of
answers over a kept connection on the same machine, the median of turns that alternate.

    python -m benchmarks.pages [--turns 200] [--at http://127.0.0.1:8000]

Without `--at` it makes up a small province of its own, which takes about a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx

from benchmarks.load import free_port, machine
from marketplace.demo.world import PASSWORD

WHO = "sme1@demo.invalid"
WANTED = "显微镜"
BUILD_SECONDS_MAX = 600
GOAL = 1.5
WARM_TURNS = 10


@dataclass(frozen=True)
class Pair:
    """A page, and what a client of the API asks for to know the same."""

    name: str
    page: str
    calls: tuple[str, ...]


@contextlib.contextmanager
def a_platform(at: str | None) -> Iterator[str]:
    """The address of a platform with people and instruments."""
    if at is not None:
        yield at
        return
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "marketplace.cli", "demo", "--scale", "small"]
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            env=os.environ
            | {"XDG_DATA_HOME": folder, "MARKETPLACE_REQUESTS_PER_MINUTE": "1000000000"},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(address, server)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=60)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + BUILD_SECONDS_MAX
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"the demo ended with {server.returncode}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/health/ready").status_code == httpx.codes.OK:
                return
        time.sleep(1)
    raise RuntimeError(f"the demo was not ready after {BUILD_SECONDS_MAX} s")


def signed_in(address: str) -> tuple[httpx.Client, httpx.Client]:
    """A browser and a client of the API, both of the same person."""
    browser = httpx.Client(base_url=address, headers={"Sec-Fetch-Site": "same-origin"})
    browser.post("/sign-in", data={"email": WHO, "password": PASSWORD})
    api = httpx.Client(base_url=f"{address}/api/v1")
    given = api.post("/sign-in", json={"email": WHO, "password": PASSWORD}).raise_for_status()
    api.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
    return browser, api


def pairs(api: httpx.Client) -> list[Pair]:
    """What is compared: the search, an instrument, its calendar."""
    first = api.get("/offers", params={"text": WANTED}).raise_for_status().json()["results"][0]
    instrument, provider = first["instrument_id"], first["provider_id"]
    begins = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0)
    week = {"from": begins.isoformat(), "until": (begins + timedelta(days=7)).isoformat()}
    days = {name: instant[:10] for name, instant in week.items()}
    return [
        Pair("search", f"/instruments?{urlencode({'text': WANTED})}", (f"/offers?text={WANTED}",)),
        Pair(
            "instrument",
            f"/instruments/{instrument}",
            (
                f"/instruments/{instrument}",
                f"/organisations/{provider}",
                f"/providers/{provider}/response-time",
                f"/instruments/{instrument}/price-lists",
                f"/instruments/{instrument}/availability?{urlencode(week)}",
                f"/instruments/{instrument}/reviews",
            ),
        ),
        Pair(
            "calendar",
            f"/instruments/{instrument}/times?{urlencode(days)}",
            (
                f"/instruments/{instrument}/availability?{urlencode(week)}",
                f"/reservations?{urlencode({'instrument_id': instrument, 'mine': True} | week)}",
            ),
        ),
    ]


def timed(ask: Callable[[], list[httpx.Response]]) -> float:
    """Milliseconds until everything has answered."""
    begun = time.perf_counter()
    answers = ask()
    took = (time.perf_counter() - begun) * 1_000
    for answer in answers:
        answer.raise_for_status()
    return took


def compare(browser: httpx.Client, api: httpx.Client, pair: Pair, turns: int) -> None:
    """Take turns, and say what both cost."""
    pages, calls = [], []
    for turn in range(turns + WARM_TURNS):
        page = timed(lambda: [browser.get(pair.page)])
        data = timed(lambda: [api.get(call) for call in pair.calls])
        if turn >= WARM_TURNS:
            pages.append(page)
            calls.append(data)
    page, data = statistics.median(pages), statistics.median(calls)
    print(
        f"{pair.name:<11} page {page:6.1f} ms   API {data:6.1f} ms ({len(pair.calls)} calls)"
        f"   ratio {page / data:.2f} (goal {GOAL})"
    )


def main() -> int:
    """Compare each pair on one server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--at")
    asked = parser.parse_args()
    print(json.dumps(machine()))
    with a_platform(asked.at) as address:
        browser, api = signed_in(address)
        for pair in pairs(api):
            compare(browser, api, pair, asked.turns)
        browser.close()
        api.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
