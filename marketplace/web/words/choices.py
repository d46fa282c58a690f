"""What lists say and offer to choose from, by its name in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.web.words.labels import LABELS, label
from marketplace.web.words.speech import Speech


def name_of(speech: Speech, group: str, value: object) -> str:
    """The name of a state or a kind."""
    found = label(group, value)
    return speech.either(found.chinese, found.english)


def named(speech: Speech, group: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Each value with its name."""
    return [(str(value), name_of(speech, group, value)) for value in values]


def every(speech: Speech, group: str) -> list[tuple[str, str]]:
    """Each value that a group knows, with its name."""
    return named(speech, group, LABELS[group])
