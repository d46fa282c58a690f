"""Policy: J.22a, J.22b. Days of papers, persons trained, and who comes first of those that wait."""

from datetime import date
from typing import Any

import pytest

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, queries
from marketplace.vouchers.claim_errors import ClaimWindowClosed, PapersOutOfTime
from marketplace.vouchers.queries.lines import completeness
from marketplace.vouchers.rules.states import EvidenceKind, FactKind
from marketplace.vouchers.use_cases import (
    AttachEvidence,
    DatePapers,
    DecideFact,
    HoldVoucher,
    LeaveOut,
    PaperDay,
    ProposeNext,
    QueueApplication,
    StateFact,
    SubmitClaim,
    attach_evidence,
    date_papers,
    decide_fact,
    hold_voucher,
    leave_out,
    propose_next,
    queue_application,
    settle_voucher,
    state_fact,
    submit_claim,
)
from marketplace.vouchers.use_cases.holds import SettleVoucher
from tests.builders.parties import an_actor
from tests.builders.vouchers import (
    TEST,
    AClaim,
    a_claim,
    a_grant,
    a_piece,
    a_programme,
    an_application,
    an_officer,
    with_terms,
)

ON = date(2025, 3, 3)
JANUARY = {"opens_on": "2025-01-01", "closes_on": "2025-01-31"}
INVOICE, PAYMENT = EvidenceKind.INVOICE, EvidenceKind.PAYMENT_PROOF


async def a_dated_claim(database: Database, **terms: Any) -> AClaim:
    granted = await a_grant(database)
    asked = {"invoices_within": JANUARY, "required_evidence": ["invoice", "payment-proof"]}
    await with_terms(database, granted.programme_id, **(asked | terms))
    return await a_claim(database, granted=granted, redemptions=3)


async def attach(database: Database, made: AClaim, days: dict[int, date | None]) -> None:
    pieces = [a_piece(each, INVOICE, dated_on=day) for each, day in days.items()]
    pieces += [a_piece(each, PAYMENT) for each in days]
    command = AttachEvidence(made.claim_id, tuple(pieces))
    await atomically(database, attach_evidence, command, actor=made.provider)


async def test_lines_with_invoices_of_other_days_are_told_one_by_one(database: Database):
    made = await a_dated_claim(database)
    first, second, third = made.redemption_ids
    days = {first: date(2025, 1, 31), second: date(2025, 2, 1), third: None}
    await attach(database, made, days)

    with pytest.raises(PapersOutOfTime) as refused:
        await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider)
    lines = await atomically(database, completeness, made.claim_id, actor=made.provider)
    dated = DatePapers(made.claim_id, (PaperDay(third, INVOICE, date(2025, 1, 2)),))
    await atomically(database, date_papers, dated, actor=made.provider)
    left = LeaveOut(made.claim_id, (second,))
    await atomically(database, leave_out, left, actor=made.provider)
    submitted = await atomically(
        database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider
    )

    assert [reason.asked for reason in refused.value.reasons] == [
        {"redemption_id": second, "dated_on": "2025-02-01"},
        {"redemption_id": third, "dated_on": None},
    ]
    assert [line.complete for line in lines] == [True, False, False]
    assert lines[0].windows[0].within.closes_on == date(2025, 1, 31)
    assert submitted.amount_fen == 100_000


async def test_a_closed_window_and_wrong_days_are_said_together(database: Database):
    window = [{"opens_on": "2025-06-01", "closes_on": "2025-06-30"}]
    made = await a_dated_claim(database, claim_windows=window)
    await attach(database, made, dict.fromkeys(made.redemption_ids, date(2025, 2, 1)))

    with pytest.raises(ClaimWindowClosed) as refused:
        await atomically(database, submit_claim, SubmitClaim(made.claim_id), actor=made.provider)

    rules = [reason.rule for reason in refused.value.reasons]
    assert rules == ["claim-window", "invoice-day", "invoice-day", "invoice-day"]


async def test_a_day_that_cannot_be_is_refused_when_it_is_said(database: Database):
    made = await a_dated_claim(database)
    first = made.redemption_ids[0]

    async def rules(*pieces: Any) -> list[str]:
        command = AttachEvidence(made.claim_id, pieces)
        with pytest.raises(errors.EvidenceRefused) as refused:
            await atomically(database, attach_evidence, command, actor=made.provider)
        return [reason.rule for reason in refused.value.reasons]

    tomorrow = a_piece(first, INVOICE, dated_on=date(2025, 3, 4))
    contract = a_piece(first, EvidenceKind.CONTRACT, dated_on=ON)
    assert await rules(tomorrow, contract) == ["paper-day", "paper-day"]
    for kind, day in ((INVOICE, ON), (INVOICE, date(1999, 1, 1))):
        command = DatePapers(made.claim_id, (PaperDay(first, kind, day),))
        with pytest.raises(errors.EvidenceRefused):
            await atomically(database, date_papers, command, actor=made.provider)
    foreign = DatePapers(made.claim_id, (PaperDay(77_777, INVOICE, ON),))
    with pytest.raises(errors.RedemptionMissing):
        await atomically(database, date_papers, foreign, actor=made.provider)


async def test_what_qualifies_a_provider_proves_all_that_it_serves(database: Database):
    made = await a_claim(database, redemptions=2)
    first, second = made.redemption_ids
    licence = a_piece(first, EvidenceKind.PROVIDER_QUALIFICATION)
    same = a_piece(second, EvidenceKind.PROVIDER_QUALIFICATION, sha256=licence.sha256)
    rated = a_piece(first, EvidenceKind.SERVICE_RATING)
    command = AttachEvidence(made.claim_id, (licence, same, rated))

    await atomically(database, attach_evidence, command, actor=made.provider)

    again = a_piece(second, EvidenceKind.SERVICE_RATING, sha256=rated.sha256)
    command = AttachEvidence(made.claim_id, (again,))
    with pytest.raises(errors.FileClaimedBefore):
        await atomically(database, attach_evidence, command, actor=made.provider)


async def test_a_training_is_paid_by_the_person_from_the_hold_to_its_settlement(
    database: Database,
):
    granted = await a_grant(database)
    cap = {"scope": "person", "amount_fen": 10_000, "service_kinds": ["broker-training"]}
    await with_terms(database, granted.programme_id, caps=[cap])
    provider = await an_actor(database, Role.PROVIDER_MANAGER)

    async def held(order_id: int, persons: int) -> int:
        command = HoldVoucher(
            order_id,
            granted.sme.organisation_id,
            provider.organisation_id,
            1,
            "broker-training",
            100_000,
            persons=persons,
        )
        return (await atomically(database, hold_voucher, command, actor=TEST)).amount_fen

    with pytest.raises(errors.VoucherNotUsable) as refused:
        await held(9_001, 0)
    assert [reason.rule for reason in refused.value.reasons] == ["persons"]
    assert await held(9_001, 3) == 30_000
    command = SettleVoucher(9_001, 100_000, ON)
    assert (await atomically(database, settle_voucher, command, actor=TEST)).amount_fen == 30_000
    assert await held(9_002, 50) == 50_000


async def founded(database: Database, sme: Actor, on: date) -> None:
    stated = await atomically(
        database,
        state_fact,
        StateFact(sme.organisation_id, FactKind.FOUNDED, on, "营业执照"),
        actor=sme,
    )
    officer = await an_officer(database)
    await atomically(database, decide_fact, DecideFact(stated.id, True), actor=officer)


async def test_a_young_company_comes_before_who_has_waited_longer(database: Database):
    programme_id = await a_programme(database)
    spring = {"number": 1, "opens_on": "2025-02-01", "closes_on": "2025-03-31"}
    await with_terms(
        database,
        programme_id,
        batches=[spring | {"amount_fen": 1_000_000}],
        waiting_first=[{"founded_from": "2019-01-01", "source": "苏州 (2024)"}],
    )
    officer = await an_officer(database)
    line = []
    for day in (date(2010, 1, 1), date(2020, 1, 1), None):
        sme = await an_actor(database, Role.SME_ADMINISTRATOR)
        if day is not None:
            await founded(database, sme, day)
        line.append(await an_application(database, programme_id=programme_id, sme=sme))
        if len(line) == 1:
            queued = QueueApplication(line[0])
            await atomically(database, queue_application, queued, actor=officer)
    old, young, unknown = line

    async def told() -> list[tuple[int, int]]:
        search = queries.ApplicationSearch(programme_id=programme_id, status="waiting")
        found = await atomically(database, queries.applications, search, actor=officer)
        return [(each.id, each.waiting_rank) for each in found.rows]

    assert await told() == [(young, 0), (old, 1), (unknown, 1)]
    await with_terms(database, programme_id, batches=[spring | {"amount_fen": 5_000_000}])
    assert await atomically(database, propose_next, ProposeNext(programme_id), actor=TEST) == [
        young
    ]
    # Without the preference who waits longest is next again, once there is money for two.
    await with_terms(
        database, programme_id, batches=[spring | {"amount_fen": 8_000_000}], waiting_first=[]
    )
    assert await atomically(database, propose_next, ProposeNext(programme_id), actor=TEST) == [old]
