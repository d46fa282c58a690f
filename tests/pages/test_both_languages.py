"""Every page speaks the reader's language: no English sentence on a Chinese page, no Chinese one on
an English page, but for what people wrote themselves."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.browser.test_every_page import PAGES, address, who
from tests.builders.pages import Browser
from tests.http.routes import ApiRoute
from tests.pages.test_who_sees import Stage, stage

pytestmark = pytest.mark.timeout(300)

__all__ = ["stage"]

# Four words on end are a sentence; three may be a name.
ENGLISH = re.compile(r"[A-Za-z][a-z]+(?:[ ,;:’'-]+(?:[a-z]+|I|[A-Z][a-z]+)){3,}")
CHINESE = re.compile(r"[\u4e00-\u9fff][。；！？]")
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "data-confirm")
# What is the same in every language, or was written by people.
NOT_SPOKEN = {"script", "style", "code", "pre", "kbd", "samp", "textarea", "blockquote"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Read(HTMLParser):
    """What a reader of a page reads or hears in its language, but for what is marked otherwise."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        # The elements that are open, and whether they speak the page's language.
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        above = self._open[-1][1] if self._open else True
        speaks = above and tag not in NOT_SPOKEN and (tag == "html" or "lang" not in given)
        if speaks:
            self.texts += [given[name] for name in ATTRIBUTES if name in given]
        if tag not in VOID:
            self._open.append((tag, speaks))

    def handle_endtag(self, tag: str) -> None:
        while self._open and tag in {name for name, _ in self._open}:
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][1]:
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize(("language", "foreign"), [("zh", ENGLISH), ("en", CHINESE)])
async def test_no_page_falls_into_the_other_language(
    stage: Stage, language: str, foreign: re.Pattern[str]
) -> None:
    fallen: dict[str, set[str]] = {}
    for route in PAGES:
        for page in await shown(stage, route, language):
            found = {text for text in Read(page).texts if foreign.search(text)}
            if found:
                fallen.setdefault(str(route), set()).update(found)

    assert not fallen, "\n".join(
        f"{route}: {text}" for route, found in fallen.items() for text in sorted(found)
    )


async def shown(stage: Stage, route: ApiRoute, language: str) -> list[str]:
    """The page as each that may see it has it."""
    pages = []
    for actor in who(stage, route):
        async with Browser(stage.app) as browser:
            browser.http.cookies.set("lang", language, domain="platform.test")
            if actor is not None:
                await browser.enter(actor)
            answer = await browser.http.get(
                address(stage, route), headers={"Sec-Fetch-Site": "none", "Accept": "text/html"}
            )
        if answer.status_code == 200 and "text/html" in answer.headers["content-type"]:
            pages.append(answer.text)
    return pages
