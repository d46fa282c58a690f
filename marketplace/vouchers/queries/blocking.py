"""Anomalies that stand in the way of grants, redemptions and claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.queries.rows import columns
from marketplace.vouchers.rules.anomalies import (
    UNDECIDED,
    AnomalySeverity,
    AnomalyStatus,
    Subject,
    SubjectKind,
)


@dataclass(frozen=True, slots=True)
class BlockingAnomaly:
    """An anomaly that stands in the way."""

    id: int
    kind: str
    status: str
    summary: str


async def blocking_anomalies(tx: Tx, *subjects: Subject) -> list[BlockingAnomaly]:
    """What stands in the way of grants, redemptions or claims: blocking and not dismissed.

    Of a claim, what is about its redemptions that still count; one that was excluded from it
    blocks no more. Of an organisation and of a grant, what nobody has decided: what was confirmed
    is a matter of sanctions. One question. Policy: J.22b, J.31.
    """
    table = tables.anomaly
    return await tx.all(
        BlockingAnomaly,
        select(*columns(BlockingAnomaly, table))
        .where(
            table.c.severity == AnomalySeverity.BLOCKING,
            or_(literal(False), *(_in_the_way_of(each) for each in subjects)),
        )
        .order_by(table.c.id)
        .limit(100),
    )


def _in_the_way_of(subject: Subject) -> ColumnElement[bool]:
    table, about = tables.anomaly.c, tables.anomaly_subject.c
    concerned = select(about.anomaly_id).where(
        about.kind == subject.kind, about.subject_id == subject.id
    )
    if subject.kind is SubjectKind.CLAIM:
        redemption = tables.redemption.c
        counting = select(redemption.id).where(
            redemption.claim_id == subject.id, redemption.excluded_at.is_(None)
        )
        concerned = select(about.anomaly_id).where(
            about.kind == SubjectKind.REDEMPTION, about.subject_id.in_(counting)
        )
    lasting = subject.kind not in (SubjectKind.ORGANISATION, SubjectKind.GRANT)
    confirmed = (AnomalyStatus.CONFIRMED,) if lasting else ()
    return and_(table.id.in_(concerned), table.status.in_([*UNDECIDED, *confirmed]))


_IN_THE_WAY = text(
    "select w.order_id, a.id, a.kind, a.status, a.summary"
    " from anomalies_in_the_way(:orders) w join anomaly a on a.id = w.anomaly_id"
    " order by w.order_id, a.id limit 10000"
).bindparams(bindparam("orders", type_=ARRAY(BigInteger)))


async def in_the_way_of_settling(
    tx: Tx, order_ids: Sequence[int]
) -> dict[int, list[BlockingAnomaly]]:
    """Of some orders, those whose vouchers must not pay yet, with what stands in the way.

    What is about the order itself blocks until it is dismissed; what is about one of its vouchers,
    or about its buyer and its provider together, until it is decided. An anomaly about one of the
    two with somebody else stops nothing between these. Policy: J.22b, J.31.
    """
    found: dict[int, list[BlockingAnomaly]] = defaultdict(list)
    if order_ids:
        for row in await tx.execute(_IN_THE_WAY, {"orders": list(order_ids)}):
            found[row.order_id].append(BlockingAnomaly(row.id, row.kind, row.status, row.summary))
    return dict(found)
