"""How the caller stands with an instrument, before they choose a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from marketplace.booking.queries.free_time import own_class_at
from marketplace.booking.queries.standing import standing
from marketplace.booking.queries.timetables import require_visible, schedule
from marketplace.booking.rules.availability import refusals
from marketplace.booking.rules.operators import Needed, Operation
from marketplace.booking.rules.standing import Standing, StandingAsked, lasting_refusals
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.kernel.time import During

# What a schedule says of every time alike.
_WHENEVER = frozenset({"instrument-status", "not-shared", "class"})


@dataclass(frozen=True, slots=True)
class MyStanding:
    """Everything that would stop the caller whichever time they choose, and what is left to them.

    Quotas are those of the periods that hold now.
    """

    instrument_id: int
    user_class: UserClass
    operation: Operation
    needed: Needed
    standing: Standing
    reasons: tuple[Reason, ...]


async def my_standing(tx: Tx, instrument_id: int) -> MyStanding:
    """How the caller stands with an instrument that they may see.

    Raises:
        Missing: when there is none for the caller.
    """
    this_minute = During(tx.now, tx.now + timedelta(minutes=1))
    general = await schedule(tx, instrument_id, this_minute)
    require_visible(tx, general)
    user_class = await own_class_at(tx, general.provider_id)
    own = user_class is UserClass.OWN_UNIT
    asked = StandingAsked(
        schedule=general.for_class(user_class),
        during=this_minute,
        purpose=Purpose.OWN_RESEARCH if own else Purpose.EXTERNAL,
        user_class=user_class,
        person_id=tx.actor.person_id,
        organisation_id=tx.actor.organisation_id,
    )
    found = await standing(tx, asked, lock=False)
    whenever = refusals(asked.schedule, this_minute, purpose=asked.purpose, at=tx.now)
    return MyStanding(
        instrument_id=instrument_id,
        user_class=user_class,
        operation=asked.operation,
        needed=asked.qualification,
        standing=found,
        reasons=(
            *(reason for reason in whenever if reason.rule in _WHENEVER),
            *lasting_refusals(found, asked),
        ),
    )
