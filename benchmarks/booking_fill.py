"""A database for the booking benchmark: instruments with history, and slots that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from stdnum.cn import uscc

from marketplace.booking.queries import BookingTerms
from marketplace.booking.queries.hours import WeeklyKind
from marketplace.booking.rules.quotas import Measure, Period, Subject
from marketplace.booking.rules.schedule import ClassTerms, DatedHours, Hours, PriorityHours
from marketplace.booking.rules.states import UserClass
from marketplace.booking.use_cases import SetBookingRule, set_booking_rule
from marketplace.booking.use_cases.hours import (
    SetDatedHours,
    SetWeeklyHours,
    set_dated_hours,
    set_weekly_hours,
)
from marketplace.booking.use_cases.quotas import SetQuota, set_quota
from marketplace.booking.use_cases.rule import SetClassTerms, set_class_terms
from marketplace.catalogue.queries import OpeningHours
from marketplace.catalogue.use_cases import (
    RegisterInstrument,
    SetOpeningHours,
    register_instrument,
    set_opening_hours,
)
from marketplace.kernel.actors import Actor, system_actor
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
# Half-hours of a day that are booked: the rest is the floor that the own unit leaves to others.
SLOTS_A_DAY = 44
# Booked over HTTP, and read with their history: two sets, so that nobody meets another.
BOOKED, HISTORY = 500, 4000
# Who books: many, because a person's quota lets two of the same person's requests take turns.
PEOPLE = 200
# What an instrument with a history has of them, every two hours.
RESERVATIONS_AN_INSTRUMENT = 2_500
# What each of the others has reserved so far.
RESERVATIONS_EACH = 500

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
    people: Sequence[int]
    booked_ids: Sequence[int]
    history_ids: Sequence[int]
    first: datetime
    reservations: int
    backend_pid: int

    @property
    def instruments(self) -> int:
        """How many there are."""
        return BOOKED + HISTORY

    def slot(self, number: int) -> tuple[int, datetime]:
        """The `number`-th free slot; consecutive ones lie on different instruments."""
        later, which = divmod(number, len(self.booked_ids))
        days, slot = divmod(later, SLOTS_A_DAY)
        if days >= HORIZON_DAYS - 2:
            raise SystemExit("every slot is taken; ask for fewer seconds")
        return self.booked_ids[which], self.first + timedelta(days=days) + slot * SLOT


async def fill(url: str, *, reservations: int) -> Filled:
    """Parties and one instrument through the use cases, the rest copied from it in SQL."""
    database = Database(url)
    provider_id, person_id, instrument_id = await _first_instrument(database)
    await _rules(database, provider_id, person_id, instrument_id)
    await database.close()
    connection = await asyncpg.connect(_plain(url))
    await _copies(connection, instrument_id)
    ids = [row["id"] for row in await connection.fetch("select id from instrument order by id")]
    first = shanghai_instant(shanghai_day(datetime.now(UTC)) + timedelta(days=1))
    filled = Filled(
        provider_id=provider_id,
        people=await _people(connection, ids[:BOOKED], person_id),
        booked_ids=ids[:BOOKED],
        # As many instruments as it takes: a week of one is as full whatever their number.
        history_ids=ids[BOOKED : BOOKED + max(1, reservations // RESERVATIONS_AN_INSTRUMENT)],
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
        qualification="always",
        outside_floor_minutes=600,
        outside_floor_lapses_minutes=0,
    )
    await atomically(database, set_booking_rule, SetBookingRule(made.id, terms), actor=actor)
    return provider.id, person.id, made.id


async def _copies(connection: asyncpg.Connection, instrument_id: int) -> None:
    columns = await connection.fetchval(
        "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
        " where table_name = 'instrument' and column_name not in ('id', 'inner_id', 'cstr')"
    )
    count = BOOKED + HISTORY - 1
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
    for table in ("class_terms", "weekly_hours", "dated_hours"):
        columns = await connection.fetchval(
            f"select string_agg('{table}.' || quote_ident(column_name), ', ')"
            f" from information_schema.columns where table_name = '{table}'"
            " and column_name not in ('id', 'instrument_id')"
        )
        names = columns.replace(f"{table}.", "")
        await connection.execute(
            f"insert into {table} (instrument_id, {names})"
            f" select instrument.id, {columns} from instrument, {table}"
            f" where instrument.id <> {instrument_id}"
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


async def _rules(database: Database, provider_id: int, person_id: int, instrument_id: int) -> None:
    """Every rule there is, so mild that none refuses what is booked here."""
    manager = Actor(
        person_id, provider_id, "provider", frozenset({"provider_manager", "technician"})
    )
    day = shanghai_day(datetime.now(UTC)) + timedelta(days=3)
    noon = tuple(Hours(weekday, 720, 780) for weekday in range(7))
    kept = tuple(PriorityHours(weekday, 480, 720, 60) for weekday in range(7))
    always = tuple(Hours(weekday, 0, 1440) for weekday in range(7))
    own = ClassTerms(UserClass.OWN_UNIT, True, 0, HORIZON_DAYS, 480, False)
    for use_case, command in (
        (set_class_terms, SetClassTerms(instrument_id, (own,))),
        (set_weekly_hours, SetWeeklyHours(instrument_id, WeeklyKind.PEAK, noon)),
        (set_weekly_hours, SetWeeklyHours(instrument_id, WeeklyKind.PRIORITY, kept)),
        (
            set_weekly_hours,
            SetWeeklyHours(instrument_id, WeeklyKind.CLASS, always, UserClass.OWN_UNIT),
        ),
        (
            set_dated_hours,
            SetDatedHours(instrument_id, (DatedHours(day, 0, 1440),), "open all day"),
        ),
        (set_quota, SetQuota(Subject.PERSON, Period.WEEK, Measure.MINUTES, 100_000)),
        (set_quota, SetQuota(Subject.PERSON, Period.MONTH, Measure.RESERVATIONS, 100_000)),
    ):
        await atomically(database, use_case, command, actor=manager)


async def _people(
    connection: asyncpg.Connection, instrument_ids: Sequence[int], person_id: int
) -> list[int]:
    """People of the unit who are qualified on every instrument that is booked."""
    rows = await connection.fetch(
        """
        insert into person (email, name, password_hash, password_changed_at, registered_at)
        select 'person-' || number || '@example.com', '王五', '', now(), now()
          from generate_series(1, $1::integer) as number returning id
        """,
        PEOPLE,
    )
    people = [row["id"] for row in rows]
    await connection.execute(
        """
        insert into qualification (instrument_id, provider_id, person_id, granted_by, granted_at,
          reason)
        select instrument_id, (select provider_id from instrument where id = instrument_id),
               person_id, $3, now(), 'trained'
          from unnest($1::bigint[]) as instrument_id, unnest($2::bigint[]) as person_id
        """,
        instrument_ids,
        people,
        person_id,
    )
    return people


async def _history(connection: asyncpg.Connection, filled: Filled) -> None:
    """Hour after hour on each instrument, a tenth of it to come and live, the rest used.

    Indexes and constraints are taken off while they are written and checked when they come back.
    """
    each = -(-filled.reservations // len(filled.history_ids))
    others = await connection.fetch(
        """
        insert into person (email, name, password_hash, password_changed_at, registered_at)
        select 'history-' || number || '@example.com', '赵六', '', now(), now()
          from generate_series(1, $1::integer) as number returning id
        """,
        filled.reservations // RESERVATIONS_EACH + 1,
    )
    constraints = await connection.fetch(
        "select conname as name, pg_get_constraintdef(oid) as made from pg_constraint"
        " where conrelid = 'reservation'::regclass and contype = 'x'"
    )
    indexes = await connection.fetch(
        "select i.indexname as name, i.indexdef as made from pg_indexes i"
        " where i.tablename = 'reservation' and not exists ("
        "   select from pg_constraint c where c.conname = i.indexname)"
    )
    for one in constraints:
        await connection.execute(f"alter table reservation drop constraint {one['name']}")
    for one in indexes:
        await connection.execute(f"drop index {one['name']}")
    await connection.execute("set session_replication_role = replica")
    await connection.execute(
        """
        insert into reservation (instrument_id, provider_id, calendar_id, seat, during, blocked,
          status, organisation_id, person_id, user_class, purpose, placed_at, confirmed_at,
          ended_at, changed_at)
        select id, $2, id, 1, during, during,
               case when over then 'used' else 'confirmed' end, $2,
               ($3::bigint[])[1 + (id * 31 + number) % cardinality($3::bigint[])],
               'own_unit', 'own_research', lower(during), lower(during),
               case when over then upper(during) end, lower(during)
          from unnest($1::bigint[]) as id,
               generate_series(0, $4::integer - 1) as number,
               lateral (select $5::timestamptz
                          + (number - $4::integer * 9 / 10) * interval '2 hours' as begins) as at,
               lateral (select tstzrange(begins, begins + interval '1 hour') as during,
                               begins < $5::timestamptz - interval '1 day' as over) as made
        """,
        list(filled.history_ids),
        filled.provider_id,
        [row["id"] for row in others],
        each,
        filled.first,
        timeout=1800,
    )
    await connection.execute("set session_replication_role = origin")
    await connection.execute("set maintenance_work_mem = '1GB'")
    for one in indexes:
        await connection.execute(one["made"], timeout=1800)
    for one in constraints:
        await connection.execute(
            f"alter table reservation add constraint {one['name']} {one['made']}", timeout=1800
        )


async def overlaps(url: str) -> int:
    """Pairs of live reservations on one seat that share an instant, among those placed here."""
    connection = await asyncpg.connect(_plain(url))
    found = await connection.fetchval(
        """
        select count(*) from reservation one join reservation other
          on other.calendar_id = one.calendar_id and other.seat = one.seat
         and other.id > one.id and other.blocked && one.blocked
         and one.status = 'confirmed' and other.status = 'confirmed'
        """,
        timeout=120,
    )
    await connection.close()
    return found


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")
