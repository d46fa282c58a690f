"""Quotas on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.booking.queries.quotas import MyQuota, MyQuotaPage, QuotaPage, QuotaUses
from marketplace.booking.rules.quotas import Measure, Period, QuotaUse, Subject, ends_on
from marketplace.booking.rules.states import UserClass
from marketplace.booking.use_cases.quotas import ChangeQuota, SetQuota
from marketplace.kernel.wire import Id, In, Out, Page

AtMost = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]


class QuotaIn(In):
    """How much each person or organisation may reserve; without an instrument, of all together."""

    subject: Subject
    period: Period
    measure: Measure
    at_most: AtMost
    instrument_id: Id | None = None
    user_class: UserClass | None = None
    peak_only: bool = False

    def to_command(self) -> SetQuota:
        """The command of the caller."""
        return SetQuota(**msgspec.structs.asdict(self))


class QuotaChangeIn(In):
    """Another limit."""

    at_most: AtMost

    def to_command(self, quota_id: int) -> ChangeQuota:
        """The command for `quota_id`."""
        return ChangeQuota(quota_id, self.at_most)


class QuotaOut(Out):
    """A quota as its provider set it."""

    id: int
    provider_id: int
    instrument_id: int | None
    subject: Subject
    user_class: UserClass | None
    period: Period
    measure: Measure
    peak_only: bool
    at_most: int
    set_by: int
    set_at: datetime
    ended_at: datetime | None


def quota_page(found: QuotaPage, page: int, page_size: int) -> Page[QuotaOut]:
    """One page of the list."""
    return Page(
        results=[QuotaOut.like(row) for row in found.quotas],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class SubjectUseOut(Out):
    """One person or organisation, and how much of the quota they used."""

    subject_id: int
    name: str
    used: int
    left: int


class QuotaUsesOut(Out):
    """Who used how much of a quota in one period, most first; open ones have no end."""

    quota: QuotaOut
    starts_at: datetime
    ends_at: datetime | None
    uses: Page[SubjectUseOut]

    @classmethod
    def of(cls, found: QuotaUses, page: int, page_size: int) -> QuotaUsesOut:
        """From the answer of the query."""
        is_open = found.quota.period is Period.OPEN
        return cls(
            quota=QuotaOut.like(found.quota),
            starts_at=found.span.starts_at,
            ends_at=None if is_open else found.span.ends_at,
            uses=Page(
                results=[SubjectUseOut.like(use) for use in found.uses],
                total=found.total,
                page=page,
                page_size=page_size,
            ),
        )


class QuotaUseOut(Out):
    """A quota that limits the caller: how much, what is used and left, and until which day."""

    quota_id: int
    instrument_id: int | None
    subject: Subject
    period: Period
    measure: Measure
    peak_only: bool
    at_most: int
    used: int
    left: int
    starts_at: datetime
    ends_on: date | None

    @classmethod
    def of(cls, use: QuotaUse) -> QuotaUseOut:
        """From the quota in its period."""
        return cls.like(use, ends_on=ends_on(use))


class MyQuotaOut(Out):
    """A quota that limits the caller, and whose instruments it is about."""

    provider_id: int
    quota: QuotaUseOut

    @classmethod
    def of(cls, found: MyQuota) -> MyQuotaOut:
        """From the row."""
        return cls(provider_id=found.provider_id, quota=QuotaUseOut.of(found.use))


def my_quota_page(found: MyQuotaPage, page: int, page_size: int) -> Page[MyQuotaOut]:
    """One page of the caller's quotas."""
    return Page(
        results=[MyQuotaOut.of(row) for row in found.quotas],
        total=found.total,
        page=page,
        page_size=page_size,
    )
