"""What instruments are and whose: for booking, which counts machine-hours by it, and pricing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from marketplace.catalogue.tables import instrument

# One row an instrument in whatever state. Whoever counts joins it and asks once.
MACHINES: Select[Any] = select(
    instrument.c.id.label("instrument_id"),
    instrument.c.provider_id,
    instrument.c.cname,
    instrument.c.inner_id,
    instrument.c.kind,
    instrument.c.category_code,
    instrument.c.funds,
    instrument.c.status,
    instrument.c.listed_at,
    instrument.c.withdrawn_at,
)
