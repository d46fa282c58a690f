"""The clauses that a quote's contract must have, with the texts offered for them."""

from __future__ import annotations

from marketplace.orders.queries.quotes import Quote
from marketplace.orders.rules.contract import FORMS, ClauseForm


def offered_clauses(quote: Quote) -> list[ClauseForm]:
    """One form for each required clause; an empty one where nobody wrote a text."""
    return [
        FORMS.get(name) or ClauseForm(name, name, name, "", "", "")
        for name in quote.term("orders", "contract_clauses")
    ]
