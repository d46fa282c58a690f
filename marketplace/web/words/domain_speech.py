"""What the domains say in English, in Chinese: sentences by their pattern, read from `sentences/`.

The domains speak English, as the API does, and fill in what they know. The catalogue has each
sentence once, with `{0}`, `{1}` … in place of what is filled in; `tools/sentences.py` finds them in
the code, and a test holds the two against each other.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Final

from marketplace.web.words.labels import LABELS

_FOLDER = files("marketplace.web.words") / "sentences"
_WORDS_FILE = "words.toml"
_PLACE = re.compile(r"\{(\d+)\}")
# Longer texts were written by people.
_LENGTH_MAX = 2_000
# Between the sentences of a text, and between the halves of a sentence.
_BETWEEN = (re.compile(r"(?<=[.!?]) "), re.compile(r"; "))


def _read(name: str) -> dict[str, str]:
    return tomllib.loads((_FOLDER / name).read_text("utf-8"))


CATALOGUE: Final[dict[str, str]] = {
    english: chinese
    for each in sorted(file.name for file in _FOLDER.iterdir() if file.name.endswith(".toml"))
    if each != _WORDS_FILE
    for english, chinese in _read(each).items()
}
"""Every sentence of the domains, and what it is in Chinese."""


def _words() -> dict[str, str]:
    """Names of states that all pages share, and those of sentences where they differ."""
    named: dict[str, set[str]] = {}
    # The names of facts are no states, and never filled in.
    for labels in (each for group, each in LABELS.items() if group != "fact"):
        for value, each in labels.items():
            if not value.isdigit():
                named.setdefault(value, set()).add(each.chinese)
    return {value: one.pop() for value, one in named.items() if len(one) == 1} | _read(_WORDS_FILE)


_WORDS: Final = _words()


# Whatever is filled in; and what is filled in where no further sentence follows it.
_ANYTHING: Final = ".+?"
_NO_SENTENCE_END: Final = "(?:(?![.!?] ).)+?"


def _pattern(english: str, filled: str) -> re.Pattern[str]:
    """What matches the sentence with `filled` in its places."""
    parts = _PLACE.split(english)
    said = (
        re.escape(part) if place % 2 == 0 else f"(?P<p{part}>{filled})"
        for place, part in enumerate(parts)
    )
    return re.compile("".join(said), re.DOTALL)


# What says most stands first, and what says next to nothing comes last: "{0}: {1}" would match
# nearly everything.
_LITTLE: Final = 12


def _weight(english: str) -> int:
    return len(_PLACE.sub("", english))


_ORDERED: Final = [
    english for english in sorted(CATALOGUE, key=_weight, reverse=True) if _PLACE.search(english)
]


def _patterns(filled: str, *, strong: bool) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (_pattern(english, filled), CATALOGUE[english])
        for english in _ORDERED
        if (_weight(english) > _LITTLE) is strong
    )


# One sentence, before several in a row: what ends with something filled in would swallow them.
_ALONE: Final = _patterns(_NO_SENTENCE_END, strong=True)
_STRONG: Final = _patterns(_ANYTHING, strong=True)
_WEAK: Final = _patterns(_ANYTHING, strong=False)


@lru_cache(maxsize=4_096)
def in_chinese(text: str) -> str | None:
    """A text of the domains in Chinese, or None where it is not one of theirs."""
    if not text or len(text) > _LENGTH_MAX:
        return None
    if text in CATALOGUE:
        return CATALOGUE[text]
    return (
        _matched(text, _ALONE)
        or _piecewise(text)
        or _matched(text, _STRONG)
        or _matched(text, _WEAK)
    )


def _matched(text: str, patterns: tuple[tuple[re.Pattern[str], str], ...]) -> str | None:
    for pattern, chinese in patterns:
        if found := pattern.fullmatch(text):
            filled = [_filled(found[f"p{place}"]) for place in range(len(found.groups()))]
            return chinese.format(*filled)
    return None


def _piecewise(text: str) -> str | None:
    """Several sentences in a row."""
    for between in _BETWEEN:
        pieces = between.split(text)
        told = [in_chinese(piece) for piece in pieces] if len(pieces) > 1 else []
        if told and all(told):
            return "".join(piece for piece in told if piece)
    return None


def _filled(value: str) -> str:
    """What was filled in: a sentence of its own, a state, several of them, or as it is."""
    said = in_chinese(value) or _WORDS.get(value)
    if said is None and ", " in value:
        return "、".join(_WORDS.get(part, part) for part in value.split(", "))
    return said or value
