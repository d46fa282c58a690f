"""The rulebook as people read it: each number, where it applies, since when, and its clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import services
from marketplace.kernel.time import shanghai_day
from marketplace.rulebook import Rulebook, Schedule, Term, rulebook
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of
from marketplace.web.words.rule_words import NAMES, PLACES, SECTIONS, value_told
from marketplace.web.words.speech import Speech


@dataclass(frozen=True, slots=True)
class TermTold:
    """One term: its value in lines, its days, its clause, and the reason for it."""

    value: list[str]
    since: date
    until: date | None
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A dated number: what it is called, the term in force, and those before and after it."""

    section: str
    key: str
    name: str
    now: TermTold | None
    others: tuple[TermTold, ...]

    def holds(self, wanted: str) -> bool:
        """Whether somebody who looks for `wanted` looks for this."""
        terms = [*([self.now] if self.now else []), *self.others]
        told = [f"{each.source} {each.note} {' '.join(each.value)}" for each in terms]
        return wanted in " ".join([self.key, self.name, *told]).casefold()


@dataclass(frozen=True, slots=True)
class Chapter:
    """The rules of one section, and where they apply."""

    key: str
    name: str
    place: str
    rules: tuple[Rule, ...]


def rules_of(book: Rulebook, today: date, speech: Speech) -> Iterator[Rule]:
    """Every dated number of a rulebook, as `speech` tells it."""
    for section in type(book).model_fields:
        for name, schedule in dict(getattr(book, section)).items():
            if isinstance(schedule, Schedule):
                key = f"{section}.{name}"
                now = schedule.find(today)
                others = [each for each in schedule.root if each is not now]
                yield Rule(
                    section,
                    key,
                    speech.t(*NAMES[key]),
                    _told(now, name, speech) if now else None,
                    tuple(_told(each, name, speech) for each in others),
                )


def _told(term: Term[Any], name: str, speech: Speech) -> TermTold:
    return TermTold(
        value_told(term.value, name, term.unit, speech),
        term.since,
        term.until,
        term.source,
        speech.said(term.note),
    )


@get("/rules", **anybody())
async def show_rules(request: PageRequest) -> Response[Any]:
    """Clause, number, where it applies, since when; searchable, for everybody."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    wanted = form.text("text", length_max=60, needed=False).casefold()
    today = shanghai_day(services(request).database.clock.now())
    found = [each for each in rules_of(rulebook(), today, speech) if each.holds(wanted)]
    chapters = [
        Chapter(key, speech.t(*SECTIONS[key]), speech.t(*PLACES[key]), tuple(rules))
        for key, rules in groupby(found, lambda rule: rule.section)
    ]
    return page(request, "centre/rules.html", form=form, chapters=chapters)


routes: list[ControllerRouterHandler] = [show_rules]
