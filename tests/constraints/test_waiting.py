"""The named constraints of waiting lists, strikes and suspensions hold whatever is written."""

import asyncpg
import pytest

from marketplace.kernel.db import Database
from tests.builders.booking import a_bookable_instrument, a_reservation
from tests.builders.parties import a_person

pytestmark = pytest.mark.asyncio

ENTRY = {
    "instrument_id": "{instrument}",
    "provider_id": "1",
    "organisation_id": "1",
    "person_id": "{person}",
    "user_class": "'enterprise'",
    "purpose": "'external'",
    "during": "tstzrange('2025-03-05 00:00+08', '2025-03-06 00:00+08')",
    "minutes": "120",
    "weekdays": "array[0, 6]",
    "earliest_minute": "0",
    "latest_minute": "1440",
    "status": "'waiting'",
    "made_at": "now()",
    "changed_at": "now()",
}
OFFER = {
    "entry_id": "(select max(id) from waitlist_entry)",
    "reservation_id": "{reservation}",
    "during": "tstzrange('2025-03-05 00:00+08', '2025-03-06 00:00+08')",
    "offered_at": "now()",
    "held_until": "now() + interval '2 hours'",
}
STRIKE = {
    "person_id": "{person}",
    "organisation_id": "1",
    "provider_id": "1",
    "instrument_id": "{instrument}",
    "reservation_id": "{reservation}",
    "kind": "'no_show'",
    "given_at": "now()",
    "noted_at": "now()",
    "expires_at": "now() + interval '180 days'",
    "why": "'nobody came'",
}
APPEAL = {
    "strike_id": "(select max(id) from strike)",
    "filed_by": "{person}",
    "filed_at": "now()",
    "text": "'the line was closed'",
    "status": "'open'",
}
SUSPENSION = {
    "person_id": "{person}",
    "organisation_id": "1",
    "starts_at": "now()",
    "ends_at": "now() + interval '30 days'",
}
ROWS = {
    "waitlist_entry": ENTRY,
    "slot_offer": OFFER,
    "strike": STRIKE,
    "strike_appeal": APPEAL,
    "suspension": SUSPENSION,
}
SAME_DAY = "tstzrange('2025-03-05 00:00+08', '2025-03-05 00:00+08')"


class Written:
    """A connection, and the ids that rows name."""

    def __init__(self, raw: asyncpg.Connection, **ids: int) -> None:
        self.raw, self.ids = raw, ids

    async def write(self, table: str, **changes: str) -> None:
        values = ROWS[table] | changes
        listed = ", ".join(values.values()).format(**self.ids)
        await self.raw.execute(f"insert into {table} ({', '.join(values)}) values ({listed})")


@pytest.fixture
async def rows(database: Database):
    instrument_id = await a_bookable_instrument(database)
    placed = await a_reservation(database, instrument_id=instrument_id)
    raw = await asyncpg.connect(database.url.replace("postgresql+asyncpg://", "postgresql://"))
    yield Written(
        raw,
        instrument=instrument_id,
        reservation=placed.id,
        person=await a_person(database),
    )
    await raw.close()


WRONG = {
    "waitlist_entry": [
        ({"user_class": "'guest'"}, "user_class"),
        ({"purpose": "'fun'"}, "purpose"),
        ({"during": SAME_DAY}, "during"),
        ({"during": "tstzrange('2025-03-05', null)"}, "during"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "44641"}, "minutes"),
        ({"weekdays": "array[]::smallint[]"}, "weekdays"),
        ({"weekdays": "array[7]"}, "weekdays"),
        ({"earliest_minute": "600", "latest_minute": "600"}, "hours"),
        ({"latest_minute": "1441"}, "hours"),
        ({"status": "'asleep'", "ended_at": "now()"}, "status"),
        ({"offers_lapsed": "-1"}, "lapsed"),
        ({"status": "'offered'"}, "offered"),
        ({"status": "'withdrawn'"}, "ended"),
        ({"ended_at": "now()"}, "ended"),
    ],
    "slot_offer": [
        ({"held_until": "now()"}, "held"),
        ({"outcome": "'forgotten'", "ended_at": "now()"}, "outcome"),
        ({"outcome": "'declined'"}, "ended"),
    ],
    "strike": [
        ({"kind": "'rudeness'"}, "kind"),
        ({"expires_at": "now()"}, "expires"),
        ({"noted_at": "now() - interval '1 second'"}, "expires"),
        ({"waived_at": "now()"}, "waived"),
        (
            {"waived_at": "now()", "waived_by": "{person}", "waived_because": "'kind'"},
            "second_person",
        ),
    ],
    "strike_appeal": [
        (
            {
                "status": "'lost'",
                "decided_by": "1",
                "decided_at": "now()",
                "reason": "'so it is'",
            },
            "status",
        ),
        ({"status": "'upheld'"}, "decided"),
        ({"decided_at": "now()"}, "decided"),
        (
            {
                "status": "'upheld'",
                "decided_by": "{person}",
                "decided_at": "now()",
                "reason": "'so it is'",
            },
            "second_person",
        ),
    ],
    "suspension": [
        ({"ends_at": "now()"}, "ends"),
        ({"lifted_at": "now()"}, "lifted"),
    ],
}


async def test_each_row_is_refused_by_the_constraint_that_is_named_for_it(rows: Written):
    for table, cases in WRONG.items():
        for changes, constraint in cases:
            with pytest.raises(asyncpg.CheckViolationError) as refusal:
                await rows.write(table, **changes)
            assert refusal.value.constraint_name == f"{table}_{constraint}", changes
        await rows.write(table)


@pytest.mark.parametrize(
    ("before", "table", "error", "constraint"),
    [
        ((), "waitlist_entry", asyncpg.UniqueViolationError, "waitlist_entry_once"),
        (
            ("waitlist_entry",),
            "slot_offer",
            asyncpg.UniqueViolationError,
            "slot_offer_reservation_id",
        ),
        ((), "strike", asyncpg.UniqueViolationError, "strike_once"),
        (("strike",), "strike_appeal", asyncpg.UniqueViolationError, "strike_appeal_strike_id"),
        ((), "suspension", asyncpg.ExclusionViolationError, "suspension_no_overlap"),
    ],
)
async def test_there_is_one_and_no_other(
    rows: Written, before: tuple[str, ...], table: str, error: type[Exception], constraint: str
):
    for earlier in (*before, table):
        await rows.write(earlier)

    with pytest.raises(error) as refusal:
        await rows.write(table)

    assert refusal.value.constraint_name == constraint  # type: ignore[attr-defined]


async def test_what_is_over_makes_room_for_another(rows: Written):
    over = {"status": "'withdrawn'", "ended_at": "now()"}
    lifted = {"lifted_at": "now()", "lifted_because": "'an appeal'"}
    for _ in range(2):
        await rows.write("waitlist_entry", **over)
        await rows.write("suspension", **lifted)

    await rows.write("waitlist_entry")
    await rows.write("suspension")
