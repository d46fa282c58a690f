"""A provider's cost sheets in bulk: by the numbers that it gives its instruments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, Select, Text, any_, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from marketplace.billing.pricing.errors import FileTooLong
from marketplace.billing.pricing.queries.filed import SHEETS, CostSheet, with_components
from marketplace.billing.pricing.tables import cost_sheet
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries import MACHINES
from marketplace.kernel.db import Tx

FILE_SHEETS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class NumberedInstrument:
    """An instrument by the number that its provider gives it, and who paid for it."""

    instrument_id: int
    inner_id: str
    funds: str


async def numbered_instruments(
    tx: Tx, provider_id: int, inner_ids: Iterable[str]
) -> dict[str, NumberedInstrument]:
    """The provider's instruments with these numbers, in one question.

    Raises:
        InstrumentMissing: for somebody else's instruments.
    """
    require_own(tx, provider_id)
    machine = MACHINES.subquery("machine").c
    found = await tx.all(
        NumberedInstrument,
        select(machine.instrument_id, machine.inner_id, machine.funds).where(
            machine.provider_id == provider_id,
            machine.inner_id == any_(cast(sorted(set(inner_ids)), ARRAY(Text))),
        ),
    )
    return {one.inner_id: one for one in found}


def require_own(tx: Tx, provider_id: int) -> None:
    """A file is of the caller's own instruments.

    Raises:
        InstrumentMissing: for somebody else's.
    """
    if provider_id != tx.actor.organisation_id and not tx.actor.has("system"):
        raise InstrumentMissing()


async def newest_sheets(
    tx: Tx, instrument_ids: Sequence[int], years: Sequence[int]
) -> list[CostSheet]:
    """The newest sheet of each of these instruments, years and bases, in three questions."""
    table = cost_sheet.c
    return await with_components(
        tx,
        await tx.all(
            CostSheet,
            _newest().where(
                table.instrument_id == any_(cast(list(instrument_ids), ARRAY(BigInteger))),
                table.year == any_(cast(list(years), ARRAY(Integer))),
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class ProviderSheets:
    """The sheets that count of a provider's instruments, of one year or of all."""

    provider_id: int
    year: int | None = None


async def provider_sheets(tx: Tx, question: ProviderSheets) -> list[tuple[str, CostSheet]]:
    """The newest sheet of each instrument, year and basis, with the instrument's own number.

    Raises:
        InstrumentMissing: for somebody else's instruments.
        FileTooLong: when there are more than one file holds.
    """
    require_own(tx, question.provider_id)
    table, machine = cost_sheet.c, MACHINES.subquery("machine").c
    whose = machine.provider_id == question.provider_id
    statement = _newest().where(table.instrument_id.in_(select(machine.instrument_id).where(whose)))
    if question.year is not None:
        statement = statement.where(table.year == question.year)
    total = await tx.scalar(select(func.count()).select_from(statement.subquery()))
    if total > FILE_SHEETS_MAX:
        raise FileTooLong("Ask for one year.", limit=FILE_SHEETS_MAX, asked=total, unit="lines")
    sheets = await with_components(tx, await tx.all(CostSheet, statement))
    rows = await tx.execute(select(machine.instrument_id, machine.inner_id).where(whose))
    number_of = {row.instrument_id: row.inner_id for row in rows}
    return [(number_of[sheet.instrument_id], sheet) for sheet in sheets]


def _newest() -> Select[Any]:
    table = cost_sheet.c
    key = (table.instrument_id, table.year, table.basis)
    return SHEETS.ext(distinct_on(*key)).order_by(*key, table.version.desc())
