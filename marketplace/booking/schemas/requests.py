"""Requests that wait for an answer, and many answers at once, on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec

from marketplace.booking.queries import RequestPage
from marketplace.booking.queries.requests import Request
from marketplace.booking.schemas.periods import ReasonGiven
from marketplace.booking.schemas.reasons import BookingProblemOut
from marketplace.booking.schemas.reservations import ReservationOut
from marketplace.booking.use_cases import Answered, ApproveRequests, RejectRequests
from marketplace.kernel.wire import Id, In, Out, Page

RequestIds = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100)]


class RequestOut(Out):
    """A request with who asks for what, and how long it still waits."""

    reservation: ReservationOut
    minutes_left: int
    instrument: str
    organisation: str
    person: str

    @classmethod
    def of(cls, found: Request) -> RequestOut:
        """From the row."""
        return cls.like(found, reservation=ReservationOut.of(found.reservation))


def request_page(found: RequestPage, page: int, page_size: int) -> Page[RequestOut]:
    """One page of the list."""
    return Page(
        results=[RequestOut.of(row) for row in found.requests],
        total=found.total,
        page=page,
        page_size=page_size,
    )


class ApproveRequestsIn(In):
    """Requests to confirm, each by itself."""

    reservation_ids: RequestIds

    def to_command(self) -> ApproveRequests:
        """The command of the caller."""
        return ApproveRequests(tuple(self.reservation_ids))


class RejectRequestsIn(In):
    """Requests to turn down, each by itself; their customers read why."""

    reservation_ids: RequestIds
    reason: ReasonGiven

    def to_command(self) -> RejectRequests:
        """The command of the caller."""
        return RejectRequests(tuple(self.reservation_ids), self.reason)


class AnsweredOut(Out):
    """How one request was answered: what it is now, and the problem if it was not answered."""

    reservation_id: int
    answered: bool
    reservation: ReservationOut | None
    problem: BookingProblemOut | None

    @classmethod
    def of(cls, one: Answered) -> AnsweredOut:
        """From the result."""
        return cls(
            reservation_id=one.reservation_id,
            answered=one.refusal is None,
            reservation=None if one.reservation is None else ReservationOut.of(one.reservation),
            problem=None if one.refusal is None else BookingProblemOut.of(one.refusal),
        )


class AnsweredAllOut(Out):
    """How each request was answered, in the order in which they were sent."""

    answered: int
    refused: int
    results: list[AnsweredOut]

    @classmethod
    def of(cls, found: list[Answered]) -> AnsweredAllOut:
        """From the results."""
        answered = sum(one.refusal is None for one in found)
        return cls(
            answered=answered,
            refused=len(found) - answered,
            results=[AnsweredOut.of(one) for one in found],
        )
