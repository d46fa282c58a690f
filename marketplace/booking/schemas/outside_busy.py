"""Outside calendars and their busy times on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.booking.queries.outside_busy import (
    BusyTime,
    Conflict,
    ConflictPage,
    Source,
    SourcePage,
    TimesPage,
)
from marketplace.booking.rules.busy_sources import PushMode, SourceKind
from marketplace.booking.rules.ical_reading import (
    EVENT_DAYS_MAX,
    SUMMARY_LENGTH_MAX,
    TIMES_MAX,
    UID_LENGTH_MAX,
    OutsideTime,
)
from marketplace.booking.rules.states import Status
from marketplace.booking.schemas.periods import during_of
from marketplace.booking.use_cases import AddSource, ChangeSource, Landed, PushTimes
from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.wire import Id, In, Instant, Out, Page, Word

_TEXT = r"^[^\x00-\x1f\x7f]*$"
Url = Annotated[str, msgspec.Meta(min_length=9, max_length=2_000, pattern=r"^[!-~]+$")]
Uid = Annotated[str, msgspec.Meta(min_length=1, max_length=UID_LENGTH_MAX, pattern=_TEXT)]
Summary = Annotated[str, msgspec.Meta(max_length=SUMMARY_LENGTH_MAX, pattern=_TEXT)]


class SourceIn(In):
    """A calendar outside the platform: fetched from `url`, uploaded, or pushed."""

    kind: SourceKind
    name: Word
    url: Url | None = None

    def to_command(self, instrument_id: int) -> AddSource:
        """What the use case takes."""
        return AddSource(instrument_id, self.kind, self.name, self.url)


class SourceChangeIn(In):
    """What to change; what is left out stays. A paused one keeps its times."""

    name: Word | None = None
    url: Url | None = None
    paused: bool | None = None

    def to_command(self, source_id: int) -> ChangeSource:
        """What the use case takes."""
        return ChangeSource(source_id, self.name, self.url, self.paused)


class SourceOut(Out):
    """An outside calendar; `stale` when nobody knows any more whether its times are right."""

    id: int
    instrument_id: int
    kind: SourceKind
    name: str
    url: str | None
    paused: bool
    times: int
    stale: bool
    due_at: datetime | None
    tried_at: datetime | None
    fetched_at: datetime | None
    landed_at: datetime | None
    failed_at: datetime | None
    failures: int
    error: str | None
    problems: list[dict[str, Any]]
    made_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, source: Source) -> SourceOut:
        """From a row."""
        return cls.like(source)


class BusyTimeIn(In):
    """A time in which the instrument is busy; its `uid` names it for as long as it exists."""

    uid: Uid
    starts_at: Instant
    ends_at: Instant
    recurrence_id: Annotated[str, msgspec.Meta(max_length=100, pattern=_TEXT)] = ""
    summary: Summary = ""


class PushIn(In):
    """What a system of the provider knows; `gone` are names that it took back."""

    mode: PushMode
    times: Annotated[list[BusyTimeIn], msgspec.Meta(max_length=TIMES_MAX)]
    gone: Annotated[list[Uid], msgspec.Meta(max_length=TIMES_MAX)] = msgspec.field(
        default_factory=list
    )

    def to_command(self, source_id: int) -> PushTimes:
        """What the use case takes.

        Raises:
            Malformed: with every time that is none.
        """
        reasons, times = [], []
        for place, each in enumerate(self.times):
            try:
                during = during_of(each.starts_at, each.ends_at)
            except Malformed as error:
                reasons.append(Reason("times", f"times[{place}]: {error}", asked=each.uid))
                continue
            if during.minutes > EVENT_DAYS_MAX * 1440:
                text = f"times[{place}]: longer than {EVENT_DAYS_MAX} days"
                reasons.append(Reason("times", text, asked=each.uid))
            times.append(OutsideTime(each.uid, each.recurrence_id, during, each.summary))
        if reasons:
            raise Malformed("Some times cannot be; see reasons.", reasons=reasons)
        return PushTimes(source_id, self.mode, times, self.gone)


class LandedOut(Out):
    """What came of it: `times` are there now, `conflicts` reservations are in their way."""

    times: int
    added: int
    changed: int
    removed: int
    conflicts: int

    @classmethod
    def of(cls, landed: Landed) -> LandedOut:
        """From what landed."""
        return cls.like(landed)


class BusyTimeOut(Out):
    """A time in which an instrument is busy elsewhere."""

    source_id: int
    instrument_id: int
    uid: str
    recurrence_id: str
    starts_at: datetime
    ends_at: datetime
    summary: str

    @classmethod
    def of(cls, time: BusyTime) -> BusyTimeOut:
        """From a row."""
        return cls.like(time)


class ConflictOut(Out):
    """A reservation that stands, and the outside time that is in its way."""

    source_id: Id
    source_name: str
    instrument_id: int
    uid: str
    summary: str
    busy_starts_at: datetime
    busy_ends_at: datetime
    reservation_id: int
    reserved_instrument_id: int
    organisation_id: int
    order_id: int | None
    status: Status
    starts_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, conflict: Conflict) -> ConflictOut:
        """From a row."""
        return cls.like(conflict)


def source_page(found: SourcePage, page: int, page_size: int) -> Page[SourceOut]:
    """One page of outside calendars."""
    results = [SourceOut.of(each) for each in found.sources]
    return Page(results=results, total=found.total, page=page, page_size=page_size)


def times_page(found: TimesPage, page: int, page_size: int) -> Page[BusyTimeOut]:
    """One page of busy times."""
    results = [BusyTimeOut.of(each) for each in found.times]
    return Page(results=results, total=found.total, page=page, page_size=page_size)


def conflict_page(found: ConflictPage, page: int, page_size: int) -> Page[ConflictOut]:
    """One page of conflicts."""
    results = [ConflictOut.of(each) for each in found.conflicts]
    return Page(results=results, total=found.total, page=page, page_size=page_size)
