"""The requests that wait for a provider's answer, the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select

from marketplace.booking.queries.reservations import (
    Reservation,
    made_reservation,
    reservation_select,
)
from marketplace.booking.tables import reservation as table
from marketplace.catalogue.queries import instruments
from marketplace.kernel.db import Tx
from marketplace.parties.queries import names_of_people, organisations

# Written out, so that the planner finds the index that holds what waits only.
REQUESTED = table.c.status == literal_column("'requested'")


@dataclass(frozen=True, slots=True)
class RequestSearch:
    """Which requests to list: for an instrument, of an organisation, with a deadline before."""

    instrument_id: int | None = None
    organisation_id: int | None = None
    before: datetime | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class Request:
    """A request with who asks for what, and how long it still waits."""

    reservation: Reservation
    minutes_left: int
    instrument: str
    organisation: str
    person: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page of requests, soonest deadline first, and how many wait in all."""

    requests: list[Request]
    total: int


async def requests(tx: Tx, search: RequestSearch) -> RequestPage:
    """What waits for the actor's organisation, soonest deadline first, in five statements.

    What has lapsed waits for nothing any more, whether or not the worker has ended it.
    """
    wanted = [
        REQUESTED,
        table.c.provider_id == tx.actor.organisation_id,
        table.c.held_until > tx.now,
    ]
    if search.instrument_id is not None:
        wanted.append(table.c.instrument_id == search.instrument_id)
    if search.organisation_id is not None:
        wanted.append(table.c.organisation_id == search.organisation_id)
    if search.before is not None:
        wanted.append(table.c.held_until < search.before)
    total = await tx.scalar(select(func.count()).select_from(table).where(*wanted))
    found = await tx.all(
        made_reservation,
        reservation_select()
        .where(*wanted)
        .order_by(table.c.held_until, table.c.id)
        .limit(search.page_size)
        .offset((search.page - 1) * search.page_size),
    )
    wanted_of = await instruments(tx, (one.instrument_id for one in found))
    asking = await organisations(tx, (one.organisation_id for one in found))
    people = await names_of_people(tx, (one.person_id for one in found))
    return RequestPage(
        [
            Request(
                reservation=one,
                minutes_left=_minutes_left(one, tx.now),
                instrument=wanted_of[one.instrument_id].cname,
                organisation=asking[one.organisation_id].name,
                person=people[one.person_id],
            )
            for one in found
        ],
        total,
    )


def _minutes_left(one: Reservation, at: datetime) -> int:
    assert one.held_until is not None, "a request has a deadline"
    return (one.held_until - at) // timedelta(minutes=1)
