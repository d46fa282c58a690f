"""How texts become words, and questions become conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.catalogue.rules.words import (
    LEXEMES_MAX,
    lexemes,
    name_patterns,
    search_condition,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("质谱仪", {"质谱", "谱仪"}),
        ("镜", {"镜"}),
        ("ICP-MS 质谱", {"icp", "ms", "icpms", "质谱"}),
        ("Ｘ射线衍射仪", {"x", "射线", "线衍", "衍射", "射仪"}),
        ("Résonance", {"resonance"}),
        ("!?(), ", set()),
    ],
)
def test_a_text_becomes_pairs_of_characters_and_latin_words(text: str, words: set[str]) -> None:
    assert lexemes([text]) == words


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ("质谱仪器", search_condition("质谱")),
        ("苏州 设备", "('苏州')"),
        ("仪器", ""),
        ("仪器设备 ", ""),
        ("南京", "('南京')"),
        ("谱", "'谱':*"),
        ("spectro", "'spectro':*"),
        ("d8", "'d8'"),
        ("nova-nano", "('novanano' | ('nova' & 'nano'))"),
        ("???", None),
        ("' | & ! : * \\", None),
    ],
)
def test_a_question_becomes_a_condition(asked: str, condition: str | None) -> None:
    assert condition == search_condition(asked)


def test_every_name_of_a_method_asks_the_same() -> None:
    assert search_condition("SEM") == search_condition("扫描电镜")
    assert search_condition("SEM") == search_condition("Scanning  Electron Microscope")


def test_a_short_name_is_a_whole_word() -> None:
    assert "扫描" in str(search_condition("sem"))
    assert "扫描" not in str(search_condition("semi"))


def test_the_longest_name_of_a_method_counts() -> None:
    assert "'射扫'" in str(search_condition("场发射扫描电镜"))


def test_names_that_hold_the_question_or_a_synonym_come_first() -> None:
    assert "%扫描电镜%" in name_patterns("SEM")
    assert name_patterns("  ") == []


@given(st.text(max_size=300))
def test_no_question_breaks_the_language_of_conditions(text: str) -> None:
    condition = search_condition(text) or "'x'"
    outside = condition.split("'")[::2]

    assert set("".join(outside)) <= set("()&|:* ")
    assert condition.count("(") == condition.count(")")


@given(st.lists(st.text(max_size=400), max_size=5))
def test_words_hold_no_sign_of_the_language_of_conditions(texts: list[str]) -> None:
    assert all(word and not set(word) & set("'\\&|!:*()<> ") for word in lexemes(texts))


def test_words_are_bounded() -> None:
    prose = "".join(chr(0x4E00 + number) for number in range(9_000))

    assert len(lexemes([prose, "later"])) == LEXEMES_MAX
