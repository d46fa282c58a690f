"""What the docs say is true: generated pages are fresh, links and commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketplace.cli import main
from tools.docs import PAGES, ROOT, all_errors

PAGES_BY_HAND = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=str)
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_fresh(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m tools.docs"


@pytest.mark.parametrize("page", PAGES_BY_HAND, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    dead = [
        target
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text)
        if "://" not in target and not (page.parent / target).exists()
    ]

    assert dead == []


def test_every_command_in_the_readme_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^marketplace (\w+)", text, re.MULTILINE)
    targets = re.findall(r"`make (\w+)|^make (\w+)", text, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {"serve", "worker", "migrate"} <= set(commands)
    assert [name for name in commands if name not in main.commands] == []
    assert [
        name for pair in targets for name in pair if name and f"\n{name}:" not in makefile
    ] == []


def test_every_refusal_has_a_code_of_its_own_a_title_and_a_sentence():
    errors = all_errors()
    codes = [error.code for error in errors]

    assert [code for code in codes if codes.count(code) > 1] == []
    assert [e.__name__ for e in errors if not (e.code and e.title and e.__doc__)] == []
    assert [e.__name__ for e in errors if not re.fullmatch(r"[a-z0-9-]+", e.code)] == []


def test_every_refusal_is_met_by_some_test():
    unmet = [
        error.__name__
        for error in all_errors()
        if not re.search(rf"\b{error.__name__}\b|\b{re.escape(error.code)}\b", TESTS)
    ]

    assert unmet == []
