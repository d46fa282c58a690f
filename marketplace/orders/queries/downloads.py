"""Who took which result and when: for the buyer, whose results they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, func, select

from marketplace.kernel.db import Tx
from marketplace.orders import tables
from marketplace.orders.errors import OrderMissing
from marketplace.orders.queries.orders import order
from marketplace.parties import queries as parties


@dataclass(frozen=True, slots=True)
class Download:
    """One copy that somebody took; the organisation is unknown of the earliest ones."""

    at: datetime
    deliverable_id: int
    name: str
    sha256: str
    person_id: int
    organisation_id: int | None


@dataclass(frozen=True, slots=True)
class DownloadsAsked:
    """Downloads of an order's results, or of one of them."""

    order_id: int
    deliverable_id: int | None = None
    page: int = 1
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """One page of them, newest first, and what the people are called."""

    rows: list[Download]
    people: Mapping[int, str]
    total: int
    page: int
    page_size: int


async def downloads(tx: Tx, asked: DownloadsAsked) -> DownloadPage:
    """Every download of an order's results, newest first, for its buyer.

    Policy: J.20

    Raises:
        OrderMissing: for everybody else.
    """
    found = await order(tx, asked.order_id)
    if not tx.actor.has("system") and tx.actor.organisation_id != found.buyer_id:
        raise OrderMissing("Who took a buyer's results is the buyer's business.")
    event, kept = tables.order_event.c, tables.deliverable.c
    which = [event.order_id == found.id, event.kind == "download"]
    if asked.deliverable_id is not None:
        which.append(kept.id == asked.deliverable_id)
    taken = tables.order_event.join(
        tables.deliverable, kept.id == event.facts["deliverable_id"].astext.cast(BigInteger)
    )
    rows = await tx.all(
        Download,
        select(
            event.at,
            kept.id.label("deliverable_id"),
            kept.name,
            kept.sha256,
            event.person_id,
            event.facts["organisation_id"].astext.cast(BigInteger).label("organisation_id"),
        )
        .select_from(taken)
        .where(*which)
        .order_by(event.id.desc())
        .limit(asked.page_size)
        .offset((asked.page - 1) * asked.page_size),
    )
    return DownloadPage(
        rows=rows,
        people=await parties.names_of_people(tx, {each.person_id for each in rows}),
        total=int(await tx.scalar(select(func.count()).select_from(taken).where(*which))),
        page=asked.page,
        page_size=asked.page_size,
    )
