"""Refunds of wallets, the form of payment files, and who may approve how much."""

import asyncio

import pytest

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import AccountType
from marketplace.billing.payouts import queries
from marketplace.billing.payouts.errors import (
    AboveApprovalLimit,
    HouseAccountMissing,
    LayoutIncomplete,
    OwnRefund,
    PayoutInstructedAlready,
    RefundMissing,
    RefundNotReady,
    RefundUnpayable,
)
from marketplace.billing.payouts.rules.layouts import PaymentFormat
from marketplace.billing.payouts.use_cases import (
    AskRefund,
    BatchStep,
    DecideRefund,
    DraftBatch,
    InstructPayout,
    RejectPayout,
    SetHouseAccount,
    WithdrawPayout,
    approve_batch,
    approve_refund,
    ask_refund,
    batch_file,
    draft_batch,
    instruct_payout,
    refuse_refund,
    reject_payout,
    send_batch,
    set_house_account,
    withdraw_payout,
    withdraw_refund,
)
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database, atomically, transaction
from marketplace.parties.roles import Role
from tests.builders.ledger import TEST, a_posted_entry, an_account
from tests.builders.parties import a_centre, an_actor, an_sme
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payout,
    the_books,
    the_payout,
)

BECAUSE = "余额核对无误"


async def an_sme_with(database: Database, fen: int, *, account: bool = True) -> Actor:
    """The administrator of an SME with this much in its wallet."""
    sme_id = await an_sme(database)
    owner = await an_actor(database, Role.SME_ADMINISTRATOR, organisation_id=sme_id)
    wallet = await an_account(database, AccountType.WALLET, sme_id)
    bank = await an_account(database, AccountType.BANK)
    await a_posted_entry(database, debit=bank, credit=wallet, amount_fen=fen)
    if account:
        await a_bank_account(database, owner=owner)
    return owner


async def asked(database: Database, owner: Actor, fen: int) -> queries.WalletRefund:
    return await atomically(database, ask_refund, AskRefund(fen, "项目结束"), actor=owner)


async def test_a_refund_is_held_agreed_to_by_another_and_paid_like_any_payout(
    database: Database,
) -> None:
    owner, centre = await an_sme_with(database, 1_000_00), await a_finance_team(database)
    refund = await asked(database, owner, 700_00)
    with pytest.raises(InsufficientFunds):
        await asked(database, owner, 400_00)
    decide = DecideRefund(refund.id, BECAUSE)
    with pytest.raises(OwnRefund):
        await atomically(database, approve_refund, decide, actor=owner)
    approved = await atomically(database, approve_refund, decide, actor=centre.checker)
    books = await the_books(database)
    assert (books["wallet"], books["payout_in_transit"]) == (-300_00, -700_00)
    with pytest.raises(RefundNotReady):
        await atomically(database, approve_refund, decide, actor=centre.checker)
    again = InstructPayout(owner.organisation_id, 1_00, "refund", refund.id, AccountType.WALLET)
    with pytest.raises(PayoutInstructedAlready):
        await atomically(database, instruct_payout, again, actor=TEST)
    batch = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    await atomically(database, approve_batch, BatchStep(batch.id), actor=centre.checker)
    await atomically(database, send_batch, BatchStep(batch.id), actor=centre.maker)
    assert approved.payout_id is not None
    rejected = RejectPayout(approved.payout_id, "户名不符")
    await atomically(database, reject_payout, rejected, actor=centre.checker)
    assert (await the_books(database))["wallet"] == -1_000_00


async def test_a_refund_that_is_refused_given_up_or_withdrawn_may_be_spent_again(
    database: Database,
) -> None:
    owner, centre = await an_sme_with(database, 100_00), await a_finance_team(database)
    stranger = await an_sme_with(database, 100_00)
    refused = await asked(database, owner, 100_00)
    await atomically(database, refuse_refund, DecideRefund(refused.id, "x"), actor=centre.checker)
    given_up = await asked(database, owner, 100_00)
    with pytest.raises(RefundMissing):
        await atomically(database, withdraw_refund, DecideRefund(given_up.id, "x"), actor=stranger)
    await atomically(database, withdraw_refund, DecideRefund(given_up.id, "x"), actor=owner)
    agreed = await asked(database, owner, 100_00)
    approved = await atomically(
        database, approve_refund, DecideRefund(agreed.id, BECAUSE), actor=centre.checker
    )
    assert approved.payout_id is not None
    await atomically(database, withdraw_payout, WithdrawPayout(approved.payout_id, "x"), actor=TEST)
    assert (await the_books(database))["wallet"] == -200_00
    listed, total = await atomically(
        database,
        queries.wallet_refunds,
        queries.RefundSearch(organisation_id=owner.organisation_id),
        actor=TEST,
    )
    assert (total, [one.status for one in listed]) == (3, ["approved", "withdrawn", "refused"])


async def test_a_refund_needs_somewhere_to_go(database: Database) -> None:
    owner = await an_sme_with(database, 100_00, account=False)
    with pytest.raises(RefundUnpayable):
        await asked(database, owner, 1_00)


def a_house(**changes: object) -> SetHouseAccount:
    given: dict[str, object] = {
        "number": "3200000000000000001",
        "holder": "示例共享服务中心",
        "bank_name": "示例银行",
        "cnaps": "105301000013",
        "statement_columns": {},
        "payment_format": PaymentFormat.PAIN001,
    }
    return SetHouseAccount(**(given | changes))  # type: ignore[arg-type]


async def test_a_batch_keeps_the_form_it_was_drafted_in(database: Database) -> None:
    centre = await a_finance_team(database)
    await atomically(database, set_house_account, a_house(), actor=centre.checker)
    await a_payout(database)
    drafted = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    await atomically(
        database,
        set_house_account,
        a_house(payment_format=PaymentFormat.XLSX, holder="新户名"),
        actor=centre.checker,
    )
    step = BatchStep(drafted.id)
    await atomically(database, approve_batch, step, actor=centre.checker)
    file = await atomically(database, batch_file, step, actor=centre.maker)
    assert (file.name, file.media_type) == (f"payout-batch-{drafted.id}.xml", "application/xml")
    assert "示例共享服务中心" in file.content.decode()
    assert await atomically(database, batch_file, step, actor=centre.maker) == file
    with pytest.raises(HouseAccountMissing):
        await atomically(
            database, draft_batch, DraftBatch(house_account="99999999"), actor=centre.maker
        )
    short = a_house(payment_columns=[{"header": "户名", "field": "holder"}])
    with pytest.raises(LayoutIncomplete):
        await atomically(database, set_house_account, short, actor=centre.checker)


async def test_nobody_drafts_or_approves_more_than_the_role_may(database: Database) -> None:
    centre_id = await a_centre(database)
    maker, checker, head = [
        await an_actor(database, role, organisation_id=centre_id)
        for role in (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.ADMINISTRATOR)
    ]
    await a_payout(database, amount_fen=20_000_000_000)
    with pytest.raises(AboveApprovalLimit):
        await atomically(database, draft_batch, DraftBatch(), actor=maker)
    await a_payout(database, amount_fen=2_000_000_000)
    batch = await atomically(database, draft_batch, DraftBatch(), actor=maker)
    assert (batch.lines, batch.total_fen) == (1, 2_000_000_000)
    step = BatchStep(batch.id)
    with pytest.raises(AboveApprovalLimit) as refused:
        await atomically(database, approve_batch, step, actor=checker)
    assert refused.value.extras["roles"] == [Role.ADMINISTRATOR]
    assert (await atomically(database, approve_batch, step, actor=head)).status == "approved"


async def test_an_export_that_is_killed_is_taken_up_again_and_pays_nothing_twice(
    database: Database,
) -> None:
    centre = await a_finance_team(database)
    paid = await a_payout(database)

    async def killed(use_case, command) -> None:
        async with transaction(database, actor=centre.maker) as tx:
            await use_case(tx, command)
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await killed(draft_batch, DraftBatch())
    assert (await the_payout(database, paid.id)).status == "instructed"
    drafted = await atomically(database, draft_batch, DraftBatch(), actor=centre.maker)
    step = BatchStep(drafted.id)
    await atomically(database, approve_batch, step, actor=centre.checker)
    with pytest.raises(asyncio.CancelledError):
        await killed(batch_file, step)
    first = await atomically(database, batch_file, step, actor=centre.maker)
    with pytest.raises(asyncio.CancelledError):
        await killed(send_batch, step)
    await atomically(database, send_batch, step, actor=centre.maker)
    assert await atomically(database, batch_file, step, actor=centre.maker) == first
    assert (await the_payout(database, paid.id)).end_to_end_id == paid.end_to_end_id
