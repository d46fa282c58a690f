"""Waiting lists on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries import ListedEntry, WaitlistPage
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.booking.rules.waiting import DAY_MINUTES, WEEKDAYS, EntryStatus, Wish
from marketplace.booking.schemas.periods import window_of
from marketplace.booking.use_cases import JoinWaitlist
from marketplace.kernel.wire import Id, In, Instant, Out, Page

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
WantedMinutes = Annotated[int, msgspec.Meta(ge=1, le=44_640)]
Earliest = Annotated[int, msgspec.Meta(ge=0, le=1439)]
Latest = Annotated[int, msgspec.Meta(ge=1, le=DAY_MINUTES)]


class JoinWaitlistIn(In):
    """Any `minutes` on end between two instants, on these weekdays, between these hours of a day.

    Hours are minutes after midnight in Shanghai; Monday is 0. `purpose` is for people of the
    instrument's provider; customers wait for a time that they will order.
    """

    instrument_id: Id
    starts_at: Instant
    ends_at: Instant
    minutes: WantedMinutes
    weekdays: Annotated[list[Weekday], msgspec.Meta(min_length=1, max_length=7)] = msgspec.field(
        default_factory=lambda: list(WEEKDAYS)
    )
    earliest_minute: Earliest = 0
    latest_minute: Latest = DAY_MINUTES
    purpose: Purpose | None = None

    def to_command(self) -> JoinWaitlist:
        """The command of the caller."""
        return JoinWaitlist(
            self.instrument_id,
            Wish(
                window_of(self.starts_at, self.ends_at),
                self.minutes,
                tuple(sorted(set(self.weekdays))),
                self.earliest_minute,
                self.latest_minute,
            ),
            self.purpose,
        )


class OfferedTimeOut(Out):
    """A time that is kept for who waits, until `held_until`."""

    reservation_id: int
    starts_at: datetime
    ends_at: datetime
    held_until: datetime


class WaitlistEntryOut(Out):
    """A wish in a waiting list.

    `position` is its place among those who wait for the same instrument; `offered` a time that is
    kept for it. A customer takes that by ordering exactly this time.
    """

    id: int
    instrument_id: int
    provider_id: int
    organisation_id: int
    person_id: int
    user_class: UserClass
    purpose: Purpose
    starts_at: datetime
    ends_at: datetime
    minutes: int
    weekdays: list[int]
    earliest_minute: int
    latest_minute: int
    status: EntryStatus
    position: int | None
    offered: OfferedTimeOut | None
    offers_lapsed: int
    reservation_id: int | None
    made_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    ended_because: str | None

    @classmethod
    def of(cls, listed: ListedEntry) -> WaitlistEntryOut:
        """From the row."""
        return cls.like(
            listed.entry,
            weekdays=list(listed.entry.weekdays),
            position=listed.position,
            offered=_offered(listed),
        )


def _offered(listed: ListedEntry) -> OfferedTimeOut | None:
    found = (
        listed.entry.reservation_id,
        listed.offered_from,
        listed.offered_until,
        listed.held_until,
    )
    reservation_id, starts_at, ends_at, held_until = found
    if reservation_id is None or starts_at is None or ends_at is None or held_until is None:
        return None
    return OfferedTimeOut(
        reservation_id=reservation_id,
        starts_at=starts_at,
        ends_at=ends_at,
        held_until=held_until,
    )


def waitlist_page(found: WaitlistPage, page: int, page_size: int) -> Page[WaitlistEntryOut]:
    """One page of the list."""
    return Page(
        results=[WaitlistEntryOut.of(row) for row in found.entries],
        total=found.total,
        page=page,
        page_size=page_size,
    )
