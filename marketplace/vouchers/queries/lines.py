"""The lines of claims: what was claimed and approved of each redemption, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reason
from marketplace.vouchers import tables
from marketplace.vouchers.queries.claims import claim, claimed_by_programme, dated_papers
from marketplace.vouchers.queries.paging import FIRST_PAGE, PageAsked, listed
from marketplace.vouchers.queries.programmes import programme
from marketplace.vouchers.queries.rows import Listed, columns
from marketplace.vouchers.rules.limits import Window
from marketplace.vouchers.rules.paper_days import papers_outside, windows_of


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A redemption in a claim: claimed, approved, clawed back; the refused line it corrects."""

    claim_id: int
    redemption_id: int
    order_id: int
    redeemed_on: date
    claimed_fen: int
    approved_fen: int
    clawed_back_fen: int
    reason: str
    decided_by: int | None
    decided_at: datetime | None
    resubmits_claim_id: int | None
    correction: str
    excluded_reason: str | None


@dataclass(frozen=True, slots=True)
class LineSearch:
    """The lines of a claim, or only those that are not approved in full."""

    claim_id: int
    short: bool = False
    page: PageAsked = FIRST_PAGE


@dataclass(frozen=True, slots=True)
class PaperWindow:
    """The days of which a kind of paper has to be."""

    kind: str
    within: Window


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """Which evidence a redemption needs, has and lacks."""

    redemption_id: int
    required: tuple[str, ...]
    attached: tuple[str, ...]
    missing: tuple[str, ...]
    refused_before: tuple[int, ...]
    """The claims in which it was refused: it needs to be told what was corrected."""
    windows: tuple[PaperWindow, ...] = ()
    """The days of which its invoice and its payment have to be."""
    outside: tuple[Reason, ...] = ()
    """Why the days of papers that are attached are none of these."""

    @property
    def complete(self) -> bool:
        """Whether it may be submitted as it is."""
        return not self.missing and not self.outside


def lines_of(claim_id: int) -> Select[Any]:
    """The lines of a claim."""
    line, redemption = tables.claim_line, tables.redemption
    return (
        select(
            *(
                (redemption if name in ("order_id", "redeemed_on", "excluded_reason") else line).c[
                    name
                ]
                for name in ClaimLine.__dataclass_fields__
            )
        )
        .join_from(line, redemption, redemption.c.id == line.c.redemption_id)
        .where(line.c.claim_id == claim_id)
    )


async def claim_lines(tx: Tx, search: LineSearch) -> Listed[ClaimLine]:
    """The lines of a submitted claim, for those who may see the claim."""
    await claim(tx, search.claim_id)
    statement = lines_of(search.claim_id)
    if search.short:
        statement = statement.where(
            tables.claim_line.c.approved_fen < tables.claim_line.c.claimed_fen
        )
    return await listed(tx, ClaimLine, statement, tables.claim_line.c.redemption_id, search.page)


async def refused_lines(tx: Tx, redemption_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The claims in which these redemptions were refused, the newest last.

    A line is refused with its claim, or alone in a claim that was approved.
    """
    line, of = tables.claim_line, tables.claim
    rows = await tx.execute(
        select(line.c.redemption_id, func.array_agg(line.c.claim_id).label("claims"))
        .join_from(line, of, of.c.id == line.c.claim_id)
        .where(
            line.c.redemption_id.in_(redemption_ids),
            or_(
                of.c.status == "refused",
                of.c.status.in_(("approved", "paid")) & (line.c.approved_fen == 0),
            ),
        )
        .group_by(line.c.redemption_id)
    )
    return {row.redemption_id: tuple(sorted(row.claims)) for row in rows}


async def completeness(tx: Tx, claim_id: int) -> list[LineEvidence]:
    """What each redemption of a claim needs, has and lacks, before it is submitted or after."""
    await claim(tx, claim_id)
    by_programme = await claimed_by_programme(tx, claim_id)
    papers = await dated_papers(tx, claim_id)
    attached: dict[int, set[str]] = {}
    for paper in papers:
        attached.setdefault(paper.redemption_id, set()).add(paper.kind)
    ids = [each for some in by_programme.values() for each in some]
    refused = await refused_lines(tx, ids)
    found = []
    for programme_id, some in by_programme.items():
        terms = (await programme(tx, programme_id)).agreed
        required = terms.required_evidence
        windows = tuple(PaperWindow(kind, of) for kind, of in windows_of(terms).items())
        outside: dict[int, list[Reason]] = {}
        for reason in papers_outside(some, papers, terms):
            outside.setdefault(reason.asked["redemption_id"], []).append(reason)
        for each in some:
            there = attached.get(each, set())
            found.append(
                LineEvidence(
                    each,
                    tuple(required),
                    tuple(sorted(there)),
                    tuple(kind for kind in required if kind not in there),
                    tuple(one for one in refused.get(each, ()) if one != claim_id),
                    windows,
                    tuple(
                        reason
                        for reason in outside.get(each, ())
                        if reason.rule.removesuffix("-day") in there
                    ),
                )
            )
    return sorted(found, key=lambda one: one.redemption_id)


@dataclass(frozen=True, slots=True)
class ClaimAudit:
    """An audit of a claim: of a layer's city or zone, or of the centre."""

    claim_id: int
    stage: str
    layer_id: int | None
    passed: bool
    finding: str
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class LocalAudit:
    """A layer whose city or zone audits the claim, and what it found, if it has."""

    layer_id: int
    funder: str
    region_code: str
    passed: bool | None


async def audits(tx: Tx, claim_id: int) -> list[ClaimAudit]:
    """The audits of a claim, in the order in which they were made."""
    await claim(tx, claim_id)
    table = tables.claim_audit
    return await tx.all(
        ClaimAudit,
        select(*columns(ClaimAudit, table))
        .where(table.c.claim_id == claim_id)
        .order_by(table.c.id),
    )


async def local_audits(tx: Tx, claim_id: int) -> list[LocalAudit]:
    """The layers of cities and zones that have to audit the claim; none unless terms say so."""
    redemption, part = tables.redemption, tables.redemption_part
    layer, audit, of = tables.programme_layer, tables.claim_audit, tables.programme
    rows = await tx.execute(
        select(
            layer.c.id.label("layer_id"),
            layer.c.funder,
            layer.c.region_code,
            layer.c.programme_id,
            audit.c.passed,
        )
        .distinct()
        .join_from(redemption, part, part.c.redemption_id == redemption.c.id)
        .join(layer, layer.c.id == part.c.layer_id)
        .join(of, of.c.id == layer.c.programme_id)
        .outerjoin(
            audit,
            (audit.c.claim_id == redemption.c.claim_id) & (audit.c.layer_id == layer.c.id),
        )
        .where(
            redemption.c.claim_id == claim_id,
            redemption.c.excluded_at.is_(None),
            layer.c.funder != "province",
        )
        .order_by(layer.c.id)
    )
    found = rows.all()
    asking = {
        each: (await programme(tx, each)).agreed.local_audit
        for each in {row.programme_id for row in found}
    }
    return [
        LocalAudit(row.layer_id, row.funder, row.region_code, row.passed)
        for row in found
        if asking[row.programme_id]
    ]
