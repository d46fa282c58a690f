"""The detectors that look at who trades with whom, when, and on which papers.

Each takes facts and answers findings; it knows no database. Thresholds are arguments.

Policy: J.22b, J.31
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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

RINGS_MAX = 1_000


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
    exact: bool
    """Whether equal keys are the same document, or only look like it."""
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

    Numbers are compared without spaces, punctuation and width; what agrees only in amount, day
    and pair is similar and not certain.
    """
    by_key: dict[tuple[str, str], list[Paper]] = defaultdict(list)
    for paper in papers:
        by_key[paper.kind, paper.key].append(paper)
    found = []
    for (kind, key), same in sorted(by_key.items()):
        orders = sorted({paper.service.order_id for paper in same})
        if len(orders) < 2 or kind not in _DUPLICATES:
            continue
        exact = same[0].exact
        words = "the same" if exact else "a similar"
        shown = ", ".join(sorted({paper.shown for paper in same})[:5])
        found.append(
            Finding(
                kind=_DUPLICATES[kind],
                key=(key,),
                summary=f"{len(orders)} orders have {words} {kind.replace('-', ' ')}: {shown}.",
                proof=(key, *orders),
                subjects=subjects_of(paper.service for paper in same),
                facts=tuple(
                    {"order_id": paper.service.order_id, "document": kind, "shown": paper.shown}
                    for paper in sorted(same, key=lambda each: each.service.order_id)
                ),
                certain=exact,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class CappedOrder:
    """An order that took voucher money near the cap of its programme."""

    service: Service
    instrument_id: int
    placed_on: date
    amount_fen: int
    cap_fen: int


def split_orders(
    orders: Iterable[CappedOrder], *, window_days: int, near_basis_points: int
) -> list[Finding]:
    """Orders of one pair on one instrument, each just below the cap, together above it."""
    by_pair: dict[tuple[int, int, int], list[CappedOrder]] = defaultdict(list)
    for each in orders:
        if (
            each.cap_fen * near_basis_points
            <= each.amount_fen * BASIS_POINTS
            < (each.cap_fen * BASIS_POINTS)
        ):
            key = (each.service.grant_id, each.service.provider_id, each.instrument_id)
            by_pair[key].append(each)
    found = []
    for key, near in sorted(by_pair.items()):
        near.sort(key=lambda each: (each.placed_on, each.service.order_id))
        for run in _runs(near, timedelta(days=window_days)):
            total = sum(each.amount_fen for each in run)
            if len(run) < 2 or total <= run[0].cap_fen:
                continue
            ids = [each.service.order_id for each in run]
            found.append(
                Finding(
                    kind=AnomalyKind.SPLIT_ORDERS,
                    key=(*key, ids[0]),
                    summary=(
                        f"{len(run)} orders from {run[0].placed_on} to {run[-1].placed_on}, each"
                        f" just below the cap of {yuan(run[0].cap_fen)} and"
                        f" {yuan(total)} together."
                    ),
                    proof=tuple(ids),
                    subjects=subjects_of(each.service for each in run),
                    facts=tuple(
                        {
                            "order_id": each.service.order_id,
                            "placed_on": each.placed_on.isoformat(),
                            "amount_fen": each.amount_fen,
                            "cap_fen": each.cap_fen,
                        }
                        for each in run
                    ),
                )
            )
    return found


def _runs(orders: Sequence[CappedOrder], window: timedelta) -> Iterable[list[CappedOrder]]:
    """Orders in runs: a run goes on while the next one lies within the window of its first."""
    run: list[CappedOrder] = []
    for each in orders:
        if run and each.placed_on - run[0].placed_on > window:
            yield run
            run = []
        run.append(each)
    if run:
        yield run


@dataclass(frozen=True, slots=True)
class Trade:
    """What one group bought from another in the window."""

    buyer_group: int
    provider_group: int
    amount_fen: int
    services: tuple[Service, ...]
    """The latest of them, enough to show."""


def circular_trade(
    trades: Iterable[Trade], *, longest: int, similar_basis_points: int
) -> list[Finding]:
    """Groups that buy from each other in a ring, for sums of one size."""
    sold: dict[int, dict[int, Trade]] = defaultdict(dict)
    for trade in trades:
        if trade.buyer_group != trade.provider_group:
            sold[trade.buyer_group][trade.provider_group] = trade
    found = []
    for ring in itertools.islice(_rings(sold, longest), RINGS_MAX):
        amounts = [trade.amount_fen for trade in ring]
        if min(amounts) * BASIS_POINTS < max(amounts) * similar_basis_points:
            continue
        groups = [trade.buyer_group for trade in ring]
        services = [service for trade in ring for service in trade.services]
        found.append(
            Finding(
                kind=AnomalyKind.CIRCULAR_TRADE,
                key=tuple(groups),
                summary=(
                    f"{len(ring)} groups buy from each other in a ring, between"
                    f" {yuan(min(amounts))} and {yuan(max(amounts))}."
                ),
                proof=tuple(sorted({service.order_id for service in services})),
                subjects=subjects_of(services),
                facts=tuple(
                    {
                        "buyer_group": trade.buyer_group,
                        "provider_group": trade.provider_group,
                        "amount_fen": trade.amount_fen,
                        "order_ids": sorted(each.order_id for each in trade.services),
                    }
                    for trade in ring
                ),
            )
        )
    return found


def _rings(sold: Mapping[int, Mapping[int, Trade]], longest: int) -> Iterable[tuple[Trade, ...]]:
    """Every ring once: it starts at its smallest group."""

    def follow(start: int, path: tuple[Trade, ...]) -> Iterable[tuple[Trade, ...]]:
        for nxt, trade in sorted(sold.get(path[-1].provider_group, {}).items()):
            if nxt == start:
                yield (*path, trade)
            elif nxt > start and len(path) + 1 < longest and nxt not in _passed(path):
                yield from follow(start, (*path, trade))

    for start in sorted(sold):
        for nxt, trade in sorted(sold[start].items()):
            if nxt > start:
                yield from follow(start, (trade,))


def _passed(path: Sequence[Trade]) -> set[int]:
    return {trade.buyer_group for trade in path} | {path[-1].provider_group}


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
