"""Takes the pictures of `docs/screenshots/` from a running demo: `python -m tools.screenshots`.

marketplace demo --scale small --port 8000      # in another window
python -m tools.screenshots [--at http://127.0.0.1:8000]
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from marketplace.demo.world import PASSWORD
from tools.find_browser import browser

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
DESK, PHONE = (1280, 900), (390, 844)
COLOURS = 128


@dataclass(frozen=True)
class Shot:
    """A picture: who looks at what; `then` is a pattern of the link to follow from there."""

    name: str
    who: str | None
    path: str
    then: str | None = None
    language: str = "zh"
    theme: str = "light"
    size: tuple[int, int] = DESK


SHOTS = (
    Shot("start", None, "/"),
    Shot("search", "sme1", "/instruments?text=显微镜"),
    Shot("instrument", "sme1", "/instruments?text=显微镜", r"/instruments/\d+"),
    Shot("order", "sme1", "/orders", r"/orders/\d+"),
    Shot("vouchers-english", "sme1", "/vouchers", language="en"),
    Shot("phone", "sme1", "/instruments?text=显微镜", size=PHONE),
    Shot("schedule", "provider1", "/provider/schedule"),
    Shot("usage", "provider1", "/provider/usage"),
    Shot("finance", "finance-maker", "/finance"),
    Shot("reconciliation-night", "finance-maker", "/finance/reconciliation", theme="night"),
    Shot("reward", "finance-checker", "/finance/rewards", r"/finance/rewards/\d+"),
    Shot("rulebook", None, "/rules"),
)


def take(shown: Browser, at: str, shot: Shot) -> Path:
    """Open the page as its people do, and keep what a window shows."""
    width, height = shot.size
    context = shown.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    cookies = {"lang": shot.language, "theme": shot.theme}
    context.add_cookies(
        [{"name": name, "value": each, "url": at} for name, each in cookies.items()]
    )
    page = context.new_page()
    if shot.who is not None:
        _sign_in(page, at, shot.who)
    page.goto(at + shot.path)
    if shot.then is not None:
        page.goto(at + _link(page, shot.then))
    page.wait_for_load_state("networkidle")
    path = FOLDER / f"{shot.name}.png"
    # Few colours: pages have few, and the pictures travel with the sources.
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
    context.close()
    return path


def _sign_in(page: Page, at: str, who: str) -> None:
    page.goto(f"{at}/sign-in")
    page.fill("[name=email]", f"{who}@demo.invalid")
    page.fill("[name=password]", PASSWORD)
    page.click("main button.btn-primary")
    page.wait_for_load_state("networkidle")


def _link(page: Page, pattern: str) -> str:
    """The first link of the page that fits."""
    links: list[str] = page.eval_on_selector_all(
        "main a[href]", "all => all.map(a => a.getAttribute('href'))"
    )
    return next(link for link in links if re.fullmatch(pattern, link))


def main() -> int:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", default="http://127.0.0.1:8000")
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        shown = playwright.chromium.launch(executable_path=browser(), args=ARGUMENTS)
        for shot in SHOTS:
            path = take(shown, asked.at, shot)
            print(f"{path.relative_to(FOLDER.parent.parent)}: {path.stat().st_size // 1024} KB")
        shown.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
