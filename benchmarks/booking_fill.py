"""A database for the booking benchmark: instruments with history, and slots that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType

import asyncpg
from stdnum.cn import uscc

from marketplace.booking.queries import BookingTerms
from marketplace.booking.use_cases import SetBookingRule, set_booking_rule
from marketplace.catalogue.queries import OpeningHours
from marketplace.catalogue.use_cases import (
    RegisterInstrument,
    SetOpeningHours,
    register_instrument,
    set_opening_hours,
)
from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import shanghai_day, shanghai_instant
from marketplace.parties.use_cases import (
    RegisterLegalEntity,
    RegisterOrganisation,
    RegisterPerson,
    register_legal_entity,
    register_organisation,
    register_person,
)

SLOT = timedelta(minutes=30)
HORIZON_DAYS = 80
# Booked over HTTP, booked by pgbench, and read: three sets, so that nobody meets another.
BOOKED, BENCHED, HISTORY = 500, 500, 4000

_BODY = "12320000466007597"
USCC = _BODY + uscc.calc_check_digit(_BODY)
DESCRIBED = {
    "inner_id": "bench",
    "cname": "场发射扫描电子显微镜",
    "category_code": "060501",
    "worth_fen": 30_000_000,
    "funds": "local",
    "customs_supervised": False,
    "kind": "general",
    "share_mode": "external",
    "condition": "normal",
}


@dataclass(frozen=True)
class Filled:
    """What was filled in."""

    provider_id: int
    person_id: int
    booked_ids: Sequence[int]
    benched_ids: Sequence[int]
    history_ids: Sequence[int]
    first: datetime
    reservations: int
    backend_pid: int

    @property
    def instruments(self) -> int:
        """How many there are."""
        return len(self.booked_ids) + len(self.benched_ids) + len(self.history_ids)

    def slot(self, number: int) -> tuple[int, datetime]:
        """The `number`-th free slot; consecutive ones lie on different instruments."""
        later, which = divmod(number, len(self.booked_ids))
        if later >= (HORIZON_DAYS - 2) * 48:
            raise SystemExit("every slot is taken; ask for fewer seconds")
        return self.booked_ids[which], self.first + later * SLOT


async def fill(url: str, *, reservations: int) -> Filled:
    """Parties and one instrument through the use cases, the rest copied from it in SQL."""
    database = Database(url)
    provider_id, person_id, instrument_id = await _first_instrument(database)
    await database.close()
    connection = await asyncpg.connect(_plain(url))
    await _copies(connection, instrument_id)
    ids = [row["id"] for row in await connection.fetch("select id from instrument order by id")]
    first = shanghai_instant(shanghai_day(datetime.now(UTC)) + timedelta(days=1))
    filled = Filled(
        provider_id=provider_id,
        person_id=person_id,
        booked_ids=ids[:BOOKED],
        benched_ids=ids[BOOKED : BOOKED + BENCHED],
        history_ids=ids[BOOKED + BENCHED :],
        first=first,
        reservations=reservations,
        backend_pid=await connection.fetchval("select pg_backend_pid()"),
    )
    await _history(connection, filled)
    await connection.execute("vacuum analyze")
    await connection.execute("checkpoint")
    # The connection stays open: its process tells which server this is.
    _kept.append(connection)
    return filled


_kept: list[asyncpg.Connection] = []


async def _first_instrument(database: Database) -> tuple[int, int, int]:
    actor = system_actor("benchmark")
    entity = await atomically(
        database,
        register_legal_entity,
        RegisterLegalEntity(
            uscc=USCC,
            name="某大学",
            region_code="320100",
            kind="university",
            capital="fiscal",
            legal_representative="张三",
        ),
        actor=actor,
    )
    provider = await atomically(
        database,
        register_organisation,
        RegisterOrganisation(
            legal_entity_id=entity.id, kind="provider", name="分析中心", region_code="320100"
        ),
        actor=actor,
    )
    person = await atomically(
        database,
        register_person,
        RegisterPerson(email="bench@example.com", name="李四", password="correct horse battery"),
        actor=actor,
    )
    made = await atomically(
        database, register_instrument, RegisterInstrument(provider.id, DESCRIBED), actor=actor
    )
    week = tuple(OpeningHours(weekday, 0, 1440) for weekday in range(7))
    await atomically(database, set_opening_hours, SetOpeningHours(made.id, week), actor=actor)
    terms = BookingTerms(
        step_minutes=30,
        minimum_minutes=30,
        maximum_minutes=480,
        notice_minutes=0,
        horizon_days=HORIZON_DAYS,
        before_minutes=0,
        after_minutes=0,
        open_on_holidays=True,
    )
    await atomically(database, set_booking_rule, SetBookingRule(made.id, terms), actor=actor)
    return provider.id, person.id, made.id


async def _copies(connection: asyncpg.Connection, instrument_id: int) -> None:
    columns = await connection.fetchval(
        "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
        " where table_name = 'instrument' and column_name not in ('id', 'inner_id', 'cstr')"
    )
    count = BOOKED + BENCHED + HISTORY - 1
    await connection.execute(
        f"""
        insert into instrument (inner_id, cstr, {columns})
        select 'bench-' || number, 'bench-' || number, {columns}
          from instrument, generate_series(1, {count}) as number where id = {instrument_id};
        insert into opening_hours (instrument_id, weekday, opens_minute, closes_minute)
        select instrument.id, weekday, opens_minute, closes_minute
          from instrument, opening_hours
         where instrument_id = {instrument_id} and instrument.id <> {instrument_id};
        """
    )
    rule = await connection.fetchval(
        "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
        " where table_name = 'booking_rule' and column_name <> 'instrument_id'"
    )
    await connection.execute(
        f"insert into booking_rule (instrument_id, {rule})"
        f" select instrument.id, {rule} from instrument, booking_rule"
        f" where instrument.id <> {instrument_id}"
    )


async def _history(connection: asyncpg.Connection, filled: Filled) -> None:
    """Hour after hour on each instrument, a tenth of it in the coming weeks; all live.

    The constraint is taken off while they are written and checked when it comes back.
    """
    each = -(-filled.reservations // len(filled.history_ids))
    constraint = await connection.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint"
        " where conname = 'reservation_no_overlap'"
    )
    await connection.execute("alter table reservation drop constraint reservation_no_overlap")
    await connection.execute(
        """
        insert into reservation (instrument_id, provider_id, seat, during, blocked, status,
          organisation_id, person_id, purpose, placed_at, confirmed_at)
        select id, $2, 1, tstzrange(begins, begins + interval '1 hour'),
               tstzrange(begins, begins + interval '1 hour'), 'confirmed', $2, $3, 'own_research',
               begins, begins
          from unnest($1::bigint[]) as id,
               generate_series(0, $4::integer - 1) as number,
               lateral (select $5::timestamptz
                          + (number - $4::integer * 9 / 10) * interval '2 hours' as begins) as at
        """,
        list(filled.history_ids),
        filled.provider_id,
        filled.person_id,
        each,
        filled.first,
        timeout=600,
    )
    await connection.execute(
        f"alter table reservation add constraint reservation_no_overlap {constraint}", timeout=600
    )


def pgbench_script(filled: Filled, raw: ModuleType) -> str:
    """One reservation as the raw endpoint makes it, for pgbench."""
    provider, person = filled.provider_id, filled.person_id
    return "\n".join(
        [
            f"\\set instrument random({filled.benched_ids[0]}, {filled.benched_ids[-1]})",
            f"\\set slot random(0, {(HORIZON_DAYS - 2) * 48})",
            "\\set number random(1, 1000000000000)",
            "begin;",
            "select pg_try_advisory_xact_lock(hashtextextended('bench-' || :number::text, 0));",
            _one_line(raw.STORED)
            .replace("$1", str(person))
            .replace("$2", str(provider))
            .replace("$3", "'bench-' || :number::text")
            + ";",
            _one_line(raw.SCHEDULE)
            .replace("$1", "array[:instrument::bigint]")
            .replace("$2", _during(filled))
            + ";",
            "insert into reservation (instrument_id, provider_id, seat, during, blocked, status,"
            " organisation_id, person_id, purpose, placed_at, confirmed_at) values"
            f" (:instrument, {provider}, 1, {_during(filled)}, {_during(filled)}, 'confirmed',"
            f" {provider}, {person}, 'own_research', now(), now())"
            " on conflict on constraint reservation_no_overlap do nothing returning id, seat;",
            "insert into outbox_event (name, payload, recorded_at, due_at) values"
            " ('ReservationPlaced',"
            " jsonb_build_object('reservation_id', :number::bigint, 'order_id', 0,"
            " 'instrument_id', :instrument::bigint, 'status', 'confirmed'), now(), now());",
            "insert into idempotency_key (key, person_id, organisation_id, method, path,"
            f" body_sha256, status, body, stored_at) values ('bench-' || :number::text, {person},"
            f" {provider}, 'POST', '/reservations', sha256('x'), 201, repeat('x', 400)::bytea,"
            " now());",
            "commit;",
        ]
    )


def _during(filled: Filled) -> str:
    # Seconds, because pgbench takes the colon in 09:30 for one of its variables.
    begins = f"to_timestamp({int(filled.first.timestamp())} + :slot::bigint * 1800)"
    return f"tstzrange({begins}, {begins} + interval '30 minutes')"


def _one_line(statement: str) -> str:
    return " ".join(statement.split())


async def overlaps(url: str) -> int:
    """Pairs of live reservations on one seat that share an instant, among those placed here."""
    connection = await asyncpg.connect(_plain(url))
    found = await connection.fetchval(
        """
        select count(*) from reservation one join reservation other
          on other.instrument_id = one.instrument_id and other.seat = one.seat
         and other.id > one.id and other.blocked && one.blocked
        """,
        timeout=120,
    )
    await connection.close()
    return found


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")
