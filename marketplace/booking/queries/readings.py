"""What instruments' own logs say, as typed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    func,
    select,
    text,
    true,
)

from marketplace.booking.rules.readings import RUNS_BELONG_TO, Booked, ReadingState, Run
from marketplace.booking.rules.states import Status
from marketplace.booking.tables import (
    machine_reading,
    reading_source,
)
from marketplace.catalogue.queries import own_instrument
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Missing
from marketplace.kernel.tables import Instant
from marketplace.kernel.time import During
from marketplace.parties.roles import SEES_EVERYTHING


@dataclass(frozen=True, slots=True)
class ReadingSource:
    """A log that an instrument's provider trusts, and how far.

    `opens_sessions`: whether a run opens and closes the session of its reservation.
    `tolerance_minutes`: how far log and session may be apart before somebody looks.
    """

    id: int
    instrument_id: int
    provider_id: int
    source: str
    opens_sessions: bool
    tolerance_minutes: int
    accepts: bool
    set_by: int
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One run of an instrument, as its log tells it."""

    id: int
    source_id: int
    source: str
    opens_sessions: bool
    tolerance_minutes: int
    instrument_id: int
    external_id: str
    started_at: datetime | None
    stopped_at: datetime | None
    user_reference: str | None
    samples: int | None
    received_at: datetime
    changed_at: datetime
    state: ReadingState
    reservation_id: int | None
    session_id: int | None
    resolved_by: int | None
    resolved_at: datetime | None
    resolution: str | None

    @property
    def run(self) -> Run:
        """When the machine ran, as far as it is known."""
        return Run(self.started_at, self.stopped_at)


def made_reading(**row: Any) -> Reading:
    """A `Reading` from a row of `reading_select`."""
    return Reading(**{**row, "state": ReadingState(row["state"])})


def reading_select() -> Select[Any]:
    """Every column of a `Reading`."""
    c = machine_reading.c
    return select(
        c.id,
        c.source_id,
        reading_source.c.source,
        reading_source.c.opens_sessions,
        reading_source.c.tolerance_minutes,
        c.instrument_id,
        c.external_id,
        c.started_at,
        c.stopped_at,
        c.user_reference,
        c.samples,
        c.received_at,
        c.changed_at,
        c.state,
        c.reservation_id,
        c.session_id,
        c.resolved_by,
        c.resolved_at,
        c.resolution,
    ).join_from(machine_reading, reading_source, reading_source.c.id == c.source_id)


async def reading_sources(tx: Tx, instrument_id: int) -> list[ReadingSource]:
    """The logs of an instrument of one's own.

    Raises:
        InstrumentMissing: when it belongs to others.
    """
    found = await own_instrument(tx, instrument_id)
    return await tx.all(
        ReadingSource,
        select(reading_source)
        .where(reading_source.c.instrument_id == found.id)
        .order_by(reading_source.c.source),
    )


async def readings_of(tx: Tx, reservation_id: int) -> list[Reading]:
    """The runs that belong to a reservation, in the order in which they arrived."""
    return await tx.all(
        made_reading,
        reading_select()
        .where(machine_reading.c.reservation_id == reservation_id)
        .order_by(machine_reading.c.id),
    )


async def own_reading(tx: Tx, reading_id: int) -> Reading:
    """The run, its row locked, if it is of an instrument of the actor's organisation.

    Raises:
        Missing: otherwise.
    """
    found = await tx.first(
        made_reading,
        reading_select()
        .where(
            machine_reading.c.id == reading_id,
            machine_reading.c.provider_id == tx.actor.organisation_id,
        )
        .with_for_update(of=machine_reading),
    )
    if found is None:
        raise Missing("There is no such reading.")
    return found


@dataclass(frozen=True, slots=True)
class ReadingSearch:
    """Which runs to list; what is left out does not restrict."""

    state: ReadingState | None = None
    instrument_id: int | None = None
    reservation_id: int | None = None
    during: During | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """One page of runs, latest first, and how many there are in all."""

    readings: list[Reading]
    total: int


async def readings(tx: Tx, search: ReadingSearch) -> ReadingPage:
    """The runs of the instruments of one's own organisation."""
    c = machine_reading.c
    wanted: list[ColumnElement[bool]] = [_visible(tx)]
    if search.state is not None:
        wanted.append(c.state == search.state)
    if search.instrument_id is not None:
        wanted.append(c.instrument_id == search.instrument_id)
    if search.reservation_id is not None:
        wanted.append(c.reservation_id == search.reservation_id)
    if search.during is not None:
        moment = func.coalesce(c.started_at, c.stopped_at)
        wanted.append(moment >= search.during.starts_at)
        wanted.append(moment < search.during.ends_at)
    total = await tx.scalar(select(func.count()).select_from(machine_reading).where(and_(*wanted)))
    page = await tx.all(
        made_reading,
        reading_select()
        .where(*wanted)
        .order_by(c.id.desc())
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    return ReadingPage(page, total)


def _visible(tx: Tx) -> ColumnElement[bool]:
    if tx.actor.has(*SEES_EVERYTHING):
        return true()
    return machine_reading.c.provider_id == tx.actor.organisation_id


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reservation to which a run on an instrument may belong."""

    instrument_id: int
    booked: Booked


# Two services of one machine share a calendar: a run on either may belong to both. A reservation
# is at most 60 days long, and a session may begin and end a little outside it.
_CANDIDATES = text(
    """
    with calendar as (
      select asked.id as instrument_id, coalesce(rule.calendar_id, asked.id) as calendar_id
        from unnest(:instrument_ids) as asked (id)
        left join booking_rule rule on rule.instrument_id = asked.id
    ), service as (
      select instrument_id, calendar_id as service_id from calendar
       union
      select calendar.instrument_id, rule.instrument_id
        from calendar join booking_rule rule using (calendar_id)
    )
    select service.instrument_id, r.id, lower(r.during) as starts_at, upper(r.during) as ends_at,
           r.status, s.opened_at, s.closed_at
      from service
      join reservation r on r.instrument_id = service.service_id
      left join usage_session s on s.reservation_id = r.id
     where lower(r.during) >= :first - interval '62 days'
       and lower(r.during) < :last + interval '2 days'
       and upper(r.during) > :first - interval '2 days'
       and r.status = any(:statuses)
    """
).bindparams(
    bindparam("instrument_ids", type_=ARRAY(BigInteger)),
    bindparam("first", type_=Instant),
    bindparam("last", type_=Instant),
    bindparam("statuses", type_=ARRAY(Text)),
)


async def candidates(tx: Tx, runs: Sequence[tuple[int, Run]]) -> list[Candidate]:
    """Reservations around `runs` (instrument and run), in one statement for any number of them."""
    starts = [run.started_at for _, run in runs if run.started_at is not None]
    if not starts:
        return []
    rows = await tx.execute(
        _CANDIDATES,
        {
            "instrument_ids": sorted({instrument_id for instrument_id, _ in runs}),
            "first": min(starts),
            "last": max(starts),
            "statuses": sorted(RUNS_BELONG_TO),
        },
    )
    return [
        Candidate(
            row.instrument_id,
            Booked(
                row.id,
                During(row.starts_at, row.ends_at),
                Status(row.status),
                row.opened_at,
                row.closed_at,
            ),
        )
        for row in rows
    ]
