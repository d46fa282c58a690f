"""A sanction is proposed, heard, decided and appealed by different people, and binds at once."""

from datetime import date, datetime, timedelta

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import claim_errors, errors
from marketplace.vouchers.queries.sanctions import Sanction, SanctionSearch, is_barred, sanctions
from marketplace.vouchers.rules.states import EvidenceKind, SanctionKind
from marketplace.vouchers.use_cases import (
    AttachEvidence,
    DraftClaim,
    SubmitClaim,
    attach_evidence,
    draft_claim,
    submit_claim,
)
from marketplace.vouchers.use_cases.sanctions import (
    AppealSanction,
    DecideAppeal,
    DecideSanction,
    ProposeSanction,
    StateCase,
    appeal_sanction,
    decide_appeal,
    decide_sanction,
    propose_sanction,
    state_case,
)
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    a_claim,
    a_grant,
    a_hold,
    a_piece,
    a_programme,
    an_application,
    an_officer,
)

TODAY = date(2025, 3, 3)


async def is_proposed(database: Database, party: Actor, **changes: object) -> Sanction:
    asked = {
        "organisation_id": party.organisation_id,
        "kind": SanctionKind.SUSPENSION,
        "reason": "It filed a copied report.",
        "starts_on": TODAY,
        "ends_on": date(2025, 12, 31),
    } | changes
    officer = await an_officer(database)
    return await atomically(
        database,
        propose_sanction,
        ProposeSanction(**asked),  # type: ignore[arg-type]
        actor=officer,
    )


async def is_imposed(database: Database, party: Actor, **changes: object) -> Sanction:
    found = await is_proposed(database, party, **changes)
    statement = StateCase(found.id, "It was a mistake.")
    await atomically(database, state_case, statement, actor=party)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    command = DecideSanction(found.id, True, "It was no mistake.")
    return await atomically(database, decide_sanction, command, actor=checker)


async def test_what_is_proposed_holds_together(database: Database):
    party = await an_actor(database, Role.SME_ADMINISTRATOR)

    with pytest.raises(claim_errors.SanctionRefused) as refused:
        await is_proposed(
            database,
            party,
            kind=SanctionKind.EXCLUSION,
            starts_on=date(2025, 3, 2),
            ends_on=date(2035, 1, 1),
        )

    assert [each.rule for each in refused.value.reasons] == ["starts", "programme", "longest"]
    with pytest.raises(claim_errors.SanctionRefused):
        await is_proposed(database, party, ends_on=None)


async def test_a_party_is_heard_before_it_is_sanctioned(database: Database, clock: SetClock):
    party = await an_actor(database, Role.SME_ADMINISTRATOR)
    found = await is_proposed(database, party)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    command = DecideSanction(found.id, True, "Clear enough.")

    with pytest.raises(claim_errors.HearingOpen):
        await atomically(database, decide_sanction, command, actor=checker)
    clock.set(datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI))
    with pytest.raises(claim_errors.TooLate):
        await atomically(database, state_case, StateCase(found.id, "Late."), actor=party)
    imposed = await atomically(database, decide_sanction, command, actor=checker)
    assert imposed.status == "imposed"
    with pytest.raises(claim_errors.SanctionStateMoved):
        await atomically(database, decide_sanction, command, actor=checker)


async def test_an_sme_that_is_suspended_neither_applies_nor_orders(database: Database):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    programme_id = await a_programme(database)
    await is_imposed(database, granted.sme)

    with pytest.raises((claim_errors.PartyBarred, errors.VoucherNotUsable)):
        await a_hold(database, granted=granted, provider_id=provider_id)
    with pytest.raises((claim_errors.PartyBarred, errors.NotEligible)):
        await an_application(database, programme_id=programme_id, sme=granted.sme)


async def test_a_provider_out_of_one_programme_is_served_by_others(database: Database):
    granted, other = await a_grant(database), await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    await is_imposed(
        database,
        provider,
        kind=SanctionKind.EXCLUSION,
        programme_id=granted.programme_id,
        ends_on=None,
    )

    with pytest.raises((claim_errors.PartyBarred, errors.VoucherNotUsable)):
        await a_hold(database, granted=granted, provider_id=provider.organisation_id)
    await a_hold(database, granted=other, provider_id=provider.organisation_id)
    assert await atomically(
        database,
        lambda tx, _: is_barred(tx, provider.organisation_id, granted.programme_id, TODAY),
        None,
        actor=TEST,
    )


async def test_a_suspended_provider_submits_no_claim(database: Database):
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, provider=provider, redemptions=1)
    await is_imposed(database, provider)

    with pytest.raises(claim_errors.PartyBarred):
        await a_claim_submitted(database, made.claim_id, provider, made.redemption_ids)
    with pytest.raises(errors.NothingToClaim):
        await atomically(database, draft_claim, DraftClaim(), actor=provider)


async def a_claim_submitted(
    database: Database, claim_id: int, provider: Actor, ids: tuple[int, ...]
) -> None:
    pieces = tuple(a_piece(each, kind) for each in ids for kind in EvidenceKind)
    await atomically(database, attach_evidence, AttachEvidence(claim_id, pieces), actor=provider)
    await atomically(database, submit_claim, SubmitClaim(claim_id), actor=provider)


async def test_a_warning_bars_nobody_and_a_period_ends_by_itself(
    database: Database, clock: SetClock
):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    await is_imposed(database, granted.sme, kind=SanctionKind.WARNING, ends_on=None)
    await a_hold(database, granted=granted, provider_id=provider_id)
    await is_imposed(database, granted.sme, ends_on=date(2025, 4, 30))
    with pytest.raises((claim_errors.PartyBarred, errors.VoucherNotUsable)):
        await a_hold(database, granted=granted, provider_id=provider_id)

    clock.set(datetime(2025, 5, 1, 0, 0, tzinfo=SHANGHAI))

    await a_hold(database, granted=granted, provider_id=provider_id)


async def test_an_appeal_is_decided_by_a_third_person(database: Database, clock: SetClock):
    granted = await a_grant(database)
    provider_id = await a_provider(database)
    found = await is_imposed(database, granted.sme)
    decider = await an_actor(database, Role.FINANCE_CHECKER)
    answer = DecideAppeal(found.id, True, "The report was its own after all.")
    with pytest.raises(claim_errors.SanctionStateMoved):
        await atomically(database, decide_appeal, answer, actor=decider)
    appeal = AppealSanction(found.id, "The report is ours.")
    await atomically(database, appeal_sanction, appeal, actor=granted.sme)
    # In force until it is decided.
    with pytest.raises((claim_errors.PartyBarred, errors.VoucherNotUsable)):
        await a_hold(database, granted=granted, provider_id=provider_id)

    lifted = await atomically(database, decide_appeal, answer, actor=decider)

    assert lifted.status == "lifted"
    await a_hold(database, granted=granted, provider_id=provider_id)
    other = await is_imposed(database, granted.sme)
    clock.set(datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI) + timedelta(days=61))
    with pytest.raises(claim_errors.TooLate):
        await atomically(
            database, appeal_sanction, AppealSanction(other.id, "Late."), actor=granted.sme
        )


async def test_who_proposed_or_decided_does_not_decide_again(database: Database):
    party = await an_actor(database, Role.SME_ADMINISTRATOR)
    officer = await an_officer(database)
    found = await atomically(
        database,
        propose_sanction,
        ProposeSanction(party.organisation_id, SanctionKind.WARNING, "Late papers.", TODAY),
        actor=officer,
    )
    await atomically(database, state_case, StateCase(found.id, "Sorry."), actor=party)
    decision = DecideSanction(found.id, True, "So be it.")
    with pytest.raises(errors.SamePerson):
        await atomically(database, decide_sanction, decision, actor=officer)
    decider = await an_actor(database, Role.FINANCE_CHECKER)
    await atomically(database, decide_sanction, decision, actor=decider)
    await atomically(database, appeal_sanction, AppealSanction(found.id, "No."), actor=party)
    answer = DecideAppeal(found.id, False, "It stands.")
    for who in (officer, decider):
        with pytest.raises(errors.SamePerson):
            await atomically(database, decide_appeal, answer, actor=who)
    third = await an_actor(database, Role.FINANCE_CHECKER)
    stands = await atomically(database, decide_appeal, answer, actor=third)
    assert stands.status == "imposed"
    with pytest.raises(claim_errors.SanctionStateMoved, match="final"):
        await atomically(database, appeal_sanction, AppealSanction(found.id, "No."), actor=party)


async def test_a_party_sees_its_own_sanctions_only(database: Database):
    party = await an_actor(database, Role.SME_ADMINISTRATOR)
    other = await an_actor(database, Role.SME_ADMINISTRATOR)
    found = await is_proposed(database, party)

    assert (await atomically(database, sanctions, SanctionSearch(), actor=party)).total == 1
    assert (await atomically(database, sanctions, SanctionSearch(), actor=other)).total == 0
    in_force = SanctionSearch(status="proposed", in_force_on=TODAY)
    assert (await atomically(database, sanctions, in_force, actor=party)).total == 0
    with pytest.raises(claim_errors.SanctionMissing):
        await atomically(database, state_case, StateCase(found.id, "Not mine."), actor=other)
    officer = await an_officer(database)
    with pytest.raises(claim_errors.SanctionMissing):
        await atomically(database, state_case, StateCase(found.id, "Not mine."), actor=officer)
