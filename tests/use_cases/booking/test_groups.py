"""Several instruments as one booking: all of them or none, and one answer for all."""

from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.booking.errors import (
    ExternalTimeIsOrdered,
    GroupRefused,
    ReservationNotInState,
)
from marketplace.booking.queries import GroupSearch, Purpose, Status, group, groups
from marketplace.booking.tables import reservation as table
from marketplace.booking.use_cases import (
    CancelGroup,
    GroupItem,
    OpenSession,
    PlaceGroup,
    cancel_group,
    open_session,
    place_group,
)
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.errors import Missing
from marketplace.kernel.time import SetClock
from marketplace.parties.roles import Role
from tests.builders.booking import (
    a_bookable_instrument,
    a_reservation,
    at_hours,
    clock_at,
)
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

MORNING, NOON = at_hours(2, 9, 11), at_hours(2, 11, 12)


async def do(database: Database, use_case: Any, command: Any, *, by: Actor) -> Any:
    return await atomically(database, use_case, command, actor=by)


async def a_lab(database: Database, count: int, **terms: Any) -> tuple[Actor, list[int]]:
    """A manager, and instruments of one provider."""
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    made = [
        await a_bookable_instrument(database, provider_id=manager.organisation_id, **terms)
        for _ in range(count)
    ]
    return manager, made


def item(*instrument_ids: int, during: Any = MORNING) -> GroupItem:
    return GroupItem(instrument_ids, during, Purpose.OWN_RESEARCH)


async def reservations_of(database: Database, manager: Actor) -> int:
    async def ask(tx: Tx, _: None) -> int:
        mine = table.c.person_id == manager.person_id
        found: int = await tx.scalar(select(func.count()).select_from(table).where(mine))
        return found

    return await atomically(database, ask, None, actor=manager)


async def test_all_of_a_group_are_reserved_and_each_item_takes_the_first_that_is_free(
    database: Database,
):
    manager, (first, second, third) = await a_lab(database, 3)
    await a_reservation(database, instrument_id=first, during=MORNING)

    items = (item(first, second), item(third, during=NOON))
    made = await do(database, place_group, PlaceGroup(items, note="a recipe"), by=manager)

    assert [one.instrument_id for one in made.reservations] == [second, third]
    assert {one.group_id for one in made.reservations} == {made.id}
    assert made.note == "a recipe"
    assert made == await do(database, group, made.id, by=manager)
    listed = await do(database, groups, GroupSearch(instrument_id=third), by=manager)
    assert (listed.total, listed.groups) == (1, [made])
    person = GroupSearch(person_id=manager.person_id + 1)
    assert (await do(database, groups, person, by=manager)).total == 0


async def test_nothing_is_reserved_where_one_is_not_free_and_everything_is_said_at_once(
    database: Database,
):
    manager, (first, second, third) = await a_lab(database, 3)
    await a_reservation(database, instrument_id=first, during=MORNING)
    await a_reservation(database, instrument_id=second, during=at_hours(2, 8, 13))

    items = (
        item(third),
        item(first, second),
        item(third, during=at_hours(2, 11.25, 12)),
    )
    with pytest.raises(GroupRefused) as refused:
        await do(database, place_group, PlaceGroup(items), by=manager)

    told = refused.value.extras["items"]
    assert [
        (one["item"], one["instrument_id"], [reason["rule"] for reason in one["reasons"]])
        for one in told
    ] == [(1, first, ["busy"]), (1, second, ["busy"]), (2, third, ["step"])]
    assert len(refused.value.reasons) == 3
    assert await reservations_of(database, manager) == 0


async def test_what_is_offered_instead_is_free_for_all_of_them(database: Database):
    manager, (first, second) = await a_lab(database, 2)
    await a_reservation(database, instrument_id=first, during=at_hours(2, 9, 12))
    items = (item(first), item(second, during=NOON))

    with pytest.raises(GroupRefused) as refused:
        await do(database, place_group, PlaceGroup(items), by=manager)
    alternatives = refused.value.alternatives
    assert [one["shift_minutes"] for one in alternatives] == [-120, -150, 180]
    starts = [one["starts_at"] for one in alternatives[2]["items"]]
    later = tuple(
        GroupItem(one.instrument_ids, at, one.purpose)
        for one, at in zip(items, [at_hours(2, 12, 14), at_hours(2, 14, 15)], strict=True)
    )
    assert starts == [one.during.starts_at for one in later]

    made = await do(database, place_group, PlaceGroup(later), by=manager)

    assert len(made.reservations) == 2


async def test_an_item_may_not_take_what_another_item_of_the_group_takes(database: Database):
    manager, (first, second) = await a_lab(database, 2)

    twice = PlaceGroup((item(first), item(first)))
    with pytest.raises(GroupRefused):
        await do(database, place_group, twice, by=manager)
    made = await do(
        database, place_group, PlaceGroup((item(first), item(first, second))), by=manager
    )

    assert sorted(one.instrument_id for one in made.reservations) == sorted([first, second])


async def test_a_group_is_of_ones_own_instruments_and_of_some_size(database: Database):
    manager, (own,) = await a_lab(database, 1)
    _, (other,) = await a_lab(database, 1)
    external = GroupItem((own,), MORNING, Purpose.EXTERNAL)

    for items, refusal in (
        ((), GroupRefused),
        ((item(),), GroupRefused),
        ((item(own),) * 11, GroupRefused),
        ((item(own, own, own, own, own, own),), GroupRefused),
        ((item(own), item(own, during=at_hours(40, 9, 11))), GroupRefused),
        ((item(own), item(other)), InstrumentMissing),
        ((item(own), item(10**9)), InstrumentMissing),
        ((external,), ExternalTimeIsOrdered),
    ):
        with pytest.raises(refusal):
            await do(database, place_group, PlaceGroup(items), by=manager)
    assert await reservations_of(database, manager) == 0


async def test_staff_set_rules_aside_for_a_whole_group(database: Database):
    manager, (first, second) = await a_lab(database, 2, maximum_minutes=60)
    command = PlaceGroup((item(first), item(second)), override_reason="a long recipe")

    made = await do(database, place_group, command, by=manager)

    assert {one.override_reason for one in made.reservations} == {"a long recipe"}


async def test_a_group_is_given_back_as_a_whole_but_for_what_is_used(
    database: Database, clock: SetClock
):
    manager, (first, second) = await a_lab(database, 2)
    stranger, _ = await a_lab(database, 0)
    made = await do(
        database, place_group, PlaceGroup((item(first), item(second, during=NOON))), by=manager
    )
    clock.set(clock_at(2, 9))
    await do(database, open_session, OpenSession(made.reservations[0].id), by=manager)

    with pytest.raises(Missing):
        await do(database, cancel_group, CancelGroup(made.id, "not mine"), by=stranger)
    given_back = await do(database, cancel_group, CancelGroup(made.id, "no sample"), by=manager)

    assert [one.status for one in given_back.reservations] == [Status.IN_USE, Status.CANCELLED]
    assert given_back.reservations[1].reason == "no sample"
    with pytest.raises(ReservationNotInState):
        await do(database, cancel_group, CancelGroup(made.id, "again"), by=manager)
