"""How fast reservations are placed under every rule, against the same SQL through bare asyncpg.

    python -m benchmarks.booking [--seconds 6] [--rounds 3] [--reservations 10000 1000000] [--json]

For each number of reservations it starts a PostgreSQL of its own (fsync and synchronous_commit on),
fills it, starts one uvicorn process of the real application and one of `booking_raw.py`, and lets
16 connections book slots that are all free, in turns, round by round. Every instrument has classes
of user with hours of their own, priority and peak hours, a dated day, a floor for others and a
qualification to hold; every person has two quotas. Figures are medians of the rounds. Client, web
process and PostgreSQL share the machine, so rates from another machine compare by their ratios
only; CPU time per request repeats better than rates do.
"""

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import asyncpg
import uvloop

from benchmarks import booking_fill
from benchmarks.load import (
    SECRET,
    cpu_seconds,
    load,
    machine,
    medians,
    process_stat,
    web_process,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate
from marketplace.kernel.tokens import AccessTokens


class Requests:
    """Requests for slots that nobody has taken: the next one on each call."""

    def __init__(self, filled: booking_fill.Filled, tokens: list[str]) -> None:
        self.filled, self.tokens = filled, tokens
        self.numbers = itertools.count()

    def placing(self, prefix: str) -> Callable[[], bytes]:
        def make() -> bytes:
            number = next(self.numbers)
            instrument_id, starts_at = self.filled.slot(number)
            body = (
                f'{{"instrument_id":{instrument_id},"purpose":"own_research",'
                f'"starts_at":"{starts_at.isoformat()}",'
                f'"ends_at":"{(starts_at + booking_fill.SLOT).isoformat()}"}}'
            )
            return (
                f"POST {prefix}/reservations HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {self.tokens[number % len(self.tokens)]}\r\n"
                f"Idempotency-Key: slot-{number}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()

        return make

    def reading(self, prefix: str) -> Callable[[], bytes]:
        week = f"from={quote(self.filled.first.isoformat())}"
        week += f"&until={quote((self.filled.first + timedelta(days=7)).isoformat())}"
        ids = itertools.cycle(self.filled.history_ids)

        def make() -> bytes:
            path = f"{prefix}/instruments/{next(ids)}/availability?{week}"
            return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()

        return make


@dataclass(frozen=True)
class Subject:
    """Something to measure: a web process and what is asked of it."""

    name: str
    web_pid: int
    port: int
    make: Callable[[], bytes]
    clients: int
    expected: bytes


async def measure(subject: Subject, *, postmaster: int, seconds: float) -> dict[str, float]:
    web, server = cpu_seconds(subject.web_pid), cpu_seconds(postmaster, with_children=True)
    client, began = time.process_time(), time.perf_counter()
    tally = await load(subject.port, subject.make, clients=subject.clients, seconds=seconds)
    took = time.perf_counter() - began
    count = len(tally.latencies)
    wrong = count - tally.statuses[subject.expected]
    if wrong:
        raise SystemExit(f"{subject.name}: {dict(tally.statuses)}")
    ordered = sorted(tally.latencies)
    return {
        "per_second": count / took,
        "p50_ms": ordered[count // 2] * 1000,
        "p99_ms": ordered[int(count * 0.99)] * 1000,
        "web_cpu_ms": (cpu_seconds(subject.web_pid) - web) / count * 1000,
        "postgres_cpu_ms": (cpu_seconds(postmaster, with_children=True) - server) / count * 1000,
        "client_cpu_ms": (time.process_time() - client) / count * 1000,
    }


async def compare(
    subjects: list[Subject], *, postmaster: int, rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Every subject in turn, then again: what disturbs the machine disturbs all alike."""
    found: dict[str, list[dict[str, float]]] = {}
    for subject in subjects:
        await measure(subject, postmaster=postmaster, seconds=1.0)
    for _ in range(rounds):
        for subject in subjects:
            figures = await measure(subject, postmaster=postmaster, seconds=seconds)
            found.setdefault(subject.name, []).append(figures)
    return {name: medians(figures) for name, figures in found.items()}


RATIOS = (
    ("place: application c=16", "place: raw c=16"),
    ("place: application c=1", "place: raw c=1"),
    ("week: application c=16", "week: raw c=16"),
)


async def conditions(url: str, filled: booking_fill.Filled) -> dict[str, object]:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://"))
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    settings = {name: await connection.fetchval(f"show {name}") for name in names}
    await connection.close()
    filling = {"instruments": filled.instruments, "reservations_before": filled.reservations}
    return machine() | settings | filling


def _cpu(figures: dict[str, float]) -> float:
    return figures["web_cpu_ms"] + figures["postgres_cpu_ms"]


async def run(options: argparse.Namespace, folder: Path, reservations: int) -> dict[str, object]:
    server = EmbeddedPostgres(folder, options={"max_connections": "100"})
    url = await asyncio.to_thread(server.start)
    try:
        await asyncio.to_thread(migrate, url)
        filled = await booking_fill.fill(url, reservations=reservations)
        postmaster = int(process_stat(filled.backend_pid)[1])
        tokens = AccessTokens(SECRET, minutes=600)
        staff = frozenset({"technician"})
        requests = Requests(
            filled,
            [
                tokens.issue(Actor(person_id, filled.provider_id, "provider", staff))
                for person_id in filled.people
            ],
        )
        with (
            web_process("marketplace.app:application", url) as (real_pid, real_port),
            web_process("benchmarks.booking_raw:application", url) as (raw_pid, raw_port),
        ):
            ways = (("application", real_pid, real_port, "/api/v1"), ("raw", raw_pid, raw_port, ""))
            subjects = [
                Subject(f"{what} {name} c={clients}", pid, port, make(prefix), clients, expected)
                for what, make, clients, expected in (
                    ("place:", requests.placing, 16, b"201"),
                    ("place:", requests.placing, 1, b"201"),
                    ("week:", requests.reading, 16, b"200"),
                )
                for name, pid, port, prefix in ways
            ]
            stated = await conditions(url, filled)
            figures = await compare(
                subjects,
                postmaster=postmaster,
                rounds=options.rounds,
                seconds=options.seconds,
            )
        ratios = {
            f"requests per second, {one} / {other}": figures[one]["per_second"]
            / figures[other]["per_second"]
            for one, other in RATIOS
        } | {
            f"CPU of web process and PostgreSQL, {other} / {one}": _cpu(figures[other])
            / _cpu(figures[one])
            for one, other in RATIOS
            if "web_cpu_ms" in figures[other]
        }
        overlaps = await booking_fill.overlaps(url)
        return {
            "conditions": stated,
            "figures": figures,
            "ratios": ratios,
            "overlaps": overlaps,
        }
    finally:
        await asyncio.to_thread(server.stop)


def show(found: dict) -> None:
    for name, value in found["conditions"].items():
        print(f"{name}: {value}")
    print(f"\n{'':26}{'req/s':>8}{'p50':>8}{'p99':>8}   CPU ms/request: web, PostgreSQL, client")
    for name, one in found["figures"].items():
        line = f"{name:26}{one['per_second']:8.0f}"
        if "p50_ms" in one:
            line += f"{one['p50_ms']:8.1f}{one['p99_ms']:8.1f}   "
            line += f"{one['web_cpu_ms']:14.2f}{one['postgres_cpu_ms']:10.2f}"
            line += f"{one['client_cpu_ms']:10.2f}"
        print(line)
    print()
    for name, ratio in found["ratios"].items():
        print(f"{ratio:5.2f}  {name}")
    print(
        f"{found['overlaps']:5}  pairs of live reservations that overlap, among those placed here"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--reservations", type=int, nargs="+", default=[200_000], help="that exist before"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    for reservations in options.reservations:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found.append(uvloop.run(run(options, Path(folder), reservations)))
            if not options.json:
                show(found[-1])
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show_growth(found)


def show_growth(found: list[dict]) -> None:
    """What more reservations cost in CPU of web process and PostgreSQL, against the first."""
    if len(found) < 2:
        return
    print("\nCPU per request as the number of reservations grows, against the first")
    for name in ("place: application c=16", "week: application c=16"):
        first = _cpu(found[0]["figures"][name])
        for one in found:
            many = one["conditions"]["reservations_before"]
            print(f"{_cpu(one['figures'][name]) / first:5.2f}  {name}, {many:,} reservations")


if __name__ == "__main__":
    main()
