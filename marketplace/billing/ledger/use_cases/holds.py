"""Holding money, and what becomes of a hold: settled, released, lapsed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from marketplace.billing.ledger.events import HoldLapsed
from marketplace.billing.ledger.rules.kinds import EntryKind
from marketplace.billing.ledger.use_cases.calls import Posted, db_call, posted_by
from marketplace.kernel.db import Tx

HOLDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Keep money of an account for something that is going to happen; None never runs out."""

    account_id: int
    amount_fen: int
    expires_at: datetime | None
    key: str
    source_kind: str
    source_id: int


_HOLD = db_call(
    "select hold_id from ledger_hold(:account_id, :amount_fen, :expires_at, :key, :source_kind,"
    " :source_id, :made_by, :at)",
    account_id=int,
    amount_fen=int,
    expires_at=datetime,
    key=str,
    source_kind=str,
    source_id=int,
    made_by=int,
    at=datetime,
)


async def place_hold(tx: Tx, command: PlaceHold) -> int:
    """Hold money; under the same key the same hold is answered again.

    Raises:
        InsufficientFunds: when less than that is available.
        KeyReusedForOtherEntry: when the key belongs to another hold.
        AccountMissing, AccountClosed.
    """
    placed: int = await tx.scalar(
        _HOLD, {**asdict(command), "made_by": tx.actor.person_id, "at": tx.now}
    )
    return placed


@dataclass(frozen=True, slots=True)
class SettleHold:
    """Take up to what was held, to another account of the same ledger; 0 releases it."""

    hold_id: int
    amount_fen: int
    credit_account_id: int
    kind: EntryKind
    effective_on: date
    key: str
    source_kind: str
    source_id: int
    remark: str = ""


_SETTLE = db_call(
    "select entry_id, replayed from ledger_settle_hold(:hold_id, :amount_fen, :credit_account_id,"
    " :kind, :effective_on, :key, :source_kind, :source_id, :made_by, :remark, :at)",
    hold_id=int,
    amount_fen=int,
    credit_account_id=int,
    kind=str,
    effective_on=date,
    key=str,
    source_kind=str,
    source_id=int,
    made_by=int,
    remark=str,
    at=datetime,
)


async def settle_hold(tx: Tx, command: SettleHold) -> Posted | None:
    """Post what was really used and release the rest; None when nothing was used.

    Raises:
        HoldExceeded: when more was used than was held.
        HoldOver: when the hold has run out.
        HoldResolved: when it was settled or released before.
        HoldMissing, PeriodClosed, LedgersMixed, KeyReusedForOtherEntry.
    """
    posted = await posted_by(tx, _SETTLE, **asdict(command), made_by=tx.actor.person_id, at=tx.now)
    return posted if command.amount_fen else None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Make what was held available again."""

    hold_id: int


_RELEASE = db_call(
    "select ledger_release_hold(:hold_id, :made_by, :at)", hold_id=int, made_by=int, at=datetime
)


async def release_hold(tx: Tx, command: ReleaseHold) -> bool:
    """Release a hold; False when it was released, or ran out, before.

    Raises:
        HoldResolved: when it was settled.
        HoldMissing: when there is no such hold.
    """
    released: bool = await tx.scalar(
        _RELEASE, {"hold_id": command.hold_id, "made_by": tx.actor.person_id, "at": tx.now}
    )
    return released


_LAPSE = db_call(
    "select id, account_id, amount_fen, source_kind, source_id"
    " from ledger_lapse_holds(:limit, :made_by, :at)",
    limit=int,
    made_by=int,
    at=datetime,
)


async def lapse_holds(tx: Tx, _: None = None) -> int:
    """End holds that have run out, `HOLDS_AT_ONCE` at a time, and tell whose they were."""
    lapsed = await tx.execute(
        _LAPSE, {"limit": HOLDS_AT_ONCE, "made_by": tx.actor.person_id, "at": tx.now}
    )
    count = 0
    for row in lapsed:
        tx.record(
            HoldLapsed(row.id, row.account_id, row.amount_fen, row.source_kind, row.source_id)
        )
        count += 1
    return count
