"""Quotas on a real database: what counts, who is refused, and who has used how much."""

from datetime import date
from typing import Any

import pytest

from marketplace.booking.errors import (
    QuotaEnded,
    QuotaExists,
    QuotaRefused,
    ReservationRefused,
)
from marketplace.booking.queries import Purpose, Reservation
from marketplace.booking.queries.quotas import (
    MyQuotas,
    QuotaSearch,
    QuotaUseAsked,
    my_quotas,
    quota_uses,
    quotas,
)
from marketplace.booking.queries.timetables import schedule
from marketplace.booking.rules.quotas import (
    Measure,
    Period,
    Subject,
)
from marketplace.booking.rules.standing import StandingAsked
from marketplace.booking.rules.states import UserClass
from marketplace.booking.use_cases import (
    CancelReservation,
    PlaceReservation,
    cancel_reservation,
    place_reservation,
)
from marketplace.booking.use_cases.quotas import (
    ChangeQuota,
    EndQuota,
    change_quota,
    end_quota,
)
from marketplace.booking.use_cases.standing import require_standing
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.tables import audit_event
from marketplace.kernel.time import During, SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument, at_hours, clock_at
from tests.builders.parties import an_actor
from tests.builders.standing import a_quota, peak_mornings

pytestmark = pytest.mark.asyncio


async def own_instrument(database: Database, manager: Actor, **terms: Any) -> int:
    return await a_bookable_instrument(
        database,
        provider_id=manager.organisation_id,
        **terms,
    )


async def reserved(
    database: Database, who: Actor, instrument_id: int, during: During, **changes: Any
) -> Reservation:
    command = PlaceReservation(
        instrument_id,
        during,
        changes.pop("purpose", Purpose.OWN_RESEARCH),
        who.organisation_id,
        who.person_id,
        **changes,
    )
    return await atomically(database, place_reservation, command, actor=who)


async def test_a_week_is_full_for_one_person_and_not_for_the_next(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    technician = await an_actor(database, Role.TECHNICIAN, organisation_id=manager.organisation_id)
    first, second = [await own_instrument(database, manager) for _ in range(2)]
    await a_quota(database, by=manager, at_most=300)
    await reserved(database, manager, first, at_hours(1, 9, 12))
    await reserved(database, manager, second, at_hours(1, 9, 11))

    with pytest.raises(ReservationRefused) as refused:
        await reserved(database, manager, first, at_hours(2, 9, 10))

    (reason,) = refused.value.reasons
    assert ("quota", 300, True) == (reason.rule, reason.limit, reason.overridable)
    assert (60, 300, "week") == tuple(reason.asked[each] for each in ("asked", "used", "period"))
    # Nothing of this week is offered instead: it would be refused as well.
    slots = [one for one in refused.value.alternatives if one["kind"] == "slot"]
    assert slots
    assert all(offer["starts_at"] >= clock_at(7, 0) for offer in slots)
    await reserved(database, technician, first, at_hours(2, 9, 10))
    await reserved(database, manager, first, at_hours(7, 9, 10))
    # Of the night to Monday an hour lies in this week, and there is none left.
    with pytest.raises(ReservationRefused):
        await reserved(database, manager, first, at_hours(6, 23, 25))


async def test_staff_set_a_quota_aside_with_a_reason_and_upkeep_has_none(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await own_instrument(database, manager)
    await a_quota(database, by=manager, at_most=0)

    await reserved(
        database, manager, instrument_id, at_hours(1, 9, 12), override_reason="visiting team"
    )
    await reserved(
        database, manager, instrument_id, at_hours(2, 9, 12), purpose=Purpose.MAINTENANCE
    )

    with pytest.raises(ReservationRefused):
        await reserved(database, manager, instrument_id, at_hours(3, 9, 12))


async def test_what_is_given_back_in_time_may_be_reserved_again(
    database: Database, clock: SetClock
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await own_instrument(database, manager)
    await a_quota(
        database,
        by=manager,
        instrument_id=instrument_id,
        period=Period.OPEN,
        measure=Measure.RESERVATIONS,
        at_most=1,
    )
    placed = await reserved(database, manager, instrument_id, at_hours(3, 9, 12))
    with pytest.raises(ReservationRefused) as refused:
        await reserved(database, manager, instrument_id, at_hours(40, 9, 12))
    assert [] == list(refused.value.alternatives)

    await atomically(
        database,
        cancel_reservation,
        CancelReservation(placed.id, "a colleague measures", by_provider=True),
        actor=manager,
    )

    again = await reserved(database, manager, instrument_id, at_hours(40, 9, 12))
    clock.set(again.ends_at)
    # What is over is not open any more, whatever became of it.
    await reserved(database, manager, instrument_id, at_hours(41, 9, 12))


async def test_an_organisation_shares_one_quota_and_a_class_of_user_has_its_own(
    database: Database,
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    one = await an_actor(database, Role.BUYER)
    other = await an_actor(database, Role.BUYER, organisation_id=one.organisation_id)
    instrument_id = await own_instrument(database, manager)
    await a_quota(
        database,
        by=manager,
        subject=Subject.ORGANISATION,
        user_class=UserClass.ENTERPRISE,
        period=Period.DAY,
        at_most=120,
    )
    external = {"purpose": Purpose.EXTERNAL}
    await reserved(database, one, instrument_id, at_hours(1, 9, 11), **external)

    with pytest.raises(ReservationRefused) as refused:
        await reserved(database, other, instrument_id, at_hours(1, 11, 12), **external)
    assert "for one organisation" in refused.value.detail
    await reserved(database, other, instrument_id, at_hours(2, 11, 12), **external)
    await reserved(database, manager, instrument_id, at_hours(1, 11, 18))


async def test_a_quota_of_peak_hours_counts_what_lies_in_them(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await own_instrument(database, manager)
    with pytest.raises(QuotaRefused, match="no peak hours"):
        await a_quota(database, by=manager, instrument_id=instrument_id, peak_only=True)
    await peak_mornings(database, by=manager, instrument_id=instrument_id)
    await a_quota(database, by=manager, instrument_id=instrument_id, peak_only=True, at_most=120)

    # One hour of peak, and as much as one likes besides.
    await reserved(database, manager, instrument_id, at_hours(1, 11, 17))
    await reserved(database, manager, instrument_id, at_hours(2, 13, 20))
    with pytest.raises(ReservationRefused, match="in peak hours"):
        await reserved(database, manager, instrument_id, at_hours(3, 10, 12))
    await reserved(database, manager, instrument_id, at_hours(3, 11, 12))


async def test_a_reservation_that_moves_is_not_in_its_own_way(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await own_instrument(database, manager)
    await a_quota(database, by=manager, at_most=120)
    placed = await reserved(database, manager, instrument_id, at_hours(1, 9, 11))

    async def moved(tx: Tx, except_id: int | None) -> object:
        found = await schedule(tx, instrument_id, at_hours(2, 9, 11))
        asked = StandingAsked(
            schedule=found,
            during=at_hours(2, 9, 11),
            purpose=Purpose.OWN_RESEARCH,
            user_class=UserClass.OWN_UNIT,
            person_id=manager.person_id,
            organisation_id=manager.organisation_id,
            except_id=except_id,
        )
        return await require_standing(tx, asked)

    assert await atomically(database, moved, placed.id, actor=manager) is None
    with pytest.raises(ReservationRefused, match="120 used"):
        await atomically(database, moved, None, actor=manager)


async def test_a_provider_sets_changes_and_ends_its_quotas_once_each(database: Database):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await own_instrument(database, manager)
    made = await a_quota(database, by=manager, instrument_id=instrument_id)

    with pytest.raises(QuotaExists):
        await a_quota(database, by=manager, instrument_id=instrument_id, at_most=1)
    with pytest.raises(InstrumentMissing):
        await a_quota(database, by=stranger, instrument_id=instrument_id)
    with pytest.raises(QuotaRefused) as refused:
        await a_quota(database, by=manager, period=Period.OPEN, peak_only=True)
    assert ["measure", "peak"] == [reason.rule for reason in refused.value.reasons]
    with pytest.raises(Missing):
        await atomically(database, change_quota, ChangeQuota(made.id, 5), actor=stranger)
    with pytest.raises(Missing):
        await atomically(database, end_quota, EndQuota(made.id), actor=stranger)

    changed = await atomically(database, change_quota, ChangeQuota(made.id, 5), actor=manager)
    ended = await atomically(database, end_quota, EndQuota(made.id), actor=manager)

    assert (5, None) == (changed.at_most, changed.ended_at)
    assert ended.ended_at == database.clock.now()
    with pytest.raises(QuotaEnded):
        await atomically(database, change_quota, ChangeQuota(made.id, 6), actor=manager)
    # Its place is free again.
    await a_quota(database, by=manager, instrument_id=instrument_id)
    everything = QuotaSearch(instrument_id, Subject.PERSON, with_ended=True)
    assert [2, 0] == [
        (await atomically(database, quotas, everything, actor=who)).total
        for who in (manager, stranger)
    ]
    assert 1 == len((await atomically(database, quotas, QuotaSearch(), actor=manager)).quotas)

    async def trail(tx: Tx, _: None):
        return await tx.scalars(
            audit_event.select()
            .with_only_columns(audit_event.c.action)
            .where(audit_event.c.subject == "quota")
            .order_by(audit_event.c.id)
        )

    assert ["set", "change", "end", "set"] == list(
        await atomically(database, trail, None, actor=TEST)
    )


async def test_a_provider_sees_who_has_used_how_much_and_everybody_their_own(
    database: Database,
):
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    buyer = await an_actor(database, Role.BUYER)
    first, second = [await own_instrument(database, manager) for _ in range(2)]
    of_people = await a_quota(database, by=manager)
    of_companies = await a_quota(
        database,
        by=manager,
        instrument_id=second,
        subject=Subject.ORGANISATION,
        measure=Measure.RESERVATIONS,
        period=Period.MONTH,
        at_most=1,
    )
    only_own = await a_quota(database, by=manager, user_class=UserClass.OWN_UNIT, period=Period.DAY)
    open_ones = await a_quota(
        database, by=manager, period=Period.OPEN, measure=Measure.RESERVATIONS, at_most=9
    )
    await reserved(database, manager, first, at_hours(1, 9, 12))
    await reserved(database, buyer, first, at_hours(1, 13, 14), purpose=Purpose.EXTERNAL)
    await reserved(database, buyer, second, at_hours(2, 9, 11), purpose=Purpose.EXTERNAL)

    async def uses(quota_id: int, **asked: Any) -> list[tuple[int, int, int]]:
        found = await atomically(
            database,
            quota_uses,
            QuotaUseAsked(quota_id, **asked),
            actor=manager,
        )
        assert all(use.name for use in found.uses)
        assert found.total >= len(found.uses)
        return [(use.subject_id, use.used, use.left) for use in found.uses]

    mine, theirs = (manager.person_id, 180, 420), (buyer.person_id, 180, 420)
    assert sorted([mine, theirs]) == await uses(of_people.id)
    assert [theirs] == await uses(of_people.id, page=2, page_size=1)
    assert [] == await uses(of_people.id, day=date(2025, 3, 10))
    assert [(buyer.organisation_id, 1, 0)] == await uses(of_companies.id)
    assert [(buyer.person_id, 2, 7), (manager.person_id, 1, 8)] == await uses(open_ones.id)

    async def own(who: Actor, instrument_id: int | None = None) -> list[tuple[int, int, int]]:
        found = await atomically(database, my_quotas, MyQuotas(instrument_id), actor=who)
        assert len(found.quotas) == found.total
        return [(one.use.quota_id, one.use.used, one.use.left) for one in found.quotas]

    assert [(of_people.id, 180, 420), (open_ones.id, 2, 7), (of_companies.id, 1, 0)] == (
        await own(buyer)
    )
    assert [(of_people.id, 180, 420), (open_ones.id, 2, 7)] == await own(buyer, first)
    assert only_own.id in [quota_id for quota_id, _, _ in await own(manager, first)]
    stranger = await an_actor(database, Role.BUYER)
    assert [] == await own(stranger)
    assert [(of_people.id, 0, 600), (open_ones.id, 0, 9), (of_companies.id, 0, 1)] == (
        await own(stranger, second)
    )
    with pytest.raises(Missing):
        await atomically(
            database,
            quota_uses,
            QuotaUseAsked(of_people.id),
            actor=await an_actor(database, Role.PROVIDER_MANAGER),
        )
    with pytest.raises(InstrumentMissing):
        await atomically(database, my_quotas, MyQuotas(999_999), actor=buyer)
