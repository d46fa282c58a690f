"""Imports on the wire: the report of a file, and the files that landed."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import msgspec

from marketplace.catalogue.queries import ImportBatch
from marketplace.catalogue.rules.line import LineError
from marketplace.catalogue.use_cases import ImportReport
from marketplace.kernel.wire import Out


class LineErrorOut(Out):
    """What is wrong with one cell of the file, in Chinese and in English."""

    line: int
    column: str
    value: str
    rule: str
    message: str
    message_en: str


class ReportOut(Out):
    """What became of every line: `lines` = added + changed + unchanged + refused.

    `errors` lists the first ones; `errors_total` counts all. A dry run has no `batch_id`.
    """

    batch_id: int | None
    provider_id: int
    file_name: str
    file_sha256: str
    dry_run: bool
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]

    @classmethod
    def of(cls, report: ImportReport) -> ReportOut:
        """What is shown of a report."""
        return cls.like(
            report,
            errors=[_error(error) for error in report.errors],
            ignored_columns=list(report.ignored_columns),
        )


def _error(error: LineError) -> LineErrorOut:
    return LineErrorOut(**dataclasses.asdict(error))


class ImportOut(Out):
    """An import in a list: its counts."""

    id: int
    provider_id: int
    file_name: str
    file_sha256: str
    lines: int
    added: int
    changed: int
    unchanged: int
    refused: int
    imported_by: int
    imported_at: datetime

    @classmethod
    def of(cls, batch: ImportBatch) -> ImportOut:
        """What is shown of an import in a list."""
        return cls.like(batch)


class ImportDetailOut(ImportOut):
    """An import with what was wrong with its lines, as it was reported then."""

    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]

    @classmethod
    def of(cls, batch: ImportBatch) -> ImportDetailOut:
        """What is shown of one import."""
        report = msgspec.convert(batch.report, type=_StoredReport)
        return cls(
            errors_total=report.errors_total,
            errors=report.errors,
            ignored_columns=report.ignored_columns,
            **{name: getattr(batch, name) for name in ImportOut.__struct_fields__},
        )


class _StoredReport(msgspec.Struct):
    errors_total: int
    errors: list[LineErrorOut]
    ignored_columns: list[str]
