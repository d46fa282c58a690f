"""Policy as data: every number that a policy fixes or leaves open, dated and with its source.

A computation asks for its terms by day and keeps a snapshot of them with what it computed, so
last year's run recomputes to the same fen. Changing a number from a day on is one more dated term.
"""

from marketplace.rulebook.book import Rulebook, load, rulebook, rulebook_path, use_rulebook
from marketplace.rulebook.terms import Schedule, Term

__all__ = [
    "Rulebook",
    "Schedule",
    "Term",
    "load",
    "rulebook",
    "rulebook_path",
    "use_rulebook",
]
