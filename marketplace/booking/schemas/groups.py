"""Groups on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries import Group, GroupPage
from marketplace.booking.rules.groups import CHOICES_MAX, ITEMS_MAX
from marketplace.booking.rules.states import Purpose
from marketplace.booking.schemas.periods import ReasonGiven, Seat, during_of
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.use_cases import CancelGroup, GroupItem, PlaceGroup
from marketplace.kernel.wire import Id, In, Instant, Line, Out, Page

Choices = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=CHOICES_MAX)]


class GroupItemIn(In):
    """One time, on the first of these instruments that is free."""

    instrument_ids: Choices
    starts_at: Instant
    ends_at: Instant
    purpose: Purpose
    seat: Seat | None = None

    def to_item(self) -> GroupItem:
        """The item of the command."""
        return GroupItem(
            tuple(self.instrument_ids),
            during_of(self.starts_at, self.ends_at),
            self.purpose,
            self.seat,
        )


GroupItems = Annotated[list[GroupItemIn], msgspec.Meta(min_length=1, max_length=ITEMS_MAX)]


class GroupIn(In):
    """Several times as one booking: all of them or none."""

    items: GroupItems
    note: Line | None = None
    override_reason: ReasonGiven | None = None

    def to_command(self) -> PlaceGroup:
        """The command of the caller."""
        return PlaceGroup(
            tuple(item.to_item() for item in self.items), self.note, self.override_reason
        )


class CancelGroupIn(In):
    """Why a group is given back."""

    reason: ReasonGiven

    def to_command(self, group_id: int) -> CancelGroup:
        """The command for `group_id`."""
        return CancelGroup(group_id, self.reason)


class GroupOut(Out):
    """A group with its reservations, in order of their start."""

    id: int
    organisation_id: int
    person_id: int
    note: str | None
    made_at: datetime
    reservations: list[ReservationOut]

    @classmethod
    def of(cls, found: Group) -> GroupOut:
        """From the row."""
        return cls.like(found, reservations=[ReservationOut.of(one) for one in found.reservations])


def group_page(found: GroupPage, page: int, page_size: int) -> Page[GroupOut]:
    """One page of the list."""
    return Page(
        results=[GroupOut.of(row) for row in found.groups],
        total=found.total,
        page=page,
        page_size=page_size,
    )
