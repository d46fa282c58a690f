"""When instruments are closed, whatever their opening hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import Range

from marketplace.catalogue.errors import ClosureMissing
from marketplace.catalogue.queries.instruments import visible_instrument
from marketplace.catalogue.queries.rows import Closure
from marketplace.catalogue.rules.opening import ClosureKind
from marketplace.catalogue.tables import closure
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

_c = closure.c


def _closures() -> Select[Any]:
    return select(
        _c.id,
        _c.instrument_id,
        func.lower(_c.during).label("starts_at"),
        func.upper(_c.during).label("ends_at"),
        _c.kind,
        _c.reason,
        _c.made_at,
    )


def _touches(during: During) -> ColumnElement[bool]:
    return _c.during.op("&&", is_comparison=True)(
        Range(during.starts_at, during.ends_at, bounds="[)")
    )


async def closures(tx: Tx, instrument_ids: Iterable[int], during: During) -> list[Closure]:
    """Every closure of these instruments that touches `during`, in order of its start."""
    return await tx.all(
        Closure,
        _closures()
        .where(_c.instrument_id.in_(sorted(set(instrument_ids))), _touches(during))
        .order_by(func.lower(_c.during), _c.id),
    )


@dataclass(frozen=True, slots=True)
class ClosureSearch:
    """Which closures of one instrument; None does not restrict."""

    instrument_id: int
    during: During | None = None
    kind: ClosureKind | None = None
    page: int = 1
    page_size: int = 50


async def closures_page(tx: Tx, question: ClosureSearch) -> tuple[list[Closure], int]:
    """One page of an instrument's closures in order of their start, and how many there are.

    Raises:
        InstrumentMissing: when there is none that the caller may see.
    """
    await visible_instrument(tx, question.instrument_id)
    wanted = [_c.instrument_id == question.instrument_id]
    if question.during is not None:
        wanted.append(_touches(question.during))
    if question.kind is not None:
        wanted.append(_c.kind == question.kind)
    found = await tx.all(
        Closure,
        _closures()
        .where(*wanted)
        .order_by(func.lower(_c.during), _c.id)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size),
    )
    return found, await tx.scalar(select(func.count()).select_from(closure).where(*wanted))


async def locked_closure(tx: Tx, instrument_id: int, closure_id: int) -> Closure:
    """A closure of the instrument, its row locked.

    Raises:
        ClosureMissing: when it has none with this id.
    """
    return await tx.one(
        Closure,
        _closures().where(_c.id == closure_id, _c.instrument_id == instrument_id).with_for_update(),
        missing=ClosureMissing,
    )
