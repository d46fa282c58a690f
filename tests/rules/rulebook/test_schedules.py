"""Dated terms: in order, never two on one day, gaps said to be gaps, bounds kept."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from marketplace.rulebook import Rulebook, Schedule, load, rulebook, rulebook_path, use_rulebook
from marketplace.rulebook.sections import BasisPoints, GradeThresholds, RewardSection
from marketplace.rulebook.terms import NoTermInForce, Section, Term

BOOKS = ("jiangsu", "hunan", "national")
ON = date.fromisoformat


def a_term(value: object, since: str, until: str | None = None, **more: str) -> dict[str, object]:
    told = {"value": value, "since": since, "source": "J.30a", **more}
    return told if until is None else told | {"until": until}


def a_schedule(*terms: dict[str, object]) -> Schedule[int]:
    return Schedule[int].model_validate(list(terms))


class OneTerm(Section):
    """A section as a domain has it."""

    share: Schedule[BasisPoints]
    later: Schedule[int]


CAP = a_schedule(
    a_term(500, "2020-10-01", "2025-12-31"),
    a_term(600, "2026-01-01", "2026-06-30"),
    a_term(400, "2027-01-01"),
)


@pytest.mark.parametrize(
    ("day", "value"),
    [
        ("2020-10-01", 500),
        ("2025-12-31", 500),
        ("2026-01-01", 600),
        ("2026-06-30", 600),
        ("2027-01-01", 400),
        ("2099-12-31", 400),
    ],
)
def test_a_term_holds_from_its_first_day_to_its_last(day: str, value: int) -> None:
    assert value == CAP.on(ON(day))


@pytest.mark.parametrize("day", ["2020-09-30", "2026-07-01", "2026-12-31"])
def test_before_the_first_term_and_in_a_gap_nothing_is_in_force(day: str) -> None:
    with pytest.raises(NoTermInForce, match=day) as refused:
        CAP.on(ON(day))

    assert 422 == refused.value.status


@pytest.mark.parametrize(
    ("terms", "complaint"),
    [
        ([], "at least one term"),
        ([a_term(1, "2020-01-01"), a_term(2, "2021-01-01")], "overlap"),
        ([a_term(1, "2020-01-01", "2021-01-01"), a_term(2, "2021-01-01")], "overlap"),
        ([a_term(2, "2021-01-01"), a_term(1, "2020-01-01", "2020-12-31")], "overlap"),
        ([a_term(1, "2020-01-01", "2020-06-30"), a_term(2, "2020-01-01")], "overlap"),
        ([a_term(1, "2021-01-01", "2020-12-31")], "cannot start on 2021-01-01"),
        ([a_term(1, "2020-01-01", source="somewhere")], "source"),
        ([a_term(1, "2020-01-01", source="X.30a")], "source"),
        ([a_term("5 %", "2020-01-01")], "value"),
        ([a_term(1, "2020-13-01")], "since"),
        ([a_term(1, "2020-01-01", until_="2021-01-01")], "until_"),
    ],
)
def test_a_schedule_that_leaves_a_doubt_is_refused(
    terms: list[dict[str, object]], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        a_schedule(*terms)


@given(st.lists(st.dates(ON("2000-01-01"), ON("2099-12-31")), min_size=1, max_size=6, unique=True))
def test_terms_that_follow_each_other_leave_no_day_without_one(days: list[date]) -> None:
    days = sorted(days)
    ends = [day - timedelta(days=1) for day in days[1:]]
    terms = [
        {"value": place, "since": since, "source": "J.30a"} for place, since in enumerate(days)
    ]
    for term, until in zip(terms, ends, strict=False):
        term["until"] = until
    found = a_schedule(*terms)

    assert list(range(len(days))) == [found.on(day) for day in days]
    assert list(range(len(ends))) == [found.on(until) for until in ends]


@pytest.mark.parametrize("value", [-1, 10_001, 12.5, "many", None])
def test_a_value_keeps_its_bounds(value: object) -> None:
    with pytest.raises(ValidationError):
        Schedule[BasisPoints].model_validate([a_term(value, "2020-10-01")])


def test_thresholds_fall_from_grade_to_grade() -> None:
    with pytest.raises(ValidationError, match="better grade"):
        GradeThresholds(excellent=75, good=75, qualified=60)


def test_a_snapshot_keeps_what_was_in_force_and_leaves_out_what_was_not() -> None:
    section = OneTerm.model_validate(
        {
            "share": [a_term(500, "2020-10-01", unit="basis points", note="Five in a hundred.")],
            "later": [a_term(1, "2030-01-01")],
        }
    )

    assert {
        "share": {
            "value": 500,
            "since": "2020-10-01",
            "source": "J.30a",
            "unit": "basis points",
            "note": "Five in a hundred.",
        }
    } == section.snapshot(ON("2025-12-31"))
    assert {"share", "later"} == set(section.snapshot(ON("2030-01-01")))
    assert {} == section.snapshot(ON("2020-09-30"))


def test_terms_are_not_changed_by_who_reads_them() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        setattr(CAP.root[0], "value", 10_000)  # noqa: B010 the type checker knows it too


def sections(book: Rulebook) -> dict[str, Section]:
    found = {name: getattr(book, name) for name in type(book).model_fields}
    return {name: section for name, section in found.items() if isinstance(section, Section)}


def terms_of(book: Rulebook) -> dict[str, list[Term[object]]]:
    return {
        f"{section_name}.{name}": getattr(section, name).root
        for section_name, section in sections(book).items()
        for name in type(section).model_fields
    }


@pytest.mark.parametrize("name", BOOKS)
def test_our_rulebooks_load_and_say_everything_today(name: str) -> None:
    book = load(rulebook_path(name))
    today = ON("2025-06-30")

    assert name == book.province.code
    for section in sections(book).values():
        assert set(type(section).model_fields) == set(section.snapshot(today))


@pytest.mark.parametrize("name", BOOKS)
def test_every_term_of_ours_names_its_clause(name: str) -> None:
    found = terms_of(load(rulebook_path(name)))

    assert len(found) > 40
    assert [] == [
        place for place, terms in found.items() if any(not term.source[2:] for term in terms)
    ]


def test_the_caps_of_jiangsu_are_those_of_its_policy() -> None:
    """Policy: J.30a, J.30b, J.A1"""
    reward = load(rulebook_path("jiangsu")).reward
    weights = load(rulebook_path("jiangsu")).evaluation.weights.on(ON("2025-12-31"))

    assert (500, "J.30a") == (
        reward.share_cap_basis_points.on(ON("2025-12-31")),
        reward.share_cap_basis_points.term_on(ON("2025-12-31")).source,
    )
    assert 500_000_00 == reward.cap_per_legal_entity_fen.on(ON("2025-12-31"))
    assert (25, 15) == (weights.use_and_contribution, weights.external_service_volume)


def test_a_section_takes_no_term_that_no_rule_reads() -> None:
    told = load(rulebook_path("jiangsu")).reward.model_dump(mode="json")
    told["share_cap"] = told["share_cap_basis_points"]

    with pytest.raises(ValidationError, match="share_cap\n"):
        RewardSection.model_validate(told)


def another(code: str) -> Rulebook:
    book = load(rulebook_path("jiangsu"))
    return book.model_copy(update={"province": book.province.model_copy(update={"code": code})})


def test_another_rulebook_is_used_inside_its_block_only() -> None:
    before = rulebook().province.code
    with use_rulebook(another("outer")):
        with use_rulebook(another("inner")):
            assert "inner" == rulebook().province.code
        assert "outer" == rulebook().province.code
        with pytest.raises(RuntimeError), use_rulebook(another("failed")):
            raise RuntimeError
        assert "outer" == rulebook().province.code

    assert before == rulebook().province.code


async def test_tasks_at_once_each_keep_their_rulebook() -> None:
    together = asyncio.Barrier(3)

    async def computing(code: str) -> str:
        with use_rulebook(another(code)):
            await together.wait()
            found = rulebook().province.code
            await together.wait()
        return found

    async def by_the_settings() -> str:
        await together.wait()
        found = rulebook().province.code
        await together.wait()
        return found

    found = await asyncio.gather(computing("one"), computing("two"), by_the_settings())

    assert ["one", "two", "jiangsu"] == list(found)


def test_a_file_too_large_to_be_a_rulebook_is_not_read(tmp_path) -> None:
    path = tmp_path / "large.toml"
    path.write_bytes(b"#" * 1_000_001)

    with pytest.raises(ValueError, match="larger"):
        load(path)


def test_every_section_of_the_rulebook_holds_dated_terms_or_names_the_province() -> None:
    assert {"province"} == {
        name
        for name, field in Rulebook.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, BaseModel)
        and not issubclass(field.annotation, Section)
    }
