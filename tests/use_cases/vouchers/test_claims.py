"""A claim from the provider's draft to the money it is owed, with two persons between."""

import dataclasses
from datetime import date, datetime

import pytest

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts.errors import PayoutNotReady
from marketplace.billing.payouts.events import PayoutConfirmed
from marketplace.billing.payouts.queries import Payout, PayoutSource, payout_of
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    ConfirmPayout,
    DraftBatch,
    InstructAgain,
    RejectPayout,
    ReturnPayout,
    UndoOutcome,
    confirm_payout,
    discard_batch,
    draft_batch,
    instruct_again,
    reject_payout,
    return_payouts,
    undo_confirmation,
    undo_return,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.outbox import deliver_due
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, queries
from marketplace.vouchers.claim_errors import CorrectionMissing
from marketplace.vouchers.handlers import HANDLERS, note_claim_paid
from marketplace.vouchers.queries.lines import LineSearch, claim_lines
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    ApproveClaim,
    AttachEvidence,
    AuditClaim,
    DraftClaim,
    ExcludeRedemption,
    GiveNotice,
    LeaveOut,
    RecordSpotCheck,
    RefuseClaim,
    ReverseClaim,
    SubmitClaim,
    approve_claim,
    attach_evidence,
    audit_claim,
    draft_claim,
    exclude_redemption,
    give_notice,
    leave_out,
    record_spot_check,
    refuse_claim,
    reverse_claim,
    submit_claim,
)
from tests.builders.parties import an_actor
from tests.builders.payouts import a_bank_account, a_finance_team, a_sent_batch
from tests.builders.vouchers import (
    TEST,
    AClaim,
    a_claim,
    a_grant,
    a_piece,
    a_programme,
    a_redemption,
    a_voucher_fund,
    an_officer,
    money_on,
    the_layers,
)

AFTER_NOTICE = datetime(2025, 3, 11, 9, 0, tzinfo=SHANGHAI)


async def a_checker(database: Database) -> Actor:
    return await an_actor(database, Role.FINANCE_CHECKER)


async def the_claim(database: Database, made: AClaim) -> queries.ClaimPage:
    return await atomically(database, queries.claim_page, made.claim_id, actor=made.provider)


async def test_a_draft_takes_everything_unclaimed_and_a_second_one_finds_nothing(
    database: Database,
):
    made = await a_claim(database, redemptions=3)
    page = await the_claim(database, made)

    assert (page.redemptions, page.claim.amount_fen) == (3, 150_000)
    with pytest.raises(errors.NothingToClaim):
        await atomically(database, draft_claim, DraftClaim(), actor=made.provider)


async def test_a_draft_may_be_narrowed_to_a_programme_and_a_day(database: Database):
    granted = await a_grant(database)
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    await a_redemption(database, granted=granted, provider_id=provider.organisation_id)

    for command in (
        DraftClaim(programme_id=await a_programme(database)),
        DraftClaim(through=date(2025, 3, 2)),
    ):
        with pytest.raises(errors.NothingToClaim):
            await atomically(database, draft_claim, command, actor=provider)
    with pytest.raises(errors.ProgrammeMissing):
        await atomically(database, draft_claim, DraftClaim(programme_id=77_777), actor=provider)
    drafted = await atomically(
        database,
        draft_claim,
        DraftClaim(programme_id=granted.programme_id, through=date(2025, 3, 3)),
        actor=provider,
    )
    assert drafted.amount_fen == 50_000


async def test_what_is_left_out_can_be_claimed_later(database: Database):
    made = await a_claim(database, redemptions=2)
    left = await atomically(
        database, leave_out, LeaveOut(made.claim_id, made.redemption_ids[:1]), actor=made.provider
    )

    assert left.amount_fen == 50_000
    again = await atomically(database, draft_claim, DraftClaim(), actor=made.provider)
    assert again.amount_fen == 50_000
    with pytest.raises(errors.RedemptionMissing):
        await atomically(
            database,
            leave_out,
            LeaveOut(made.claim_id, made.redemption_ids[:1]),
            actor=made.provider,
        )


async def test_a_claim_lists_all_the_evidence_that_is_missing(database: Database):
    made = await a_claim(database, redemptions=2)
    first, second = made.redemption_ids
    pieces = (a_piece(first, EvidenceKind.CONTRACT), a_piece(first, EvidenceKind.INVOICE))
    await atomically(
        database, attach_evidence, AttachEvidence(made.claim_id, pieces), actor=made.provider
    )

    with pytest.raises(errors.EvidenceIncomplete) as refused:
        await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider)

    assert [reason.asked for reason in refused.value.reasons] == [
        {"redemption_id": first, "missing": ["payment-proof", "result", "usage-log"]},
        {
            "redemption_id": second,
            "missing": ["contract", "invoice", "payment-proof", "result", "usage-log"],
        },
    ]


async def attach(database: Database, made: AClaim, *pieces):
    await atomically(
        database, attach_evidence, AttachEvidence(made.claim_id, pieces), actor=made.provider
    )


async def test_a_file_and_an_invoice_are_claimed_once(database: Database):
    made = await a_claim(database, redemptions=2)
    first, second = made.redemption_ids
    invoice = a_piece(first, EvidenceKind.INVOICE)
    await attach(database, made, invoice)

    same_number = a_piece(second, EvidenceKind.INVOICE, invoice_number=invoice.invoice_number)
    with pytest.raises(errors.InvoiceClaimedBefore):
        await attach(database, made, same_number)
    with pytest.raises(errors.FileClaimedBefore):
        await attach(database, made, a_piece(second, EvidenceKind.RESULT, sha256=invoice.sha256))
    same_piece = dataclasses.replace(invoice, invoice_number=None, kind=EvidenceKind.RESULT)
    await attach(database, made, same_piece)
    with pytest.raises(errors.EvidenceAttached):
        await attach(database, made, same_piece)


async def test_an_invoice_of_another_provider_cannot_be_claimed_again_either(database: Database):
    made = await a_claim(database, redemptions=1, status="submitted")
    evidence = await atomically(
        database, queries.evidence, queries.EvidenceSearch(made.claim_id), actor=made.provider
    )
    number = next(each.invoice_number for each in evidence.rows if each.invoice_number)
    other = await a_claim(database, redemptions=1)

    with pytest.raises(errors.InvoiceClaimedBefore):
        await attach(
            database,
            other,
            a_piece(other.redemption_ids[0], EvidenceKind.INVOICE, invoice_number=number),
        )


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (EvidenceKind.INVOICE, None),
        (EvidenceKind.INVOICE, "1234567890123456789"),
        (EvidenceKind.INVOICE, "1234567890123456789a"),
        (EvidenceKind.INVOICE, "１２３４５６７８９０１２３４５６７８９０"),
        (EvidenceKind.CONTRACT, "12345678901234567890"),
    ],
)
async def test_an_invoice_and_nothing_else_has_a_number_of_twenty_digits(
    database: Database, kind: EvidenceKind, number: str | None
):
    made = await a_claim(database, redemptions=1)

    with pytest.raises(errors.EvidenceRefused):
        await attach(database, made, a_piece(made.redemption_ids[0], kind, invoice_number=number))


async def test_evidence_belongs_to_a_redemption_of_the_claim(database: Database):
    made = await a_claim(database, redemptions=1)
    other = await a_claim(database, redemptions=1)

    with pytest.raises(errors.RedemptionMissing):
        await attach(database, made, a_piece(other.redemption_ids[0], EvidenceKind.RESULT))


async def test_an_audit_draws_at_least_one_redemption_and_keeps_its_seed(database: Database):
    made = await a_claim(database, status="submitted")
    page = await atomically(database, audit_claim, AuditClaim(made.claim_id), actor=made.officer)

    assert page.claim.seed is not None
    assert [check.result for check in page.spot_checks] == ["open"]
    assert page.spot_checks[0].redemption_id in made.redemption_ids


async def test_nobody_audits_what_they_submitted(database: Database):
    made = await a_claim(database, status="submitted")
    both = dataclasses.replace(made.provider, roles=frozenset({"voucher_officer"}))

    with pytest.raises(errors.SamePerson):
        await atomically(database, audit_claim, AuditClaim(made.claim_id), actor=both)


async def test_a_notice_waits_for_every_spot_check(database: Database):
    made = await a_claim(database, status="audited")

    with pytest.raises(errors.SpotChecksOpen):
        await atomically(database, give_notice, GiveNotice(made.claim_id), actor=made.officer)


async def test_a_failed_spot_check_excludes_the_redemption_and_returns_its_money(
    database: Database,
):
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, status="audited")
    drawn = (await the_claim(database, made)).spot_checks[0].redemption_id
    command = RecordSpotCheck(made.claim_id, drawn, False, "No such report exists.")
    page = await atomically(database, record_spot_check, command, actor=made.officer)

    assert (page.claim.amount_fen, page.redemptions) == (100_000, 2)
    for layer in await the_layers(database, granted.programme_id):
        assert 50_000 == await money_on(database, AccountType.PROGRAMME_SPENT, layer)
        assert 100_000_000 - 2_000_000 + 25_000 == await money_on(
            database, AccountType.PROGRAMME_BUDGET, layer
        )
    with pytest.raises(errors.RedemptionMissing):
        await atomically(database, record_spot_check, command, actor=made.officer)


async def test_an_approved_claim_is_on_its_way_to_its_provider(database: Database, clock: SetClock):
    await a_voucher_fund(database, 200_000)
    made = await a_claim(database, status="in_notice")
    page = await the_claim(database, made)
    assert (page.claim.notice_starts_on, page.claim.notice_ends_on) == (
        date(2025, 3, 3),
        date(2025, 3, 10),
    )
    clock.set(AFTER_NOTICE)
    approved = await atomically(
        database, approve_claim, ApproveClaim(made.claim_id), actor=await a_checker(database)
    )

    assert approved.claim.status == "approved"
    assert 50_000 == await money_on(database, AccountType.VOUCHER_FUND)
    assert 0 == await money_on(database, AccountType.PAYABLE, made.provider.organisation_id)
    assert 150_000 == await money_on(database, AccountType.PAYOUT_IN_TRANSIT)
    payout = await the_payout_of(database, made)
    assert (payout.status, payout.amount_fen) == ("instructed", 150_000)


async def test_a_claim_is_not_approved_before_its_notice_is_over(
    database: Database, clock: SetClock
):
    await a_voucher_fund(database)
    made = await a_claim(database, status="in_notice")
    clock.set(datetime(2025, 3, 10, 23, 59, tzinfo=SHANGHAI))

    with pytest.raises(errors.NoticeRunning):
        await atomically(
            database, approve_claim, ApproveClaim(made.claim_id), actor=await a_checker(database)
        )


async def test_who_audited_a_claim_does_not_approve_it(database: Database, clock: SetClock):
    await a_voucher_fund(database)
    made = await a_claim(database, status="in_notice")
    clock.set(AFTER_NOTICE)
    both = dataclasses.replace(made.officer, roles=frozenset({"finance_checker"}))

    with pytest.raises(errors.SamePerson):
        await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=both)


async def test_a_claim_waits_until_treasury_has_sent_the_money(database: Database, clock: SetClock):
    await a_voucher_fund(database, 149_999)
    made = await a_claim(database, status="in_notice")
    clock.set(AFTER_NOTICE)

    with pytest.raises(InsufficientFunds):
        await atomically(
            database, approve_claim, ApproveClaim(made.claim_id), actor=await a_checker(database)
        )
    assert (await the_claim(database, made)).claim.status == "in_notice"
    assert 0 == await money_on(database, AccountType.PAYOUT_IN_TRANSIT)


async def test_an_objection_may_exclude_a_redemption_during_the_notice(database: Database):
    made = await a_claim(database, status="in_notice", redemptions=1)
    command = ExcludeRedemption(made.claim_id, made.redemption_ids[0], "The buyer objects.")
    page = await atomically(database, exclude_redemption, command, actor=made.officer)

    assert page.claim.amount_fen == 0
    with pytest.raises(errors.RedemptionMissing):
        await atomically(database, exclude_redemption, command, actor=made.officer)


async def test_a_refused_claims_redemptions_may_be_claimed_again_with_their_evidence(
    database: Database,
):
    made = await a_claim(database, status="audited", redemptions=2)
    drawn = (await the_claim(database, made)).spot_checks[0].redemption_id
    await atomically(
        database,
        record_spot_check,
        RecordSpotCheck(made.claim_id, drawn, False, "Not done."),
        actor=made.officer,
    )
    refused = await atomically(
        database, refuse_claim, RefuseClaim(made.claim_id, "Too many doubts."), actor=made.officer
    )
    assert refused.claim.status == "refused"

    again = await atomically(database, draft_claim, DraftClaim(), actor=made.provider)
    assert again.amount_fen == 50_000
    with pytest.raises(CorrectionMissing):
        await atomically(database, submit_claim, SubmitClaim(again.id), actor=made.provider)
    (other,) = set(made.redemption_ids) - {drawn}
    corrected = SubmitClaim(again.id, {other: "The usage log is complete now."})
    submitted = await atomically(database, submit_claim, corrected, actor=made.provider)
    assert submitted.status == "submitted"
    (line,) = (
        await atomically(database, claim_lines, LineSearch(again.id), actor=made.provider)
    ).rows
    assert line.resubmits_claim_id == made.claim_id


async def the_payout_of(database: Database, made: AClaim) -> Payout:
    source = PayoutSource("claim", made.claim_id, made.provider.organisation_id)
    return await atomically(database, payout_of, source, actor=TEST)


async def an_approved_claim(database: Database, clock: SetClock) -> AClaim:
    """150,000 fen that the voucher fund just covers; the provider has a verified account."""
    await a_voucher_fund(database, 150_000)
    made = await a_claim(database, status="in_notice")
    await a_bank_account(database, owner=made.provider)
    clock.set(AFTER_NOTICE)
    await atomically(
        database, approve_claim, ApproveClaim(made.claim_id), actor=await a_checker(database)
    )
    return made


async def is_taken_back(database: Database, made: AClaim) -> bool:
    """Reverse the claim; whether the voucher fund has all of its money again."""
    command = ReverseClaim(made.claim_id, "The result was forged.")
    await atomically(database, reverse_claim, command, actor=await a_checker(database))
    return (
        await money_on(database, AccountType.VOUCHER_FUND),
        await money_on(database, AccountType.PAYABLE, made.provider.organisation_id),
        await money_on(database, AccountType.PAYOUT_IN_TRANSIT),
    ) == (150_000, 0, 0)


async def the_status_told(database: Database, made: AClaim) -> str:
    """What the claim says once every event was delivered."""
    await deliver_due(database, HANDLERS)
    return (await the_claim(database, made)).claim.status


async def test_an_unpaid_claim_is_taken_back_with_its_reason(database: Database, clock: SetClock):
    await a_voucher_fund(database, 150_000)
    made = await a_claim(database, status="in_notice")
    clock.set(AFTER_NOTICE)
    checker = await a_checker(database)
    await atomically(database, approve_claim, ApproveClaim(made.claim_id), actor=checker)

    with pytest.raises(errors.SamePerson):
        await atomically(
            database, reverse_claim, ReverseClaim(made.claim_id, "Forged."), actor=checker
        )
    assert (await the_payout_of(database, made)).status == "instructed"
    assert await is_taken_back(database, made)

    page = await the_claim(database, made)
    assert (page.claim.status, page.claim.reason) == ("reversed", "The result was forged.")
    payout = await the_payout_of(database, made)
    assert (payout.status, payout.withdrawal_reason) == ("withdrawn", "The result was forged.")


async def test_a_claim_in_a_batch_is_taken_back_once_the_batch_is_discarded(
    database: Database, clock: SetClock
):
    made = await an_approved_claim(database, clock)
    centre = await a_finance_team(database)
    batch = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)

    with pytest.raises(PayoutNotReady, match="discard the batch"):
        await is_taken_back(database, made)
    assert (await the_claim(database, made)).claim.status == "approved"
    assert 150_000 == await money_on(database, AccountType.PAYOUT_IN_TRANSIT)
    await atomically(database, discard_batch, BatchStep(batch.id), actor=centre.maker)

    assert await is_taken_back(database, made)


async def test_a_claim_that_the_bank_was_sent_is_taken_back_once_it_came_back(
    database: Database, clock: SetClock
):
    made = await an_approved_claim(database, clock)
    centre = await a_finance_team(database)
    await a_sent_batch(database, centre=centre)
    payout = await the_payout_of(database, made)

    with pytest.raises(PayoutNotReady, match="wait until the bank"):
        await is_taken_back(database, made)
    await atomically(
        database, reject_payout, RejectPayout(payout.id, "账号有误"), actor=centre.checker
    )

    assert await is_taken_back(database, made)
    with pytest.raises(PayoutNotReady):
        await atomically(database, instruct_again, InstructAgain(payout.id), actor=centre.maker)
    assert await the_status_told(database, made) == "reversed"


async def test_a_claim_says_what_became_of_its_payout(database: Database, clock: SetClock):
    made = await an_approved_claim(database, clock)
    await a_sent_batch(database, centre=await a_finance_team(database))
    payout_id = (await the_payout_of(database, made)).id

    async def is_confirmed(key: str) -> int:
        command = ConfirmPayout(payout_id, AFTER_NOTICE.date(), key)
        return (await atomically(database, confirm_payout, command, actor=TEST)).entry_id

    assert await the_status_told(database, made) == "approved"
    entry_id = await is_confirmed("match:1")
    assert await the_status_told(database, made) == "paid"
    with pytest.raises(errors.ClaimStateMoved):
        await is_taken_back(database, made)
    undo = UndoOutcome(payout_id, entry_id, "another payment", "undo:1")
    await atomically(database, undo_confirmation, undo, actor=TEST)
    assert await the_status_told(database, made) == "approved"
    await is_confirmed("match:2")
    assert await the_status_told(database, made) == "paid"
    back = ReturnPayout(payout_id, AFTER_NOTICE.date(), "户名不符", "match:3")
    (returned,) = await atomically(database, return_payouts, [back], actor=TEST)
    assert await the_status_told(database, made) == "approved"
    undo = UndoOutcome(payout_id, returned.entry_id, "another payment", "undo:2")
    await atomically(database, undo_return, undo, actor=TEST)
    assert await the_status_told(database, made) == "paid"


async def test_an_event_that_comes_late_does_not_overrule_the_payout(
    database: Database, clock: SetClock
):
    made = await an_approved_claim(database, clock)
    payout = await the_payout_of(database, made)
    day = AFTER_NOTICE.date()
    late = PayoutConfirmed(payout.id, payout.organisation_id, "claim", made.claim_id, 150_000, day)
    other = dataclasses.replace(late, source_kind="settlement", source_id=77_777)

    for event in (late, other):
        await atomically(database, note_claim_paid, event, actor=TEST)
        assert (await the_claim(database, made)).claim.status == "approved"


async def test_each_step_needs_the_one_before(database: Database):
    made = await a_claim(database)
    officer, checker = await an_officer(database), await a_checker(database)

    for use_case, command, actor in (
        (audit_claim, AuditClaim(made.claim_id), officer),
        (give_notice, GiveNotice(made.claim_id), officer),
        (refuse_claim, RefuseClaim(made.claim_id, "No."), officer),
        (exclude_redemption, ExcludeRedemption(made.claim_id, 1, "No."), officer),
        (approve_claim, ApproveClaim(made.claim_id), checker),
        (reverse_claim, ReverseClaim(made.claim_id, "No."), checker),
    ):
        with pytest.raises(errors.ClaimStateMoved):
            await atomically(database, use_case, command, actor=actor)  # type: ignore[arg-type]


async def test_another_providers_claim_does_not_exist(database: Database):
    made = await a_claim(database)
    other = await an_actor(database, Role.PROVIDER_MANAGER)

    for use_case, command in (
        (submit_claim, SubmitClaim(made.claim_id)),
        (leave_out, LeaveOut(made.claim_id, made.redemption_ids)),
        (queries.claim_page, made.claim_id),
    ):
        with pytest.raises(errors.ClaimMissing):
            await atomically(database, use_case, command, actor=other)  # type: ignore[arg-type]


async def test_an_officer_sees_a_claim_and_cannot_change_its_draft(database: Database):
    made = await a_claim(database)
    await atomically(database, queries.claim_page, made.claim_id, actor=made.officer)

    with pytest.raises(errors.ClaimMissing):
        await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.officer)
