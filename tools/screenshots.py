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
from datetime import timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from marketplace.demo.world import PASSWORD
from marketplace.kernel.time import SystemClock, shanghai_day
from tools.find_browser import browser

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
DESK, PHONE = (1280, 900), (390, 844)
# As many colours as the size of a picture leaves room for.
COLOURS = (128, 64, 32)
BYTES_MAX = 150 * 1024


@dataclass(frozen=True)
class Shot:
    """A picture: who looks at what.

    `then` are patterns of the links to follow from there, one after the other; `clicks` are pressed
    there; `shows` is what is scrolled to; `window` is as wide and high as the picture.
    """

    name: str
    who: str | None
    path: str
    then: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    shows: str = "h1"
    language: str = "zh"
    theme: str = "day"
    window: tuple[int, int] = DESK


MICROSCOPES = "/instruments?text=显微镜"
TODAY = shanghai_day(SystemClock().now())
NEXT_WEDNESDAY = TODAY + timedelta(days=9 - TODAY.weekday())
AN_INSTRUMENT, AN_ORDER = r"/instruments/\d+", r"/orders/\d+"
SHOTS = (
    Shot("search", "sme1", MICROSCOPES),
    Shot(
        "calendar",
        "sme1",
        MICROSCOPES,
        (AN_INSTRUMENT,),
        clicks=("role=button[name='下一页']",),
        shows="[data-island=calendar]",
    ),
    Shot("order", "sme1", "/orders?status=settled", (AN_ORDER,)),
    Shot("vouchers-english", "sme1", "/vouchers", language="en"),
    Shot("phone", "sme1", MICROSCOPES, shows="main h2", window=PHONE),
    Shot("timeline", "provider1", f"/provider/schedule?day={NEXT_WEDNESDAY}&days=1"),
    Shot(
        "availability",
        "provider1",
        "/provider/instruments",
        (r"/provider/instruments/\d+", r"/provider/instruments/\d+/availability"),
    ),
    Shot("reconciliation", "finance-maker", "/finance/reconciliation?status=all"),
    Shot("ledger-night", "auditor", "/finance/ledger", (r"/finance/ledger/\d+",), theme="night"),
    Shot(
        "reward",
        "finance-checker",
        "/finance/rewards",
        (r"/finance/rewards/\d+", r"/finance/rewards/\d+/\d+"),
    ),
    Shot("rulebook", None, "/rules"),
    Shot("anomalies", "auditor", "/ops/anomalies"),
    Shot("figures", "auditor", "/figures", shows="main figure, [data-island=chart]"),
)


def take(shown: Browser, at: str, shot: Shot) -> Path:
    """Open the page as its people do, and keep what a window shows."""
    width, height = shot.window
    context = shown.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    cookies = {"lang": shot.language, "theme": shot.theme}
    context.add_cookies(
        [{"name": name, "value": each, "url": at} for name, each in cookies.items()]
    )
    page = context.new_page()
    if shot.who is not None:
        _sign_in(page, at, shot.who)
    page.goto(at + shot.path)
    for pattern in shot.then:
        page.goto(at + _link(page, pattern))
    page.wait_for_load_state("networkidle")
    for selector in shot.clicks:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")
    # Below the bar that stays on top.
    page.locator(shot.shows).first.evaluate(
        "shown => scrollTo(0, Math.max(0, shown.getBoundingClientRect().top + scrollY - 90))"
    )
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    path = FOLDER / f"{shot.name}.png"
    # Few colours: pages have few, and the pictures travel with the sources.
    for colours in COLOURS:
        picture.quantize(colours).save(path, optimize=True)
        if path.stat().st_size <= BYTES_MAX:
            break
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
    fitting = (link for link in links if re.fullmatch(pattern, link.partition("?")[0]))
    found = next(fitting, None)
    assert found is not None, f"{page.url} has no link like {pattern}"
    return found


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
