"""Usage as history: sessions that overlap, written straight into the tables by the hundred."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from marketplace.booking.queries import Purpose
from marketplace.booking.rules.metering import Metered
from marketplace.booking.rules.states import UserClass
from marketplace.kernel.db import Database, Tx, atomically
from tests.builders.booking import TEST
from tests.builders.parties import a_person

FIRST = datetime(2025, 2, 26, tzinfo=UTC)
_PLACED = text(
    """
    insert into reservation (instrument_id, provider_id, calendar_id, seat, during, blocked, status,
      organisation_id, person_id, user_class, purpose, operator_id, placed_at, ended_at, changed_at)
    select :instrument_id, i.provider_id, :calendar_id, 1, tstzrange(:starts_at, :ends_at),
           tstzrange(:starts_at, :ends_at), :status, i.provider_id, :person_id, :user_class,
           :purpose, :operator_id, :starts_at, :ends_at, :ends_at
      from instrument i where i.id = :instrument_id
    returning id
    """
)
_USED = text(
    """
    insert into usage_session (reservation_id, instrument_id, opened_at, closed_at,
      reserved_minutes, actual_minutes, billable_minutes, preparation_minutes, test_minutes,
      post_minutes, operator_id, problem, closed_how, samples_run)
    values (:reservation_id, :instrument_id, :starts_at, :closed_at, 60, :actual, 60, :preparation,
            :test, :post, :person_id, :problem,
            case when cast(:closed_at as timestamptz) is not null then 'person' end, :samples)
    returning id
    """
)


@dataclass(frozen=True, slots=True)
class Used:
    """A session that was written, as the rule sees it, and what else figures are summed by."""

    metered: Metered
    user_class: UserClass
    self_operated: bool
    samples: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A reservation that was written: no-shows and late cancellations have no session."""

    instrument_id: int
    starts_at: datetime
    ends_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was written."""

    used: list[Used]
    kept: list[Kept]

    @property
    def metered(self) -> list[Metered]:
        """The sessions alone."""
        return [one.metered for one in self.used]


async def a_session_in_history(
    database: Database,
    *,
    instrument_id: int,
    opened_at: datetime,
    parts: tuple[int, int, int] = (10, 40, 10),
    idle: int = 0,
    calendar_id: int | None = None,
    purpose: Purpose = Purpose.OWN_RESEARCH,
    user_class: UserClass = UserClass.OWN_UNIT,
    problem: str | None = None,
    samples: int | None = None,
) -> int:
    """One closed session; its id."""
    person_id = await a_person(database)

    async def write(tx: Tx, _: None) -> int:
        session_id, _reservation = await _write(
            tx,
            person_id=person_id,
            instrument_id=instrument_id,
            calendar_id=calendar_id or instrument_id,
            starts_at=opened_at,
            parts=parts,
            idle=idle,
            purpose=purpose,
            user_class=user_class,
            operator_id=None,
            problem=problem,
            samples=samples,
        )
        return session_id

    return await atomically(database, write, None, actor=TEST)


async def a_history(
    database: Database,
    *,
    instruments: Sequence[int],
    count: int,
    seed: int,
    calendars: dict[int, int] | None = None,
    days: int = 40,
) -> History:
    """Closed sessions at random that overlap a lot, with some that never came or came not at all.

    `calendars` says whose calendar an instrument shares.
    """
    chance = random.Random(seed)
    person_id = await a_person(database)
    history = History([], [])

    async def write(tx: Tx, _: None) -> None:
        for _number in range(count):
            instrument_id = chance.choice(instruments)
            made: dict[str, Any] = {
                "person_id": person_id,
                "instrument_id": instrument_id,
                "calendar_id": (calendars or {}).get(instrument_id, instrument_id),
                "starts_at": FIRST + timedelta(seconds=chance.randrange(days * 86_400)),
                "purpose": chance.choice(list(Purpose)),
                "user_class": chance.choice(list(UserClass)),
                "operator_id": chance.choice([None, person_id]),
            }
            if chance.random() < 0.2:
                status = chance.choice(["no_show", "late_cancelled", "cancelled"])
                ends_at = made["starts_at"] + timedelta(minutes=chance.randrange(30, 3000))
                await tx.scalar(_PLACED, made | {"ends_at": ends_at, "status": status})
                history.kept.append(Kept(instrument_id, made["starts_at"], ends_at, status))
                continue
            parts = (chance.randrange(0, 300), chance.randrange(0, 900), chance.randrange(0, 300))
            idle, samples = chance.randrange(1, 120), chance.choice([None, 0, 1, 7])
            session_id, ends_at = await _write(
                tx, parts=parts, idle=idle, problem=None, samples=samples, **made
            )
            history.kept.append(Kept(instrument_id, made["starts_at"], ends_at, "used"))
            history.used.append(
                Used(
                    Metered(
                        session_id,
                        instrument_id,
                        made["purpose"],
                        made["starts_at"],
                        sum(parts),
                        sum(parts) + idle,
                        made["calendar_id"],
                    ),
                    made["user_class"],
                    made["user_class"] is not UserClass.OWN_UNIT and not made["operator_id"],
                    samples or 0,
                )
            )

    await atomically(database, write, None, actor=TEST)
    return history


async def _write(
    tx: Tx,
    *,
    parts: tuple[int, int, int],
    idle: int,
    problem: str | None,
    samples: int | None,
    **made: Any,
) -> tuple[int, datetime]:
    actual = max(1, sum(parts) + idle)
    closed_at = made["starts_at"] + timedelta(minutes=actual)
    reservation_id = await tx.scalar(_PLACED, made | {"ends_at": closed_at, "status": "used"})
    session_id = await tx.scalar(
        _USED,
        {
            "reservation_id": reservation_id,
            "instrument_id": made["instrument_id"],
            "starts_at": made["starts_at"],
            "closed_at": closed_at,
            "actual": actual,
            "preparation": parts[0],
            "test": parts[1],
            "post": parts[2],
            "person_id": made["person_id"],
            "problem": problem,
            "samples": samples,
        },
    )
    return session_id, closed_at
