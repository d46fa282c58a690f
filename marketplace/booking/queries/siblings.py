"""Instruments near by that are free when the one that was asked for is not."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.booking.queries.timetables import schedules, taken
from marketplace.booking.rules.availability import Schedule, refusals, seat_gaps
from marketplace.booking.rules.states import Purpose, UserClass
from marketplace.catalogue.queries.siblings import Alike, AlikeTo, alike
from marketplace.kernel.db import Tx
from marketplace.kernel.time import During

SIBLINGS_OFFERED = 3
SIBLINGS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Sibling:
    """An instrument that could be reserved in the very time that was asked for."""

    instrument_id: int
    name: str
    name_en: str
    during: During


async def free_siblings(
    tx: Tx, found: Schedule, during: During, *, purpose: Purpose, user_class: UserClass
) -> list[Sibling]:
    """At most three instruments alike and near by that the rules and the others leave free.

    Three statements, however many are looked at. A provider's own people come to another provider
    as academic users, and for service to others.
    """
    near = await alike(tx, AlikeTo(found.instrument_id, SIBLINGS_LOOKED_AT))
    if not near:
        return []
    classes = {one.id: _class_at(one, found, user_class) for one in near}
    known = await schedules(tx, list(classes), during, classes=classes)
    beside = await taken(tx, list(known.values()), during)
    free = []
    for one in near:
        schedule = known[one.id]
        what_for = purpose if one.provider_id == found.provider_id else Purpose.EXTERNAL
        refused = refusals(schedule, during, purpose=what_for, at=tx.now)
        if refused or not any(during in gap for gap in seat_gaps(schedule, beside[one.id], during)):
            continue
        free.append(Sibling(one.id, one.cname, one.ename, during))
        if len(free) == SIBLINGS_OFFERED:
            break
    return free


def _class_at(one: Alike, found: Schedule, user_class: UserClass) -> UserClass:
    if one.provider_id != found.provider_id and user_class is UserClass.OWN_UNIT:
        return UserClass.ACADEMIC
    return user_class
