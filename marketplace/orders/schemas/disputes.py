"""Disputes and corrections on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec

from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.kernel.wire import AmountFen, In, Line, Out, Why
from marketplace.orders import queries
from marketplace.orders.queries.settlement_runs import RunPage
from marketplace.orders.rules.corrections import CorrectionSide, CorrectionStatus
from marketplace.orders.use_cases import (
    AnswerDispute,
    DecideCorrection,
    ProposeCorrection,
    WithdrawDispute,
)

Offered = Annotated[int, msgspec.Meta(ge=0, le=9_999)]


class DisputeAnswerIn(In):
    """The provider's answer; `offered_basis_points` of the used value would do, 0 concedes."""

    answer: Why
    offered_basis_points: Offered | None = None

    def to_command(self, order_id: int) -> AnswerDispute:
        """The command for one order."""
        return AnswerDispute(
            order_id, answer=self.answer, offered_basis_points=self.offered_basis_points
        )


class WithdrawalIn(In):
    """Why the buyer objects no longer."""

    reason: Why

    def to_command(self, order_id: int) -> WithdrawDispute:
        """The command for one order."""
        return WithdrawDispute(order_id, reason=self.reason)


class DisputeRowOut(Out):
    """A dispute in a list, with the order that it is about."""

    id: int
    order_id: int
    title: str
    buyer_id: int
    provider_id: int
    total_fen: int
    reason: str
    opened_at: datetime
    answer_due_at: datetime
    overdue_at: datetime | None
    answered_at: datetime | None
    offered_basis_points: int | None
    pay_basis_points: int | None
    ended_how: str | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: queries.DisputeRow) -> DisputeRowOut:
        """The wire form of a row."""
        return msgspec.convert(row, cls, from_attributes=True)


class EvidenceOut(Out):
    """A file that a side of a dispute showed, without its bytes."""

    id: int
    dispute_id: int
    side: str
    name: str
    media_type: str
    sha256: str
    size_bytes: int
    stored_by: int
    stored_at: datetime

    @classmethod
    def of(cls, evidence: queries.Evidence) -> EvidenceOut:
        """The wire form of a file."""
        return msgspec.convert(evidence, cls, from_attributes=True)


def dispute_table(rows: Sequence[queries.DisputeRow]) -> list[list[Any]]:
    """The rows of the file of disputes, with their heading."""
    heading = [
        "争议编号 dispute",
        "订单 order",
        "服务 service",
        "需求方 buyer",
        "服务方 provider",
        "金额 CNY",
        "提出日 opened on",
        "答复期限 answer due on",
        "答复日 answered on",
        "提议比例 offered %",
        "结果 ended",
        "裁定比例 ruled %",
        "理由 reason",
    ]
    return [heading, *(_dispute_cells(row) for row in rows)]


def _dispute_cells(row: queries.DisputeRow) -> list[Any]:
    return [
        row.id,
        row.order_id,
        row.title,
        row.buyer_id,
        row.provider_id,
        yuan(row.total_fen),
        shanghai_day(row.opened_at).isoformat(),
        shanghai_day(row.answer_due_at).isoformat(),
        "" if row.answered_at is None else shanghai_day(row.answered_at).isoformat(),
        "" if row.offered_basis_points is None else f"{row.offered_basis_points / 100:g}",
        row.ended_how or "",
        "" if row.pay_basis_points is None else f"{row.pay_basis_points / 100:g}",
        row.reason,
    ]


class CorrectionIn(In):
    """What is to be given back of what vouchers and the buyer paid, and why."""

    reason: Why
    voucher_fen: AmountFen = 0
    own_fen: AmountFen = 0

    def to_command(self, order_id: int) -> ProposeCorrection:
        """The command for one order."""
        return ProposeCorrection(
            order_id, voucher_fen=self.voucher_fen, own_fen=self.own_fen, reason=self.reason
        )


class ApprovalIn(In):
    """What the second person adds, if anything."""

    because: Line = ""

    def to_command(self, correction_id: int) -> DecideCorrection:
        """The command for one correction."""
        return DecideCorrection(correction_id, because=self.because)


class DeclineIn(In):
    """Why a correction is refused or withdrawn."""

    because: Why

    def to_command(self, correction_id: int) -> DecideCorrection:
        """The command for one correction."""
        return DecideCorrection(correction_id, because=self.because)


class CorrectionOut(Out):
    """What is given back of an order's charge, and where the money went."""

    id: int
    order_id: int
    provider_id: int
    buyer_id: int
    side: CorrectionSide
    voucher_fen: int
    own_fen: int
    reason: str
    status: CorrectionStatus
    proposed_by: int
    proposed_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    decided_because: str | None
    off_account_fen: int | None
    restored_fen: int | None
    to_budgets_fen: int | None
    clawed_back_fen: int | None

    @classmethod
    def of(cls, correction: queries.Correction) -> CorrectionOut:
        """The wire form of a correction."""
        return msgspec.convert(correction, cls, from_attributes=True)


class CorrectionsOut(Out):
    """One page of corrections, newest first, and what all that are approved come to."""

    results: list[CorrectionOut]
    total: int
    approved_fen: int
    page: int
    page_size: int

    @classmethod
    def of(cls, found: queries.CorrectionPage) -> CorrectionsOut:
        """The wire form of a page."""
        return cls(
            results=[CorrectionOut.of(row) for row in found.rows],
            total=found.total,
            approved_fen=found.approved_fen,
            page=found.page,
            page_size=found.page_size,
        )


class SettlementRunOut(Out):
    """A run that settles what is due: how much was due when it began, and what is done."""

    id: int
    worker: str
    started_at: datetime
    due: int
    settled: int
    refused: int
    settled_fen: int
    moved_at: datetime
    finished_at: datetime | None


class SettlementRunsOut(Out):
    """One page of runs, newest first, and how many orders are due now."""

    results: list[SettlementRunOut]
    total: int
    due_now: int
    page: int
    page_size: int

    @classmethod
    def of(cls, found: RunPage) -> SettlementRunsOut:
        """The wire form of a page."""
        return cls(
            results=[
                msgspec.convert(row, SettlementRunOut, from_attributes=True) for row in found.rows
            ],
            total=found.total,
            due_now=found.due_now,
            page=found.page,
            page_size=found.page_size,
        )


def correction_table(rows: Sequence[queries.Correction]) -> list[list[Any]]:
    """The rows of the file of corrections, with their heading."""
    heading = [
        "更正编号 correction",
        "订单 order",
        "需求方 buyer",
        "服务方 provider",
        "状态 status",
        "提出方 side",
        "创新券退回 voucher CNY",
        "自付退回 own CNY",
        "恢复可用 restored CNY",
        "退回预算 to budgets CNY",
        "追缴 clawed back CNY",
        "冲减欠款 off account CNY",
        "提出日 proposed on",
        "决定日 decided on",
        "理由 reason",
    ]
    return [heading, *(_correction_cells(row) for row in rows)]


def _correction_cells(row: queries.Correction) -> list[Any]:
    went = (row.restored_fen, row.to_budgets_fen, row.clawed_back_fen, row.off_account_fen)
    return [
        row.id,
        row.order_id,
        row.buyer_id,
        row.provider_id,
        row.status,
        row.side,
        yuan(row.voucher_fen),
        yuan(row.own_fen),
        *("" if amount_fen is None else yuan(amount_fen) for amount_fen in went),
        shanghai_day(row.proposed_at).isoformat(),
        "" if row.decided_at is None else shanghai_day(row.decided_at).isoformat(),
        row.reason,
    ]
