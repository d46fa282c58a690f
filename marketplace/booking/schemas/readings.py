"""What instruments' own logs say, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.booking.queries import Reading, ReadingPage, ReadingSource
from marketplace.booking.rules.readings import ReadingState, Run
from marketplace.booking.rules.states import Purpose
from marketplace.booking.schemas.periods import ReasonGiven
from marketplace.booking.schemas.sessions import SamplesRun, moment_of
from marketplace.booking.use_cases import (
    AttachReading,
    DismissReading,
    LineAnswer,
    Outcome,
    ReadingLine,
    ReceiveReadings,
    RecordReading,
    SetReadingSource,
)
from marketplace.kernel.wire import Id, In, Instant, Out, Page

LINES_MAX = 500
# A dollar sign alone would let a line feed stand behind it.
_END = r"$(?!\n)"
SourceName = Annotated[str, msgspec.Meta(pattern=rf"^[a-z0-9][a-z0-9._-]{{0,49}}{_END}")]
Tolerance = Annotated[int, msgspec.Meta(ge=0, le=1440)]
_NO_CONTROLS = rf"^[^\x00-\x1f\x7f]+{_END}"
ExternalId = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_NO_CONTROLS)]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=_NO_CONTROLS)]


class ReadingSourceIn(In):
    """A log of an instrument, and how far it is trusted.

    `opens_sessions`: a run opens and closes the session of the reservation into which it falls.
    `tolerance_minutes`: how far log and session may be apart before somebody looks.
    `accepts`: false takes no more readings.
    """

    source: SourceName
    opens_sessions: bool
    tolerance_minutes: Tolerance
    accepts: bool = True

    def to_command(self, instrument_id: int) -> SetReadingSource:
        """The command for `instrument_id`."""
        return SetReadingSource(
            instrument_id, self.source, self.opens_sessions, self.tolerance_minutes, self.accepts
        )


class ReadingSourceOut(Out):
    """A log of an instrument."""

    id: int
    instrument_id: int
    provider_id: int
    source: str
    opens_sessions: bool
    tolerance_minutes: int
    accepts: bool
    set_by: int
    set_at: datetime

    @classmethod
    def of(cls, row: ReadingSource) -> ReadingSourceOut:
        """From the row."""
        return cls.like(row)


class ReadingIn(In):
    """The start, the stop or both of one run; `external_id` is what makes it the same run."""

    instrument_id: Id
    external_id: ExternalId
    started_at: Instant | None = None
    stopped_at: Instant | None = None
    user_reference: Reference | None = None
    samples: SamplesRun | None = None

    def to_line(self) -> ReadingLine:
        """The line of the command."""
        return ReadingLine(
            self.instrument_id,
            self.external_id,
            Run(
                None if self.started_at is None else moment_of(self.started_at),
                None if self.stopped_at is None else moment_of(self.stopped_at),
            ),
            self.user_reference,
            self.samples,
        )


class ReadingsIn(In):
    """What a system sends at once from one of its logs; it may send it again."""

    source: SourceName
    readings: Annotated[list[ReadingIn], msgspec.Meta(min_length=1, max_length=LINES_MAX)]

    def to_command(self) -> ReceiveReadings:
        """The command."""
        return ReceiveReadings(self.source, tuple(line.to_line() for line in self.readings))


class LineReasonOut(Out):
    """Why a line was refused."""

    rule: str
    message: str
    limit: Any = None
    asked: Any = None


class LineAnswerOut(Out):
    """What became of a line, and what is known of its run now."""

    line: int
    external_id: str
    outcome: Outcome
    reading_id: int | None
    state: ReadingState | None
    reservation_id: int | None
    reasons: list[LineReasonOut]

    @classmethod
    def of(cls, answer: LineAnswer) -> LineAnswerOut:
        """From the result."""
        return cls.like(answer, reasons=[LineReasonOut.like(reason) for reason in answer.reasons])


class ReadingsOut(Out):
    """What became of a batch, line by line: the good lines landed, whatever the others were."""

    landed: int
    known: int
    refused: int
    lines: list[LineAnswerOut]

    @classmethod
    def of(cls, answers: list[LineAnswer]) -> ReadingsOut:
        """From the result."""
        counted = [answer.outcome for answer in answers]
        return cls(
            landed=counted.count(Outcome.LANDED),
            known=counted.count(Outcome.KNOWN),
            refused=counted.count(Outcome.REFUSED),
            lines=[LineAnswerOut.of(answer) for answer in answers],
        )


class ReadingOut(Out):
    """One run of an instrument, as its log tells it, and what is known of it."""

    id: int
    source_id: int
    source: str
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

    @classmethod
    def of(cls, row: Reading) -> ReadingOut:
        """From the row."""
        return cls.like(row)


def reading_page(found: ReadingPage, page: int, page_size: int) -> Page[ReadingOut]:
    """One page of runs."""
    return Page(
        results=[ReadingOut.of(row) for row in found.readings],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class AttachIn(In):
    """To which reservation a run belongs, and how that is known."""

    reservation_id: Id
    reason: ReasonGiven

    def to_command(self, reading_id: int) -> AttachReading:
        """The command for `reading_id`."""
        return AttachReading(reading_id, self.reservation_id, self.reason)


class RecordIn(In):
    """What a run was for that nobody had reserved, and how that is known."""

    purpose: Purpose
    reason: ReasonGiven

    def to_command(self, reading_id: int) -> RecordReading:
        """The command for `reading_id`."""
        return RecordReading(reading_id, self.purpose, self.reason)


class DismissIn(In):
    """Why a run counts for nothing."""

    reason: ReasonGiven

    def to_command(self, reading_id: int) -> DismissReading:
        """The command for `reading_id`."""
        return DismissReading(reading_id, self.reason)
