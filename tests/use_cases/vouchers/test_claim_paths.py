"""What a claim meets on its way: windows, local audits, cut lines, objections, clawbacks."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.actors import NOBODY, Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import claim_errors, errors, queries
from marketplace.vouchers.queries.clawbacks import ClawbackPage
from marketplace.vouchers.queries.lines import LineSearch, claim_lines, completeness, local_audits
from marketplace.vouchers.queries.objections import notice_page
from marketplace.vouchers.rules.claims import spot_check
from marketplace.vouchers.rules.states import EvidenceKind, RecoverySource
from marketplace.vouchers.use_cases import (
    AnswerObjection,
    ApproveClaim,
    AttachEvidence,
    AuditClaim,
    AuditLocally,
    DecideClawback,
    DecideLine,
    DraftClaim,
    FileObjection,
    GiveNotice,
    ProposeClawback,
    RecordSpotCheck,
    RefuseClaim,
    SetOff,
    SubmitClaim,
    WithdrawClaim,
    answer_objection,
    approve_claim,
    attach_evidence,
    audit_claim,
    audit_locally,
    decide_clawback,
    decide_line,
    draft_claim,
    file_objection,
    give_notice,
    propose_clawback,
    record_spot_check,
    refuse_claim,
    set_off,
    submit_claim,
    withdraw_claim,
)
from tests.builders.ledger import a_posted_entry, an_account
from tests.builders.owner import become_owner
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    AClaim,
    AGrant,
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


async def with_terms(database: Database, programme_id: int, **values: Any) -> None:
    """Terms of an approved programme as if it had been drafted with them."""
    terms = json.dumps({name: {"value": value, "source": "T"} for name, value in values.items()})
    async with database.engine.begin() as connection:
        await become_owner(connection)
        await connection.execute(text("alter table programme disable trigger user"))
        await connection.execute(
            text("update programme set terms = terms || cast(:terms as jsonb) where id = :id"),
            {"terms": terms, "id": programme_id},
        )
        await connection.execute(text("alter table programme enable trigger user"))


async def a_granted(database: Database, **terms: Any) -> AGrant:
    programme_id = await a_programme(database)
    granted = await a_grant(database, programme_id=programme_id)
    await with_terms(database, programme_id, **terms)
    return granted


async def decides(database: Database, made: AClaim, fen: int, reason: str = "Half was done."):
    command = DecideLine(made.claim_id, made.redemption_ids[0], fen, reason)
    return await atomically(database, decide_line, command, actor=made.officer)


async def goes_on_to_notice(database: Database, made: AClaim) -> None:
    page = await atomically(database, queries.claim_page, made.claim_id, actor=made.officer)
    for check in page.spot_checks:
        command = RecordSpotCheck(made.claim_id, check.redemption_id, True, "As filed.")
        await atomically(database, record_spot_check, command, actor=made.officer)
    await atomically(database, give_notice, GiveNotice(made.claim_id), actor=made.officer)


async def is_approved(database: Database, clock: SetClock, claim_id: int) -> queries.ClaimPage:
    clock.set(AFTER_NOTICE)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    return await atomically(database, approve_claim, ApproveClaim(claim_id), actor=checker)


async def test_a_claim_is_submitted_in_the_windows_of_its_programme_only(
    database: Database, clock: SetClock
):
    windows = [{"opens_on": "2025-03-10", "closes_on": "2025-03-12"}]
    made = await a_claim(database, granted=await a_granted(database, claim_windows=windows))
    pieces = tuple(a_piece(each, kind) for each in made.redemption_ids for kind in EvidenceKind)
    await atomically(
        database, attach_evidence, AttachEvidence(made.claim_id, pieces), actor=made.provider
    )

    with pytest.raises(claim_errors.ClaimWindowClosed):
        await submits(database, made)
    clock.set(AFTER_NOTICE)
    assert (await submits(database, made)).status == "submitted"


async def submits(database: Database, made: AClaim) -> queries.Claim:
    return await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider)


async def test_quarterly_claims_take_whole_quarters(database: Database, clock: SetClock):
    granted = await a_granted(database, claim_every="quarter")
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    await a_redemption(database, granted=granted, provider_id=provider.organisation_id)

    with pytest.raises(errors.NothingToClaim):
        await atomically(database, draft_claim, DraftClaim(), actor=provider)
    clock.set(datetime(2025, 4, 1, 0, 0, tzinfo=SHANGHAI))
    drafted = await atomically(database, draft_claim, DraftClaim(), actor=provider)
    assert drafted.amount_fen == 50_000


async def test_an_sme_claims_what_it_paid_first(database: Database):
    granted = await a_granted(database, redeemed_by="sme")
    provider = await an_actor(database, Role.PROVIDER_MANAGER)
    await a_redemption(database, granted=granted, provider_id=provider.organisation_id)

    with pytest.raises(errors.NothingToClaim):
        await atomically(database, draft_claim, DraftClaim(), actor=provider)
    drafted = await atomically(database, draft_claim, DraftClaim(), actor=granted.sme)
    assert (drafted.provider_id, drafted.sme_id, drafted.payee_id) == (
        None,
        granted.sme.organisation_id,
        granted.sme.organisation_id,
    )
    # It can be taken back, and drafted again.
    taken = await atomically(
        database, withdraw_claim, WithdrawClaim(drafted.id, "Too early."), actor=granted.sme
    )
    assert taken.status == "withdrawn"
    with pytest.raises(errors.ClaimMissing):
        await atomically(
            database, withdraw_claim, WithdrawClaim(drafted.id, "Not mine."), actor=provider
        )
    await atomically(database, draft_claim, DraftClaim(), actor=granted.sme)


async def test_completeness_says_of_each_line_what_is_missing(database: Database):
    made = await a_claim(database, redemptions=2)
    first = made.redemption_ids[0]
    await atomically(
        database,
        attach_evidence,
        AttachEvidence(made.claim_id, (a_piece(first, EvidenceKind.CONTRACT),)),
        actor=made.provider,
    )

    found = await atomically(database, completeness, made.claim_id, actor=made.provider)

    assert [each.attached for each in found] == [("contract",), ()]
    assert [len(each.missing) for each in found] == [4, 5]


async def an_office(database: Database, region_code: str) -> Actor:
    """The voucher officer of a city's office."""
    office = await an_officer(database)
    async with database.engine.begin() as connection:
        await connection.execute(
            text("update organisation set region_code = :code where id = :id"),
            {"code": region_code, "id": office.organisation_id},
        )
    return office


async def test_the_city_audits_before_the_centre_and_by_another_person(database: Database):
    granted = await a_granted(database, local_audit=True)
    made = await a_claim(database, granted=granted, status="draft")
    pieces = tuple(a_piece(each, kind) for each in made.redemption_ids for kind in EvidenceKind)
    await atomically(
        database, attach_evidence, AttachEvidence(made.claim_id, pieces), actor=made.provider
    )
    await submits(database, made)
    (layer,) = await atomically(database, local_audits, made.claim_id, actor=made.officer)
    suzhou, nanjing = await an_office(database, "320500"), await an_office(database, "320100")

    async def audits(by: Actor, layer_id: int = layer.layer_id) -> queries.ClaimPage:
        command = AuditLocally(made.claim_id, layer_id, True, "Seen on site.")
        return await atomically(database, audit_locally, command, actor=by)

    with pytest.raises(claim_errors.LocalAuditsOpen):
        await atomically(database, audit_claim, AuditClaim(made.claim_id), actor=made.officer)
    with pytest.raises(claim_errors.NotYourLayer):
        await audits(suzhou)
    with pytest.raises(errors.RedemptionMissing):
        await audits(nanjing, 77_777)
    await audits(nanjing)
    with pytest.raises(claim_errors.LayerAudited):
        await audits(await an_office(database, "320100"))
    with pytest.raises(claim_errors.AuditedTwice):
        await atomically(database, audit_claim, AuditClaim(made.claim_id), actor=nanjing)
    page = await atomically(database, audit_claim, AuditClaim(made.claim_id), actor=made.officer)
    assert page.claim.status == "audited"


async def test_a_line_is_approved_in_part_with_a_reason_and_the_rest_goes_back(
    database: Database, clock: SetClock
):
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, redemptions=2, status="audited")
    await a_voucher_fund(database)
    for fen, reason in ((50_001, "More."), (10_000, " "), (-1, "Less.")):
        with pytest.raises(claim_errors.LineRefused):
            await decides(database, made, fen, reason)
    with pytest.raises(errors.RedemptionMissing):
        await atomically(
            database, decide_line, DecideLine(made.claim_id, 77_777, 0, "No."), actor=made.officer
        )

    assert (await decides(database, made, 20_001)).claim.amount_fen == 70_001
    await goes_on_to_notice(database, made)
    page = await is_approved(database, clock, made.claim_id)

    assert page.claim.amount_fen == 70_001
    layers = await the_layers(database, granted.programme_id)
    spent = [await money_on(database, AccountType.PROGRAMME_SPENT, each) for each in layers]
    assert sum(spent) == 70_001
    short = await atomically(
        database, claim_lines, LineSearch(made.claim_id, short=True), actor=made.provider
    )
    assert [(each.approved_fen, each.reason) for each in short.rows] == [(20_001, "Half was done.")]


async def test_a_line_refused_twice_is_lost(database: Database, clock: SetClock):
    made = await a_claim(database, redemptions=2, status="audited")
    await a_voucher_fund(database)
    await decides(database, made, 0, "No usage log.")
    await goes_on_to_notice(database, made)
    page = await is_approved(database, clock, made.claim_id)
    assert (page.claim.amount_fen, page.redemptions) == (50_000, 1)

    clock.set(AFTER_NOTICE + timedelta(days=1))
    again = await atomically(database, draft_claim, DraftClaim(), actor=made.provider)
    corrected = SubmitClaim(again.id, {made.redemption_ids[0]: "The log is added."})
    await atomically(database, submit_claim, corrected, actor=made.provider)
    second = AClaim(again.id, made.provider, made.officer, made.redemption_ids[:1])
    await atomically(database, audit_claim, AuditClaim(again.id, 1), actor=made.officer)
    await decides(database, second, 0, "It is another instrument's log.")
    with pytest.raises(errors.NothingToClaim):
        await goes_on_to_notice(database, second)
    command = RefuseClaim(again.id, "Refused for the second time.")
    await atomically(database, refuse_claim, command, actor=made.officer)

    with pytest.raises(errors.NothingToClaim):
        await atomically(database, draft_claim, DraftClaim(), actor=made.provider)


async def objects(database: Database, made: AClaim, redemption_id: int | None = None) -> int:
    command = FileObjection(
        made.claim_id, redemption_id, "王敏", "wang@example.cn", "The service was never done."
    )
    return await atomically(database, file_objection, command, actor=NOBODY)


async def test_anybody_objects_and_what_is_upheld_is_not_paid(database: Database, clock: SetClock):
    made = await a_claim(database, redemptions=3, status="in_notice")
    await a_voucher_fund(database)
    first, second, _ = made.redemption_ids
    notice = await atomically(database, notice_page, made.claim_id, actor=NOBODY)
    drawn = [line.redemption_id for line in notice.lines if line.drawn]
    assert drawn == spot_check([line.redemption_id for line in notice.lines], 500, notice.seed)
    one, two = await objects(database, made, first), await objects(database, made, second)
    with pytest.raises(errors.RedemptionMissing):
        await objects(database, made, 77_777)

    with pytest.raises(claim_errors.ObjectionsOpen):
        await is_approved(database, clock, made.claim_id)
    with pytest.raises(claim_errors.NoticeOver):
        await objects(database, made)
    for objection_id, upheld in ((one, True), (two, False)):
        command = AnswerObjection(objection_id, upheld, "Looked into.")
        await atomically(database, answer_objection, command, actor=made.officer)
    with pytest.raises(claim_errors.ObjectionAnswered):
        await atomically(database, answer_objection, command, actor=made.officer)
    missing = AnswerObjection(77_777, True, "No.")
    with pytest.raises(claim_errors.ObjectionMissing):
        await atomically(database, answer_objection, missing, actor=made.officer)

    page = await is_approved(database, clock, made.claim_id)
    assert page.claim.amount_fen == 100_000
    with pytest.raises(errors.ClaimMissing):
        await objects(database, made)


async def test_an_objection_to_a_whole_claim_refuses_it(database: Database):
    made = await a_claim(database, status="in_notice")
    objection_id = await objects(database, made)

    command = AnswerObjection(objection_id, True, "Nothing of it was done.")
    await atomically(database, answer_objection, command, actor=made.officer)

    page = await atomically(database, queries.claim_page, made.claim_id, actor=made.officer)
    assert page.claim.status == "refused"


async def proposes(
    database: Database, made: AClaim, amounts: dict[int, int | None] | None = None
) -> ClawbackPage:
    command = ProposeClawback(made.claim_id, "The report was copied.", amounts or {})
    return await atomically(database, propose_clawback, command, actor=made.officer)


async def agrees(database: Database, clawback_id: int, *, agreed: bool = True) -> ClawbackPage:
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    command = DecideClawback(clawback_id, agreed, "Seen.")
    return await atomically(database, decide_clawback, command, actor=checker)


async def test_two_persons_claw_back_and_later_claims_pay_it(database: Database, clock: SetClock):
    granted = await a_grant(database)
    made = await a_claim(database, granted=granted, redemptions=2, status="in_notice")
    with pytest.raises(errors.ClaimStateMoved):
        await proposes(database, made)
    await a_voucher_fund(database)
    await is_approved(database, clock, made.claim_id)
    first, second = made.redemption_ids
    wrong: list[dict[int, int | None]] = [{first: 50_001}, {77_777: None}, {first: 0}]
    for amounts in wrong:
        with pytest.raises(claim_errors.ClawbackRefused):
            await proposes(database, made, amounts)

    found = await proposes(database, made, {first: 30_000, second: None})
    command = DecideClawback(found.clawback.id, True, "Me.")
    with pytest.raises(errors.SamePerson):
        await atomically(database, decide_clawback, command, actor=made.officer)
    with pytest.raises(claim_errors.ClawbackRefused):
        await proposes(database, made, {first: 20_001})
    dropped = await proposes(database, made, {first: 20_000})
    assert (await agrees(database, dropped.clawback.id, agreed=False)).clawback.status == "rejected"
    agreed = await agrees(database, found.clawback.id)
    with pytest.raises(claim_errors.ClawbackDecided):
        await agrees(database, found.clawback.id)

    provider_id = made.provider.organisation_id
    assert (agreed.clawback.amount_fen, agreed.clawback.recovered_fen) == (80_000, 0)
    owed = await money_on(database, AccountType.CLAWBACK_RECEIVABLE, provider_id)
    assert owed == 80_000
    fund = await money_on(database, AccountType.VOUCHER_FUND)
    clock.set(datetime(2025, 3, 3, 9, 0, tzinfo=SHANGHAI))
    later = await a_claim(
        database, granted=granted, provider=made.provider, redemptions=1, status="in_notice"
    )
    page = await is_approved(database, clock, later.claim_id)
    assert (page.claim.set_off_fen, page.claim.status) == (50_000, "paid")
    assert await money_on(database, AccountType.CLAWBACK_RECEIVABLE, provider_id) == 30_000
    assert await money_on(database, AccountType.VOUCHER_FUND) == fund


async def test_what_a_claimant_paid_in_is_set_off(database: Database, clock: SetClock):
    made = await a_claim(database, redemptions=1, status="in_notice")
    await a_voucher_fund(database)
    await is_approved(database, clock, made.claim_id)
    found = await proposes(database, made)
    await agrees(database, found.clawback.id)
    with pytest.raises(claim_errors.ClawbackRefused):
        await proposes(database, made)
    provider_id = made.provider.organisation_id
    command = SetOff(provider_id, RecoverySource.WALLET)
    checker = await an_actor(database, Role.FINANCE_CHECKER)
    with pytest.raises(claim_errors.NothingOwed):
        await atomically(database, set_off, command, actor=checker)
    await a_posted_entry(
        database,
        debit=await an_account(database, AccountType.BANK),
        credit=await an_account(database, AccountType.WALLET, owner_id=provider_id),
        amount_fen=60_000,
    )

    done = await atomically(database, set_off, command, actor=checker)

    assert (done.recovered_fen, done.owed_fen) == (50_000, 0)
    assert await money_on(database, AccountType.WALLET, provider_id) == 10_000
    with pytest.raises(claim_errors.NothingOwed):
        await atomically(database, set_off, command, actor=checker)
    other = DecideClawback(77_777, True, "No.")
    with pytest.raises(claim_errors.ClawbackMissing):
        await atomically(database, decide_clawback, other, actor=TEST)
