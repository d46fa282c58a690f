"""When instruments can be used at all: for booking, which joins its own rules and asks once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import TSTZRANGE

from marketplace.catalogue.tables import closure, instrument, opening_hours


def _hours() -> Any:
    hours = opening_hours.c
    listed = func.json_agg(
        func.json_build_array(hours.weekday, hours.opens_minute, hours.closes_minute)
    )
    found = select(listed).where(hours.instrument_id == instrument.c.id).scalar_subquery()
    return func.coalesce(found, func.json_build_array())


def _closures() -> Any:
    shut = closure.c
    listed = func.json_agg(
        func.json_build_array(func.lower(shut.during), func.upper(shut.during), shut.reason)
    )
    found = (
        select(listed)
        .where(
            shut.instrument_id == instrument.c.id,
            shut.during.op("&&")(bindparam("around", type_=TSTZRANGE)),
        )
        .scalar_subquery()
    )
    return func.coalesce(found, func.json_build_array())


# Binds `instrument_ids` and `around`. Hours are [weekday, opens_minute, closes_minute]; closures
# that touch `around` are [starts_at, ends_at, reason]. Built once: it lies on the hot path.
SCHEDULES: Select[Any] = select(
    instrument.c.id.label("instrument_id"),
    instrument.c.provider_id,
    instrument.c.status,
    instrument.c.share_mode,
    _hours().label("hours"),
    _closures().label("closures"),
).where(instrument.c.id == func.any(bindparam("instrument_ids", type_=ARRAY(BigInteger))))
