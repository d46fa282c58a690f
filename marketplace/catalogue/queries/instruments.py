"""Instruments by id, their hours and closures, and those that were listed late."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Date, Select, and_, cast, func, or_, select

from marketplace.catalogue import tables
from marketplace.catalogue.errors import InstrumentMissing
from marketplace.catalogue.queries.rows import Instrument, columns_of
from marketplace.catalogue.rules.export import HEADER, cells_of
from marketplace.catalogue.rules.opening import OpeningHours
from marketplace.catalogue.rules.states import Status
from marketplace.kernel.db import Tx
from marketplace.parties.queries import require_own_or_staff

_instrument = tables.instrument.c


def _instruments() -> Select[tuple[object, ...]]:
    return select(*columns_of(Instrument))


async def instrument(tx: Tx, instrument_id: int) -> Instrument:
    """The instrument with this id, in whatever state.

    Raises:
        InstrumentMissing: when there is none.
    """
    return await tx.one(
        Instrument, _instruments().where(_instrument.id == instrument_id), missing=InstrumentMissing
    )


async def own_instrument(tx: Tx, instrument_id: int) -> Instrument:
    """An instrument of the caller's own organisation.

    Raises:
        InstrumentMissing: when there is none, or it is another provider's.
    """
    found = await instrument(tx, instrument_id)
    if found.provider_id != tx.actor.organisation_id and not tx.actor.has("system"):
        raise InstrumentMissing()
    return found


async def visible_instrument(tx: Tx, instrument_id: int) -> Instrument:
    """An instrument that the caller may see: everybody a listed one, its provider and staff all.

    Raises:
        InstrumentMissing: when there is none for the caller.
    """
    found = await instrument(tx, instrument_id)
    if not found.is_listed:
        require_own_or_staff(tx, found.provider_id, missing=InstrumentMissing)
    return found


async def instruments(tx: Tx, instrument_ids: Iterable[int]) -> dict[int, Instrument]:
    """The instruments with these ids, in one question."""
    found = await tx.all(
        Instrument, _instruments().where(_instrument.id.in_(sorted(set(instrument_ids))))
    )
    return {each.id: each for each in found}


async def opening_hours(tx: Tx, instrument_id: int) -> list[OpeningHours]:
    """The usual week of an instrument; empty while its provider has not said."""
    return (await opening_hours_of(tx, [instrument_id]))[instrument_id]


async def opening_hours_of(tx: Tx, instrument_ids: Iterable[int]) -> dict[int, list[OpeningHours]]:
    """The usual weeks of these instruments, in one question."""
    hours = tables.opening_hours.c
    weeks: dict[int, list[OpeningHours]] = {each: [] for each in instrument_ids}
    rows = await tx.execute(
        select(hours.instrument_id, hours.weekday, hours.opens_minute, hours.closes_minute)
        .where(hours.instrument_id.in_(list(weeks)))
        .order_by(hours.instrument_id, hours.weekday, hours.opens_minute)
    )
    for row in rows:
        interval = OpeningHours(row.weekday, row.opens_minute, row.closes_minute)
        weeks[row.instrument_id].append(interval)
    return weeks


@dataclass(frozen=True, slots=True)
class LateListings:
    """Which late listings: of one provider or, for those who may see them, of all."""

    provider_id: int | None = None
    page: int = 1
    page_size: int = 50


async def late_listings(tx: Tx, question: LateListings) -> list[Instrument]:
    """Instruments listed after their day, or past it and still not listed. Policy: F.289-11"""
    listed_on = cast(func.timezone("Asia/Shanghai", _instrument.listed_at), Date)
    late = or_(
        listed_on > _instrument.listing_due_on,
        and_(_instrument.status == Status.UNLISTED, _instrument.listing_due_on < tx.today),
    )
    statement = _instruments().where(late)
    if question.provider_id is not None:
        statement = statement.where(_instrument.provider_id == question.provider_id)
    return await tx.all(
        Instrument,
        statement.order_by(_instrument.listing_due_on, _instrument.id)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )


@dataclass(frozen=True, slots=True)
class OwnInstruments:
    """Which of a provider's own instruments."""

    provider_id: int
    status: Status | None = None
    page: int = 1
    page_size: int = 50


async def own_instruments(tx: Tx, question: OwnInstruments) -> tuple[list[Instrument], int]:
    """A provider's instruments in whatever state, and how many there are."""
    require_own_or_staff(tx, question.provider_id, missing=InstrumentMissing)
    wanted = [_instrument.provider_id == question.provider_id]
    if question.status is not None:
        wanted.append(_instrument.status == question.status)
    found = await tx.all(
        Instrument,
        _instruments()
        .where(*wanted)
        .order_by(_instrument.id)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    return found, await tx.scalar(
        select(func.count()).select_from(tables.instrument).where(*wanted)
    )


async def export_csv(tx: Tx, provider_id: int) -> bytes:
    """A provider's instruments in the national layout: what was imported can be imported again.

    UTF-8 with a mark, so that spreadsheet programs show Chinese without asking.
    """
    require_own_or_staff(tx, provider_id, missing=InstrumentMissing)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    rows = await tx.execute(
        _instruments()
        .where(_instrument.provider_id == provider_id, _instrument.status != Status.DISPOSED)
        .order_by(_instrument.id)
    )
    writer.writerows(cells_of(dict(row)) for row in rows.mappings())
    return text.getvalue().encode("utf-8-sig")
