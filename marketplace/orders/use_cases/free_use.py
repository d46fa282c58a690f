"""A service free of charge for a public purpose: asked, evidenced, examined, decided.

The provider examines by one person and decides by another; only then can the order be placed, which
the database sees to (`service_order_free_use`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, insert, select, update

from marketplace.billing.pricing import queries as pricing
from marketplace.kernel.db import Tx
from marketplace.kernel.storage import keep_file, kept_file
from marketplace.kernel.uploads import DOCUMENTS, received_file
from marketplace.orders.errors import FreeUseMissing, FreeUseUnfit, QuoteExpired, QuoteMissing
from marketplace.orders.events import FreeUseAskedFor, FreeUseDecidedOn
from marketplace.orders.queries.free_use import (
    FreeUse,
    FreeUseEvidence,
    free_use_by_id,
    free_use_columns,
)
from marketplace.orders.queries.items import QuoteItem, quote_items
from marketplace.orders.queries.quotes import Quote, quote
from marketplace.orders.rules.free_use import (
    EVIDENCE_MAX,
    OPEN,
    FreeUseStatus,
    require_askable,
    require_decidable,
    require_second_person,
    require_status,
)
from marketplace.orders.tables import free_use, free_use_evidence
from marketplace.orders.use_cases.items import service_again

EVIDENCE_BYTES_MAX = 10 * 1024 * 1024
EVIDENCE_AREA = "free_use"


@dataclass(frozen=True, slots=True)
class AskFreeUse:
    """Ask for what a quote describes free of charge, and say for what it is needed."""

    quote_id: int
    statement: str


async def ask_free_use(tx: Tx, command: AskFreeUse) -> FreeUse:
    """Ask the provider; the value by its price list is kept with the request.

    Policy: N.25a, H.14

    Raises:
        QuoteMissing: when it is another buyer's.
        QuoteExpired: when it holds no longer.
        FreeUseUnfit: when the quote names no public purpose, or is an order's.
        FreeUseAsked: when this was asked before.
    """
    found = await quote(tx, command.quote_id)
    if found.buyer_id != tx.actor.organisation_id:
        raise QuoteMissing("The buyer itself asks.")
    if found.valid_until <= tx.now:
        raise QuoteExpired(valid_until=found.valid_until.isoformat())
    require_askable(
        purpose=found.purpose,
        used=found.used_at is not None,
        amends=found.amends_order_id is not None,
    )
    made = await tx.one(
        FreeUse,
        insert(free_use)
        .values(
            quote_id=found.id,
            buyer_id=found.buyer_id,
            provider_id=found.provider_id,
            instrument_id=found.instrument_id,
            purpose=found.purpose,
            statement=command.statement,
            list_value_fen=await _quoted_value(tx, found),
            status=FreeUseStatus.ASKED,
            asked_by=tx.actor.person_id,
            asked_at=tx.now,
        )
        .returning(*(free_use.c[name] for name in FreeUse.__dataclass_fields__)),
    )
    tx.audit("ask", subject="free_use", subject_id=made.id, purpose=made.purpose)
    tx.record(FreeUseAskedFor(made.id, made.quote_id, made.buyer_id, made.provider_id))
    return made


async def _quoted_value(tx: Tx, found: Quote) -> int:
    asked = []
    for item in await quote_items(tx, found.id):
        during = item.during
        asked.append(
            at_list_price(
                found,
                item,
                minutes=during.minutes if during else 0,
                samples=item.samples or 0,
                runs=item.runs,
                extras=item.agreed_extras,
            )
        )
    return sum(one.total_fen for one in await pricing.price_services_by_list(tx, asked))


def at_list_price(
    found: Quote, item: QuoteItem, **counted: Any
) -> tuple[int, pricing.ServiceAsked]:
    """What to ask the frozen price list, as if there were no public purpose."""
    return item.price_list_id, replace(service_again(found, item, **counted), purpose=None)


@dataclass(frozen=True, slots=True)
class AddEvidence:
    """A file that shows the purpose: a decision, an order of an authority, a project's papers."""

    free_use_id: int
    name: str
    content: bytes


async def add_evidence(tx: Tx, command: AddEvidence) -> FreeUseEvidence:
    """Keep evidence of a request that nobody has examined yet: the file first, then its row.

    Policy: N.25a

    Raises:
        FreeUseMissing: when the request is another buyer's.
        FreeUseDecided: when it was examined.
        FreeUseUnfit: for one file too many.
        FileUnfit, FileInfected, ScanUnavailable: what is wrong with the file.
        EvidenceKept: when the request has it already.
    """
    found = await free_use_by_id(tx, command.free_use_id)
    if found.buyer_id != tx.actor.organisation_id:
        raise FreeUseMissing
    # The scanner may take seconds: nothing is locked meanwhile.
    checked = await received_file(
        command.name, command.content, allowed=DOCUMENTS, bytes_max=EVIDENCE_BYTES_MAX
    )
    found = await _locked(tx, command.free_use_id)
    require_status(found.status, FreeUseStatus.ASKED)
    if await _evidence_count(tx, found.id) >= EVIDENCE_MAX:
        raise FreeUseUnfit(f"A request has at most {EVIDENCE_MAX} files.", limit=EVIDENCE_MAX)
    key = await keep_file(tx, EVIDENCE_AREA, command.content)
    stored = await tx.one(
        FreeUseEvidence,
        insert(free_use_evidence)
        .values(
            free_use_id=found.id,
            name=command.name,
            media_type=checked.media_type,
            sha256=checked.sha256,
            size_bytes=checked.size,
            storage_key=key,
            stored_by=tx.actor.person_id,
            stored_at=tx.now,
        )
        .returning(*(free_use_evidence.c[name] for name in FreeUseEvidence.__dataclass_fields__)),
    )
    tx.audit("attach", subject="free_use", subject_id=found.id, sha256=checked.sha256)
    return stored


async def _evidence_count(tx: Tx, free_use_id: int) -> int:
    return int(
        await tx.scalar(
            select(func.count())
            .select_from(free_use_evidence)
            .where(free_use_evidence.c.free_use_id == free_use_id)
        )
    )


@dataclass(frozen=True, slots=True)
class DownloadEvidence:
    """Somebody of the two sides, or an auditor, looks at evidence."""

    free_use_id: int
    evidence_id: int


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """Evidence with its bytes."""

    name: str
    media_type: str
    sha256: str
    content: bytes


async def download_evidence(tx: Tx, command: DownloadEvidence) -> EvidenceFile:
    """The bytes of evidence; who took them is written down.

    Raises:
        FreeUseMissing: when there is none, or it is between others.
        FileDamaged: when it is gone, or not as it was kept.
    """
    found = await free_use_by_id(tx, command.free_use_id)
    kept = await tx.one(
        FreeUseEvidence,
        select(*(free_use_evidence.c[name] for name in FreeUseEvidence.__dataclass_fields__)).where(
            free_use_evidence.c.free_use_id == found.id,
            free_use_evidence.c.id == command.evidence_id,
        ),
        missing=FreeUseMissing,
    )
    content = await kept_file(kept.storage_key)
    tx.audit("download", subject="free_use", subject_id=found.id, sha256=kept.sha256)
    return EvidenceFile(kept.name, kept.media_type, kept.sha256, content)


@dataclass(frozen=True, slots=True)
class ExamineFreeUse:
    """Somebody of the provider has looked at statement and evidence, and says what is found."""

    free_use_id: int
    finding: str


async def examine_free_use(tx: Tx, command: ExamineFreeUse) -> FreeUse:
    """Note what the provider's first person finds; a second person decides on it.

    Raises:
        FreeUseMissing: when the request is another provider's.
        FreeUseDecided: when it was examined or decided before.
    """
    found = await _of_provider(tx, command.free_use_id)
    require_status(found.status, FreeUseStatus.ASKED)
    return await _write(
        tx,
        found,
        "examine",
        status=FreeUseStatus.EXAMINED,
        examined_by=tx.actor.person_id,
        examined_at=tx.now,
        finding=command.finding,
    )


@dataclass(frozen=True, slots=True)
class DecideFreeUse:
    """The provider's second person approves or refuses, and says why."""

    free_use_id: int
    approve: bool
    reason: str


async def decide_free_use(tx: Tx, command: DecideFreeUse) -> FreeUse:
    """Approve or refuse what was examined; approved, the order can be placed.

    Policy: N.25a, H.14

    Raises:
        FreeUseMissing: when the request is another provider's.
        FreeUseDecided: when it was not examined, or was decided before.
        OwnFreeUse: for who asked or examined.
        FreeUseUnfit: without evidence to approve it by, or without a reason.
    """
    found = await _of_provider(tx, command.free_use_id)
    require_status(found.status, FreeUseStatus.EXAMINED)
    require_second_person(
        tx.actor.person_id, asked_by=found.asked_by, examined_by=found.examined_by
    )
    require_decidable(
        approve=command.approve,
        reason=command.reason,
        evidence=await _evidence_count(tx, found.id),
    )
    status = FreeUseStatus.APPROVED if command.approve else FreeUseStatus.REFUSED
    return await _decide(tx, found, status, command.reason)


@dataclass(frozen=True, slots=True)
class WithdrawFreeUse:
    """The buyer does not need it any more, or pays after all."""

    free_use_id: int
    reason: str


async def withdraw_free_use(tx: Tx, command: WithdrawFreeUse) -> FreeUse:
    """Take a request back that nobody has decided.

    Raises:
        FreeUseMissing: when the request is another buyer's.
        FreeUseDecided: when it was decided.
    """
    found = await _locked(tx, command.free_use_id)
    if found.buyer_id != tx.actor.organisation_id:
        raise FreeUseMissing
    require_status(found.status, *OPEN)
    return await _decide(tx, found, FreeUseStatus.WITHDRAWN, command.reason)


async def _decide(tx: Tx, found: FreeUse, status: FreeUseStatus, because: str) -> FreeUse:
    decided = await _write(
        tx,
        found,
        "decide",
        status=status,
        decided_by=tx.actor.person_id,
        decided_at=tx.now,
        decided_because=because,
    )
    tx.record(FreeUseDecidedOn(found.id, found.quote_id, found.buyer_id, found.provider_id, status))
    return decided


async def _locked(tx: Tx, free_use_id: int) -> FreeUse:
    return await tx.one(
        FreeUse,
        free_use_columns().where(free_use.c.id == free_use_id).with_for_update(),
        missing=FreeUseMissing,
    )


async def _of_provider(tx: Tx, free_use_id: int) -> FreeUse:
    found = await _locked(tx, free_use_id)
    if found.provider_id != tx.actor.organisation_id:
        raise FreeUseMissing
    return found


async def _write(tx: Tx, found: FreeUse, action: str, **changes: Any) -> FreeUse:
    written = await tx.one(
        FreeUse,
        update(free_use)
        .where(free_use.c.id == found.id)
        .values(**changes)
        .returning(*(free_use.c[name] for name in FreeUse.__dataclass_fields__)),
    )
    tx.audit(action, subject="free_use", subject_id=found.id, status=written.status)
    return written
