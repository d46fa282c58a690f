"""What the API answers about voucher money: reports, reconciliation, audit paths, open data."""

from datetime import date
from typing import Any

from marketplace.kernel.wire import Out
from marketplace.vouchers.queries.audit_paths import AuditPath, Trail
from marketplace.vouchers.queries.reports import MEASURES, Compared, OpenFigure, ReportRow


class ReportRowOut(Out):
    """One group of a report: its keys, their names, and the sums in fen."""

    group: dict[str, str | int | None]
    names: dict[str, str]
    amounts: dict[str, int]
    redemption_basis_points: int | None

    @classmethod
    def of(cls, row: ReportRow) -> "ReportRowOut":
        """The answer for a group."""
        return cls(
            group=dict(row.group),
            names=dict(row.names),
            amounts=dict(row.amounts),
            redemption_basis_points=row.redemption_basis_points,
        )


class ComparedOut(Out):
    """A sum of the tables and what the ledger has for it."""

    programme_id: int | None
    programme_name: str | None
    layer_id: int | None
    funder: str | None
    region_code: str | None
    what: str
    tables_fen: int
    ledger_fen: int
    difference_fen: int


class ReconciliationOut(Out):
    """Whether tables and ledger agree, sum by sum."""

    balanced: bool
    sums: list[ComparedOut]

    @classmethod
    def of(cls, rows: list[Compared]) -> "ReconciliationOut":
        """The answer for programme accounts."""
        return cls(
            balanced=not any(row.difference_fen for row in rows),
            sums=[ComparedOut.like(row) for row in rows],
        )


class TrailOut(Out):
    """A redemption and the numbers of what lies around it."""

    redemption_id: int
    order_id: int
    grant_id: int
    programme_id: int
    provider_id: int
    sme_id: int
    amount_fen: int
    redeemed_on: date
    claim_id: int | None
    payout_id: int | None
    statement_line_id: int | None

    @classmethod
    def of(cls, row: Trail) -> "TrailOut":
        """The answer for a redemption."""
        return cls.like(row)


class AuditPathOut(Out):
    """The whole way of a redemption, from budget to bank line."""

    trail: TrailOut
    budget: list[dict[str, Any]]
    programme: dict[str, Any]
    application: dict[str, Any]
    eligibility: list[dict[str, Any]]
    voucher_grant: dict[str, Any]
    service_order: dict[str, Any] | None
    usage_log: list[dict[str, Any]] | None
    contracts: list[dict[str, Any]] | None
    results: list[dict[str, Any]] | None
    invoices: list[dict[str, Any]] | None
    evidence: list[dict[str, Any]] | None
    claim: dict[str, Any] | None
    payout: dict[str, Any] | None
    bank_line: dict[str, Any] | None
    returns: list[dict[str, Any]] | None
    entries: list[dict[str, Any]] | None

    @classmethod
    def of(cls, row: AuditPath) -> "AuditPathOut":
        """The answer for a redemption."""
        return cls.like(row, trail=TrailOut.of(row.trail))


class OpenFigureOut(Out):
    """A year's published sums; empty where too few SMEs stand behind them."""

    year: int
    programme_id: int
    programme: str
    region_code: str
    smes: int | None
    issued_fen: int | None
    used_fen: int | None
    paid_fen: int | None
    expired_fen: int | None
    clawed_back_fen: int | None


class OpenDataOut(Out):
    """A year's figures with what a reader has to know of them."""

    title: str
    description: str
    licence: str
    unit: str
    suppressed_below: int
    figures: list[OpenFigureOut]


def report_table(rows: list[ReportRow], groups: list[str]) -> list[list[Any]]:
    """A report as rows of a file."""
    head = [*groups, *(f"{group}_name" for group in groups), *(f"{m}_fen" for m in MEASURES)]
    body = [
        [
            *(row.group[group] for group in groups),
            *(row.names.get(group, "") for group in groups),
            *(row.amounts[measure] for measure in MEASURES),
            row.redemption_basis_points,
        ]
        for row in rows
    ]
    return [[*head, "redemption_basis_points"], *body]


def open_table(rows: list[OpenFigure]) -> list[list[Any]]:
    """The published figures as rows of a file."""
    names = list(OpenFigureOut.__struct_fields__)
    return [names, *([getattr(row, name) for name in names] for row in rows)]
