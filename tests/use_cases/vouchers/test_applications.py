"""Policy: J.22a, J.22b. Documents, two approvals, the line, top-ups, and quota that goes back."""

import dataclasses
from datetime import date, datetime

import pytest

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.vouchers import errors, grant_errors, queries
from marketplace.vouchers.jobs import (
    expire_due_vouchers,
    propose_who_waits,
    return_unspent_budgets,
)
from marketplace.vouchers.rules.states import FactKind, GrantChangeKind
from marketplace.vouchers.use_cases import (
    AmendApplication,
    ApplyForTopUp,
    CloseProgramme,
    DecideApplication,
    DecideFact,
    DecideGrantChange,
    LayerPlan,
    ProposeGrantChange,
    QueueApplication,
    ReleaseVoucher,
    RemoveDocument,
    ReturnApplication,
    StateFact,
    StoreDocument,
    SubmitApplication,
    amend_application,
    apply_for_top_up,
    close_programme,
    decide_application,
    decide_fact,
    decide_grant_change,
    document_file,
    propose_grant_change,
    queue_application,
    release_voucher,
    remove_document,
    return_application,
    state_fact,
    store_document,
    submit_application,
)
from tests.builders.applications import A_PDF
from tests.builders.parties import a_provider, an_actor
from tests.builders.vouchers import (
    TEST,
    AGrant,
    a_grant,
    a_hold,
    a_programme,
    an_application,
    an_officer,
    money_on,
    the_layers,
    the_wallet,
    with_terms,
)

SMALL = (LayerPlan("province", "320000", 1_000_000), LayerPlan("city", "320100", 1_000_000))


async def decided(
    database: Database, application_id: int, amount_fen: int | None, officer: Actor | None = None
) -> str:
    command = DecideApplication(application_id, amount_fen, "As asked.")
    officer = officer or await an_officer(database)
    found = await atomically(database, decide_application, command, actor=officer)
    return found.application.status


async def status_of(database: Database, application_id: int) -> str:
    return (await atomically(database, queries.application, application_id, actor=TEST)).status


async def budgets(database: Database, programme_id: int) -> list[int]:
    return [
        await money_on(database, AccountType.PROGRAMME_BUDGET, layer)
        for layer in await the_layers(database, programme_id)
    ]


async def changed(
    database: Database, granted: AGrant, kind: GrantChangeKind, amount_fen: int | None = None
) -> queries.GrantChange:
    propose = ProposeGrantChange(granted.grant_id, kind, "Unused since March.", amount_fen)
    first, second = await an_officer(database), await an_officer(database)
    proposed = await atomically(database, propose_grant_change, propose, actor=first)
    decide = DecideGrantChange(proposed.id, True)
    with pytest.raises(errors.SamePerson):
        await atomically(database, decide_grant_change, decide, actor=first)
    return await atomically(database, decide_grant_change, decide, actor=second)


async def test_an_application_is_complete_before_it_is_submitted(database: Database):
    programme_id = await a_programme(database)
    await with_terms(database, programme_id, application_documents=["business-licence"])
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    assert await status_of(database, application_id) == "draft"
    submit = SubmitApplication(application_id)
    with pytest.raises(grant_errors.ApplicationIncomplete, match="business-licence"):
        await atomically(database, submit_application, submit, actor=sme)
    other = StoreDocument(application_id, "photo", "p.pdf", A_PDF)
    with pytest.raises(grant_errors.DocumentUnfit):
        await atomically(database, store_document, other, actor=sme)

    store = StoreDocument(application_id, "business-licence", "licence.pdf", A_PDF)
    kept = await atomically(database, store_document, store, actor=sme)
    with pytest.raises(grant_errors.DocumentKnown):
        await atomically(database, store_document, store, actor=sme)
    remove = RemoveDocument(application_id, kept.id)
    assert A_PDF == (await atomically(database, document_file, remove, actor=sme)).content
    await atomically(database, remove_document, remove, actor=sme)
    with pytest.raises(grant_errors.DocumentMissing):
        await atomically(database, remove_document, remove, actor=sme)
    await atomically(database, store_document, store, actor=sme)
    await atomically(database, submit_application, submit, actor=sme)

    assert await decided(database, application_id, 1_000) == "granted"


async def test_as_many_persons_approve_as_the_terms_name_each_once(database: Database):
    programme_id = await a_programme(database)
    await with_terms(database, programme_id, approvers=2)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    first, second = await an_officer(database), await an_officer(database)

    assert await decided(database, application_id, 1_000, first) == "submitted"
    with pytest.raises(grant_errors.ApprovedBefore):
        await decided(database, application_id, 1_000, first)
    with pytest.raises(errors.GrantRefused) as refused:
        await decided(database, application_id, 900, second)
    assert [reason.rule for reason in refused.value.reasons] == ["amount-approved"]
    itself = dataclasses.replace(sme, roles=frozenset({"voucher_officer"}))
    with pytest.raises(errors.SamePerson):
        await decided(database, application_id, 1_000, itself)

    assert await decided(database, application_id, 1_000, second) == "granted"


async def test_a_returned_application_is_amended_and_approved_anew(database: Database):
    programme_id = await a_programme(database)
    await with_terms(database, programme_id, approvers=2)
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    first, second = await an_officer(database), await an_officer(database)
    await decided(database, application_id, 1_000, first)

    nothing = ReturnApplication(application_id, " ")
    with pytest.raises(errors.ReasonMissing):
        await atomically(database, return_application, nothing, actor=second)
    back = ReturnApplication(application_id, "Name the research.")
    await atomically(database, return_application, back, actor=second)
    amend = AmendApplication(application_id, 500_000, "Turbine blades")
    await atomically(database, amend_application, amend, actor=sme)
    await atomically(database, submit_application, SubmitApplication(application_id), actor=sme)

    assert await decided(database, application_id, 500_000, first) == "submitted"
    assert await decided(database, application_id, 500_000, second) == "granted"


async def test_who_waits_comes_next_when_money_is_freed(database: Database):
    programme_id = await a_programme(database, layers=SMALL)
    granted = await a_grant(database, programme_id=programme_id, amount_fen=2_000_000)
    smes = [await an_actor(database, Role.SME_ADMINISTRATOR) for _ in range(3)]
    line = [
        await an_application(database, programme_id=programme_id, sme=sme, asked_fen=800_000)
        for sme in smes
    ]
    assert [await status_of(database, each) for each in line] == ["waiting"] * 3
    assert 0 == await propose_who_waits(database)

    await changed(database, granted, GrantChangeKind.WITHDRAWAL, 1_000_000)

    assert [await status_of(database, each) for each in line] == [
        "submitted",
        "waiting",
        "waiting",
    ]
    assert 0 == await propose_who_waits(database)
    assert await decided(database, line[0], 800_000) == "granted"
    await changed(database, granted, GrantChangeKind.REVOCATION)
    assert [await status_of(database, each) for each in line[1:]] == ["submitted"] * 1 + ["waiting"]
    assert not (await verify(database)).problems


async def test_an_officer_lets_an_application_wait_only_when_the_budget_lacks_it(
    database: Database,
):
    programme_id = await a_programme(database, layers=SMALL)
    officer = await an_officer(database)
    fits, lacks = [
        await an_application(
            database,
            programme_id=programme_id,
            sme=await an_actor(database, Role.SME_ADMINISTRATOR),
            asked_fen=asked_fen,
        )
        for asked_fen in (2_000_000, 2_000_001)
    ]
    with pytest.raises(errors.GrantRefused):
        await atomically(database, queue_application, QueueApplication(fits), actor=officer)

    await atomically(database, queue_application, QueueApplication(lacks), actor=officer)
    assert await status_of(database, lacks) == "waiting"


async def test_a_grant_is_topped_up_under_the_same_checks(database: Database):
    granted = await a_grant(database, amount_fen=10_000_000)
    too_much = ApplyForTopUp(granted.grant_id, 10_000_002, "More")
    with pytest.raises(errors.NotEligible) as refused:
        await atomically(database, apply_for_top_up, too_much, actor=granted.sme)
    assert {reason.rule for reason in refused.value.reasons} == {
        "cap-per-sme-year-city",
        "cap-per-sme-year-province",
    }
    stranger = await an_actor(database, Role.SME_ADMINISTRATOR)
    asked = ApplyForTopUp(granted.grant_id, 1_000_000, "More")
    with pytest.raises(grant_errors.GrantMissing):
        await atomically(database, apply_for_top_up, asked, actor=stranger)

    application = await atomically(database, apply_for_top_up, asked, actor=granted.sme)
    assert await decided(database, application.id, 1_000_000) == "granted"

    wallet = await the_wallet(database, granted)
    assert (wallet.issued_fen, wallet.left_fen) == (11_000_000, 11_000_000)
    assert [100_000_000 - 5_500_000] * 2 == await budgets(database, granted.programme_id)


async def test_an_expired_grant_that_is_topped_up_is_valid_again(
    database: Database, clock: SetClock
):
    programme_id = await a_programme(database)
    await with_terms(database, programme_id, validity="months-3")
    granted = await a_grant(database, programme_id=programme_id)
    clock.set(datetime(2025, 6, 4, 0, 1, tzinfo=SHANGHAI))
    assert 1 == await expire_due_vouchers(database)

    asked = ApplyForTopUp(granted.grant_id, 1_000_000, "More")
    application = await atomically(database, apply_for_top_up, asked, actor=granted.sme)
    await decided(database, application.id, 1_000_000)

    wallet = await the_wallet(database, granted)
    assert (wallet.grant.status, wallet.left_fen) == ("active", 1_000_000)
    assert wallet.grant.valid_until == date(2025, 9, 4)


async def test_quota_that_is_held_is_not_taken_back(database: Database):
    granted = await a_grant(database, amount_fen=100_000)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    officer = await an_officer(database)
    withdrawal = ProposeGrantChange(granted.grant_id, GrantChangeKind.WITHDRAWAL, "Unused", 50_001)
    with pytest.raises(grant_errors.GrantChangeRefused):
        await atomically(database, propose_grant_change, withdrawal, actor=officer)
    silent = dataclasses.replace(withdrawal, reason=" ")
    with pytest.raises(errors.ReasonMissing):
        await atomically(database, propose_grant_change, silent, actor=officer)

    done = await changed(database, granted, GrantChangeKind.WITHDRAWAL)
    assert done.amount_fen == 50_000
    again = DecideGrantChange(done.id, True)
    with pytest.raises(grant_errors.GrantChangeDecided):
        await atomically(database, decide_grant_change, again, actor=officer)
    nothing = DecideGrantChange(77_777, True)
    with pytest.raises(grant_errors.GrantChangeMissing):
        await atomically(database, decide_grant_change, nothing, actor=officer)


async def test_what_orders_held_of_a_revoked_grant_goes_back_as_it_is_freed(database: Database):
    granted = await a_grant(database, amount_fen=100_000)
    provider_id = await a_provider(database)
    await a_hold(database, granted=granted, provider_id=provider_id, order_id=1)
    open_one = ProposeGrantChange(granted.grant_id, GrantChangeKind.WITHDRAWAL, "Unused", 1)
    officer = await an_officer(database)
    first = await atomically(database, propose_grant_change, open_one, actor=officer)
    with pytest.raises(grant_errors.GrantChangeOpen):
        await atomically(database, propose_grant_change, open_one, actor=officer)
    declined = DecideGrantChange(first.id, False, "Leave it.")
    other = await an_officer(database)
    await atomically(database, decide_grant_change, declined, actor=other)

    await changed(database, granted, GrantChangeKind.REVOCATION)
    with pytest.raises(errors.VoucherNotUsable, match="revoked"):
        await a_hold(database, granted=granted, provider_id=provider_id, order_id=2)
    assert [100_000_000 - 25_000] * 2 == await budgets(database, granted.programme_id)

    await atomically(database, release_voucher, ReleaseVoucher(1), actor=TEST)
    assert [100_000_000] * 2 == await budgets(database, granted.programme_id)


async def test_a_closed_programme_returns_its_budget_and_later_what_vouchers_leave(
    database: Database, clock: SetClock
):
    granted = await a_grant(database)
    layers = await the_layers(database, granted.programme_id)
    officer = await an_officer(database)
    close = CloseProgramme(granted.programme_id)
    await atomically(database, close_programme, close, actor=officer)
    assert [0, 0] == await budgets(database, granted.programme_id)
    assert 0 == await return_unspent_budgets(database)

    clock.set(datetime(2026, 1, 1, 0, 1, tzinfo=SHANGHAI))
    assert 1 == await expire_due_vouchers(database)
    assert 1 == await return_unspent_budgets(database)
    assert [0, 0] == await budgets(database, granted.programme_id)
    for layer in layers:
        assert 0 == await money_on(database, AccountType.APPROPRIATION, layer)
    assert not (await verify(database)).problems


async def test_a_certificate_counts_once_another_person_has_verified_it(database: Database):
    programme_id = await a_programme(database)
    await with_terms(
        database,
        programme_id,
        beneficiaries=[
            {"kind": "high-tech", "certificates": ["high-tech"]},
            {"kind": "incubated", "incubated_months_max": 24},
        ],
    )
    sme = await an_actor(database, Role.SME_ADMINISTRATOR)
    with pytest.raises(errors.NotEligible) as refused:
        await an_application(database, programme_id=programme_id, sme=sme)
    assert [reason.rule for reason in refused.value.reasons] == [
        "high-tech:certificate-high-tech",
        "incubated:incubated",
    ]
    state = StateFact(
        sme.organisation_id, FactKind.CERTIFICATE, date(2025, 1, 1), "GR2025", "high-tech"
    )
    unclear = dataclasses.replace(state, name="")
    with pytest.raises(grant_errors.BeneficiaryFactUnclear):
        await atomically(database, state_fact, unclear, actor=sme)
    fact = await atomically(database, state_fact, state, actor=sme)
    stranger = await an_actor(database, Role.SME_ADMINISTRATOR)
    with pytest.raises(grant_errors.BeneficiaryFactMissing):
        await atomically(database, queries.beneficiary_fact, fact.id, actor=stranger)
    verify_it = DecideFact(fact.id, True)
    itself = dataclasses.replace(sme, roles=frozenset({"voucher_officer"}))
    with pytest.raises(errors.SamePerson):
        await atomically(database, decide_fact, verify_it, actor=itself)
    officer = await an_officer(database)
    await atomically(database, decide_fact, verify_it, actor=officer)
    with pytest.raises(grant_errors.BeneficiaryFactDecided):
        await atomically(database, decide_fact, verify_it, actor=officer)

    application_id = await an_application(database, programme_id=programme_id, sme=sme)
    await decided(database, application_id, 1_000)
    wallet = await atomically(database, queries.wallet, sme.organisation_id, actor=sme)
    assert wallet[0].grant.beneficiary == "high-tech"
