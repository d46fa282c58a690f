"""Strikes, appeals and suspensions on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries import (
    Appeal,
    Strike,
    StrikePage,
    Suspension,
    SuspensionPage,
)
from marketplace.booking.rules.strikes import AppealStatus, StrikeKind
from marketplace.booking.schemas.periods import ReasonGiven
from marketplace.booking.use_cases import AppealStrike, DecideAppeal, WaiveStrike
from marketplace.kernel.wire import In, Out, Page

AppealText = Annotated[
    str, msgspec.Meta(min_length=3, max_length=5_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")
]


class StrikeOut(Out):
    """A strike: for what, until when it counts, whether it was waived, how its appeal stands."""

    id: int
    person_id: int
    organisation_id: int
    provider_id: int
    instrument_id: int
    reservation_id: int
    kind: StrikeKind
    given_at: datetime
    noted_at: datetime
    expires_at: datetime
    why: str
    waived_at: datetime | None
    waived_by: int | None
    waived_because: str | None
    appeal_id: int | None
    appeal_status: AppealStatus | None

    @classmethod
    def of(cls, row: Strike) -> StrikeOut:
        """From the row."""
        return cls.like(row)


class AppealOut(Out):
    """An appeal against a strike, and its decision."""

    id: int
    strike_id: int
    filed_by: int
    filed_at: datetime
    text: str
    status: AppealStatus
    decided_by: int | None
    decided_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, row: Appeal) -> AppealOut:
        """From the row."""
        return cls.like(row)


class StrikeDetailOut(Out):
    """A strike with its appeal, where there is one."""

    strike: StrikeOut
    appeal: AppealOut | None


class SuspensionOut(Out):
    """When a person may reserve nothing; it ends by itself."""

    id: int
    person_id: int
    organisation_id: int
    starts_at: datetime
    ends_at: datetime
    lifted_at: datetime | None
    lifted_because: str | None

    @classmethod
    def of(cls, row: Suspension) -> SuspensionOut:
        """From the row."""
        return cls.like(row)


class WaiveIn(In):
    """Why a strike does not count; the person reads it."""

    reason: ReasonGiven

    def to_command(self, strike_id: int) -> WaiveStrike:
        """The command for `strike_id`."""
        return WaiveStrike(strike_id, self.reason)


class AppealIn(In):
    """What speaks against a strike."""

    text: AppealText

    def to_command(self, strike_id: int) -> AppealStrike:
        """The command for `strike_id`."""
        return AppealStrike(strike_id, self.text)


class DecideAppealIn(In):
    """The decision of an appeal, and why; both sides read it."""

    upheld: bool
    reason: ReasonGiven

    def to_command(self, appeal_id: int) -> DecideAppeal:
        """The command for `appeal_id`."""
        return DecideAppeal(appeal_id, upheld=self.upheld, reason=self.reason)


def strike_page(found: StrikePage, page: int, page_size: int) -> Page[StrikeOut]:
    """One page of strikes."""
    return Page(
        results=[StrikeOut.of(row) for row in found.strikes],
        total=found.total,
        page=page,
        page_size=page_size,
    )


def suspension_page(found: SuspensionPage, page: int, page_size: int) -> Page[SuspensionOut]:
    """One page of suspensions."""
    return Page(
        results=[SuspensionOut.of(row) for row in found.suspensions],
        total=found.total,
        page=page,
        page_size=page_size,
    )
