"""How texts become words to search by: pairs of characters for Chinese, words for Latin script.

PostgreSQL cannot split Chinese. Pairs of neighbouring characters find every part of a name without
a dictionary, and the same splitting is done to what is stored and to what is asked.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice, pairwise

from marketplace.catalogue.rules.synonyms import METHODS

LEXEMES_MAX = 2_000
LEXEME_LENGTH_MAX = 40
QUERY_LENGTH_MAX = 200
QUERY_WORDS_MAX = 16
# A Latin word this long also finds the words that begin with it.
PREFIX_LENGTH_MIN = 4

_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_RUN = re.compile(rf"[{_CHINESE}]+|[0-9a-z]+(?:[-./_][0-9a-z]+)*")
_ACCENT = re.compile(r"[\u0300-\u036f]+")
# What everything here is: 质谱仪器 asks for 质谱, and 仪器 alone for everything.
_GENERIC = re.compile(rf"(?:仪器设备|仪器|设备)(?![{_CHINESE}])")
_BETWEEN = re.compile(r"[ ./_-]")
_PART = re.compile(r"[0-9a-z]+")
_IS_CHINESE = re.compile(rf"[{_CHINESE}]")


def folded(text: str) -> str:
    """`text` with one spelling for full-width, accented and capital letters."""
    if text.isascii():
        return text.lower()
    return _ACCENT.sub("", unicodedata.normalize("NFKD", text).casefold())


def _pairs(run: str) -> list[str]:
    return [one + other for one, other in pairwise(run)] or [run]


def lexemes(texts: Iterable[str]) -> set[str]:
    """The words under which `texts` are found.

    `ICP-MS` is found as `icp`, as `ms` and as `icpms`; a run of Chinese by each pair of its
    characters. Bounded: what comes after `LEXEMES_MAX` words is not found.
    """
    found: dict[str, None] = {}
    for text in texts:
        for run in _RUN.findall(folded(text)):
            if _IS_CHINESE.match(run):
                found.update(dict.fromkeys(_pairs(run)))
            else:
                parts = _PART.findall(run)
                found.update((part[:LEXEME_LENGTH_MAX], None) for part in parts)
                found["".join(parts)[:LEXEME_LENGTH_MAX]] = None
        if len(found) >= LEXEMES_MAX:
            break
    return set(islice(found, LEXEMES_MAX))


def _literal(word: str, *, prefix: bool = False) -> str:
    # Words hold letters, digits and Chinese characters only, so nothing needs escaping.
    return f"'{word[:LEXEME_LENGTH_MAX]}'" + (":*" if prefix else "")


def _all_of(conditions: Iterable[str]) -> str:
    return "(" + " & ".join(conditions) + ")"


def _run_condition(run: str, *, prefixes: bool) -> str:
    if _IS_CHINESE.match(run):
        if len(run) == 1:
            return _literal(run, prefix=True)
        return _all_of(_literal(pair) for pair in _pairs(run))
    parts = _PART.findall(run)
    if len(parts) > 1:
        apart = _all_of(_literal(part) for part in parts)
        return f"({_literal(''.join(parts))} | {apart})"
    return _literal(run, prefix=prefixes and len(run) >= PREFIX_LENGTH_MIN)


def _phrase_condition(phrase: str, *, prefixes: bool) -> str:
    runs = _RUN.findall(phrase)[:QUERY_WORDS_MAX]
    return _all_of(_run_condition(run, prefixes=prefixes) for run in runs)


def _spelling(phrase: str) -> str:
    return " ".join(_RUN.findall(folded(phrase)))


def _key(spelling: str) -> str:
    """ICP-MS, ICP MS and ICPMS are one name."""
    return _BETWEEN.sub("", spelling)


def _groups() -> tuple[dict[str, str], dict[str, set[str]]]:
    """What each name of a method asks for, and how the method's names are spelled."""
    conditions: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for group in METHODS:
        spellings = {_spelling(name) for name in group}
        either = {_phrase_condition(spelling, prefixes=False) for spelling in spellings}
        for spelling in spellings:
            conditions.setdefault(_key(spelling), set()).update(either)
            names.setdefault(_key(spelling), set()).update(spellings)
    return {
        key: "(" + " | ".join(sorted(either)) + ")" for key, either in conditions.items()
    }, names


def _name_pattern(spelling: str) -> str:
    between = "[ ./_-]?".join(re.escape(part) for part in _BETWEEN.split(spelling))
    if _IS_CHINESE.match(spelling):
        return between
    # Latin names are whole words: SEM is not in "semiconductor".
    return rf"(?<![0-9a-z]){between}(?![0-9a-z])"


_CONDITIONS, _NAMES = _groups()
# The longest first: 场发射扫描电镜 is not taken for 扫描电镜.
_METHOD = re.compile(
    "|".join(
        _name_pattern(spelling)
        for spelling in sorted(set().union(*_NAMES.values()), key=len, reverse=True)
    )
)


def search_condition(text: str) -> str | None:
    """What `text` asks for as a PostgreSQL `tsquery`; empty for everything, None without a word.

    Every word must be found; a known method is found under each of its names.
    """
    asked = _spelling(text[:QUERY_LENGTH_MAX])
    if not asked:
        return None
    rest = _GENERIC.sub(" ", asked)
    conditions = [_CONDITIONS[_key(match.group())] for match in _METHOD.finditer(rest)]
    for run in _RUN.findall(_METHOD.sub(" ", rest)):
        conditions.append(_run_condition(run, prefixes=True))
    return " & ".join(dict.fromkeys(conditions[:QUERY_WORDS_MAX]))


def name_patterns(text: str) -> list[str]:
    """What a name looks like that answers `text` itself, for LIKE: such hits come first."""
    rest = _GENERIC.sub("", _spelling(text[:QUERY_LENGTH_MAX])).strip()
    if not rest:
        return []
    names = {rest}
    for match in _METHOD.finditer(rest):
        names |= _NAMES[_key(match.group())]
    # Spaces stand where a script changes or a sign was left out: X射线, x-ray.
    return sorted("%" + name.replace(" ", "%") + "%" for name in names)
