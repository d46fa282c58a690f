"""Instruments that could serve in another's place: the same category, in the same city."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from marketplace.catalogue.rules.states import Status
from marketplace.catalogue.tables import instrument
from marketplace.kernel.db import Tx

# Digits of a region code that name the city.
CITY = 4


@dataclass(frozen=True, slots=True)
class Alike:
    """An instrument of the same category near by."""

    id: int
    provider_id: int
    cname: str
    ename: str


@dataclass(frozen=True, slots=True)
class AlikeTo:
    """Which instrument to stand in for; at most `count` are found."""

    instrument_id: int
    count: int = 50


async def alike(tx: Tx, question: AlikeTo) -> list[Alike]:
    """Listed instruments of the same category in the same city: the same provider's first.

    One statement; an instrument that does not exist has none.
    """
    other = instrument.alias("other")
    return await tx.all(
        Alike,
        select(other.c.id, other.c.provider_id, other.c.cname, other.c.ename)
        .join_from(
            instrument,
            other,
            (other.c.category_code == instrument.c.category_code)
            & (func.left(other.c.region_code, CITY) == func.left(instrument.c.region_code, CITY))
            & (other.c.id != instrument.c.id),
        )
        .where(instrument.c.id == question.instrument_id, other.c.status == Status.LISTED)
        .order_by(
            (other.c.provider_id != instrument.c.provider_id),
            (other.c.region_code != instrument.c.region_code),
            other.c.id,
        )
        .limit(question.count),
    )
