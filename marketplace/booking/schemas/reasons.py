"""Why something is refused, on the wire where it is an answer and not a problem."""

from __future__ import annotations

from typing import Any

import msgspec

from marketplace.kernel.errors import DomainError, Reason
from marketplace.kernel.wire import Out


class BookingReasonOut(Out):
    """One reason: the rule, its limit, what was asked, and whether staff may set it aside."""

    rule: str
    message: str
    limit: Any
    asked: Any
    source: str | None
    overridable: bool

    @classmethod
    def of(cls, reason: Reason) -> BookingReasonOut:
        """From the reason."""
        return cls.like(reason)


class BookingProblemOut(Out):
    """Why one of several was refused: as a problem says it when it is refused alone."""

    code: str
    title: str
    detail: str

    @classmethod
    def of(cls, refusal: DomainError) -> BookingProblemOut:
        """From the refusal."""
        return cls(code=refusal.code, title=refusal.title, detail=refusal.detail)


def stored_reasons(rows: Any) -> list[BookingReasonOut]:
    """Reasons that were written down with what they refused."""
    return msgspec.convert(list(rows), list[BookingReasonOut])
