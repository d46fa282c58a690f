"""Services free of charge on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec

from marketplace.kernel.wire import In, Out, Why, Word
from marketplace.orders import queries
from marketplace.orders.rules.free_use import FreeUseStatus
from marketplace.orders.use_cases.free_use import (
    AskFreeUse,
    DecideFreeUse,
    ExamineFreeUse,
    WithdrawFreeUse,
)

Purpose = Annotated[str, msgspec.Meta(pattern="^[a-z-]{1,60}$")]
FileName = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f/\\]+$")]


class FreeUseIn(In):
    """For what the service is needed free of charge."""

    statement: Why

    def to_command(self, quote_id: int) -> AskFreeUse:
        """The command for a quote."""
        return AskFreeUse(quote_id, self.statement)


class FindingIn(In):
    """What the provider's first person finds."""

    finding: Why

    def to_command(self, free_use_id: int) -> ExamineFreeUse:
        """The command for a request."""
        return ExamineFreeUse(free_use_id, self.finding)


class FreeUseDecisionIn(In):
    """Approved or refused by the second person, and why."""

    approve: bool
    reason: Why

    def to_command(self, free_use_id: int) -> DecideFreeUse:
        """The command for a request."""
        return DecideFreeUse(free_use_id, self.approve, self.reason)


class WithdrawFreeUseIn(In):
    """Why the request is taken back."""

    reason: Why

    def to_command(self, free_use_id: int) -> WithdrawFreeUse:
        """The command for a request."""
        return WithdrawFreeUse(free_use_id, self.reason)


class FreeUseOut(Out):
    """A request: `list_value_fen` is what the quote would have cost, `served_…` what was used."""

    id: int
    quote_id: int
    buyer_id: int
    provider_id: int
    instrument_id: int
    purpose: str
    statement: str
    list_value_fen: int
    status: FreeUseStatus
    asked_by: int
    asked_at: datetime
    examined_by: int | None
    examined_at: datetime | None
    finding: str | None
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    served_on: date | None
    served_minutes: int | None
    served_samples: int | None
    served_value_fen: int | None

    @classmethod
    def of(cls, row: queries.FreeUse) -> FreeUseOut:
        """The wire form of a request."""
        return msgspec.convert(row, cls, from_attributes=True)


class FreeUseEvidenceOut(Out):
    """A file that shows the purpose."""

    id: int
    name: Word
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, row: queries.FreeUseEvidence) -> FreeUseEvidenceOut:
        """The wire form of evidence."""
        return cls.like(row)


class FreeUseFigureOut(Out):
    """What one provider gave free of charge for one purpose in a year, at list prices."""

    year: int
    provider_id: int
    purpose: str
    orders: int
    minutes: int
    samples: int
    value_fen: int

    @classmethod
    def of(cls, row: queries.FreeUseFigure) -> FreeUseFigureOut:
        """The wire form of a figure."""
        return cls.like(row)


class FreeUseFiguresOut(Out):
    """One page of figures; the sums are of all pages."""

    results: list[FreeUseFigureOut]
    total: int
    orders: int
    minutes: int
    samples: int
    value_fen: int
    page: int
    page_size: int

    @classmethod
    def of(cls, found: queries.FreeUseFigures) -> FreeUseFiguresOut:
        """The wire form of figures."""
        return cls.like(found, results=[FreeUseFigureOut.of(row) for row in found.rows])
