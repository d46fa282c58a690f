"""The detectors that look at who trades with whom, when, and on which papers.

Each takes facts and answers findings; it knows no database. Thresholds are arguments.

Policy: J.22b, J.31
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.kernel.money import BASIS_POINTS, yuan
from marketplace.vouchers.rules.anomalies import (
    AnomalyKind,
    Finding,
    Service,
    Subject,
    SubjectKind,
    subjects_of,
)


@dataclass(frozen=True, slots=True)
class Tie:
    """Buyer and provider of services are affiliated on the day of the order."""

    buyer_legal_entity_id: int
    provider_legal_entity_id: int
    kind: str
    detail: str
    shareholding_ids: tuple[int, ...]
    services: tuple[Service, ...]


def affiliated_parties(ties: Iterable[Tie]) -> list[Finding]:
    """Services between those who hold, represent or control each other. Policy: J.22b."""
    return [
        Finding(
            kind=AnomalyKind.AFFILIATED_PARTIES,
            key=(tie.buyer_legal_entity_id, tie.provider_legal_entity_id),
            summary=f"Buyer and provider are affiliated: {tie.detail}",
            proof=(tie.kind, tie.detail, *tie.shareholding_ids),
            subjects=subjects_of(tie.services),
            facts=(
                {
                    "tie": tie.kind,
                    "told": tie.detail,
                    "shareholding_ids": list(tie.shareholding_ids),
                    "order_ids": sorted(each.order_id for each in tie.services),
                },
            ),
        )
        for tie in ties
    ]


@dataclass(frozen=True, slots=True)
class Paper:
    """A document behind a service: its number as written and as compared, or its digest."""

    kind: str
    """contract, invoice, payment-proof or result."""
    key: str
    shown: str
    service: Service


_DUPLICATES = {
    "contract": AnomalyKind.DUPLICATE_CONTRACT,
    "invoice": AnomalyKind.DUPLICATE_INVOICE,
    "payment-proof": AnomalyKind.DUPLICATE_PAYMENT_PROOF,
    "result": AnomalyKind.DUPLICATE_RESULT,
}


def duplicates(papers: Iterable[Paper]) -> list[Finding]:
    """One document that stands behind several orders.

    Numbers are compared without spaces, punctuation and width.
    """
    by_key: dict[tuple[str, str], list[Paper]] = defaultdict(list)
    for paper in papers:
        by_key[paper.kind, paper.key].append(paper)
    found = []
    for (kind, key), same in sorted(by_key.items()):
        orders = sorted({paper.service.order_id for paper in same})
        if len(orders) < 2 or kind not in _DUPLICATES:
            continue
        shown = ", ".join(sorted({paper.shown for paper in same})[:5])
        found.append(
            Finding(
                kind=_DUPLICATES[kind],
                key=(key,),
                summary=f"{len(orders)} orders have the same {kind.replace('-', ' ')}: {shown}.",
                proof=(key, *orders),
                subjects=subjects_of(paper.service for paper in same),
                facts=tuple(
                    {"order_id": paper.service.order_id, "document": kind, "shown": paper.shown}
                    for paper in sorted(same, key=lambda each: each.service.order_id)
                ),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class LastDays:
    """What was redeemed of a grant with one provider in the grant's last days."""

    services: tuple[Service, ...]
    amount_fen: int
    granted_fen: int
    valid_until: date


def bursts(facts: Iterable[LastDays], *, share_basis_points: int, orders: int) -> list[Finding]:
    """Most of a voucher spent with one provider shortly before it expires."""
    found = []
    for each in facts:
        ids = sorted({service.order_id for service in each.services})
        enough = each.amount_fen * BASIS_POINTS >= each.granted_fen * share_basis_points
        if len(ids) < orders or not enough:
            continue
        first = each.services[0]
        found.append(
            Finding(
                kind=AnomalyKind.BURST_BEFORE_EXPIRY,
                key=(first.grant_id, first.provider_id),
                summary=(
                    f"{len(ids)} orders spent {yuan(each.amount_fen)} of"
                    f" {yuan(each.granted_fen)} with one provider in the last days"
                    f" before {each.valid_until}."
                ),
                proof=tuple(ids),
                subjects=subjects_of(each.services),
                facts=(
                    {
                        "order_ids": ids,
                        "amount_fen": each.amount_fen,
                        "granted_fen": each.granted_fen,
                        "valid_until": each.valid_until.isoformat(),
                    },
                ),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Absence:
    """A service that was settled though nobody came, or nothing was run."""

    service: Service
    redeemed_on: date
    because: str


def settled_no_shows(
    absences: Iterable[Absence], *, window_days: int, orders: int
) -> list[Finding]:
    """One pair settles again and again what was never used."""
    by_pair: dict[tuple[int, int], list[Absence]] = defaultdict(list)
    for each in absences:
        by_pair[each.service.buyer_id, each.service.provider_id].append(each)
    found = []
    for pair, missed in sorted(by_pair.items()):
        latest = max(each.redeemed_on for each in missed)
        recent = [
            each for each in missed if each.redeemed_on > latest - timedelta(days=window_days)
        ]
        ids = sorted({each.service.order_id for each in recent})
        if len(ids) < orders:
            continue
        found.append(
            Finding(
                kind=AnomalyKind.SETTLED_NO_SHOW,
                key=pair,
                summary=f"{len(ids)} orders of one pair were settled though nobody came.",
                proof=tuple(ids),
                subjects=subjects_of(each.service for each in recent),
                facts=tuple(
                    {
                        "order_id": each.service.order_id,
                        "redeemed_on": each.redeemed_on.isoformat(),
                        "because": each.because,
                    }
                    for each in recent
                ),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class SharedMark:
    """SMEs of different legal entities that give one address, number or representative."""

    what: str
    """address, telephone number or legal representative."""
    key: str
    shown: str
    organisation_ids: tuple[int, ...]
    application_ids: tuple[int, ...]


def shared_identities(marks: Iterable[SharedMark], *, smes: int) -> list[Finding]:
    """Many SMEs behind one door. Policy: J.22b."""
    return [
        Finding(
            kind=AnomalyKind.SHARED_IDENTITY,
            key=(mark.what, mark.key),
            summary=f"{len(mark.organisation_ids)} SMEs share one {mark.what}: {mark.shown}.",
            proof=(mark.what, mark.key, *sorted(mark.organisation_ids)),
            subjects=frozenset(
                {
                    *(Subject(SubjectKind.ORGANISATION, each) for each in mark.organisation_ids),
                    *(Subject(SubjectKind.APPLICATION, each) for each in mark.application_ids),
                }
            ),
            facts=({"what": mark.what, "organisation_ids": sorted(mark.organisation_ids)},),
        )
        for mark in marks
        if len(mark.organisation_ids) >= smes
    ]
