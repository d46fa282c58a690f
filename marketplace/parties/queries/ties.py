"""Ties between many pairs of legal entities at once, for those who look at a whole year."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Date, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.db import Tx
from marketplace.parties import tables
from marketplace.parties.queries.organisations import legal_entities
from marketplace.parties.queries.rows import Pair
from marketplace.parties.rules.affiliation import Affiliation, Control, affiliation
from marketplace.parties.rules.ownership import Step, Way, node_key, united
from marketplace.parties.rules.shareholding import Shareholding
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class PairOnDay:
    """Two legal entities on the day on which they dealt with each other."""

    legal_entity_id: int
    other_id: int
    on: date


# Whoever is or was tied at any time; the day of each dealing is looked at afterwards.
_POSSIBLE = text(
    """
    with pair as materialized (
      select distinct one, other from unnest(:ones, :others) as given (one, other)
    ),
    entity as materialized (
      select e.id, nullif(name_key(e.legal_representative), '') as representative
      from legal_entity e
      where e.id in (select one from pair union select other from pair)
    ),
    control as materialized (
      select u.legal_entity_id, coalesce('#' || u.holder_id, u.holder_key) as node
      from ownership_up(
        (select array_agg(s.legal_entity_id) from
           (select distinct legal_entity_id from shareholding) s
         where s.legal_entity_id in (select id from entity)), null, :depth) u
      group by 1, 2 having sum(u.share) * 10000 >= :control
      union
      select id, '#' || id from entity
    )
    select p.one, p.other from pair p where p.one = p.other
    union
    select p.one, p.other from pair p
    join shareholding s on s.legal_entity_id = p.one and s.holder_id = p.other
    union
    select p.one, p.other from pair p
    join shareholding s on s.legal_entity_id = p.other and s.holder_id = p.one
    union
    select p.one, p.other from pair p
    join entity a on a.id = p.one
    join entity b on b.id = p.other and b.representative = a.representative
    union
    select p.one, p.other from pair p
    join control a on a.legal_entity_id = p.one
    join control b on b.legal_entity_id = p.other and b.node = a.node
    """
).bindparams(
    bindparam("ones", type_=ARRAY(BigInteger)), bindparam("others", type_=ARRAY(BigInteger))
)


async def possible_ties(tx: Tx, pairs: Iterable[Pair]) -> list[Pair]:
    """Which of `pairs` are, or were on some day, tied in some way; one question. Policy: J.22b."""
    asked = list(pairs)
    rows = await tx.execute(
        _POSSIBLE,
        {
            "ones": [each.legal_entity_id for each in asked],
            "others": [each.other_id for each in asked],
            "depth": rulebook().guards.ownership_depth.on(tx.today),
            "control": rulebook().voucher.common_control_basis_points.on(tx.today),
        },
    )
    return [Pair(row.one, row.other) for row in rows]


_WAYS = text(
    "select legal_entity_id, holder_id, holder_key, steps, holders, held, parts"
    " from ownership_up(:ids, null, :depth)"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


@dataclass(frozen=True, slots=True)
class _Held:
    legal_entity_id: int
    id: int
    holder: str
    basis_points: int
    valid_from: date
    valid_until: date | None

    def on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_until is None or self.valid_until >= day)


async def affiliations_on(
    tx: Tx, asked: Sequence[PairOnDay]
) -> dict[PairOnDay, Affiliation | None]:
    """The strongest tie of each pair on its day, by what the register says now.

    Three questions in all. Policy: J.22b.
    """
    ids = sorted({each for pair in asked for each in (pair.legal_entity_id, pair.other_id)})
    entities = await legal_entities(tx, ids)
    depth = rulebook().guards.ownership_depth.on(tx.today)
    found = (await tx.execute(_WAYS, {"ids": ids, "depth": depth})).all()
    held = tables.shareholding.c
    steps = sorted({step for row in found for step in row.steps})
    dated = await tx.all(
        _Held,
        select(*(held[name] for name in _Held.__dataclass_fields__)).where(held.id.in_(steps)),
    )
    by_id = {each.id: each for each in dated}
    direct: dict[int, list[_Held]] = {each: [] for each in ids}
    for each in dated:
        direct.setdefault(each.legal_entity_id, []).append(each)
    ways: dict[int, list[Way]] = {each: [] for each in ids}
    for row in found:
        ways[row.legal_entity_id].append(_way(row))

    def control(legal_entity_id: int, day: date) -> Control:
        entity = entities[legal_entity_id]
        return Control(
            legal_entity_id=entity.id,
            uscc=entity.uscc,
            name=entity.name,
            legal_representative=entity.legal_representative,
            holders=tuple(
                Shareholding(each.holder, each.basis_points)
                for each in direct[legal_entity_id]
                if each.on(day)
            ),
            ways=tuple(
                way
                for way in ways[legal_entity_id]
                if all(by_id[step.shareholding_id].on(day) for step in way.steps)
            ),
        )

    return {
        each: affiliation(
            control(each.legal_entity_id, each.on),
            control(each.other_id, each.on),
            common_control_basis_points=rulebook().voucher.common_control_basis_points.on(each.on),
        )
        for each in asked
    }


def _way(row: object) -> Way:
    given = row._mapping  # type: ignore[attr-defined]
    key = given["holder_key"] if given["holder_id"] is None else node_key(given["holder_id"])
    parts = zip(given["holders"], given["held"], given["parts"], given["steps"], strict=True)
    return Way(key, tuple(Step(holder, held, part, step) for holder, held, part, step in parts))


_CONTROL = text(
    """
    select u.legal_entity_id, coalesce('#' || u.holder_id, u.holder_key) as node
    from ownership_up(
      (select array_agg(distinct legal_entity_id) from shareholding), :day, :depth) u
    group by 1, 2 having sum(u.share) * 10000 >= :control
    """
).bindparams(bindparam("day", type_=Date))


async def group_names(tx: Tx, on: date) -> dict[int, int]:
    """The group of every legal entity that is not alone, named by its lowest id.

    Whoever is not named is a group by itself. One question, over the whole register.
    """
    rows = await tx.execute(
        _CONTROL,
        {
            "day": on,
            "depth": rulebook().guards.ownership_depth.on(on),
            "control": rulebook().voucher.common_control_basis_points.on(on),
        },
    )
    links = [(row.node, node_key(row.legal_entity_id)) for row in rows]
    found: dict[int, int] = {}
    for group in united(links):
        ids = sorted(int(node[1:]) for node in group if node.startswith("#"))
        if len(ids) > 1:
            found |= dict.fromkeys(ids, ids[0])
    return found


async def affected_by_register(tx: Tx, since: date) -> list[int]:
    """The legal entities whose holders, near or far, were entered anew since a day."""
    held = tables.shareholding.c
    changed = select(held.legal_entity_id).where(held.recorded_at >= since).distinct()
    ids = list(await tx.scalars(changed))
    if not ids:
        return []
    below = await tx.scalars(
        text(
            "select distinct legal_entity_id from ownership_down(:ids, '{}'::text[], :day, :depth)"
        ).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("day", type_=Date)),
        {"ids": ids, "day": tx.today, "depth": rulebook().guards.ownership_depth.on(tx.today)},
    )
    return sorted({*ids, *below})
