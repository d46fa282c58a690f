"""Two people, or the platform and a person, state the same month at the same moment."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import text

from marketplace.booking.errors import (
    StatementChanged,
    StatementDraftedMeanwhile,
    StatementNotDraft,
)
from marketplace.booking.queries import Statement, StatementSearch, statements
from marketplace.booking.use_cases import (
    ConfirmStatement,
    DraftStatement,
    confirm_statement,
    draft_missing_statements,
    draft_statement,
)
from marketplace.exchange.errors import ExportOpen
from marketplace.exchange.queries import ExportSearch, exports
from marketplace.exchange.use_cases import MakeExport, make_export
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, Tx, atomically, transaction
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import TEST, a_bookable_instrument
from tests.builders.hours import a_session_in_history
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor

pytestmark = pytest.mark.asyncio

MARCH = DraftStatement(date(2025, 3, 1))


@pytest.fixture
async def staff(database: Database, clock: SetClock) -> list[Actor]:
    """Four managers of one provider whose instrument ran in March; it is April."""
    first = await an_actor(database, Role.PROVIDER_MANAGER)
    instrument_id = await a_bookable_instrument(database, provider_id=first.organisation_id)
    await a_session_in_history(
        database, instrument_id=instrument_id, opened_at=shanghai_instant(date(2025, 3, 5))
    )
    others = [
        await an_actor(database, Role.PROVIDER_MANAGER, organisation_id=first.organisation_id)
        for _ in range(3)
    ]
    clock.set(shanghai_instant(date(2025, 4, 2)))
    return [first, *others]


async def test_a_month_that_several_draft_at_once_is_drafted_once(
    database: Database, staff: list[Actor]
):
    made = await asyncio.gather(
        *(atomically(database, draft_statement, MARCH, actor=each) for each in staff),
        atomically(database, draft_missing_statements, None, actor=TEST),
        return_exceptions=True,
    )

    _, total = await atomically(database, statements, StatementSearch(), actor=staff[0])
    errors = [one for one in made if isinstance(one, BaseException)]
    assert 1 == total
    assert {StatementDraftedMeanwhile} >= {type(error) for error in errors}
    assert any(isinstance(one, Statement) for one in made) or 1 in made


async def test_who_comes_while_another_is_drafting_hears_of_it(
    database: Database, staff: list[Actor]
):
    async with transaction(database, actor=staff[0]) as tx:
        await draft_statement(tx, MARCH)
        second = asyncio.create_task(atomically(database, draft_statement, MARCH, actor=staff[1]))
        await asyncio.sleep(0.2)
        assert not second.done()

    with pytest.raises(StatementDraftedMeanwhile):
        await second


async def test_without_the_constraints_the_same_month_would_be_drafted_twice(
    database: Database, staff: list[Actor]
):
    """The control: it is PostgreSQL that refuses, not luck."""

    async def unguard(tx: Tx, _: None) -> None:
        await become_owner(tx)
        await tx.execute(
            text("alter table hours_statement drop constraint hours_statement_version")
        )
        await tx.execute(text("drop index hours_statement_one_draft"))

    await atomically(database, unguard, None, actor=TEST)
    async with transaction(database, actor=staff[0]) as tx:
        await draft_statement(tx, MARCH)
        await atomically(database, draft_statement, MARCH, actor=staff[1])

    _, total = await atomically(database, statements, StatementSearch(), actor=staff[0])
    assert 2 == total


async def test_a_draft_is_confirmed_as_it_was_read_or_not_at_all(
    database: Database, staff: list[Actor]
):
    drafted = await atomically(database, draft_statement, MARCH, actor=staff[0])
    command = ConfirmStatement(drafted.id, drafted.sha256)

    made = await asyncio.gather(
        *(atomically(database, confirm_statement, command, actor=each) for each in staff[1:]),
        atomically(database, draft_statement, MARCH, actor=staff[0]),
        return_exceptions=True,
    )

    confirmed = [one for one in made if isinstance(one, Statement) and one.confirmed_by]
    refused = {type(one) for one in made if isinstance(one, BaseException)}
    found, total = await atomically(database, statements, StatementSearch(), actor=staff[0])
    assert 1 == len(confirmed) == total
    assert [drafted.sha256] == [one.sha256 for one in found]
    assert {StatementNotDraft, StatementChanged} & refused


async def test_a_quarter_has_one_open_export_however_many_make_it(
    database: Database, staff: list[Actor]
):
    made = await asyncio.gather(
        *(atomically(database, make_export, MakeExport(2025, 1), actor=each) for each in staff),
        return_exceptions=True,
    )

    _, total = await atomically(database, exports, ExportSearch(), actor=staff[0])
    assert 1 == total
    assert [ExportOpen] * 3 == [type(one) for one in made if isinstance(one, BaseException)]
