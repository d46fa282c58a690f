"""Organisations and the legal entities behind them: for domains that sum by either."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from marketplace.parties import tables

# One row an organisation. Whoever sums joins it and asks once.
UNITS: Select[Any] = select(
    tables.organisation.c.id.label("organisation_id"),
    tables.organisation.c.name,
    tables.organisation.c.region_code,
    tables.organisation.c.legal_entity_id,
    tables.legal_entity.c.name.label("legal_entity_name"),
).join(tables.legal_entity, tables.legal_entity.c.id == tables.organisation.c.legal_entity_id)

# One row a legal entity: what kind of body it is, and whose capital stands behind it.
BODIES: Select[Any] = select(
    tables.legal_entity.c.id.label("legal_entity_id"),
    tables.legal_entity.c.uscc,
    tables.legal_entity.c.name,
    tables.legal_entity.c.name_en,
    tables.legal_entity.c.kind,
    tables.legal_entity.c.capital,
)
