"""Running the web server: in this process, or in several that share Redis."""

from __future__ import annotations

import os
import tempfile

import uvicorn

from marketplace.kernel.settings import Settings, settings

# Open streams would hold a stopping server for ever.
GRACE_SECONDS = 10


def serve_until_stopped(wanted: Settings) -> None:
    """Run uvicorn in this process, or in several children, until SIGINT or SIGTERM.

    Raises:
        ValueError: for several web processes without Redis: a sign-in would live in one of them.
    """
    if wanted.web_processes > 1:
        if not wanted.redis_url:
            raise ValueError("several web processes need REDIS_URL (docs/settings.md)")
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="metrics-"))
    # Each process reads its settings from the environment, also the first.
    os.environ["MARKETPLACE_WEB_PROCESSES"] = str(wanted.web_processes)
    os.environ["DATABASE_URL"] = wanted.database_url
    os.environ["MARKETPLACE_TOUR_FILE"] = wanted.tour_file
    settings.cache_clear()
    uvicorn.run(
        "marketplace.app:application",
        factory=True,
        host=wanted.host,
        port=wanted.port,
        workers=wanted.web_processes,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        proxy_headers=True,
        server_header=False,
    )
