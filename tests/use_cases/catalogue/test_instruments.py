"""Registering, changing, listing, withdrawing, opening and closing instruments."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.catalogue import queries
from marketplace.catalogue.errors import (
    ClosureRefused,
    InnerIdTaken,
    InstrumentMissing,
    InstrumentNotInState,
    InstrumentRefused,
    MustStayOpen,
    OpeningHoursRefused,
)
from marketplace.catalogue.queries import Instrument, LateListings, OpeningHours
from marketplace.catalogue.rules.states import Exemption
from marketplace.catalogue.use_cases import (
    ChangeInstrument,
    CloseInstrument,
    ListInstrument,
    RegisterInstrument,
    SetOpeningHours,
    WithdrawInstrument,
    change_instrument,
    close_instrument,
    list_instrument,
    register_instrument,
    set_opening_hours,
    withdraw_instrument,
)
from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, Tx, atomically
from marketplace.kernel.tables import audit_event, outbox_event
from marketplace.kernel.time import SHANGHAI, During, SetClock
from marketplace.parties.roles import Role
from tests.builders.catalogue import OFFICE_HOURS, TEST, a_description, an_instrument
from tests.builders.parties import a_provider, an_actor

MONDAY = datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI)


async def look(database: Database, instrument_id: int, *, actor: Actor = TEST) -> Instrument:
    return await atomically(database, queries.visible_instrument, instrument_id, actor=actor)


async def events(database: Database) -> list[str]:
    async def names(tx: Tx, _: None) -> Any:
        return await tx.scalars(select(outbox_event.c.name).order_by(outbox_event.c.id))

    return [name for name in await atomically(database, names, None, actor=TEST) if "Instr" in name]


async def test_a_registered_instrument_is_listed_for_everybody(database: Database) -> None:
    instrument_id = await an_instrument(database, inner_id="A-1")

    found = await look(database, instrument_id, actor=NOBODY)

    assert (found.status, found.inner_id, found.region_code) == ("listed", "A-1", "320100")
    assert found.cstr == f"L3200.02.{found.provider_id}.A-1"
    assert await events(database) == ["InstrumentListed"]


async def test_an_unlisted_instrument_exists_for_its_provider_only(database: Database) -> None:
    manager = await an_actor(database, Role.PROVIDER_MANAGER)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await an_instrument(database, provider_id=manager.organisation_id, listed=False)

    assert (await look(database, instrument_id, actor=manager)).status == "unlisted"
    for actor in (NOBODY, stranger):
        with pytest.raises(InstrumentMissing):
            await look(database, instrument_id, actor=actor)


async def test_every_reason_against_a_description_is_told(database: Database) -> None:
    provider_id = await a_provider(database)
    description = a_description(
        category_code="999998", cname="", technical="=1+1", began_on=date(2025, 3, 4)
    )

    with pytest.raises(InstrumentRefused) as refused:
        await atomically(
            database, register_instrument, RegisterInstrument(provider_id, description), actor=TEST
        )

    assert [reason.rule for reason in refused.value.reasons] == [
        "cname",
        "category_code",
        "technical",
    ]


async def test_a_public_instrument_of_worth_is_refused_when_it_is_not_open(
    database: Database,
) -> None:
    provider_id = await a_provider(database)
    closed = a_description(share_mode="internal", accepted_on=date(2026, 1, 1))

    with pytest.raises(InstrumentRefused) as refused:
        await atomically(
            database, register_instrument, RegisterInstrument(provider_id, closed), actor=TEST
        )

    assert [reason.rule for reason in refused.value.reasons] == ["accepted_on", "must-be-open"]
    await an_instrument(database, provider_id=provider_id, share_mode="none", exemption="secrecy")


async def test_a_number_names_one_instrument_of_a_provider(database: Database) -> None:
    provider_id = await a_provider(database)
    await an_instrument(database, provider_id=provider_id, inner_id="A-1")

    with pytest.raises(InnerIdTaken):
        await an_instrument(database, provider_id=provider_id, inner_id="A-1")
    await an_instrument(database, inner_id="A-1")


async def test_a_change_is_stored_found_and_audited_and_the_same_again_is_nothing(
    database: Database,
) -> None:
    description = a_description(cname="旧名称")
    instrument_id = await an_instrument(database, **description)
    command = ChangeInstrument(instrument_id, description | {"cname": "流式细胞仪", "city": "苏州"})

    changed = await atomically(database, change_instrument, command, actor=TEST)
    again = await atomically(database, change_instrument, command, actor=TEST)

    assert changed.cname == again.cname == "流式细胞仪"
    assert await events(database) == ["InstrumentListed", "InstrumentChanged"]
    found = await atomically(
        database, queries.search, queries.InstrumentSearch(text="FCM 苏州"), actor=NOBODY
    )
    assert [hit.id for hit in found.hits] == [instrument_id]

    async def fields(tx: Tx, _: None) -> Any:
        return await tx.scalar(
            select(audit_event.c.facts["fields"]).where(audit_event.c.action == "change")
        )

    assert set(await atomically(database, fields, None, actor=TEST)) == {"cname", "city"}


async def test_an_instrument_keeps_its_number(database: Database) -> None:
    instrument_id = await an_instrument(database)

    with pytest.raises(InstrumentRefused):
        await atomically(
            database,
            change_instrument,
            ChangeInstrument(instrument_id, a_description()),
            actor=TEST,
        )


async def test_another_provider_can_do_nothing_with_an_instrument(database: Database) -> None:
    instrument_id = await an_instrument(database)
    stranger = await an_actor(database, Role.PROVIDER_MANAGER)
    during = During(MONDAY, MONDAY + timedelta(days=1))
    attempts: list[tuple[Any, Any]] = [
        (change_instrument, ChangeInstrument(instrument_id, a_description())),
        (withdraw_instrument, WithdrawInstrument(instrument_id, "停用", disposed=True)),
        (list_instrument, ListInstrument(instrument_id)),
        (set_opening_hours, SetOpeningHours(instrument_id, OFFICE_HOURS)),
        (close_instrument, CloseInstrument(instrument_id, during, "检修")),
    ]

    for use_case, command in attempts:
        with pytest.raises(InstrumentMissing):
            await atomically(database, use_case, command, actor=stranger)


async def test_a_public_instrument_of_worth_stays_listed_unless_exempt_or_at_its_end(
    database: Database,
) -> None:
    instrument_id = await an_instrument(database)
    withdraw = WithdrawInstrument(instrument_id, "不想开放")

    with pytest.raises(MustStayOpen):
        await atomically(database, withdraw_instrument, withdraw, actor=TEST)
    exempt = WithdrawInstrument(instrument_id, "承担涉密任务", exemption=Exemption.SECRECY)
    withdrawn = await atomically(database, withdraw_instrument, exempt, actor=TEST)

    assert (withdrawn.status, withdrawn.exemption) == ("withdrawn", "secrecy")
    listed = await atomically(database, list_instrument, ListInstrument(instrument_id), actor=TEST)
    assert (listed.status, listed.withdrawn_reason) == ("listed", None)
    end = WithdrawInstrument(instrument_id, "报废", disposed=True)
    assert (await atomically(database, withdraw_instrument, end, actor=TEST)).status == "disposed"
    for use_case, command in (
        (list_instrument, ListInstrument(instrument_id)),
        (withdraw_instrument, end),
    ):
        with pytest.raises(InstrumentNotInState):
            await atomically(database, use_case, command, actor=TEST)  # type: ignore[arg-type]


async def test_of_two_who_withdraw_at_once_one_succeeds(database: Database) -> None:
    instrument_id = await an_instrument(database, worth_fen=1)
    withdraw = WithdrawInstrument(instrument_id, "停用")

    results = await asyncio.gather(
        *(atomically(database, withdraw_instrument, withdraw, actor=TEST) for _ in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(result).__name__ for result in results) == [
        "Instrument",
        *["InstrumentNotInState"] * 3,
    ]


async def test_late_listings_are_those_past_their_day(database: Database, clock: SetClock) -> None:
    provider_id = await a_provider(database)
    accepted: dict[str, Any] = {"provider_id": provider_id, "accepted_on": date(2025, 1, 2)}
    clock.set(datetime(2025, 2, 19, 23, 0, tzinfo=SHANGHAI))
    in_time = await an_instrument(database, **accepted)
    waiting = await an_instrument(database, listed=False, **accepted)
    clock.set(datetime(2025, 2, 20, 0, 30, tzinfo=SHANGHAI))
    late = await an_instrument(database, **accepted)
    await an_instrument(database, provider_id=provider_id)
    before_the_rule = await an_instrument(
        database, provider_id=provider_id, accepted_on=date(2010, 1, 4)
    )

    found = await atomically(database, queries.late_listings, LateListings(provider_id), actor=TEST)

    assert [one.id for one in found] == [waiting, late]
    assert {one.listing_due_on for one in found} == {date(2025, 2, 19)}
    assert (await look(database, before_the_rule)).listing_due_on is None
    assert not (await look(database, in_time)).is_late(date(2026, 1, 1))


async def test_a_week_replaces_the_one_before(database: Database) -> None:
    instrument_id = await an_instrument(database, hours=OFFICE_HOURS)
    week = (OpeningHours(5, 600, 720), OpeningHours(5, 540, 600))

    stored = await atomically(
        database, set_opening_hours, SetOpeningHours(instrument_id, week), actor=TEST
    )

    assert stored == sorted(week)
    assert await atomically(database, queries.opening_hours, instrument_id, actor=TEST) == stored
    emptied = SetOpeningHours(instrument_id, ())
    assert await atomically(database, set_opening_hours, emptied, actor=TEST) == []


async def test_a_week_that_overlaps_itself_is_refused(database: Database) -> None:
    instrument_id = await an_instrument(database)
    week = SetOpeningHours(instrument_id, (OpeningHours(0, 0, 60), OpeningHours(0, 59, 90)))

    with pytest.raises(OpeningHoursRefused):
        await atomically(database, set_opening_hours, week, actor=TEST)


async def test_a_closure_is_seen_by_whoever_asks_for_its_time(database: Database) -> None:
    instrument_id = await an_instrument(database)
    during = During(MONDAY, MONDAY + timedelta(hours=4))

    made = await atomically(
        database, close_instrument, CloseInstrument(instrument_id, during, " 检修 "), actor=TEST
    )

    async def seen(tx: Tx, asked: During) -> list[queries.Closure]:
        return await queries.closures(tx, [instrument_id], asked)

    assert await atomically(database, seen, during, actor=TEST) == [made]
    assert made.reason == "检修"
    after = During(during.ends_at, during.ends_at + timedelta(hours=1))
    assert await atomically(database, seen, after, actor=TEST) == []
    assert "InstrumentClosed" in await events(database)


async def test_a_closure_without_a_reason_is_refused(database: Database) -> None:
    instrument_id = await an_instrument(database)
    during = During(MONDAY, MONDAY + timedelta(days=500))

    with pytest.raises(ClosureRefused) as refused:
        await atomically(
            database, close_instrument, CloseInstrument(instrument_id, during, " "), actor=TEST
        )

    assert len(refused.value.reasons) == 2


async def test_several_instruments_are_one_question(database: Database) -> None:
    ids = [await an_instrument(database, hours=OFFICE_HOURS) for _ in range(3)]

    async def both(tx: Tx, _: None) -> tuple[Any, Any]:
        return (
            await queries.instruments(tx, [*ids, 999_999]),
            await queries.opening_hours_of(tx, [*ids, 999_999]),
        )

    found, weeks = await atomically(database, both, None, actor=TEST)

    assert set(found) == set(ids)
    assert {len(week) for week in weeks.values()} == {5, 0}


async def test_search_words_are_stored_with_the_instrument(database: Database) -> None:
    instrument_id = await an_instrument(database, technical="电" * 9_000)

    async def words(tx: Tx, _: None) -> Any:
        from marketplace.catalogue.tables import instrument

        return await tx.scalar(
            select(func.length(instrument.c.search)).where(instrument.c.id == instrument_id)
        )

    assert 10 < await atomically(database, words, None, actor=TEST) < 200
