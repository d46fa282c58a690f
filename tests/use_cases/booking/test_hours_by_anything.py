"""Figures of machine-hours, summed by whatever one likes: the database, the rule, the parts."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from marketplace.booking.queries import (
    Dimension,
    HoursAsked,
    HoursFound,
    Scope,
    SessionsAsked,
    machine_hours,
    sessions_behind,
)
from marketplace.booking.rules.machine_hours import MEASURES, Figures, Grain
from marketplace.booking.rules.metering import parts_of
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.time import During, shanghai_instant
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook, use_rulebook
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.hours import History, a_history, a_session_in_history
from tests.builders.parties import a_provider, an_actor

pytestmark = pytest.mark.asyncio

SPRING = During(shanghai_instant(date(2025, 2, 1)), shanghai_instant(date(2025, 5, 1)))
MARCH = During(shanghai_instant(date(2025, 3, 1)), shanghai_instant(date(2025, 4, 1)))


async def figures(
    database: Database,
    scope: Scope,
    *by: Dimension,
    grain: Grain = Grain.TOTAL,
    actor: Actor = TEST,
) -> HoursFound:
    asked = HoursAsked(scope, by, grain, page_size=2_000)
    return await atomically(database, machine_hours, asked, actor=actor)


async def a_province(database: Database, *, count: int = 200, seed: int = 7):
    """Two providers in two cities; one has two services of one machine."""
    first, second = await a_provider(database), await a_provider(database, region_code="430100")
    microscope = await a_bookable_instrument(database, provider_id=first)
    detector = await a_bookable_instrument(database, provider_id=first, calendar_id=microscope)
    balance = await a_bookable_instrument(
        database, provider_id=second, content={"kind": "special", "category_code": "010203"}
    )
    history = await a_history(
        database,
        instruments=[microscope, detector, balance],
        count=count,
        seed=seed,
        calendars={detector: microscope},
    )
    return (first, second), (microscope, detector, balance), history


def by_rule(history: History, period: During) -> Counter:
    """What the rule says of the whole, under the names that the figures have."""
    found: Counter = Counter()
    for used, parts in zip(
        history.used,
        (parts_of(history.metered, period)[one.metered.session_id] for one in history.used),
        strict=True,
    ):
        one = used.metered
        found[f"{one.purpose}_minutes"] += parts.minutes
        if one.purpose in (Purpose.EXTERNAL, Purpose.OWN_RESEARCH, Purpose.TEACHING):
            found["effective_minutes"] += parts.minutes
        found["session_minutes"] += parts.session
        found["idle_minutes"] += parts.idle
        found["overlap_minutes"] += parts.overlap
        found["self_operated_minutes"] += parts.minutes * used.self_operated
        opened = period.starts_at <= one.starts_at < period.ends_at
        found["sessions"] += opened
        found["samples"] += opened * used.samples
    for kept in history.kept:
        began = period.starts_at <= kept.starts_at.replace(second=0) < period.ends_at
        found["no_shows"] += began and kept.status == "no_show"
        found["late_cancellations"] += began and kept.status == "late_cancelled"
        if kept.status in ("used", "no_show"):
            starts_at, ends_at = (at.replace(second=0) for at in (kept.starts_at, kept.ends_at))
            inside = During(starts_at, ends_at).clip(period)
            found["reserved_minutes"] += inside.minutes if inside else 0
    return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_database_sums_what_the_rule_sums(database: Database, seed: int):
    _, _, history = await a_province(database, seed=seed)

    for period in (MARCH, SPRING):
        found = (await figures(database, Scope(period))).figures
        expected = by_rule(history, period)
        names = [name for name in MEASURES if "quota" not in name]
        assert {name: expected[name] for name in names} == {
            name: getattr(found, name) for name in names
        }


async def test_whatever_one_sums_by_the_rows_are_the_parts_of_the_same_whole(database: Database):
    await a_province(database)
    whole = (await figures(database, Scope(SPRING))).figures
    questions: list[tuple[Dimension, ...]] = [
        *((one,) for one in Dimension),
        (Dimension.PROVIDER, Dimension.PURPOSE, Dimension.USER_CLASS),
        (Dimension.CITY, Dimension.MACHINE),
    ]

    for by in questions:
        for grain in (Grain.TOTAL, Grain.WEEK):
            found = await figures(database, Scope(SPRING), *by, grain=grain)
            total = sum((row.figures for row in found.rows), Figures())
            assert found.figures == total, by
            expected = (
                whole
                if found.has_quota
                else replace(whole, quota_minutes=0, national_quota_minutes=0)
            )
            assert expected == total, by
    for grain in Grain:
        found = await figures(database, Scope(SPRING), grain=grain)
        assert whole == sum((row.figures for row in found.rows), Figures()), grain


async def test_the_parts_of_any_partition_of_a_period_sum_to_the_whole(database: Database):
    await a_province(database)
    cuts = [
        SPRING.starts_at,
        MARCH.starts_at + timedelta(minutes=1),
        MARCH.starts_at + timedelta(days=9, minutes=777),
        MARCH.ends_at,
        SPRING.ends_at,
    ]

    whole = (await figures(database, Scope(SPRING))).figures
    parts = [(await figures(database, Scope(During(*part)))).figures for part in pairwise(cuts)]

    assert whole == sum(parts, Figures())


async def test_a_filter_gives_the_figures_of_the_row_it_names(database: Database):
    (first, _), (microscope, detector, _), _ = await a_province(database)
    questions = [
        (Dimension.INSTRUMENT, detector, {"instrument_ids": (detector,)}),
        (Dimension.MACHINE, microscope, {"machine_id": microscope}),
        (Dimension.PROVIDER, first, {"provider_id": first}),
        (Dimension.CITY, "4301", {"region": "43"}),
        (Dimension.CATEGORY, "0102", {"category": "0102"}),
        (Dimension.PURPOSE, "teaching", {"purpose": Purpose.TEACHING}),
        (Dimension.USER_CLASS, "academic", {"user_class": UserClass.ACADEMIC}),
    ]

    for dimension, key, changes in questions:
        everything = await figures(database, Scope(MARCH), dimension)
        (row,) = [row for row in everything.rows if row.keys[dimension] == key]
        chosen = await figures(database, replace(Scope(MARCH), **changes))
        assert row.figures == chosen.figures, dimension


async def test_two_services_of_one_machine_have_one_quota_and_no_minute_twice(database: Database):
    provider_id = await a_provider(database)
    microscope = await a_bookable_instrument(database, provider_id=provider_id)
    detector = await a_bookable_instrument(
        database, provider_id=provider_id, calendar_id=microscope
    )
    at = shanghai_instant(date(2025, 3, 10))
    for instrument_id, minute in ((microscope, 0), (detector, 30)):
        await a_session_in_history(
            database,
            instrument_id=instrument_id,
            calendar_id=microscope,
            opened_at=at + timedelta(minutes=minute),
        )

    found = await figures(database, Scope(MARCH), Dimension.INSTRUMENT)
    (machine,) = (await figures(database, Scope(MARCH), Dimension.MACHINE)).rows

    assert {microscope: (60, 0), detector: (30, 30)} == {
        row.keys[Dimension.INSTRUMENT]: (row.figures.effective_minutes, row.figures.overlap_minutes)
        for row in found.rows
    }
    # Listed on the 3rd: 29 of 365 days, for the machine and not for each of its services.
    assert [84_000 * 90 // 365 - 84_000 * 61 // 365] == [found.figures.quota_minutes]
    assert (90, "场发射扫描电子显微镜") == (
        machine.figures.effective_minutes,
        machine.names[Dimension.MACHINE],
    )


async def test_quotas_follow_the_kind_of_machine_and_the_days_on_which_it_was_listed(
    database: Database,
):
    general = await a_bookable_instrument(database)
    special = await a_bookable_instrument(database, content={"kind": "special"})

    async def in_service(tx: Tx, _: None) -> None:
        await tx.execute(
            text("update instrument set listed_at = '2024-02-29T23:30+08' where id = :id"),
            {"id": general},
        )
        await tx.execute(
            text(
                "update instrument set listed_at = '2023-05-01+08',"
                " withdrawn_at = '2024-03-01T12:00+08', status = 'withdrawn' where id = :id"
            ),
            {"id": special},
        )

    await atomically(database, in_service, None, actor=TEST)
    year = During(shanghai_instant(date(2024, 1, 1)), shanghai_instant(date(2025, 1, 1)))

    found = {
        row.keys[Dimension.INSTRUMENT]: row.figures
        for row in (await figures(database, Scope(year), Dimension.INSTRUMENT)).rows
    }

    # A leap year: 59 days lie before 29 February, 60 before 1 March.
    assert 84_000 - 84_000 * 59 // 366 == found[general].quota_minutes
    assert 48_000 * 60 // 366 == found[special].quota_minutes
    assert 96_000 * 60 // 366 == found[special].national_quota_minutes


async def test_a_province_may_count_maintenance_as_effective_from_a_day_on(database: Database):
    instrument_id = await a_bookable_instrument(database)
    for day in (9, 10):
        await a_session_in_history(
            database,
            instrument_id=instrument_id,
            opened_at=shanghai_instant(date(2025, 3, day)),
            purpose=Purpose.MAINTENANCE,
        )
    book = rulebook()
    (term,) = book.booking.effective_upkeep.root
    changed = type(book.booking.effective_upkeep)(
        [
            term.model_copy(update={"until": date(2025, 3, 9)}),
            term.model_copy(update={"since": date(2025, 3, 10), "value": ("maintenance",)}),
        ]
    )
    booking = book.booking.model_copy(update={"effective_upkeep": changed})

    with use_rulebook(book.model_copy(update={"booking": booking})):
        found = (await figures(database, Scope(MARCH))).figures

    assert (120, 60) == (found.maintenance_minutes, found.effective_minutes)


async def test_the_sessions_behind_a_figure_add_up_to_it(database: Database):
    _, (microscope, detector, _), _ = await a_province(database)
    scope = Scope(MARCH, (detector,), purpose=Purpose.TEACHING)

    figure = (await figures(database, scope)).figures
    found = await atomically(database, sessions_behind, SessionsAsked(scope, 1, 500), actor=TEST)
    paged = [
        row.session_id
        for page in range(1, 4)
        for row in (
            await atomically(database, sessions_behind, SessionsAsked(scope, page, 2), actor=TEST)
        ).rows
    ]

    assert figure.teaching_minutes == found.minutes == sum(row.minutes for row in found.rows)
    assert figure.session_minutes == sum(row.session_minutes for row in found.rows)
    assert {microscope} == {row.calendar_id for row in found.rows}
    assert [row.session_id for row in found.rows][:6] == paged


async def test_a_session_over_midnight_belongs_to_both_days_and_begins_in_one(database: Database):
    instrument_id = await a_bookable_instrument(database)
    eve = shanghai_instant(date(2025, 3, 1)) - timedelta(minutes=20)
    await a_session_in_history(database, instrument_id=instrument_id, opened_at=eve)

    months = await figures(database, Scope(SPRING), grain=Grain.MONTH)

    assert {date(2025, 2, 1): (20, 1), date(2025, 3, 1): (40, 0), date(2025, 4, 1): (0, 0)} == {
        row.bucket: (row.figures.effective_minutes, row.figures.sessions) for row in months.rows
    } | {date(2025, 4, 1): (0, 0)}


async def test_a_provider_sees_its_own_and_nothing_of_another(database: Database):
    (first, second), _, _ = await a_province(database, count=60)
    own = await an_actor(database, Role.TECHNICIAN, organisation_id=first)
    everything = {
        row.keys[Dimension.PROVIDER]: row.figures
        for row in (await figures(database, Scope(MARCH), Dimension.PROVIDER)).rows
    }

    seen = await figures(database, Scope(MARCH), Dimension.PROVIDER, actor=own)
    of_another = await figures(database, Scope(MARCH, provider_id=second), actor=own)
    behind = SessionsAsked(Scope(MARCH, provider_id=second))

    assert [everything[first]] == [row.figures for row in seen.rows]
    assert Figures() == of_another.figures
    assert 0 == (await atomically(database, sessions_behind, behind, actor=own)).total
    for role in (Role.EVALUATOR, Role.ADMINISTRATOR, Role.AUDITOR, Role.REGULATOR):
        reader = await an_actor(database, role)
        asked = await figures(database, Scope(MARCH, provider_id=second), actor=reader)
        assert everything[second] == asked.figures


async def test_rows_come_by_stretch_and_page_by_page(database: Database):
    await a_province(database, count=80)
    by = (Dimension.INSTRUMENT, Dimension.PURPOSE)
    whole = await figures(database, Scope(SPRING), *by, grain=Grain.MONTH)

    pages = [
        await atomically(
            database, machine_hours, HoursAsked(Scope(SPRING), by, Grain.MONTH, page, 7), actor=TEST
        )
        for page in range(1, whole.total // 7 + 3)
    ]

    assert whole.rows == [row for page in pages for row in page.rows]
    assert {(whole.total, whole.figures)} == {(page.total, page.figures) for page in pages}
    assert [row.bucket for row in whole.rows] == sorted(row.bucket for row in whole.rows)  # type: ignore[type-var]


async def test_the_example_worked_by_hand_in_the_docs_comes_out(database: Database):
    provider_id = await a_provider(database)
    microscope = await a_bookable_instrument(database, provider_id=provider_id)
    detector = await a_bookable_instrument(
        database, provider_id=provider_id, calendar_id=microscope
    )

    async def listed_before(tx: Tx, _: None) -> None:
        await tx.execute(text("update instrument set listed_at = '2024-06-01+08'"))

    await atomically(database, listed_before, None, actor=TEST)
    for opened_at, instrument_id, purpose, parts, idle in (
        ("2025-02-28T23:20+08:00", microscope, Purpose.EXTERNAL, (20, 60, 0), 10),
        ("2025-03-10T09:00+08:00", microscope, Purpose.TEACHING, (10, 40, 10), 0),
        ("2025-03-10T09:30+08:00", detector, Purpose.OWN_RESEARCH, (0, 60, 0), 10),
        ("2025-03-12T14:00+08:00", microscope, Purpose.MAINTENANCE, (0, 120, 0), 0),
    ):
        await a_session_in_history(
            database,
            instrument_id=instrument_id,
            calendar_id=microscope,
            opened_at=datetime.fromisoformat(opened_at),
            purpose=purpose,
            parts=parts,
            idle=idle,
        )

    (row,) = (await figures(database, Scope(MARCH), Dimension.MACHINE)).rows

    assert (40, 30, 60, 120) == (
        row.figures.external_minutes,
        row.figures.own_research_minutes,
        row.figures.teaching_minutes,
        row.figures.maintenance_minutes,
    )
    assert (300, 250, 30, 20, 130, 3) == (
        row.figures.session_minutes,
        row.figures.machine_minutes,
        row.figures.overlap_minutes,
        row.figures.idle_minutes,
        row.figures.effective_minutes,
        row.figures.sessions,
    )
    assert (7134, 8154) == (row.figures.quota_minutes, row.figures.national_quota_minutes)
    assert (182, 159, 3077) == (
        row.figures.utilisation_basis_points,
        row.figures.national_utilisation_basis_points,
        row.figures.sharing_basis_points,
    )
