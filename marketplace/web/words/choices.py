"""What lists offer to choose from, by its name in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable

from marketplace.web.words.labels import label
from marketplace.web.words.speech import Speech


def named(speech: Speech, group: str, values: Iterable[str]) -> list[tuple[str, str]]:
    """Each value with its name."""
    names = [(str(value), label(group, value)) for value in values]
    return [(value, speech.either(name.chinese, name.english)) for value, name in names]
