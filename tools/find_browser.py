"""Finds Chromium for the browser tests, or installs it, and says which.

In this order: `CHROMIUM`, a Chromium or Chrome on the PATH, what the test tool downloaded before,
the distribution's package (as root on Debian and Ubuntu), the test tool's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chinese in screenshots and papers, where the machine has no font for it.
PACKAGES = ("chromium", "fonts-noto-cjk")


def browser() -> str | None:
    """The path of a browser that is there."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given if Path(given).exists() else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _downloaded()


def _downloaded() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> str | None:
    """Install one, by the first way that works here."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' and '.join(PACKAGES)} with apt-get")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-yq", "--no-install-recommends", *PACKAGES]):
            done = subprocess.run(
                ["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, check=False
            )
            if done.returncode:
                break
        found = browser()
        if found:
            return found
    print("downloading Chromium with the test tool")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return browser()


def main() -> int:
    """Say which browser the tests will use."""
    found = browser() or install()
    if found is None:
        print(
            "no Chromium: install one and name it in CHROMIUM, or leave the browser tests out "
            'with PYTEST_ARGS="--ignore=tests/browser"',
            file=sys.stderr,
        )
        return 1
    print(f"browser tests use {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
