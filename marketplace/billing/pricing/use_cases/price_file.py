"""Prices of many instruments from one file: one new version of each instrument that changes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from marketplace.billing.pricing import queries
from marketplace.billing.pricing.errors import ExtraWithoutCost, PricesAboveCost
from marketplace.billing.pricing.events import PriceListFiled
from marketplace.billing.pricing.rules.columns import Header, LineError
from marketplace.billing.pricing.rules.cost import Ceiling, require_no_profit
from marketplace.billing.pricing.rules.notice import Notice, notice
from marketplace.billing.pricing.rules.price_file import (
    LAYOUT,
    BadLine,
    PriceFileLine,
    cost_errors,
    price_error,
    read_price_line,
    together_errors,
)
from marketplace.billing.pricing.rules.states import CustomerClass, Unit
from marketplace.billing.pricing.rules.tariff import PriceAsked, Tariff
from marketplace.billing.pricing.tables import price, price_extra, price_hours, price_tier
from marketplace.billing.pricing.use_cases.files import (
    ERRORS_LISTED_MAX,
    FileReport,
    insert_rows,
    json_of,
    line_chunks,
    plain_name,
    take_turns,
)
from marketplace.billing.pricing.use_cases.prices import extras_by
from marketplace.kernel.db import Tx
from marketplace.kernel.spreadsheets import Row
from marketplace.rulebook import rulebook

INSTRUMENTS_AT_ONCE = 500

_FILE_LISTS = text("""
    insert into price_list (instrument_id, version, cost_sheet_id, state_set, state_source,
                            notice_ends_on, in_force_from, urgent_basis_points,
                            carried_surplus_fen, filed_by, filed_at)
    select filed.instrument_id, coalesce(known.version, 0) + 1, filed.cost_sheet_id,
           filed.state_source <> '', filed.state_source, :notice_ends_on, :in_force_from,
           filed.urgent_basis_points, filed.carried_surplus_fen, :filed_by, :filed_at
    from jsonb_to_recordset(cast(:lists as jsonb)) filed (
           instrument_id bigint, cost_sheet_id bigint, state_source text,
           urgent_basis_points integer, carried_surplus_fen bigint)
    left join lateral (
      select max(version) as version from price_list earlier
      where earlier.instrument_id = filed.instrument_id
    ) known on true
    returning id, instrument_id
""")


@dataclass(frozen=True, slots=True)
class ImportPriceLists:
    """File the prices in `content`, a CSV or XLSX file; a dry run files nothing."""

    provider_id: int
    file_name: str
    content: bytes
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Version:
    """The prices of an instrument that are to be filed, and what they rest on."""

    lines: tuple[PriceFileLine, ...]
    cost_sheet_id: int
    tariff: Tariff
    carried_fen: int


async def import_price_lists(tx: Tx, command: ImportPriceLists) -> FileReport:
    """File new versions and start their notice; the same file again files nothing.

    The lines of an instrument are one version: it is filed whole or, when one of its lines is
    wrong, not at all. Hours, urgency, help and material stay those of its newest version.

    Raises:
        InstrumentMissing: for somebody else's instruments.
        FileUnreadable: when it is neither CSV nor XLSX, or damaged.
        FileHeaderMissing: when no line is the header, or required columns are missing.
        FileTooLong: for more lines than one file may have.

    Policy: J.15, J.21a, J.21d, N.25c
    """
    queries.require_own(tx, command.provider_id)
    await take_turns(tx, command.provider_id)
    filing = _Filing(tx, command.provider_id, dry=command.dry_run)
    header: Header | None = None
    async with contextlib.aclosing(line_chunks(command.content, LAYOUT)) as chunks:
        async for header, rows in chunks:
            await asyncio.to_thread(filing.read, header, rows)
    if header is not None:
        await filing.file(header)
    digest = await asyncio.to_thread(hashlib.sha256, command.content)
    report = FileReport(
        provider_id=command.provider_id,
        file_name=plain_name(command.file_name),
        file_sha256=digest.hexdigest(),
        dry_run=command.dry_run,
        lines=filing.lines,
        filed=filing.filed,
        unchanged=filing.unchanged,
        refused=filing.refused,
        errors_total=filing.errors_total,
        errors=tuple(sorted(filing.errors, key=lambda error: error.line)),
        ignored_columns=header.ignored if header else (),
    )
    if not command.dry_run:
        tx.audit(
            "import_price_lists",
            subject="organisation",
            subject_id=command.provider_id,
            file_name=report.file_name,
            file_sha256=report.file_sha256,
            **{name: getattr(report, name) for name in ("lines", "filed", "unchanged", "refused")},
        )
    return report


class _Filing:
    """The state of one import: the lines by instrument, what was counted, what was wrong."""

    def __init__(self, tx: Tx, provider_id: int, *, dry: bool) -> None:
        self._tx, self._provider_id, self._dry = tx, provider_id, dry
        days = rulebook().pricing.notice_working_days.on(tx.today)
        self._notice: Notice = notice(tx.today, working_days=days, wanted_from=None)
        self._lines: dict[str, list[PriceFileLine]] = defaultdict(list)
        self._spoilt: set[str] = set()
        self.lines = self.filed = self.unchanged = self.refused = 0
        self.errors: list[LineError] = []
        self.errors_total = 0

    def read(self, header: Header, rows: Sequence[Row]) -> None:
        """Sort lines by their instrument; a bad one spoils the others of its instrument."""
        self.lines += len(rows)
        for row in rows:
            if row.broken:
                self._refuse([price_error(row.line, "", "", "line_broken")])
                continue
            line = read_price_line(row.line, row.cells, header)
            if isinstance(line, BadLine):
                self._refuse(line.errors)
                if line.inner_id is not None:
                    self._spoilt.add(line.inner_id)
            else:
                self._lines[line.inner_id].append(line)

    async def file(self, header: Header) -> None:
        """File what is new, in a handful of statements for each few hundred instruments."""
        numbers = list(self._lines)
        for first in range(0, len(numbers), INSTRUMENTS_AT_ONCE):
            await self._file_some(header, numbers[first : first + INSTRUMENTS_AT_ONCE])

    async def _file_some(self, header: Header, numbers: Sequence[str]) -> None:
        known = await queries.numbered_instruments(self._tx, self._provider_id, numbers)
        ids = [one.instrument_id for one in known.values()]
        year = self._notice.in_force_from.year
        plans = await queries.plans_for(self._tx, ids, year)
        newest = await queries.newest_lists(self._tx, ids)
        surpluses = await queries.surpluses_of(self._tx, ids, year - 1)
        versions: dict[int, _Version] = {}
        for number in numbers:
            lines = self._lines[number]
            if number not in known:
                column = header.text_of("inner_id")
                self._refuse_all(
                    lines, [price_error(lines[0].line, column, number, "instrument_unknown")]
                )
                continue
            instrument_id = known[number].instrument_id
            errors = together_errors(lines, header)
            before = newest.get(instrument_id)
            if number in self._spoilt or errors:
                self._refuse_all(lines, errors)
            elif before is not None and _said(before) == _says(lines):
                self.unchanged += len(lines)
            else:
                carried_fen = surpluses.get(instrument_id, 0)
                version = self._version(
                    lines, header, plans.get(instrument_id), before, carried_fen
                )
                if version is not None:
                    versions[instrument_id] = version
                    self.filed += len(lines)
        if versions and not self._dry:
            await self._write(versions)

    def _version(
        self,
        lines: Sequence[PriceFileLine],
        header: Header,
        plan: queries.CostSheet | None,
        before: queries.PriceList | None,
        carried_fen: int,
    ) -> _Version | None:
        """The version to be filed; None when its prices are refused, which is then noted."""
        first, column = lines[0], header.text_of("inner_id")
        if plan is None:
            year = self._notice.in_force_from.year
            error = price_error(first.line, column, first.inner_id, "no_cost_sheet", year=year)
            self._refuse_all(lines, [error])
            return None
        ceiling = Ceiling(plan.total_fen, plan.planned_minutes, carried_fen)
        try:
            tariff = Tariff(
                before.hours if before else (),
                before.urgent_basis_points if before else None,
                extras_by(
                    ((one.code, one.amount_fen) for one in before.extras) if before else (), plan
                ),
            )
            if not first.state_source:
                require_no_profit([], tariff=tariff, ceiling=ceiling)
        except (ExtraWithoutCost, PricesAboveCost) as refused:
            kept = price_error(
                first.line, column, first.inner_id, "extras_kept", detail=refused.detail
            )
            self._refuse_all(lines, [kept])
            return None
        if not first.state_source:
            plain = Tariff(tariff.hours, tariff.urgent_basis_points)
            above = cost_errors(lines, header, tariff=plain, ceiling=ceiling)
            if above:
                self._refuse_all(lines, above)
                return None
        return _Version(tuple(lines), plan.id, tariff, carried_fen)

    def _refuse(self, errors: Sequence[LineError]) -> None:
        self.refused += 1
        self.errors_total += len(errors)
        self.errors.extend(errors[: ERRORS_LISTED_MAX - len(self.errors)])

    def _refuse_all(self, lines: Sequence[PriceFileLine], errors: Sequence[LineError]) -> None:
        """Refuse the lines of an instrument, each with what is wrong with it or with another."""
        for line in lines:
            own = [error for error in errors if error.line == line.line]
            other = price_error(line.line, "", line.inner_id, "instrument_refused")
            self._refuse(own or [other])

    async def _write(self, versions: Mapping[int, _Version]) -> None:
        made = await self._tx.execute(
            _FILE_LISTS,
            {
                "notice_ends_on": self._notice.ends_on,
                "in_force_from": self._notice.in_force_from,
                "filed_by": self._tx.actor.person_id,
                "filed_at": self._tx.now,
                "lists": json_of(
                    [
                        {
                            "instrument_id": instrument_id,
                            "cost_sheet_id": version.cost_sheet_id,
                            "state_source": version.lines[0].state_source,
                            "urgent_basis_points": version.tariff.urgent_basis_points,
                            "carried_surplus_fen": version.carried_fen,
                        }
                        for instrument_id, version in versions.items()
                    ]
                ),
            },
        )
        ids = {row.instrument_id: row.id for row in made}
        filed = [(ids[instrument_id], version) for instrument_id, version in versions.items()]
        # Hours before prices: PostgreSQL compares each price with the cost in its dearest hour.
        await insert_rows(self._tx, price_hours, _hours_rows(filed))
        await insert_rows(self._tx, price, _price_rows(filed))
        await insert_rows(self._tx, price_tier, _tier_rows(filed))
        await insert_rows(self._tx, price_extra, _extra_rows(filed))
        for instrument_id, made_id in ids.items():
            self._tx.audit(
                "file", subject="price_list", subject_id=made_id, instrument=instrument_id
            )
            self._tx.record(PriceListFiled(made_id, instrument_id, self._notice.in_force_from))


_Filed = Sequence[tuple[int, _Version]]


def _says(lines: Sequence[PriceFileLine]) -> tuple[str, frozenset[PriceAsked]]:
    return lines[0].state_source, frozenset(line.price for line in lines)


def _said(filed: queries.PriceList) -> tuple[str, frozenset[PriceAsked]]:
    return filed.state_source, frozenset(
        PriceAsked(
            CustomerClass(one.customer_class),
            Unit(one.unit),
            one.amount_fen,
            one.minimum_fen,
            one.minutes_per_unit,
            one.tiers,
        )
        for one in filed.prices
    )


def _key(price_list_id: int, line: PriceFileLine) -> dict[str, Any]:
    return {
        "price_list_id": price_list_id,
        "customer_class": line.price.customer_class.value,
        "unit": line.price.unit.value,
    }


def _price_rows(filed: _Filed) -> list[dict[str, Any]]:
    return [
        _key(price_list_id, line)
        | {
            "amount_fen": line.price.amount_fen,
            "minimum_fen": line.price.minimum_fen,
            "minutes_per_unit": line.price.minutes_per_unit,
        }
        for price_list_id, version in filed
        for line in version.lines
    ]


def _tier_rows(filed: _Filed) -> list[dict[str, Any]]:
    return [
        _key(price_list_id, line)
        | {"from_quantity": tier.from_quantity, "amount_fen": tier.amount_fen}
        for price_list_id, version in filed
        for line in version.lines
        for tier in line.price.tiers
    ]


def _hours_rows(filed: _Filed) -> list[dict[str, Any]]:
    return [
        {
            "price_list_id": price_list_id,
            "name": one.name,
            "weekday": one.weekday,
            "opens_minute": one.opens_minute,
            "closes_minute": one.closes_minute,
            "factor_basis_points": one.factor_basis_points,
        }
        for price_list_id, version in filed
        for one in version.tariff.hours
    ]


def _extra_rows(filed: _Filed) -> list[dict[str, Any]]:
    return [
        {"price_list_id": price_list_id, "code": one.code, "amount_fen": one.amount_fen}
        for price_list_id, version in filed
        for one in version.tariff.extras
    ]
