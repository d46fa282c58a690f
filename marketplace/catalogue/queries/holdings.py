"""What providers hold, summed per provider: the ground on which they are evaluated."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Integer, Select, and_, cast, func, select

from marketplace.catalogue import tables
from marketplace.catalogue.rules.states import Funds, Kind, ShareMode, Status
from marketplace.kernel.db import Tx

_instrument = tables.instrument.c
# What a user needs to know before asking for time; each empty one makes a description poorer.
_DESCRIBED = ("ename", "model", "technical", "functions", "service_content", "fee_text")


@dataclass(frozen=True, slots=True)
class Holdings:
    """A provider's listed instruments: how many, how many must be and are open, how described."""

    provider_id: int
    instruments: int
    special: int
    must_open: int
    must_open_and_are: int
    described_basis_points: int


def worth_at_least(worth_fen: int) -> Select[int]:
    """The ids of instruments worth so much, to ask for within another statement."""
    return select(_instrument.id).where(_instrument.worth_fen >= worth_fen)


async def holdings(tx: Tx, must_open_worth_fen: int) -> list[Holdings]:
    """The holdings of every provider with listed instruments, in one pass.

    Policy: N.5a, J.9, J.A1
    """
    obliged = and_(
        _instrument.funds.in_([Funds.CENTRAL, Funds.LOCAL]),
        _instrument.worth_fen >= must_open_worth_fen,
        _instrument.exemption.is_(None),
    )
    filled = sum(cast(_instrument[name] != "", Integer) for name in _DESCRIBED)
    return await tx.all(
        Holdings,
        select(
            _instrument.provider_id,
            func.count().label("instruments"),
            func.count().filter(_instrument.kind == Kind.SPECIAL).label("special"),
            func.count().filter(obliged).label("must_open"),
            func.count()
            .filter(obliged, _instrument.share_mode == ShareMode.EXTERNAL)
            .label("must_open_and_are"),
            # Rounds down: a full description is not reached by rounding.
            (func.sum(filled) * 10_000 // (func.count() * len(_DESCRIBED))).label(
                "described_basis_points"
            ),
        )
        .where(_instrument.status == Status.LISTED)
        .group_by(_instrument.provider_id)
        .order_by(_instrument.provider_id),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """How many instruments are listed, and what they cost when they were bought."""

    instruments: int
    worth_fen: int


async def totals(tx: Tx, _: None = None) -> Totals:
    """What the catalogue holds at this moment."""
    return await tx.one(
        Totals,
        select(
            func.count().label("instruments"),
            cast(func.coalesce(func.sum(_instrument.worth_fen), 0), BigInteger).label("worth_fen"),
        ).where(_instrument.status == Status.LISTED),
    )
