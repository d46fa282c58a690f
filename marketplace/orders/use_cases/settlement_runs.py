"""Writing down how far a run that settles what is due has come."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select, update

from marketplace.kernel.db import Tx
from marketplace.orders.rules.states import Status
from marketplace.orders.tables import service_order, settlement_run
from marketplace.orders.use_cases.settle_many import Chunk, SettleDue, settle_due


@dataclass(frozen=True, slots=True)
class StartRun:
    """A worker begins to settle what is due."""

    worker: str


async def start_run(tx: Tx, command: StartRun) -> int | None:
    """Write a run down with how much is due; None where nothing is."""
    table = service_order.c
    due = await tx.scalar(
        select(func.count())
        .select_from(service_order)
        .where(table.status == Status.DELIVERED, table.review_ends_at <= tx.now)
    )
    if not due:
        return None
    started: int = await tx.scalar(
        insert(settlement_run)
        .values(worker=command.worker, started_at=tx.now, due=due, moved_at=tx.now)
        .returning(settlement_run.c.id)
    )
    return started


@dataclass(frozen=True, slots=True)
class SettleChunk:
    """The next chunk of a run."""

    run_id: int
    due: SettleDue


async def settle_chunk(tx: Tx, command: SettleChunk) -> Chunk:
    """Settle a chunk and count it, in one transaction: the run never says more than was done.

    Raises:
        DomainError: what one of the orders refused; then nothing of the chunk was done.
    """
    chunk = await settle_due(tx, command.due)
    await count_settled(
        tx, CountSettled(command.run_id, settled=chunk.settled, settled_fen=chunk.settled_fen)
    )
    return chunk


@dataclass(frozen=True, slots=True)
class CountSettled:
    """What of a run was done since it was counted last."""

    run_id: int
    settled: int = 0
    refused: int = 0
    settled_fen: int = 0
    finished: bool = False


async def count_settled(tx: Tx, command: CountSettled) -> None:
    """Move a run on; a finished one is left as it is."""
    table = settlement_run.c
    await tx.execute(
        update(settlement_run)
        .where(table.id == command.run_id, table.finished_at.is_(None))
        .values(
            settled=table.settled + command.settled,
            refused=table.refused + command.refused,
            settled_fen=table.settled_fen + command.settled_fen,
            moved_at=tx.now,
            finished_at=tx.now if command.finished else None,
        )
    )
