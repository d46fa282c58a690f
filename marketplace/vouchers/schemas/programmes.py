"""Versions of programmes and dry runs, as they are asked for and told."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec

from marketplace.kernel.wire import In, Line, Out, Why, Word
from marketplace.vouchers.queries import ProgrammeVersion, TermCompared
from marketplace.vouchers.queries.dry_runs import DryRunRow, StoredDryRun
from marketplace.vouchers.use_cases import AskDryRun, DraftVersion, TermGiven

Dimension = Literal["size", "region", "service_kind", "provider", "layer"]
DryRunStatus = Literal["waiting", "running", "done", "failed"]
VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
TERMS_MAX = 40


class TermIn(In):
    """A term's new value with the clause that says so; null takes an optional term away."""

    value: Any
    source: Line
    note: Line = ""


Changes = Annotated[dict[Word, TermIn], msgspec.Meta(min_length=1, max_length=TERMS_MAX)]


def _given(changes: dict[str, TermIn]) -> dict[str, TermGiven]:
    return {name: TermGiven(each.value, each.source, each.note) for name, each in changes.items()}


class VersionIn(In):
    """What changes of a programme's terms, from which day on, and why."""

    starts_on: date
    reason: Why
    changes: Changes

    def to_command(self, programme_id: int) -> DraftVersion:
        """The version that is drafted."""
        return DraftVersion(programme_id, self.starts_on, self.reason, _given(self.changes))


class VersionOut(Out):
    """Changed terms of a programme, from a day on."""

    id: int
    programme_id: int
    version: int
    terms: dict[str, Any]
    starts_on: date
    reason: str
    status: str
    made_by: int
    made_at: datetime
    approved_by: int | None
    approved_at: datetime | None

    @classmethod
    def of(cls, row: ProgrammeVersion) -> "VersionOut":
        """The answer for a version."""
        return cls.like(row)


class TermComparedOut(Out):
    """A term that two versions say differently; null: a version that says nothing of it."""

    term: str
    first: dict[str, Any] | None
    second: dict[str, Any] | None

    @classmethod
    def of(cls, row: TermCompared) -> "TermComparedOut":
        """The answer for a term."""
        return cls.like(row)


class DryRunIn(In):
    """What would change of the terms in force, over the orders redeemed between two days."""

    changes: Changes
    from_on: date | None = None
    until_on: date | None = None

    def to_command(self, programme_id: int) -> AskDryRun:
        """The dry run that is asked for."""
        return AskDryRun(programme_id, _given(self.changes), self.from_on, self.until_on)


class DryRunOut(Out):
    """A dry run with how far it is: `done` of `orders`; its summary once it is done."""

    id: int
    programme_id: int
    changes: dict[str, Any]
    from_on: date
    until_on: date
    status: str
    orders: int
    done: int
    summary: dict[str, Any] | None
    reason: str
    asked_by: int
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, row: StoredDryRun) -> "DryRunOut":
        """The answer for a dry run."""
        return cls.like(row)


class DryRunRowOut(Out):
    """One row of the before and after table."""

    dimension: str
    key: str
    label: str
    orders: int
    service_value_fen: int
    orders_before: int
    orders_after: int
    before_fen: int
    after_fen: int

    @classmethod
    def of(cls, row: DryRunRow) -> "DryRunRowOut":
        """The answer for a row."""
        return cls.like(row)
