"""What becomes of an export, and what the national platform's codes mean.

Policy: F.record (return codes).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from marketplace.exchange.errors import ExportNotInState


class ExportStatus(StrEnum):
    """The life of an export."""

    MADE = "made"
    """The file is there; nobody has sent it."""
    SENT = "sent"
    """It is with the national platform, which has not decided."""
    ACCEPTED = "accepted"
    """Its records are known there; the next run of the quarter leaves them out."""
    REJECTED = "rejected"
    """None of its records counts as sent: the next run holds them again."""


class RecordKind(StrEnum):
    """What a record is of."""

    ORDER = "order"
    """A served order."""
    OWN_USE = "own_use"
    """A day's use of an instrument without an order."""


class Verdict(StrEnum):
    """What a return code comes to."""

    WAITS = "waits"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """A code of the national platform."""

    code: int
    text: str
    text_en: str
    verdict: Verdict


RETURN_CODES: dict[int, ReturnCode] = {
    one.code: one
    for one in (
        ReturnCode(0, "待完善", "to be completed", Verdict.WAITS),
        ReturnCode(1, "已完善", "completed", Verdict.ACCEPTED),
        ReturnCode(100, "成功", "success", Verdict.ACCEPTED),
        ReturnCode(101, "数据错误", "data wrong", Verdict.REJECTED),
        ReturnCode(200, "单位编码错误", "unit code wrong", Verdict.REJECTED),
        ReturnCode(201, "数据类型错误", "wrong data type", Verdict.REJECTED),
        ReturnCode(202, "推送格式错误", "push format error", Verdict.REJECTED),
        ReturnCode(203, "验证格式错误", "validation format error", Verdict.REJECTED),
        ReturnCode(204, "其他错误", "other", Verdict.REJECTED),
        ReturnCode(301, "数据库错误", "database error", Verdict.REJECTED),
    )
}


class Step(StrEnum):
    """What somebody notes of an export."""

    SEND = "send"
    ANSWER = "answer"
    WITHDRAW = "withdraw"


_FROM = {
    Step.SEND: ExportStatus.MADE,
    Step.ANSWER: ExportStatus.SENT,
    Step.WITHDRAW: ExportStatus.MADE,
}


def after_answer(code: int) -> ExportStatus:
    """Where an answer leads: a code that asks for completion leaves the export open."""
    match RETURN_CODES[code].verdict:
        case Verdict.WAITS:
            return ExportStatus.SENT
        case Verdict.ACCEPTED:
            return ExportStatus.ACCEPTED
        case Verdict.REJECTED:
            return ExportStatus.REJECTED


def require_step(present: ExportStatus, step: Step) -> None:
    """Nothing, when an export stands where `step` begins.

    Raises:
        ExportNotInState: with what would be possible instead.
    """
    if present is not _FROM[step]:
        raise ExportNotInState(
            f"It is {present}; to {step}, it has to be {_FROM[step]}.",
            status_now=present.value,
            possible=[each.value for each, begins in _FROM.items() if begins is present],
        )
