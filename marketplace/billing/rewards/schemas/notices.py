"""What the API takes and answers about runs in public notice and objections to them."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from marketplace.billing.rewards import queries
from marketplace.billing.rewards.rules.states import ObjectionStatus
from marketplace.billing.rewards.use_cases import AnswerObjection, FileObjection
from marketplace.kernel.wire import In, Out, Why, Word


class ObjectionIn(In):
    """Who objects, where they are reached, and why."""

    name: Word
    contact: Word
    statement: Why

    def to_command(self, run_id: int) -> FileObjection:
        """The objection that is filed."""
        return FileObjection(run_id, self.name, self.contact, self.statement)


class FiledOut(Out):
    """Under which number an objection was taken."""

    id: int


class AnswerIn(In):
    """Whether an objection is right, and the answer to it."""

    upheld: bool
    answer: Why

    def to_command(self, objection_id: int) -> AnswerObjection:
        """The answer that is given."""
        return AnswerObjection(objection_id, self.upheld, self.answer)


class ObjectionOut(Out):
    """An objection, who can be reached about it, and what was answered."""

    id: int
    run_id: int
    name: str
    contact: str
    statement: str
    filed_at: datetime
    status: ObjectionStatus
    answer: str | None
    answered_by: int | None
    answered_at: datetime | None

    @classmethod
    def of(cls, row: queries.Objection) -> ObjectionOut:
        """The wire form of an objection."""
        return msgspec.convert(row, cls, from_attributes=True)


class NoticeOut(Out):
    """A run in public notice."""

    run_id: int
    year: int
    sequence: int
    through: date
    entities: int
    total_fen: int
    published_at: datetime
    notice_ends_on: date

    @classmethod
    def of(cls, row: queries.Notice) -> NoticeOut:
        """The wire form of a notice."""
        return msgspec.convert(row, cls, from_attributes=True)


class NoticeLineOut(Out):
    """What a legal entity is to be paid."""

    legal_entity_id: int
    name: str
    name_en: str
    service_total_fen: int
    amount_fen: int


class NoticePageOut(Out):
    """A run in notice with one page of the legal entities that it pays."""

    notice: NoticeOut
    results: list[NoticeLineOut]
    total: int
    page: int
    page_size: int

    @classmethod
    def of(cls, found: queries.NoticePage, *, page: int, page_size: int) -> NoticePageOut:
        """The wire form of a page of a notice."""
        return cls(
            notice=NoticeOut.of(found.notice),
            results=[
                msgspec.convert(line, NoticeLineOut, from_attributes=True) for line in found.lines
            ],
            total=found.total,
            page=page,
            page_size=page_size,
        )
