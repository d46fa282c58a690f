"""A process that settles what is due, on a clock that stands where the test's does."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from marketplace.kernel.db import Database
from marketplace.kernel.time import SetClock
from marketplace.orders.settling import accept_reviewed


class SettlerProcess:
    """The job that settles, in a process of its own that can be killed."""

    def __init__(self, database_url: str, now: datetime, folder: Path, *, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.builders.settler_process", now.isoformat()],
            env={**os.environ, "DATABASE_URL": database_url},
            stderr=(folder / f"settler-{number}.log").open("wb"),
        )

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


async def settle(url: str, now: datetime) -> None:
    """Settle in small chunks, so that there is a middle to be killed in."""
    database = Database(url, clock=SetClock(now))
    await accept_reviewed(database, chunk=100)
    await database.close()


if __name__ == "__main__":
    asyncio.run(settle(os.environ["DATABASE_URL"], datetime.fromisoformat(sys.argv[1])))
