"""The rulebook as people read it: each number, since when, and the clause it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from marketplace.kernel.http import services
from marketplace.kernel.time import shanghai_day
from marketplace.rulebook import Rulebook, Schedule, Term, rulebook
from marketplace.web.forms import Typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, anybody, visitor_of


@dataclass(frozen=True, slots=True)
class Rule:
    """A dated number: its section and name, the term in force, and all there are."""

    section: str
    name: str
    now: Term[Any] | None
    terms: tuple[Term[Any], ...]


def rules_of(book: Rulebook, request_day: Any) -> list[Rule]:
    """Every dated term of a rulebook."""
    return [
        Rule(section, name, schedule.find(request_day), tuple(schedule.root))
        for section in type(book).model_fields
        for name, schedule in dict(getattr(book, section)).items()
        if isinstance(schedule, Schedule)
    ]


@get("/rules", **anybody())
async def show_rules(request: PageRequest) -> Response[Any]:
    """Clause, number, since when; searchable, for everybody."""
    form = Typed(request.query_params, visitor_of(request).speech)
    wanted = form.text("text", length_max=60, needed=False).casefold()
    today = shanghai_day(services(request).database.clock.now())
    found = [
        rule
        for rule in rules_of(rulebook(), today)
        if wanted
        in f"{rule.section}.{rule.name} {' '.join(term.source for term in rule.terms)}".casefold()
    ]
    return page(request, "centre/rules.html", form=form, rules=found, today=today)


routes: list[ControllerRouterHandler] = [show_rules]
