"""Finding instruments: by words in Chinese or English, by filters, with counts beside the hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    any_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY, aggregate_order_by, array

from marketplace.catalogue import tables
from marketplace.catalogue.queries.rows import (
    Facets,
    FacetValue,
    InstrumentHit,
    SearchHits,
    columns_of,
)
from marketplace.catalogue.rules.categories import MIDDLE_CLASSES
from marketplace.catalogue.rules.regions import city_names
from marketplace.catalogue.rules.states import Kind, ShareMode, Status, label
from marketplace.catalogue.rules.words import name_patterns, search_condition
from marketplace.kernel.db import Tx
from marketplace.parties.queries import organisations

# Beyond this nobody pages: counting stops, and the answer says so.
HITS_MAX = 10_000

_instrument = tables.instrument.c


@dataclass(frozen=True, slots=True)
class InstrumentSearch:
    """What is looked for; whatever is left empty does not narrow the search.

    `category` and `region` are codes or their beginnings; worth is the original value in fen.
    """

    text: str = ""
    category: str = ""
    region: str = ""
    provider_id: int | None = None
    kind: Kind | None = None
    share_mode: ShareMode | None = None
    worth_fen_min: int | None = None
    worth_fen_max: int | None = None
    page: int = 1
    page_size: int = 20


async def search(tx: Tx, question: InstrumentSearch) -> SearchHits:
    """One page of listed instruments, the total, and counts by category, city and kind.

    Those whose names hold the words come first, then by id: the order is stable. A word that finds
    more than `HITS_MAX` is counted up to there.
    """
    await tx.execute(_planned("force_custom_plan", "off"))
    found = (await tx.execute(_statement(question))).all()
    await tx.execute(_planned("auto", "on"))
    counts: dict[str, list[tuple[str, int]]] = {"category": [], "region": [], "kind": []}
    total = 0
    ids: list[int] = []
    for row in found:
        if row.facet == "page":
            ids = row.ids or []
        elif row.facet == "total":
            total = row.hits
        else:
            counts[row.facet].append((row.value, row.hits))
    return SearchHits(
        hits=await _hits(tx, ids),
        total=min(total, HITS_MAX),
        capped=total > HITS_MAX,
        facets=Facets(
            category=_facet(counts["category"], _category_names),
            region=_facet(counts["region"], city_names),
            kind=_facet(counts["kind"], _kind_names),
        ),
    )


def _planned(plan_cache_mode: str, seqscan: str) -> Any:
    # A plan made for any word reads the whole table and unpacks every row's words, at hundreds of
    # times the cost; only a plan for *this* word knows how rare it is.
    return select(
        func.set_config("plan_cache_mode", plan_cache_mode, True),
        func.set_config("enable_seqscan", seqscan, True),
    )


def _filters(question: InstrumentSearch) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [_instrument.status == Status.LISTED]
    if question.text.strip():
        condition = search_condition(question.text)
        # A question without a single word (`???`) finds nothing rather than everything.
        if condition is None:
            return [literal(False)]
        if condition:
            wanted.append(_instrument.search.bool_op("@@")(cast(condition, TSQUERY)))
    if question.category:
        wanted.append(_begins(_instrument.category_code, question.category))
    if question.region:
        wanted.append(_begins(_instrument.region_code, question.region))
    if question.provider_id is not None:
        wanted.append(_instrument.provider_id == question.provider_id)
    if question.kind is not None:
        wanted.append(_instrument.kind == question.kind)
    if question.share_mode is not None:
        wanted.append(_instrument.share_mode == question.share_mode)
    if question.worth_fen_min is not None:
        wanted.append(_instrument.worth_fen >= question.worth_fen_min)
    if question.worth_fen_max is not None:
        wanted.append(_instrument.worth_fen <= question.worth_fen_max)
    return wanted


def _begins(code: ColumnElement[str], digits: str) -> ColumnElement[bool]:
    # A range, which an index answers whatever the collation; LIKE would need the right one.
    return code.between(digits.ljust(6, "0"), digits.ljust(6, "9"))


def _rank(question: InstrumentSearch) -> ColumnElement[int]:
    patterns = name_patterns(question.text)
    if not patterns:
        return literal_column("0")
    names = func.lower(func.concat_ws(" ", _instrument.cname, _instrument.ename, _instrument.model))
    named = names.like(any_(array(patterns, type_=Text)))
    return case((named, literal_column("0")), else_=literal_column("1"))


def _statement(question: InstrumentSearch) -> Any:
    """One statement: the hits once, then their counts and the ids of the page."""
    hit = (
        select(
            _instrument.id,
            func.left(_instrument.category_code, 4).label("category"),
            func.left(_instrument.region_code, 4).label("region"),
            _instrument.kind,
            _rank(question).label("rank"),
        )
        .where(*_filters(question))
        # By id where an index has that order; with words, in the order of the table, because
        # sorting a hundred thousand hits to keep ten thousand is what makes broad words slow.
        .order_by(*([] if question.text.strip() else [_instrument.id]))
        .limit(HITS_MAX + 1)
        .cte("hit")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    facet = func.grouping(hit.c.category, hit.c.region, hit.c.kind)
    counts = select(
        case({3: "category", 5: "region", 6: "kind"}, value=facet, else_="total").label("facet"),
        func.coalesce(hit.c.category, hit.c.region, hit.c.kind).label("value"),
        func.count().label("hits"),
        cast(null(), ARRAY(BigInteger)).label("ids"),
    ).group_by(func.grouping_sets(hit.c.category, hit.c.region, hit.c.kind, literal_column("()")))
    page = (
        select(hit.c.id, hit.c.rank)
        .order_by(hit.c.rank, hit.c.id)
        .limit(question.page_size)
        .offset((question.page - 1) * question.page_size)
        .subquery("page")
    )
    page_ids: Select[*tuple[Any, ...]] = select(
        literal("page"),
        null(),
        literal_column("0"),
        func.array_agg(aggregate_order_by(page.c.id, page.c.rank, page.c.id)),
    )
    return union_all(counts, page_ids)


async def _hits(tx: Tx, ids: Sequence[int]) -> tuple[InstrumentHit, ...]:
    if not ids:
        return ()
    rows = await tx.all(
        InstrumentHit, select(*columns_of(InstrumentHit)).where(_instrument.id.in_(ids))
    )
    providers = await organisations(tx, {row.provider_id for row in rows})
    by_id = {row.id: row for row in rows}
    return tuple(
        replace(
            by_id[each],
            provider_name=providers[by_id[each].provider_id].name,
            provider_name_en=providers[by_id[each].provider_id].name_en,
        )
        for each in ids
    )


def _category_names(code: str) -> tuple[str, str]:
    return MIDDLE_CLASSES.get(code, (code, code))


def _kind_names(kind: str) -> tuple[str, str]:
    return label(Kind(kind)), kind


def _facet(
    counted: list[tuple[str, int]], names: Callable[[str], tuple[str, str]]
) -> tuple[FacetValue, ...]:
    facet = []
    for value, count in sorted(counted, key=lambda one: (-one[1], one[0])):
        name, name_en = names(value)
        facet.append(FacetValue(value=value, name=name, name_en=name_en, count=count))
    return tuple(facet)
