"""Anybody objects to a claim in public notice; an officer answers, and what is right counts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, update

from marketplace.kernel.db import Tx
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import NoticeOver, ObjectionAnswered
from marketplace.vouchers.errors import ClaimMissing, RedemptionMissing
from marketplace.vouchers.queries import claim
from marketplace.vouchers.queries.objections import Objection, claim_in_notice, objection
from marketplace.vouchers.queries.returns import net_redemptions
from marketplace.vouchers.rules.states import ClaimStatus, ObjectionStatus
from marketplace.vouchers.use_cases.audits import (
    ExcludeRedemption,
    RefuseClaim,
    exclude_redemption,
    refuse_claim,
)
from marketplace.vouchers.use_cases.claims import require_status


@dataclass(frozen=True, slots=True)
class FileObjection:
    """Why a claim, or one redemption of it, should not be paid, by somebody who can be reached."""

    claim_id: int
    redemption_id: int | None
    name: str
    contact: str
    statement: str


async def file_objection(tx: Tx, command: FileObjection) -> int:
    """Take an objection until the end of the notice's last day; answers with its number.

    Raises:
        ClaimMissing: when the claim is not in public notice.
        NoticeOver: after the last day of the notice.
        RedemptionMissing: when the redemption does not count in the claim.
    """
    found = await claim_in_notice(tx, command.claim_id, lock=True)
    if found is None:
        raise ClaimMissing("No claim of this number is in public notice.")
    assert found.notice_ends_on is not None, "a claim in notice says until when"
    if tx.today > found.notice_ends_on:
        raise NoticeOver(
            f"Objections were taken until {found.notice_ends_on}.",
            limit=found.notice_ends_on.isoformat(),
            asked=tx.today.isoformat(),
        )
    if command.redemption_id is not None:
        of = await net_redemptions(tx, ids=[command.redemption_id])
        if not any(each.claim_id == found.id and not each.excluded for each in of):
            raise RedemptionMissing()
    objection_id: int = await tx.scalar(
        insert(tables.claim_objection)
        .values(
            claim_id=found.id,
            redemption_id=command.redemption_id,
            name=command.name,
            contact=command.contact,
            statement=command.statement,
            filed_at=tx.now,
            status=ObjectionStatus.OPEN,
        )
        .returning(tables.claim_objection.c.id)
    )
    return objection_id


@dataclass(frozen=True, slots=True)
class AnswerObjection:
    """Whether the objection is right, and the answer that whoever filed it is given."""

    objection_id: int
    upheld: bool
    answer: str


async def answer_objection(tx: Tx, command: AnswerObjection) -> Objection:
    """Answer an objection; upheld, it excludes its redemption or refuses the whole claim.

    Raises:
        ObjectionMissing: when there is none.
        ObjectionAnswered: when it was answered before.
        ClaimStateMoved: when the claim is not in notice any more.
    """
    found = await objection(tx, command.objection_id)
    of = await claim(tx, found.claim_id, lock=True)
    require_status(of, ClaimStatus.IN_NOTICE)
    table = tables.claim_objection
    answered = await tx.execute(
        update(table)
        .where(table.c.id == found.id, table.c.status == ObjectionStatus.OPEN)
        .values(
            status=ObjectionStatus.UPHELD if command.upheld else ObjectionStatus.DISMISSED,
            answer=command.answer,
            answered_by=tx.actor.person_id,
            answered_at=tx.now,
        )
    )
    if not answered.rowcount:
        raise ObjectionAnswered(f"The objection was {found.status}.")
    tx.audit(
        "answer",
        subject="claim_objection",
        subject_id=found.id,
        upheld=command.upheld,
        answer=command.answer,
    )
    if command.upheld:
        await _act_on(tx, found, command.answer)
    return await objection(tx, found.id)


async def _act_on(tx: Tx, found: Objection, answer: str) -> None:
    if found.redemption_id is None:
        await refuse_claim(tx, RefuseClaim(found.claim_id, answer))
        return
    (of,) = await net_redemptions(tx, ids=[found.redemption_id])
    if not of.excluded:
        await exclude_redemption(tx, ExcludeRedemption(found.claim_id, of.id, answer))
