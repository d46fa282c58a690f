"""When instruments can be used at all: for booking, which joins its own rules and asks once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.catalogue.tables import closure, instrument, opening_hours


def _hours() -> Any:
    hours = opening_hours.c
    listed = func.json_agg(
        func.json_build_array(hours.weekday, hours.opens_minute, hours.closes_minute)
    )
    return select(listed).where(hours.instrument_id == instrument.c.id).scalar_subquery()


def closures_of(instrument_ids: Any) -> Any:
    """What closes any of an array of instruments around `around`.

    An array, because a machine may be listed as several instruments and is shut as a whole. Each
    closure is [starts_at, ends_at, reason, kind]; NULL where there are none.
    """
    shut = closure.c
    return (
        select(
            func.json_agg(
                func.json_build_array(
                    func.lower(shut.during), func.upper(shut.during), shut.reason, shut.kind
                )
            )
        )
        .where(
            shut.instrument_id == any_(instrument_ids),
            shut.during.op("&&")(bindparam("around", type_=TSTZRANGE)),
        )
        .scalar_subquery()
    )


# Binds `instrument_ids`. Hours are [weekday, opens_minute, closes_minute], NULL where there are
# none. Built once: it lies on the hot path.
SCHEDULES: Select[Any] = select(
    instrument.c.id.label("instrument_id"),
    instrument.c.provider_id,
    instrument.c.status,
    instrument.c.share_mode,
    _hours().label("hours"),
).where(instrument.c.id == func.any(bindparam("instrument_ids", type_=ARRAY(BigInteger))))
