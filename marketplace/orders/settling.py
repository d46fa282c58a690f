"""The run that settles every order whose review window is over, chunk by chunk."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

import structlog

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.errors import DomainError
from marketplace.orders.queries.orders import due_behind
from marketplace.orders.use_cases.settle_many import CHUNK, Place, SettleDue
from marketplace.orders.use_cases.settlement import AcceptOrder, accept_after_review
from marketplace.orders.use_cases.settlement_runs import (
    CountSettled,
    SettleChunk,
    StartRun,
    count_settled,
    settle_chunk,
    start_run,
)

log = structlog.get_logger()

ACTOR = system_actor("job:accept_reviewed")


async def accept_reviewed(database: Database, *, chunk: int = CHUNK) -> int:
    """Settle every order whose review window is over, and return how many.

    Each chunk is a transaction of its own, and the order's status is what counts: a run that was
    killed is taken up by the next one, and two at a time share the work. Where a chunk is refused,
    each of its orders is tried alone, so that one that cannot be settled stands in nobody's way.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    run_id = await atomically(database, start_run, StartRun(worker), actor=ACTOR)
    if run_id is None:
        return 0
    done, place = 0, None
    while True:
        due = SettleDue(limit=chunk, after=place)
        try:
            found = await atomically(database, settle_chunk, SettleChunk(run_id, due), actor=ACTOR)
        except DomainError as refusal:
            log.warning("orders.chunk_refused", code=refusal.code)
            ids, place = await _behind(database, due)
            done += await _each_alone(database, run_id, ids)
        else:
            done += found.settled
            done += await _each_alone(database, run_id, found.alone)
            place = found.last
        if place is None:
            break
    await atomically(database, count_settled, CountSettled(run_id, finished=True), actor=ACTOR)
    return done


async def _behind(database: Database, due: SettleDue) -> tuple[Sequence[int], Place | None]:
    """The orders that a refused chunk was about, and the place behind them."""
    rows = await atomically(
        database,
        due_behind,
        (due.limit, None if due.after is None else (due.after.review_ends_at, due.after.order_id)),
        actor=ACTOR,
    )
    last = Place(rows[-1][1], rows[-1][0]) if rows else None
    return [order_id for order_id, _ in rows], last


async def _each_alone(database: Database, run_id: int, ids: Sequence[int]) -> int:
    """Settle orders one after the other; one that is refused is counted and logged."""
    done = 0
    for order_id in ids:
        counted = CountSettled(run_id, refused=1)
        try:
            found = await atomically(
                database, accept_after_review, AcceptOrder(order_id), actor=ACTOR
            )
        except DomainError as refusal:
            log.warning("orders.job_refused", due_id=order_id, code=refusal.code)
        else:
            counted = CountSettled(run_id, settled=1, settled_fen=found.settled_fen or 0)
            done += 1
        await atomically(database, count_settled, counted, actor=ACTOR)
    return done
