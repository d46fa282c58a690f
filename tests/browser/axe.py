"""What axe finds wrong with a page: nothing may be left."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

SOURCE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# The rule skips texts of one character unless told; its options replace each other, so all of them
# are given, or it would silently not run.
_CONTRAST = {
    "ignoreUnicode": True,
    "ignoreLength": True,
    "ignorePseudo": False,
    "boldValue": 700,
    "boldTextPt": 14,
    "largeTextPt": 18,
    "contrastRatio": {"normal": {"expected": 4.5}, "large": {"expected": 3}},
    "pseudoSizeThreshold": 0.25,
    "shadowOutlineEmMax": 0.2,
    "textStrokeEmMin": 0.03,
}


@lru_cache(maxsize=1)
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")


async def faults(page: Page) -> list[str]:
    """Every violation as `rule: place`; asserts that the contrast of something was looked at."""
    await page.evaluate(_source())
    found: dict[str, Any] = await page.evaluate(
        """async (options) => {
            axe.configure({checks: [{id: "color-contrast", options}]});
            const result = await axe.run(document, {resultTypes: ["violations", "passes"]});
            const brief = (rules) => rules.map((rule) => [
                rule.id, rule.nodes.map((node) => node.target.join(" ") + " " +
                    (node.any[0]?.message ?? node.all[0]?.message ?? ""))]);
            return {violations: brief(result.violations), passes: brief(result.passes)};
        }""",
        _CONTRAST,
    )
    looked_at = dict(found["passes"]).get("color-contrast", [])
    assert looked_at, "the contrast rule did not run"
    return [f"{rule}: {place}" for rule, places in found["violations"] for place in places]
