"""Writes the pages of docs/ that are generated from code: `python -m tools.docs`.

`tests/architecture/test_docs.py` fails when a page is stale, so what they say is true.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections import defaultdict
from pathlib import Path

import marketplace
from marketplace.kernel.errors import DomainError
from marketplace.kernel.problems import FRAMEWORK_PROBLEMS
from marketplace.kernel.settings import Settings
from marketplace.rulebook import Rulebook, load, rulebook_path
from marketplace.rulebook.terms import Section

ROOT = Path(__file__).resolve().parent.parent
BOOKS = ("jiangsu", "hunan", "national")
# A requirement's id: the document's letter, the article, and what stands behind it.
CLAUSE = re.compile(
    r"\b(?:[NHJ]\.(?:gap|A\d|\d{1,3})[0-9A-Za-z.-]*(?<![.-])"
    r"|F\.(?:289-\d+|quota|hours|booking|bank|invoice|layout|categories)\b)"
)


def import_everything() -> None:
    """Import every module, so that every error, event and job is known."""
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if not module.name.endswith("__main__") and ".embedded.keeper" not in module.name:
            importlib.import_module(module.name)


def all_errors() -> list[type[DomainError]]:
    """Every refusal that can leave the platform, by code."""
    import_everything()
    found: list[type[DomainError]] = []
    waiting = [DomainError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            waiting.append(child)
            if child.__module__.startswith("marketplace."):
                found.append(child)
    return sorted(set(found), key=lambda error: (error.status, error.code))


def first_sentence(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def problems() -> str:
    """docs/problems.md."""
    lines = [
        "# Problems",
        "",
        "Every refusal is `application/problem+json` with `type`, `title`, `status`, `detail`,",
        "`instance` and `request_id`.",
        "`reasons` lists all that is wrong, each with its rule, limit, what was asked, source and",
        "whether staff may override it; `alternatives` says what would be possible instead.",
        "This page is generated from the code.",
        "",
        "| status | type | what it means |",
        "|---|---|---|",
    ]
    refusals = [(error.status, error.code, first_sentence(error.__doc__)) for error in all_errors()]
    refusals += [
        (status, code, f"{title}.") for status, (code, title) in FRAMEWORK_PROBLEMS.items()
    ]
    lines += [
        f"| {status} | `/problems/{code}` | {meaning} |"
        for status, code, meaning in sorted(refusals)
    ]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Read from the environment, and from a file `.env` in the working directory.",
        "This page is generated from the code.",
        "",
        "| name | default | what it does |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"MARKETPLACE_{name.upper()}")
        default = "the user's data folder" if name == "data_folder" else _shown(field.default)
        lines.append(f"| `{variable}` | {default} | {field.description} |")
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    text = str(default)
    return "empty" if text in ("", "**********") else f"`{text}`"


def jobs_page() -> str:
    """docs/jobs.md."""
    from marketplace.assembly import all_jobs
    from marketplace.worker import all_handlers

    lines = [
        "# Jobs and events",
        "",
        "`marketplace worker` runs these; any number of workers may run, and each tick fires once.",
        "Times are Shanghai time. This page is generated from the code.",
        "",
        "| job | when (crontab) | what it does |",
        "|---|---|---|",
    ]
    lines += [f"| `{job.name}` | `{job.cron}` | {job.about} |" for job in all_jobs()]
    lines += ["", "| event | heard by |", "|---|---|"]
    heard = all_handlers()
    for event in sorted(heard, key=lambda one: one.__name__):
        names = ", ".join(f"`{handler.__module__}.{handler.__name__}`" for handler in heard[event])
        lines.append(f"| `{event.__name__}` | {names} |")
    return "\n".join(lines) + "\n"


def ledger_page() -> str:
    """docs/ledger.md."""
    from marketplace.billing.ledger.rules.document import chart_of_accounts

    return chart_of_accounts()


def traceability() -> str:
    """docs/policy/traceability.md: clause → number → rule → test."""
    terms: dict[str, set[str]] = defaultdict(set)
    for book in BOOKS:
        for clause, term in _terms(load(rulebook_path(book)), book):
            terms[clause].add(term)
    rules = _mentions(ROOT / "marketplace", "*.py")
    tests = _mentions(ROOT / "tests", "*.py")
    lines = [
        "# From clause to number to rule to test",
        "",
        "What the letters stand for is in [sources.md](sources.md).",
        "This page is generated from the rulebooks and from the ids that code and tests cite.",
        "",
        "| clause | numbers | code | tests |",
        "|---|---|---|---|",
    ]
    for clause in sorted({*terms, *rules} - {"J.gap"}, key=_in_order):
        row = (sorted(group.get(clause, ())) for group in (terms, rules, tests))
        lines.append(f"| {clause} | " + " | ".join("<br>".join(cell) for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _terms(book: Rulebook, name: str) -> list[tuple[str, str]]:
    found = []
    for section_name in type(book).model_fields:
        section = getattr(book, section_name)
        if isinstance(section, Section):
            for term_name in type(section).model_fields:
                found += [
                    (term.source, f"{name}: `{section_name}.{term_name}`")
                    for term in getattr(section, term_name).root
                ]
    return found


def _mentions(folder: Path, pattern: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob(pattern)):
        for clause in CLAUSE.findall(path.read_text(encoding="utf-8")):
            found[clause].add(f"`{path.relative_to(ROOT)}`")
    return found


def _in_order(clause: str) -> list[tuple[int, str]]:
    return [(int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", clause)]


PAGES = {
    "docs/problems.md": problems,
    "docs/settings.md": settings_page,
    "docs/jobs.md": jobs_page,
    "docs/ledger.md": ledger_page,
    "docs/policy/traceability.md": traceability,
}


def main() -> int:
    """Write every page."""
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
