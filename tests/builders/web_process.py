"""The real web process, started as an operator starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import TOKEN_SECRET

STARTS_WITHIN_SECONDS = 60


@dataclass
class WebProcess:
    """The real server as an operator starts it, on a port of its own."""

    database_url: str
    folder: str
    port: int = 0
    redis_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def log_path(self) -> Path:
        """What the server says goes here, not into the test's output."""
        return Path(self.folder) / "web.log"

    async def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(  # noqa: ASYNC220 a moment, once
            [sys.executable, "-m", "marketplace.cli", "serve", "--port", str(self.port)],
            env={
                **os.environ,
                "DATABASE_URL": self.database_url,
                "REDIS_URL": self.redis_url,
                "MARKETPLACE_TOKEN_SECRET": TOKEN_SECRET,
                "MARKETPLACE_DATA_FOLDER": self.folder,
                "MARKETPLACE_REQUESTS_PER_MINUTE": "1000000",
                "MARKETPLACE_LOG_LEVEL": "ERROR",
                # Whoever asks for a stream without meaning it waits no longer.
                "MARKETPLACE_LIVE_STREAM_SECONDS": "1",
                **self.settings,
            },
            stderr=self.log_path.open("ab"),
        )
        async with httpx.AsyncClient() as client:
            for _ in range(STARTS_WITHIN_SECONDS * 10):
                try:
                    if (await client.get(f"{self.address}/health/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                assert self.process.poll() is None, "the server ended by itself"
                await asyncio.sleep(0.1)
        raise AssertionError("the server did not get ready")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            if self.process.wait(timeout=20):
                # What hung is told in the output of the test that was running.
                print(self.log_path.read_text(encoding="utf-8"), file=sys.stderr)
