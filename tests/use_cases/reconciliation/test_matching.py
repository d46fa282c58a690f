"""What rules make of lines, what people do, and how either is taken back."""

from datetime import timedelta

import pytest

from marketplace.billing.ledger.errors import InsufficientFunds
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts.errors import PayoutMissing, PayoutNotReady
from marketplace.billing.payouts.use_cases import (
    InstructAgain,
    RejectPayout,
    instruct_again,
    reject_payout,
)
from marketplace.billing.reconciliation.errors import LineMissing, LineNotReady, MatchUnfit
from marketplace.billing.reconciliation.rules.states import MatchKind
from marketplace.billing.reconciliation.use_cases import UndoMatch, undo_match
from marketplace.kernel.db import atomically
from marketplace.parties.errors import OrganisationMissing, OrganisationUnfit
from marketplace.parties.roles import Role
from tests.builders.ledger import A_DAY, TEST, a_posted_entry, an_account, the_balance
from tests.builders.parties import a_provider, an_actor, an_sme
from tests.builders.payouts import (
    a_bank_account,
    a_finance_team,
    a_payout,
    a_sent_batch,
    the_books,
    the_payout,
)
from tests.builders.reconciliation import (
    a_line,
    a_statement,
    explained,
    matched,
    the_balancing,
    the_lines,
)

FEN = 120_000


async def undone(database, line_id, reason="认错了"):
    return await atomically(database, undo_match, UndoMatch(line_id, reason), actor=TEST)


async def wallet_of(database, sme_id):
    wallet = await an_account(database, AccountType.WALLET, sme_id)
    return (await the_balance(database, wallet)).posted_fen


@pytest.fixture
async def sent(database):
    """A payment of 1,200 yuan on its way, its account's number known."""
    owner = await an_actor(database, Role.PROVIDER_MANAGER)
    account = await a_bank_account(database, owner=owner)
    made = await a_payout(database, organisation_id=owner.organisation_id, amount_fen=FEN)
    await a_sent_batch(database, centre=await a_finance_team(database))
    return await the_payout(database, made.id), account.number


async def test_receipts_go_where_their_reference_says(database):
    sme = await an_sme(database)
    statement = await a_statement(
        database,
        a_line(50_000, f"充值SC-W-{sme}谢谢"),
        a_line(9_000_000, "财政拨款 sc-v-2025"),
        a_line(7_000_000, "奖励资金 ＳＣ－Ｒ－２０２５"),
        a_line(77, "季度结息", account="", name=""),
        a_line(-1_500, "转账手续费"),
    )

    report = await matched(database, statement)
    again = await matched(database, statement)

    assert report.matched == {
        "wallet": 1,
        "voucher_fund": 1,
        "reward_fund": 1,
        "interest": 1,
        "charge": 1,
    }
    assert (report.left, again.matched, again.left) == (0, {}, 0)
    assert await the_books(database) == {
        "bank": 16_048_577,
        "bank_charges": 1_500,
        "fee_income": -77,
        "reward_fund": -7_000_000,
        "voucher_fund": -9_000_000,
        "wallet": -50_000,
    }
    assert await wallet_of(database, sme) == 50_000
    assert {line.how for line in await the_lines(database)} == {"auto"}
    assert (await verify(database)).ok


async def test_a_payment_is_found_by_its_reference_and_amount(database, sent):
    payout, number = sent
    statement = await a_statement(
        database,
        a_line(500_000),
        a_line(-FEN, f"结算 {payout.end_to_end_id}", account=number),
    )

    report = await matched(database, statement)

    assert report.matched == {"payout": 1}
    assert (await the_payout(database, payout.id)).status == "confirmed"
    line = (await the_lines(database))[1]
    assert (line.kind, line.reference, line.rule) == (
        "payout",
        payout.end_to_end_id,
        "reference and amount",
    )
    assert "payout_in_transit" not in await the_books(database)


async def test_a_payment_without_its_reference_is_found_when_it_can_be_no_other(database, sent):
    payout, number = sent
    statement = await a_statement(
        database, a_line(FEN), a_line(-FEN, "网银转账", account=f"{number[:4]} {number[4:]}")
    )

    assert (await matched(database, statement)).matched == {"payout": 1}
    assert (await the_payout(database, payout.id)).status == "confirmed"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"amount_fen": -FEN - 1}, "SC-P-{id} is over another amount"),
        ({"remark": "SC-P-{id}-2"}, "no payment is called SC-P-{id}-2 now"),
        ({"remark": "SC-P-999"}, "no payment is called SC-P-999 now"),
        ({"remark": "SC-P-{id} SC-P-999"}, "several references"),
        ({"remark": "SC-P-{id} SC-W-7"}, "several references"),
        ({"remark": "转账", "days": 11}, "SC-P-{id} was sent on 2025-03-03"),
        ({"remark": "转账", "days": -1}, "SC-P-{id} was sent on 2025-03-03"),
        ({"remark": "转账", "account": "6222999999999999"}, ""),
        ({"remark": "SC-P-{id}9"}, "no payment is called SC-P-{id}9 now"),
        ({"remark": "ASC-P-{id}", "account": "62"}, ""),
    ],
)
async def test_what_does_not_agree_is_left_to_a_person_with_a_note(database, sent, changes, note):
    payout, number = sent
    given = {"amount_fen": -FEN, "remark": "SC-P-{id}", "account": number} | changes
    given["remark"] = given["remark"].format(id=payout.id)
    given["booked_on"] = A_DAY + timedelta(days=given.pop("days", 0))

    statement = await a_statement(database, a_line(**given), opening_fen=FEN + 1)
    report = await matched(database, statement)

    line = (await the_lines(database))[-1]
    assert report.matched == {}
    assert (line.status, line.note) == ("unmatched", note.format(id=payout.id))
    assert (await the_payout(database, payout.id)).status == "sent"


async def test_two_lines_that_could_be_one_payment_are_both_left(database, sent):
    payout, number = sent
    by_account = await a_statement(
        database, a_line(-FEN, "转账", account=number), a_line(-FEN, "转账", account=number)
    )
    by_reference = await a_statement(
        database,
        a_line(-FEN, payout.end_to_end_id),
        a_line(-FEN, payout.end_to_end_id),
        opening_fen=-2 * FEN,
    )

    assert (await matched(database, by_account)).matched == {}
    assert (await matched(database, by_reference)).matched == {}
    assert [line.note for line in await the_lines(database)] == [
        *["several payments or lines with this account and amount"] * 2,
        *[f"2 lines name {payout.end_to_end_id}"] * 2,
    ]


async def test_two_payments_that_a_line_could_be_are_both_left(database, sent):
    payout, number = sent
    await a_payout(database, organisation_id=payout.organisation_id, amount_fen=FEN)
    await a_sent_batch(database, centre=await a_finance_team(database))
    statement = await a_statement(database, a_line(-FEN, "转账", account=number))

    assert (await matched(database, statement)).matched == {}


async def test_a_wallet_that_cannot_be_meant_gets_nothing(database):
    sme = await an_sme(database, name="江苏某某科技有限公司")
    other = await an_sme(database, name="南京另一家科技有限公司")
    provider = await a_provider(database)
    statement = await a_statement(
        database,
        a_line(100, f"SC-W-{provider}"),
        a_line(200, "SC-W-987654"),
        a_line(300, f"SC-W-{sme}", name="南京另一家科技有限公司"),
        a_line(400, f"SC-W-{sme} SC-W-{other}"),
        a_line(500, "SC-V-12"),
        a_line(600, f"SC-W-{sme}-3"),
        a_line(700, f"SC-W-{sme}", name="江苏某某科技有限公司"),
        a_line(800, f"SC-W-{sme}", name="法定代表人张三"),
    )

    report = await matched(database, statement)

    assert report.matched == {"wallet": 2}
    assert [line.note for line in await the_lines(database)] == [
        f"SC-W-{provider} is no SME",
        "SC-W-987654 is no SME",
        f"SC-W-{sme} is 江苏某某科技有限公司, and another organisation is the payer",
        "several references",
        "12 is no year",
        "",
        "",
        "",
    ]
    assert await wallet_of(database, sme) == 1_500
    assert (await the_balancing(database)).unexplained_fen == 100 + 200 + 300 + 400 + 500 + 600


async def test_only_small_fees_are_taken_for_fees(database):
    statement = await a_statement(
        database,
        a_line(-100_000, "手续费"),
        a_line(-100_001, "手续费"),
        a_line(-10, "退手续费"),
        a_line(10, "手续费退回"),
        a_line(10, "利息", account="6222"),
        opening_fen=500_000,
    )

    assert (await matched(database, statement)).matched == {"charge": 1}


async def test_a_payment_that_came_back_is_owed_again(database, sent):
    payout, number = sent
    reference = payout.end_to_end_id
    statement = await a_statement(
        database,
        a_line(-FEN, reference, account=number),
        a_line(FEN, f"退汇 {reference} 户名不符"),
    )

    report = await matched(database, statement)
    again = await atomically(database, instruct_again, InstructAgain(payout.id), actor=TEST)

    assert report.matched == {"payout": 1, "return": 1}
    assert again.end_to_end_id == f"{reference}-2"
    assert again.return_reason == f"退汇 {reference} 户名不符"
    books = await the_books(database)
    assert books["payout_in_transit"] == -FEN
    assert "bank_suspense" not in books


async def test_money_back_for_a_payment_that_never_left_is_left_to_a_person(database, sent):
    payout, _ = sent
    statement = await a_statement(database, a_line(FEN, payout.end_to_end_id))

    assert (await matched(database, statement)).matched == {}
    assert (await the_lines(database))[0].note == f"{payout.end_to_end_id} is sent"


async def test_a_payment_that_was_rejected_and_shows_after_all_is_left(database, sent):
    payout, _ = sent
    rejection = RejectPayout(payout.id, "账号有误")
    await atomically(database, reject_payout, rejection, actor=TEST)
    statement = await a_statement(database, a_line(-FEN, payout.end_to_end_id), opening_fen=FEN)

    assert (await matched(database, statement)).matched == {}
    assert (await the_lines(database))[1].note == f"{payout.end_to_end_id} is returned"


async def test_a_person_says_what_a_line_is_and_why(database, sent):
    payout, _ = sent
    sme = await an_sme(database)
    await a_statement(
        database,
        a_line(50_000),
        a_line(60_000),
        a_line(70_000),
        a_line(-FEN),
        a_line(-9),
        a_line(9),
    )
    ids = [line.id for line in await the_lines(database)]

    top_up = await explained(database, ids[0], MatchKind.WALLET, sme, reason="合同附言")
    fund = await explained(database, ids[1], MatchKind.VOUCHER_FUND)
    await explained(database, ids[2], MatchKind.REWARD_FUND, 2024)
    await explained(database, ids[3], MatchKind.PAYOUT, payout.id)
    await explained(database, ids[4], MatchKind.CHARGE)
    await explained(database, ids[5], MatchKind.INTEREST)

    assert (top_up.status, top_up.how, top_up.reason) == ("matched", "manual", "合同附言")
    assert top_up.matched_by == TEST.person_id
    assert (fund.target_id, fund.age_days) == (2025, None)
    assert (await the_payout(database, payout.id)).status == "confirmed"
    assert (await the_balancing(database)).unexplained_lines == 0
    assert "bank_suspense" not in await the_books(database)


async def test_what_does_not_fit_is_refused(database, sent):
    payout, _ = sent
    provider = await a_provider(database)
    await a_statement(database, a_line(FEN), a_line(-FEN), a_line(-FEN + 1))
    into, out, other = [line.id for line in await the_lines(database)]

    for line_id, kind, target, refusal in (
        (into, MatchKind.CHARGE, None, MatchUnfit),
        (out, MatchKind.WALLET, 1, MatchUnfit),
        (into, MatchKind.WALLET, None, MatchUnfit),
        (into, MatchKind.WALLET, provider, OrganisationUnfit),
        (into, MatchKind.WALLET, 987_654, OrganisationMissing),
        (into, MatchKind.VOUCHER_FUND, 12, MatchUnfit),
        (out, MatchKind.PAYOUT, 987_654, PayoutMissing),
        (other, MatchKind.PAYOUT, payout.id, MatchUnfit),
        (into, MatchKind.RETURN, payout.id, PayoutNotReady),
        (into, MatchKind.CONTRA, other, MatchUnfit),
        (into, MatchKind.CONTRA, into, MatchUnfit),
        (into, MatchKind.CONTRA, None, MatchUnfit),
        (987_654, MatchKind.CHARGE, None, LineMissing),
    ):
        with pytest.raises(refusal):
            await explained(database, line_id, kind, target)

    assert (await the_balancing(database)).unexplained_lines == 3


async def test_a_transfer_that_was_sent_back_is_even_without_an_entry(database):
    await a_statement(database, a_line(700), a_line(-700))
    into, out = [line.id for line in await the_lines(database)]

    await explained(database, out, MatchKind.CONTRA, into, reason="误转退回")
    pair = await the_lines(database)
    with pytest.raises(LineNotReady):
        await explained(database, into, MatchKind.INTEREST)
    await undone(database, into)

    assert [line.status for line in pair] == ["matched", "matched"]
    assert [line.target_id for line in pair] == [out, into]
    assert {line.status for line in await the_lines(database)} == {"unmatched"}


async def test_a_match_is_taken_back_and_made_otherwise(database):
    right, wrong = await an_sme(database), await an_sme(database)
    statement = await a_statement(database, a_line(50_000, f"SC-W-{wrong}"))
    await matched(database, statement)
    line_id = (await the_lines(database))[0].id

    opened = await undone(database, line_id, reason="付款人来电")
    suspense = (await the_books(database))["bank_suspense"]
    with pytest.raises(LineNotReady):
        await undone(database, line_id)
    await explained(database, line_id, MatchKind.WALLET, right)

    assert (opened.status, opened.note, opened.match_id) == (
        "unmatched",
        "undone: 付款人来电",
        None,
    )
    assert suspense == -50_000
    assert await wallet_of(database, wrong) == 0
    assert await wallet_of(database, right) == 50_000
    assert (await verify(database)).ok


async def test_the_same_match_can_be_taken_back_and_made_again(database):
    sme = await an_sme(database)
    statement = await a_statement(database, a_line(50_000, f"SC-W-{sme}"))
    line_id = None
    for _ in range(3):
        await matched(database, statement)
        assert await wallet_of(database, sme) == 50_000
        line_id = (await the_lines(database))[0].id
        await undone(database, line_id)
        assert await wallet_of(database, sme) == 0

    assert (await the_balancing(database)).suspense_fen == 50_000


async def test_a_confirmed_payment_is_on_its_way_again_when_its_match_is_undone(database, sent):
    payout, number = sent
    statement = await a_statement(
        database, a_line(-FEN, payout.end_to_end_id, account=number), opening_fen=FEN
    )
    await matched(database, statement)
    line_id = (await the_lines(database))[1].id

    await undone(database, line_id)
    reopened = await the_payout(database, payout.id)
    in_transit = (await the_books(database))["payout_in_transit"]
    again = await matched(database, statement)

    assert (reopened.status, in_transit) == ("sent", -FEN)
    assert again.matched == {"payout": 1}


async def test_a_confirmation_is_not_undone_while_its_return_stands(database, sent):
    payout, _ = sent
    statement = await a_statement(
        database, a_line(-FEN, payout.end_to_end_id), a_line(FEN, payout.end_to_end_id)
    )
    await matched(database, statement)
    out, back = [line.id for line in await the_lines(database)]

    with pytest.raises(PayoutNotReady):
        await undone(database, out)
    await undone(database, back)
    await undone(database, out)

    assert (await the_payout(database, payout.id)).status == "sent"
    assert (await the_books(database))["payout_in_transit"] == -FEN


async def test_a_top_up_that_was_spent_cannot_be_taken_back(database):
    sme = await an_sme(database)
    statement = await a_statement(database, a_line(50_000, f"SC-W-{sme}"))
    await matched(database, statement)
    await a_posted_entry(
        database,
        debit=await an_account(database, AccountType.WALLET, sme),
        credit=await an_account(database, AccountType.PAYABLE, await a_provider(database)),
        amount_fen=1,
    )
    line_id = (await the_lines(database))[0].id

    with pytest.raises(InsufficientFunds):
        await undone(database, line_id)

    assert (await the_lines(database))[0].status == "matched"


async def test_lines_are_found_by_what_a_person_remembers(database):
    await a_statement(
        database,
        a_line(100, "设备费", name="甲公司"),
        a_line(-100, "退款", name="乙公司", booked_on=A_DAY + timedelta(days=2)),
        a_line(300, "100%", name="张三", account="62221111"),
    )

    async def amounts(**asked):
        return [line.amount_fen for line in await the_lines(database, **asked)]

    assert await amounts(text="公司") == [100, -100]
    assert await amounts(text="100%") == [300]
    assert await amounts(text="2222%") == []
    assert await amounts(text="62221") == [300]
    assert await amounts(amount_fen=100) == [100, -100]
    assert await amounts(from_on=A_DAY + timedelta(days=1)) == [-100]
    assert await amounts(until_on=A_DAY, status="unmatched") == [100, 300]
    assert await amounts(kind="wallet") == []


async def test_exceptions_show_how_long_they_have_waited(database, clock):
    await a_statement(
        database,
        a_line(100, booked_on=A_DAY - timedelta(days=100)),
        a_line(-30, booked_on=A_DAY - timedelta(days=20)),
        a_line(5),
    )

    standing = await the_balancing(database)

    assert [line.age_days for line in await the_lines(database, status="unmatched")] == [100, 20, 0]
    assert [(aged.up_to_days, aged.lines) for aged in standing.unexplained] == [
        (7, 1),
        (30, 1),
        (None, 1),
    ]
    assert (standing.unexplained_lines, standing.unexplained_fen) == (3, 75)
