"""The city or zone that funds a layer audits a claim before the centre does."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert

from marketplace.kernel.db import Tx
from marketplace.parties.queries import organisation
from marketplace.vouchers import tables
from marketplace.vouchers.claim_errors import NotYourLayer
from marketplace.vouchers.errors import RedemptionMissing, SamePerson
from marketplace.vouchers.queries import ClaimPage, claim, claim_page
from marketplace.vouchers.queries.lines import local_audits
from marketplace.vouchers.rules.regions import lies_in
from marketplace.vouchers.rules.states import AuditStage, ClaimStatus
from marketplace.vouchers.use_cases.audits import RefuseClaim, refuse_claim
from marketplace.vouchers.use_cases.claims import require_status


@dataclass(frozen=True, slots=True)
class AuditLocally:
    """What the office of a layer's city or zone found; a claim that fails is refused."""

    claim_id: int
    layer_id: int
    passed: bool
    finding: str


async def audit_locally(tx: Tx, command: AuditLocally) -> ClaimPage:
    """Write down a layer's audit of a submitted claim.

    Raises:
        RedemptionMissing: when the layer pays nothing of this claim, or asks for no local audit.
        NotYourLayer: when the auditor's office lies elsewhere.
        SamePerson: when the auditor submitted the claim.
        LayerAudited: when the layer's audit is made already.
    """
    found = await claim(tx, command.claim_id, lock=True)
    require_status(found, ClaimStatus.SUBMITTED)
    of = {each.layer_id: each for each in await local_audits(tx, found.id)}
    layer = of.get(command.layer_id)
    if layer is None:
        raise RedemptionMissing("This layer has nothing to audit in this claim.")
    office = await organisation(tx, tx.actor.organisation_id)
    if not lies_in(office.region_code, layer.region_code):
        raise NotYourLayer(
            f"The layer belongs to {layer.region_code}.",
            limit=layer.region_code,
            asked=office.region_code,
        )
    if found.submitted_by == tx.actor.person_id:
        raise SamePerson("Nobody audits the claim they submitted.")
    await tx.execute(
        insert(tables.claim_audit).values(
            claim_id=found.id,
            stage=AuditStage.LOCAL,
            layer_id=layer.layer_id,
            passed=command.passed,
            finding=command.finding,
            made_by=tx.actor.person_id,
            made_at=tx.now,
        )
    )
    tx.audit(
        "audit-locally",
        subject="claim",
        subject_id=found.id,
        layer_id=layer.layer_id,
        passed=command.passed,
        finding=command.finding,
    )
    if not command.passed:
        return await refuse_claim(tx, RefuseClaim(found.id, command.finding))
    return await claim_page(tx, found.id)
