"""The real worker process, started as an operator starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


class WorkerProcess:
    """`marketplace worker`, and what it said."""

    def __init__(
        self, database_url: str, folder: Path, number: int = 0, *, redis_url: str = ""
    ) -> None:
        self.log_path = folder / f"worker-{number}.log"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.cli", "worker"],
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "MARKETPLACE_DATA_FOLDER": str(folder),
                "MARKETPLACE_LOG_FORMAT": "json",
            },
            stderr=self.log_path.open("wb"),
        )

    def said(self, event: str) -> list[dict[str, object]]:
        """What it logged under the name `event`."""
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in told if line["event"] == event]

    def ended(self, name: signal.Signals) -> int:
        """Its exit status after the signal."""
        self.process.send_signal(name)
        return self.process.wait(timeout=30)

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
