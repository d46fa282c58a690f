"""A statement is imported whole or not at all, and books equal bank from then on."""

from datetime import date

import pytest

from marketplace.billing.ledger.errors import PeriodClosed
from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.use_cases import (
    ClosePeriod,
    LedgerName,
    ProposePeriod,
    close_period,
    propose_period,
)
from marketplace.billing.reconciliation.errors import (
    StatementDiscontinued,
    StatementKnown,
    StatementMissing,
    StatementTooLong,
    StatementUnreadable,
)
from marketplace.billing.reconciliation.queries import bank_months, statement_by_id
from marketplace.billing.reconciliation.rules import reading
from marketplace.demo.bank import ACCOUNT_NUMBER, DemoBank
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import atomically
from tests.builders.ledger import A_DAY, TEST
from tests.builders.parties import a_person
from tests.builders.payouts import the_books
from tests.builders.reconciliation import (
    BANK_ACCOUNT,
    a_file,
    a_line,
    a_statement,
    csv_file,
    imported,
    rows_of,
    the_balancing,
    the_lines,
)


async def test_what_came_in_and_went_out_is_summed_by_month(database):
    await a_statement(database, a_line(500_000), a_line(-120_050), a_line(3))

    found = await atomically(database, bank_months, A_DAY.replace(day=1), actor=TEST)
    later = await atomically(database, bank_months, date(2100, 1, 1), actor=TEST)

    assert [(500_003, 120_050)] == [(each.in_fen, each.out_fen) for each in found]
    assert found[0].month.day == 1
    assert later == []


async def test_every_line_is_booked_at_once_so_that_books_equal_bank(database):
    made = await a_statement(database, a_line(500_000), a_line(-120_050), a_line(3))

    assert (made.opening_fen, made.in_fen, made.out_fen, made.closing_fen) == (
        0,
        500_003,
        120_050,
        379_953,
    )
    assert (made.lines, made.known_lines, made.unmatched) == (3, 0, 3)
    assert await the_books(database) == {"bank": 379_953, "bank_suspense": -379_953}
    standing = await the_balancing(database)
    assert (standing.closing_fen, standing.ledger_fen, standing.difference_fen) == (
        379_953,
        379_953,
        0,
    )
    assert (standing.suspense_fen, standing.unexplained_fen) == (379_953, 379_953)
    assert (await verify(database)).ok


async def test_the_demos_bank_is_understood(database):
    bank = DemoBank()
    bank.receive(
        A_DAY, amount_fen=100_000_00, payer="省财政厅", payer_account="3201", remark="SC-V-2025"
    )
    bank.pay(A_DAY, amount_fen=12_345, payee="大学", payee_account="6222", remark="SC-P-1")
    first = bank.statement()
    bank.receive(A_DAY, amount_fen=1, payer="甲", payer_account="1", remark="x")
    second = bank.statement()

    assert first is not None
    assert second is not None
    await imported(database, first, account_number=ACCOUNT_NUMBER)
    made = await imported(database, second, account_number=ACCOUNT_NUMBER)

    assert made.closing_fen == bank.balance_fen == 9_987_656
    assert [line.remark for line in await the_lines(database)] == ["SC-V-2025", "SC-P-1", "x"]


async def test_what_an_account_had_before_is_a_line_of_its_own(database):
    await a_statement(database, a_line(-5_000), opening_fen=80_000)

    opening, first = await the_lines(database)
    account = (await the_balancing(database)).accounts[0]
    assert (opening.line_number, opening.amount_fen, opening.remark) == (0, 80_000, "期初余额")
    assert (opening.status, first.balance_fen) == ("unmatched", 75_000)
    assert (account.opening_fen, account.in_fen, account.out_fen, account.closing_fen) == (
        80_000,
        0,
        5_000,
        75_000,
    )
    assert (await the_books(database))["bank"] == 75_000


async def test_a_line_of_nothing_is_kept_and_moves_nothing(database):
    made = await a_statement(database, a_line(100), a_line(0, "短信通知"))

    assert [line.status for line in await the_lines(database)] == ["unmatched", "ignored"]
    assert made.unmatched == 1


async def test_the_same_file_again_is_told_to_be_known(database):
    made = await a_statement(database, a_line(100, reference="R1"))

    with pytest.raises(StatementKnown) as again:
        await a_statement(database, a_line(100, reference="R1"))
    in_utf8 = a_file([a_line(100, reference="R1")], encoding="utf-8-sig")
    with pytest.raises(StatementKnown) as as_utf8:
        await imported(database, in_utf8)
    with pytest.raises(StatementMissing):
        await atomically(database, statement_by_id, 999, actor=TEST)

    assert again.value.extras == {"statement_id": made.id}
    assert "earlier files" in as_utf8.value.detail
    assert len(await the_lines(database)) == 1


async def test_an_overlapping_file_brings_only_what_is_new(database):
    lines = [a_line(100 + number) for number in range(6)]
    await a_statement(database, *lines[:4])

    made = await a_statement(database, *lines[2:], opening_fen=100 + 101)

    assert (made.lines, made.known_lines) == (2, 2)
    assert (made.opening_fen, made.closing_fen) == (406, 615)
    assert [line.amount_fen for line in await the_lines(database)] == list(range(100, 106))
    assert (await the_balancing(database)).difference_fen == 0


async def test_lines_without_a_number_of_the_bank_are_known_by_what_they_say(database):
    alike = [a_line(100, reference="") for _ in range(3)]
    await a_statement(database, *alike[:2])

    made = await a_statement(database, *alike)

    assert (made.lines, made.known_lines, made.closing_fen) == (1, 2, 300)


async def test_a_transfer_and_its_fee_may_share_a_number_of_the_bank(database):
    made = await a_statement(
        database, a_line(5_000), a_line(-1_000, reference="R9"), a_line(-10, reference="R9")
    )

    assert made.lines == 3


async def test_a_statement_with_a_gap_before_it_is_refused(database):
    await a_statement(database, a_line(1_000))

    with pytest.raises(StatementDiscontinued) as gap:
        await a_statement(database, a_line(5), opening_fen=1_500)
    made = await a_statement(database, a_line(5), opening_fen=1_000)

    assert (gap.value.extras["limit"], gap.value.extras["asked"]) == (1_000, 1_500)
    assert made.previous_id is not None


async def test_two_accounts_have_a_chain_each_and_add_up_together(database):
    await a_statement(database, a_line(1_000))
    await a_statement(database, a_line(70), account_number="11112222333344445555")
    await a_statement(database, a_line(1), opening_fen=1_000)

    standing = await the_balancing(database)
    assert [account.closing_fen for account in standing.accounts] == [70, 1_001]
    assert (standing.closing_fen, standing.difference_fen) == (1_071, 0)


async def test_everything_that_is_wrong_is_listed_and_nothing_is_imported(database):
    rows = rows_of([a_line(100), a_line(200), a_line(300), a_line(400)])
    rows[1][0] = "03/03"
    rows[2][2] = "12,34.00"
    rows[3][1] = "1.00"

    with pytest.raises(StatementUnreadable) as wrong:
        await imported(database, csv_file(rows))

    told = [
        (one.asked["line"], one.asked["column"], one.asked["value"]) for one in wrong.value.reasons
    ]
    assert told == [
        (2, "交易日期", "03/03"),
        (3, "贷方发生额", "12,34.00"),
        (4, "借方发生额", "1.00"),
    ]
    assert wrong.value.extras["total"] == 3
    assert await the_lines(database) == []
    assert await the_books(database) == {}


async def test_a_balance_that_does_not_follow_is_told_with_its_line(database):
    rows = rows_of([a_line(100), a_line(200), a_line(300)])
    rows[2][3] = "3.01"

    with pytest.raises(StatementUnreadable) as wrong:
        await imported(database, csv_file(rows))

    assert [(one.asked["line"], one.asked["column"]) for one in wrong.value.reasons] == [
        (3, "余额"),
        (4, "余额"),
    ]


async def test_the_file_of_another_account_or_currency_is_refused(database):
    preamble = [["账号", "6222****9999", "币种", "美元"]]

    with pytest.raises(StatementUnreadable) as wrong:
        await imported(database, csv_file([*preamble, *rows_of([a_line(100)])]))
    with pytest.raises(StatementUnreadable):
        await imported(database, a_file([a_line(100)]), account_number="12")

    assert [one.asked["column"] for one in wrong.value.reasons] == ["账号", "币种"]


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04nothing", b"a,b\n1,2\n"])
async def test_what_is_no_statement_is_refused_with_a_sentence(database, content):
    with pytest.raises(StatementUnreadable) as wrong:
        await imported(database, content)

    assert wrong.value.detail


async def test_a_statement_has_a_limit(database, monkeypatch):
    monkeypatch.setattr(reading, "LINES_MAX", 5)

    with pytest.raises(StatementTooLong):
        await a_statement(database, *(a_line(1) for _ in range(6)))
    with pytest.raises(StatementTooLong):
        await imported(database, b"x" * (20 * 1024 * 1024 + 1))


async def test_a_line_of_a_closed_day_is_refused(database):
    other = Actor(await a_person(database), 1, "centre")
    february = ProposePeriod(LedgerName.CASH, date(2025, 2, 1), date(2025, 2, 28))
    period_id = await atomically(database, propose_period, february, actor=TEST)
    await atomically(database, close_period, ClosePeriod(period_id), actor=other)

    with pytest.raises(PeriodClosed):
        await a_statement(database, a_line(1, booked_on=date(2025, 2, 28)))
    made = await a_statement(database, a_line(1, booked_on=date(2025, 3, 1)))

    assert made.from_on == date(2025, 3, 1)


async def test_the_days_that_a_file_says_it_covers_are_kept(database):
    preamble = [["起止日期：20250301-20250331"], ["账号", BANK_ACCOUNT]]

    made = await imported(database, csv_file([*preamble, *rows_of([a_line(100)])]))

    assert (made.from_on, made.until_on) == (date(2025, 3, 1), date(2025, 3, 31))


async def test_many_lines_are_imported_in_a_moment(database):
    made = await a_statement(database, *(a_line(100 + number) for number in range(5_000)))

    assert made.lines == 5_000
    assert (await the_balancing(database)).difference_fen == 0
