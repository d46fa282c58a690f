"""What benchmarks share: a client that does little, CPU time from /proc, a web process, pgbench."""

import asyncio
import contextlib
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from marketplace.kernel.embedded.binaries import postgres_binaries

SECRET = "a secret for benchmarks only, at least 32 bytes"
ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


# ── The client: HTTP/1.1 over kept connections, as little work as possible ────────────────────────


@dataclass
class Tally:
    """What the connections of one round saw."""

    deadline: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[bytes] = field(default_factory=Counter)


class Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next, until the deadline."""

    def __init__(self, make: Callable[[], bytes], tally: Tally, done: asyncio.Future) -> None:
        self.make, self.tally, self.done = make, tally, done
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.sent_at = time.perf_counter()
        self.transport.write(self.make())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        _, _, after = head.lower().partition(b"content-length:")
        if len(body) < int(after.partition(b"\r\n")[0]):
            return
        now = time.perf_counter()
        self.tally.latencies.append(now - self.sent_at)
        self.tally.statuses[head[9:12]] += 1
        self.buffer = b""
        if now < self.tally.deadline:
            self._send()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, make: Callable[[], bytes], *, clients: int, seconds: float) -> Tally:
    """Ask `clients` at a time for `seconds`."""
    loop = asyncio.get_running_loop()
    tally = Tally(time.perf_counter() + seconds)
    ends = []
    for _ in range(clients):
        done = loop.create_future()
        ends.append(done)
        await loop.create_connection(
            lambda done=done: Connection(make, tally, done), "127.0.0.1", port
        )
    await asyncio.gather(*ends)
    return tally


# ── CPU time from /proc ───────────────────────────────────────────────────────────────────────────


def process_stat(pid: int | str) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int, *, with_children: bool = False) -> float:
    """User and system time of a process; with its children, those that have ended included."""
    own = process_stat(pid)
    ticks = sum(map(int, own[11:13]))
    if with_children:
        ticks += sum(map(int, own[13:15]))
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    other = process_stat(entry.name)
                    if int(other[1]) == pid:
                        ticks += sum(map(int, other[11:13]))
    return ticks / TICKS


# ── The servers ───────────────────────────────────────────────────────────────────────────────────


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def web_process(factory: str, url: str) -> Iterator[tuple[int, int]]:
    """A uvicorn process and its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", factory, "--factory", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning", "--no-server-header"]
    environment = os.environ | {
        "DATABASE_URL": url,
        "MARKETPLACE_TOKEN_SECRET": SECRET,
        "MARKETPLACE_DATABASE_POOL_SIZE": "16",
        "MARKETPLACE_REQUESTS_PER_MINUTE": "1000000000",
        "MARKETPLACE_LOG_FORMAT": "json",
        "MARKETPLACE_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise SystemExit(f"{factory} did not start")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


def pgbench(url: str, script: Path, *, clients: int, seconds: float) -> float:
    """Transactions per second of the same statements with nothing in front of PostgreSQL."""
    binary = postgres_binaries().folder / "pgbench"
    program = str(binary) if binary.exists() else "pgbench"
    command = [program, "-n", "-M", "prepared", "-c", str(clients), "-j", "2"]
    command += ["-T", str(max(1, round(seconds))), "-f", str(script)]
    command.append(url.replace("postgresql+asyncpg://", "postgresql://"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps ="))
    return float(line.split()[2])


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def machine() -> dict[str, object]:
    """The conditions under which figures hold."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
    }
