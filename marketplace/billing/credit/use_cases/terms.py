"""Granting credit: proposed by one person of the provider, decided by another, ended by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from marketplace.billing.credit.errors import (
    CreditInUse,
    CreditTermsDecided,
    CreditTermsMissing,
    CreditTermsUnfit,
    OwnCreditTerms,
)
from marketplace.billing.credit.events import CreditEnded, CreditGranted
from marketplace.billing.credit.queries.lines import CreditTerms
from marketplace.billing.credit.rules.credit import Bounds, require_grantable
from marketplace.billing.credit.rules.states import TermsStatus
from marketplace.billing.credit.tables import credit_line, credit_terms
from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind
from marketplace.kernel.db import Tx
from marketplace.kernel.money import yuan
from marketplace.parties import queries as parties
from marketplace.rulebook import rulebook


@dataclass(frozen=True, slots=True)
class ProposeTerms:
    """Let a buyer owe the caller's provider up to a limit, due so many days after each service."""

    buyer_id: int
    limit_fen: int
    due_days: int
    valid_until: date
    reason: str


@dataclass(frozen=True, slots=True)
class DecideTerms:
    """The second person of the provider approves or refuses proposed terms."""

    terms_id: int
    approve: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndTerms:
    """No more orders on account; or, while nobody has decided, the proposal is taken back."""

    terms_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it is locked."""

    id: int
    provider_id: int
    buyer_id: int
    limit_fen: int


async def propose_terms(tx: Tx, command: ProposeTerms) -> CreditTerms:
    """Propose credit for a buyer; nothing is granted before a second person approves.

    Policy: J.gap

    Raises:
        CreditTermsUnfit: when limit, days or end are beyond what the province allows.
        CreditTermsProposed: while another proposal waits.
        OrganisationMissing: when there is no such buyer.
    """
    terms = rulebook().credit
    require_grantable(
        limit_fen=command.limit_fen,
        due_days=command.due_days,
        valid_until=command.valid_until,
        today=tx.today,
        bounds=Bounds(
            limit_max_fen=terms.limit_max_fen.on(tx.today),
            due_days_max=terms.due_days_max.on(tx.today),
            valid_days_max=terms.valid_days_max.on(tx.today),
        ),
    )
    provider_id = tx.actor.organisation_id
    if command.buyer_id == provider_id:
        raise CreditTermsUnfit("Nobody grants credit to itself.")
    buyer = await parties.organisation(tx, command.buyer_id)
    line_id = await _line_between(tx, provider_id, buyer.id)
    proposed = await tx.one(
        CreditTerms,
        insert(credit_terms)
        .values(
            line_id=line_id,
            status=TermsStatus.PROPOSED,
            limit_fen=command.limit_fen,
            due_days=command.due_days,
            valid_until=command.valid_until,
            reason=command.reason,
            proposed_by=tx.actor.person_id,
            proposed_at=tx.now,
        )
        .returning(*(credit_terms.c[name] for name in CreditTerms.__dataclass_fields__)),
    )
    tx.audit(
        "propose",
        subject="credit_terms",
        subject_id=proposed.id,
        line_id=line_id,
        buyer_id=buyer.id,
        limit_fen=command.limit_fen,
    )
    return proposed


async def _line_between(tx: Tx, provider_id: int, buyer_id: int) -> int:
    await tx.execute(
        upsert(credit_line)
        .values(
            provider_id=provider_id,
            buyer_id=buyer_id,
            opened_by=tx.actor.person_id,
            opened_at=tx.now,
        )
        .on_conflict_do_nothing(constraint="credit_line_parties")
    )
    found: int = await tx.scalar(
        select(credit_line.c.id).where(
            credit_line.c.provider_id == provider_id, credit_line.c.buyer_id == buyer_id
        )
    )
    return found


async def decide_terms(tx: Tx, command: DecideTerms) -> CreditTerms:
    """Approve or refuse proposed terms; approving posts the limit and ends the terms before.

    Raises:
        CreditTermsMissing: when there are none, or they are another provider's.
        CreditTermsDecided: when they were decided on before.
        OwnCreditTerms: for the person who proposed them.
        CreditTermsUnfit: when a refusal has no reason, or they would have ended already.
        CreditInUse: when more is held and owed than the new limit.
    """
    line, found = await _locked(tx, command.terms_id)
    if found.status != TermsStatus.PROPOSED:
        raise CreditTermsDecided(f"They are {found.status}.")
    if found.proposed_by == tx.actor.person_id:
        raise OwnCreditTerms("A second person of the provider decides.")
    if not command.approve:
        if not command.reason:
            raise CreditTermsUnfit("A refusal says why.")
        return await _decide(tx, found, TermsStatus.REFUSED, command.reason)
    if found.valid_until < tx.today:
        raise CreditTermsUnfit("They would have ended already; propose new ones.")
    await _end_before(tx, line, because="New terms took their place.")
    await _set_limit(tx, line, found)
    decided = await _decide(tx, found, TermsStatus.IN_FORCE, command.reason)
    tx.record(CreditGranted(line.id, line.provider_id, line.buyer_id, found.id, found.limit_fen))
    return decided


async def end_terms(tx: Tx, command: EndTerms) -> CreditTerms:
    """Take a proposal back, or end terms in force; what is owed stays due.

    Raises:
        CreditTermsMissing: when there are none, or they are another provider's.
        CreditTermsDecided: when they were refused or have ended.
    """
    line, found = await _locked(tx, command.terms_id)
    if found.status == TermsStatus.PROPOSED:
        return await _decide(tx, found, TermsStatus.WITHDRAWN, command.reason)
    if found.status != TermsStatus.IN_FORCE:
        raise CreditTermsDecided(f"They are {found.status}.")
    await _end_before(tx, line, because=command.reason)
    tx.record(CreditEnded(line.id, line.provider_id, line.buyer_id))
    return await _terms(tx, found.id)


async def _locked(tx: Tx, terms_id: int) -> tuple[_Line, CreditTerms]:
    """The line is locked first, so that terms and limits change one after the other."""
    line = await tx.one(
        _Line,
        select(*(credit_line.c[name] for name in _Line.__dataclass_fields__))
        .where(
            credit_line.c.id
            == select(credit_terms.c.line_id)
            .where(credit_terms.c.id == terms_id)
            .scalar_subquery(),
            credit_line.c.provider_id == tx.actor.organisation_id,
        )
        .with_for_update(),
        missing=CreditTermsMissing,
    )
    return line, await _terms(tx, terms_id)


async def _terms(tx: Tx, terms_id: int) -> CreditTerms:
    return await tx.one(
        CreditTerms,
        select(*(credit_terms.c[name] for name in CreditTerms.__dataclass_fields__)).where(
            credit_terms.c.id == terms_id
        ),
        missing=CreditTermsMissing,
    )


async def _decide(tx: Tx, found: CreditTerms, status: TermsStatus, because: str) -> CreditTerms:
    decided = await tx.one(
        CreditTerms,
        update(credit_terms)
        .where(credit_terms.c.id == found.id)
        .values(
            status=status,
            decided_by=tx.actor.person_id,
            decided_at=tx.now,
            decided_because=because,
        )
        .returning(*(credit_terms.c[name] for name in CreditTerms.__dataclass_fields__)),
    )
    tx.audit(
        str(status),
        subject="credit_terms",
        subject_id=found.id,
        line_id=found.line_id,
        limit_fen=found.limit_fen,
    )
    return decided


async def _end_before(tx: Tx, line: _Line, *, because: str) -> None:
    ended = await tx.scalar(
        update(credit_terms)
        .where(credit_terms.c.line_id == line.id, credit_terms.c.status == TermsStatus.IN_FORCE)
        .values(
            status=TermsStatus.ENDED,
            ended_by=tx.actor.person_id,
            ended_at=tx.now,
            ended_because=because,
        )
        .returning(credit_terms.c.id)
    )
    if ended is not None:
        tx.audit("end", subject="credit_terms", subject_id=ended, line_id=line.id)


async def _set_limit(tx: Tx, line: _Line, approved: CreditTerms) -> None:
    """Post the difference between the line's limit and the approved one.

    The room is an account that cannot fall below zero: a limit lower than what is in use cannot
    be posted, whoever orders at the same time.
    """
    more_fen = approved.limit_fen - line.limit_fen
    if more_fen == 0:
        return
    granted, room = await ledger.open_accounts(
        tx,
        [
            ledger.OpenAccount(AccountType.CREDIT_GRANTED, line.id),
            ledger.OpenAccount(AccountType.CREDIT, line.id),
        ],
    )
    available_fen = (await ledger_queries.balance(tx, room)).available_fen
    if available_fen + more_fen < 0:
        in_use_fen = line.limit_fen - available_fen
        raise CreditInUse(
            f"{yuan(in_use_fen)} CNY are held and owed; wait, or grant at least that.",
            limit=in_use_fen,
            asked=approved.limit_fen,
        )
    await ledger.post_entry(
        tx,
        ledger.Entry(
            kind=EntryKind.CREDIT_GRANTED if more_fen > 0 else EntryKind.CREDIT_REDUCED,
            effective_on=tx.today,
            lines=(
                ledger.Line(account_id=granted, amount_fen=more_fen),
                ledger.Line(account_id=room, amount_fen=-more_fen),
            ),
            key=f"credit-terms-{approved.id}",
            source_kind="credit_terms",
            source_id=approved.id,
            made_by=approved.proposed_by,
            approved_by=tx.actor.person_id,
        ),
    )
    await tx.execute(
        update(credit_line).where(credit_line.c.id == line.id).values(limit_fen=approved.limit_fen)
    )
