"""Payouts from the instruction to the bank and back, with the books at every step."""

import pytest

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import verify
from marketplace.billing.payouts.errors import (
    BatchChanged,
    BatchMissing,
    BatchNotReady,
    NothingToPay,
    OwnBatch,
    PayoutInstructedAlready,
    PayoutMissing,
    PayoutNotReady,
)
from marketplace.billing.payouts.queries import PayoutSearch, batch_by_id, payouts
from marketplace.billing.payouts.use_cases import (
    BatchStep,
    CloseBankAccount,
    ConfirmPayout,
    DraftBatch,
    InstructAgain,
    InstructSettlements,
    RejectPayout,
    ReturnPayout,
    UndoOutcome,
    WithdrawPayout,
    approve_batch,
    batch_file,
    close_bank_account,
    confirm_payout,
    discard_batch,
    draft_batch,
    instruct_again,
    instruct_settlements,
    reject_payout,
    return_payouts,
    send_batch,
    undo_confirmation,
    undo_return,
    withdraw_payout,
)
from marketplace.kernel.db import atomically
from marketplace.kernel.time import shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.ledger import A_DAY, TEST
from tests.builders.parties import a_provider, an_actor
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payee,
    a_payout,
    a_sent_payout,
    money_owed,
    the_books,
    the_payout,
)

FEN = 120_000


async def do(database, use_case, command, actor=TEST):
    return await atomically(database, use_case, command, actor=actor)


async def confirmed(database, payout, *, key="match:1"):
    return await do(database, confirm_payout, ConfirmPayout(payout.id, A_DAY, key))


async def came_back(database, payout, *, key="match:2"):
    (made,) = await do(database, return_payouts, [ReturnPayout(payout.id, A_DAY, "户名不符", key)])
    return made


async def test_an_instruction_moves_what_is_owed_into_transit_at_once(database):
    made = await a_payout(database, amount_fen=FEN)

    assert (made.status, made.attempt) == ("instructed", 1)
    assert made.end_to_end_id == f"SC-P-{made.id}"
    assert await the_books(database) == {"bank": FEN, "payout_in_transit": -FEN}


async def test_the_same_thing_is_never_instructed_twice(database):
    made = await a_payout(database, source_id=7)

    with pytest.raises(PayoutInstructedAlready):
        await a_payout(database, organisation_id=made.organisation_id, source_id=7)
    other = await a_payout(database, source_id=7)

    assert other.organisation_id != made.organisation_id


async def test_nobody_is_paid_more_than_is_owed(database):
    provider_id = await a_payee(database)
    await money_owed(database, provider_id=provider_id, amount_fen=500)
    await do(database, instruct_settlements, InstructSettlements())

    with pytest.raises(NothingToPay):
        await do(database, instruct_settlements, InstructSettlements())
    made = await a_payout(database, amount_fen=100)
    again = ReturnPayout(made.id, A_DAY, "x", "match:9")
    with pytest.raises(PayoutNotReady):
        await do(database, return_payouts, [again])


async def test_a_settlement_pays_every_provider_its_balance_from_the_minimum_on(database):
    owed = {await a_provider(database): fen for fen in (100, 5_000, 70_000)}
    for provider_id, fen in owed.items():
        await money_owed(database, provider_id=provider_id, amount_fen=fen)

    made = await do(database, instruct_settlements, InstructSettlements(minimum_fen=5_000))
    found, total = await do(database, payouts, PayoutSearch(source_kind="settlement"))

    assert (made.payouts, made.total_fen, total) == (2, 75_000, 2)
    assert {(one.organisation_id, one.amount_fen) for one in found} == {
        (provider_id, fen) for provider_id, fen in owed.items() if fen >= 5_000
    }
    assert {one.source_id for one in found} == {made.settlement_id}
    assert (await the_books(database))["payable"] == -100


async def test_many_settlements_take_a_fixed_number_of_statements(database, monkeypatch):
    for _ in range(12):
        provider_id = await a_provider(database)
        await money_owed(database, provider_id=provider_id, amount_fen=100)
    statements = []
    from marketplace.kernel.db import Tx

    execute = Tx.execute
    rows = Tx.all

    async def counted(tx, statement, parameters=None):
        statements.append(str(statement))
        return await execute(tx, statement, parameters)

    async def counted_rows(tx, row_type, statement, parameters=None):
        statements.append(str(statement))
        return await rows(tx, row_type, statement, parameters)

    monkeypatch.setattr(Tx, "execute", counted)
    monkeypatch.setattr(Tx, "all", counted_rows)
    made = await do(database, instruct_settlements, InstructSettlements())

    assert made.payouts == 12
    assert len(statements) < 8


async def test_a_batch_takes_what_waits_and_has_a_verified_account(database):
    centre = await a_finance_team(database)
    ready = await a_payout(database, amount_fen=FEN)
    homeless = await a_payout(database, organisation_id=await a_payee(database, verified=False))

    drafted = await do(database, draft_batch, DraftBatch(), centre.maker)

    assert (drafted.status, drafted.lines, drafted.total_fen) == ("draft", 1, FEN)
    assert (await the_payout(database, ready.id)).batch_id == drafted.id
    assert (await the_payout(database, homeless.id)).status == "instructed"
    with pytest.raises(NothingToPay):
        await do(database, draft_batch, DraftBatch(), centre.maker)


async def test_another_person_approves_a_batch_and_only_once(database):
    centre = await a_finance_team(database)
    await a_payout(database)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)

    with pytest.raises(OwnBatch):
        await do(database, approve_batch, step, centre.maker)
    with pytest.raises(BatchNotReady):
        await do(database, batch_file, step, centre.maker)
    with pytest.raises(BatchNotReady):
        await do(database, send_batch, step, centre.maker)
    approved = await do(database, approve_batch, step, centre.checker)
    with pytest.raises(BatchNotReady):
        await do(database, approve_batch, step, centre.checker)
    with pytest.raises(BatchMissing):
        await do(database, approve_batch, BatchStep(999), centre.checker)

    assert (approved.status, approved.approved_by) == ("approved", centre.checker.person_id)


async def test_the_file_has_the_same_bytes_each_time_and_names_the_reference_twice(database):
    centre = await a_finance_team(database)
    made = await a_payout(database)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)
    await do(database, approve_batch, step, centre.checker)

    first = await do(database, batch_file, step, centre.maker)
    await do(database, send_batch, step, centre.maker)
    second = await do(database, batch_file, step, centre.checker)

    assert first == second
    assert first.content.decode("utf-8-sig").count(made.end_to_end_id) == 2
    assert (await the_payout(database, made.id)).status == "sent"


async def test_an_account_that_was_closed_blocks_the_batch_at_every_step(database):
    centre = await a_finance_team(database)
    owner = await an_actor(database, Role.PROVIDER_MANAGER)
    account = await a_bank_account(database, owner=owner)
    await a_payout(database, organisation_id=owner.organisation_id)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)
    await do(database, approve_batch, step, centre.checker)
    await do(database, close_bank_account, CloseBankAccount(account.id), owner)

    with pytest.raises(BatchChanged):
        await do(database, send_batch, step, centre.maker)
    await do(database, discard_batch, step, centre.maker)
    await a_bank_account(database, owner=owner)
    redrafted = await do(database, draft_batch, DraftBatch(), centre.maker)

    assert redrafted.lines == 1


async def test_a_file_that_was_fetched_is_discarded_by_another_person(database):
    centre = await a_finance_team(database)
    made = await a_payout(database)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)
    await do(database, approve_batch, step, centre.checker)
    await do(database, batch_file, step, centre.maker)

    with pytest.raises(OwnBatch):
        await do(database, discard_batch, step, centre.maker)
    await do(database, discard_batch, step, centre.checker)
    with pytest.raises(BatchNotReady):
        await do(database, discard_batch, step, centre.checker)

    assert (await do(database, batch_by_id, step.batch_id)).status == "discarded"
    assert (await the_payout(database, made.id)).status == "instructed"


async def test_a_payment_that_the_statement_shows_leaves_transit(database):
    sent = await a_sent_payout(database, amount_fen=FEN)

    outcome = await confirmed(database, sent)
    with pytest.raises(PayoutNotReady):
        await confirmed(database, sent, key="match:2")

    assert (outcome.payout.status, outcome.payout.confirmed_on) == ("confirmed", A_DAY)
    # The statement's own line takes it from the bank and out of suspense.
    assert await the_books(database) == {"bank": FEN, "bank_suspense": -FEN}


async def test_a_payment_that_comes_back_is_owed_again_and_paid_again(database, clock):
    centre = await a_finance_team(database)
    sent = await a_sent_payout(database, centre=centre, amount_fen=FEN)
    await confirmed(database, sent)

    outcome = await came_back(database, sent)
    books = await the_books(database)
    again = await do(database, instruct_again, InstructAgain(sent.id), centre.maker)
    with pytest.raises(PayoutNotReady):
        await do(database, instruct_again, InstructAgain(sent.id), centre.maker)

    assert (outcome.payout.status, outcome.payout.return_reason) == ("returned", "户名不符")
    assert books == {"bank": FEN, "payable": -FEN}
    assert (again.attempt, again.end_to_end_id) == (2, f"SC-P-{sent.id}-2")
    assert await the_books(database) == {"bank": FEN, "payout_in_transit": -FEN}
    assert (await verify(database)).ok


async def test_a_payment_that_the_bank_refuses_is_owed_again(database):
    centre = await a_finance_team(database)
    sent = await a_sent_payout(database, centre=centre, amount_fen=FEN)

    rejected = await do(database, reject_payout, RejectPayout(sent.id, "账号有误"), centre.checker)
    with pytest.raises(PayoutNotReady):
        await confirmed(database, sent)
    with pytest.raises(PayoutMissing):
        await do(database, reject_payout, RejectPayout(999, "x"), centre.checker)

    assert rejected.status == "returned"
    assert await the_books(database) == {"bank": FEN, "payable": -FEN}


async def test_a_confirmation_that_was_a_mistake_is_undone_and_made_again(database):
    sent = await a_sent_payout(database, amount_fen=FEN)
    outcome = await confirmed(database, sent)

    undo = UndoOutcome(sent.id, outcome.entry_id, "another payment", "undo:1")
    await do(database, undo_confirmation, undo)
    reopened = await the_payout(database, sent.id)
    books = await the_books(database)
    second = await confirmed(database, sent, key="match:2")

    assert (reopened.status, reopened.confirmed_on) == ("sent", None)
    assert books == {"bank": FEN, "payout_in_transit": -FEN}
    assert second.entry_id != outcome.entry_id
    assert await the_books(database) == {"bank": FEN, "bank_suspense": -FEN}


async def test_a_return_is_undone_while_the_money_is_still_owed(database):
    sent = await a_sent_payout(database, amount_fen=FEN)
    await confirmed(database, sent)
    outcome = await came_back(database, sent)

    undo = UndoOutcome(sent.id, outcome.entry_id, "another payment", "undo:2")
    await do(database, undo_return, undo)
    back = await the_payout(database, sent.id)
    await came_back(database, sent, key="match:3")
    await do(database, instruct_again, InstructAgain(sent.id))
    with pytest.raises(PayoutNotReady):
        await do(database, undo_return, undo)

    assert (back.status, back.confirmed_on, back.return_reason) == ("confirmed", A_DAY, None)


async def test_a_return_is_not_undone_once_the_money_was_paid_another_way(database):
    # What came back of a settlement is part of the balance that the next one pays.
    sent = await a_sent_payout(database, amount_fen=FEN, source_kind="settlement", source_id=777)
    await confirmed(database, sent)
    outcome = await came_back(database, sent)
    await do(database, instruct_settlements, InstructSettlements())

    undo = UndoOutcome(sent.id, outcome.entry_id, "another payment", "undo:3")
    with pytest.raises(InsufficientFunds):
        await do(database, undo_return, undo)
    with pytest.raises(InsufficientFunds):
        await do(database, instruct_again, InstructAgain(sent.id))

    assert (await the_payout(database, sent.id)).status == "returned"


async def test_a_settlement_leaves_what_waits_to_be_instructed_again(database):
    sent = await a_sent_payout(database, amount_fen=FEN)
    await confirmed(database, sent)
    await came_back(database, sent)

    with pytest.raises(NothingToPay):
        await do(database, instruct_settlements, InstructSettlements())
    await money_owed(database, provider_id=sent.organisation_id, amount_fen=500)
    made = await do(database, instruct_settlements, InstructSettlements())
    again = await do(database, instruct_again, InstructAgain(sent.id))

    assert (made.payouts, made.total_fen) == (1, 500)
    assert again.amount_fen == FEN
    assert await the_books(database) == {"bank": FEN + 500, "payout_in_transit": -FEN - 500}


async def withdrawn(database, payout, actor=TEST):
    return await do(database, withdraw_payout, WithdrawPayout(payout.id, "依据有误"), actor)


async def test_a_payout_that_nobody_sent_is_withdrawn_and_its_money_owed_again(database, clock):
    centre = await a_finance_team(database)
    made = await a_payout(database, amount_fen=FEN)

    gone = await withdrawn(database, made, centre.checker)

    assert (gone.status, gone.withdrawal_reason) == ("withdrawn", "依据有误")
    assert (gone.withdrawn_by, gone.withdrawn_at) == (centre.checker.person_id, clock.now())
    assert await the_books(database) == {"bank": FEN, "payable": -FEN}
    assert (await verify(database)).ok
    with pytest.raises(NothingToPay):
        await do(database, draft_batch, DraftBatch(), centre.maker)


async def test_a_withdrawn_payout_is_never_instructed_again(database):
    made = await a_payout(database, source_id=7)
    await withdrawn(database, made)

    with pytest.raises(PayoutNotReady):
        await do(database, instruct_again, InstructAgain(made.id))
    with pytest.raises(PayoutInstructedAlready):
        await a_payout(database, organisation_id=made.organisation_id, source_id=7)
    with pytest.raises(PayoutNotReady, match="withdrawn before"):
        await withdrawn(database, made)
    with pytest.raises(PayoutMissing):
        await do(database, withdraw_payout, WithdrawPayout(999, "x"))


async def test_a_payout_is_not_withdrawn_from_a_batch_nor_from_the_bank(database):
    centre = await a_finance_team(database)
    made = await a_payout(database)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)

    with pytest.raises(PayoutNotReady, match="discard the batch"):
        await withdrawn(database, made)
    await do(database, approve_batch, step, centre.checker)
    with pytest.raises(PayoutNotReady, match="discard the batch"):
        await withdrawn(database, made)
    await do(database, send_batch, step, centre.maker)
    with pytest.raises(PayoutNotReady, match="has refused or returned it"):
        await withdrawn(database, made)
    await confirmed(database, made)
    with pytest.raises(PayoutNotReady, match="has returned it"):
        await withdrawn(database, made)


async def test_a_payout_of_a_discarded_batch_is_withdrawn(database):
    centre = await a_finance_team(database)
    made = await a_payout(database, amount_fen=FEN)
    step = BatchStep((await do(database, draft_batch, DraftBatch(), centre.maker)).id)
    await do(database, discard_batch, step, centre.maker)

    await withdrawn(database, made)

    assert await the_books(database) == {"bank": FEN, "payable": -FEN}


async def test_withdrawing_what_came_back_posts_nothing_and_lets_no_return_be_undone(database):
    sent = await a_sent_payout(database, amount_fen=FEN)
    await confirmed(database, sent)
    outcome = await came_back(database, sent)
    before = await the_books(database)

    await withdrawn(database, sent)

    assert await the_books(database) == before == {"bank": FEN, "payable": -FEN}
    with pytest.raises(PayoutNotReady):
        await do(database, instruct_again, InstructAgain(sent.id))
    undo = UndoOutcome(sent.id, outcome.entry_id, "another payment", "undo:4")
    with pytest.raises(PayoutNotReady):
        await do(database, undo_return, undo)


async def test_the_second_attempt_of_a_payout_is_withdrawn_by_its_own_entry(database):
    sent = await a_sent_payout(database, amount_fen=FEN)
    await do(database, reject_payout, RejectPayout(sent.id, "账号有误"))
    await do(database, instruct_again, InstructAgain(sent.id))

    gone = await withdrawn(database, sent)

    assert (gone.status, gone.attempt) == ("withdrawn", 2)
    assert await the_books(database) == {"bank": FEN, "payable": -FEN}
    assert (await verify(database)).ok


async def test_a_batch_is_approved_late_in_the_evening_and_sent_the_same_day(database, clock):
    clock.set(shanghai_instant(A_DAY, 23 * 60 + 30))
    sent = await a_sent_payout(database)

    assert sent.sent_at == clock.now()
