"""Statements, lines and matches against somebody who writes SQL: refused, under a name."""

import asyncpg
import pytest
import pytest_asyncio

from marketplace.billing.reconciliation.rules.states import MatchKind
from tests.builders.reconciliation import a_line, a_statement, explained, matched, the_lines

STATEMENT = """
insert into bank_statement (account_number, previous_id, file_name, file_sha256, from_on, until_on,
  opening_fen, in_fen, out_fen, closing_fen, lines, known_lines, imported_by, imported_at)
values ({account_number}, {previous_id}, 'x', {file_sha256}, '2025-03-01', {until_on},
  {opening_fen}, {in_fen}, 0, {closing_fen}, {lines}, 0, 1, now())
"""
MATCH = """
insert into line_match (line_id, amount_fen, kind, target_id, reference, how, rule, reason,
  entry_id, matched_by, matched_at)
values ({line_id}, {amount_fen}, {kind}, 1, {reference}, 'manual', 'x', {reason}, {entry_id}, 1,
  now())
"""


@pytest_asyncio.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def refused(sql, statement: str) -> str:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await sql.execute(statement)
    return str(getattr(caught.value, "constraint_name", None))


@pytest.fixture
async def statement(database):
    """Of 1,000 fen in and 300 out; the first line is matched by hand, by an entry of its own."""
    made = await a_statement(database, a_line(1_000), a_line(-300))
    line = (await the_lines(database))[0]
    await explained(database, line.id, MatchKind.VOUCHER_FUND)
    return made


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "bank_statement_one_chain"),
        ({"previous_id": "{id}", "opening_fen": 699}, "bank_statement_continues"),
        ({"previous_id": "{id}", "account_number": "'88888888'"}, "bank_statement_continues"),
        ({"account_number": "'8888 8888'"}, "bank_statement_account"),
        ({"in_fen": 2}, "bank_statement_balanced"),
        ({"lines": 0}, "bank_statement_lines"),
        ({"until_on": "'2025-02-01'"}, "bank_statement_days"),
        (
            {
                "previous_id": "{id}",
                "file_sha256": "(select file_sha256 from bank_statement where id = {id})",
            },
            "bank_statement_file",
        ),
    ],
)
async def test_statements_of_an_account_are_one_chain(sql, statement, changes, constraint):
    given = {
        "account_number": f"'{statement.account_number}'",
        "previous_id": "null",
        "file_sha256": "'\\x01'",
        "until_on": "'2025-03-01'",
        "opening_fen": 700,
        "in_fen": 1,
        "closing_fen": changes.get("opening_fen", 700) + 1,
        "lines": 1,
    }
    written = {
        name: value.format(id=statement.id) if isinstance(value, str) else value
        for name, value in (given | changes).items()
    }

    assert constraint == await refused(sql, STATEMENT.format(**written))


@pytest.mark.parametrize(
    ("attack", "constraint"),
    [
        ("update bank_statement set closing_fen = 1", "bank_statement_append_only"),
        ("delete from bank_statement", "bank_statement_append_only"),
        ("update statement_line set amount_fen = 7", "statement_line_append_only"),
        ("update statement_line set remark = 'x'", "statement_line_append_only"),
        ("delete from statement_line", "statement_line_append_only"),
        ("update statement_line set status = 'lost'", "statement_line_status"),
        ("update statement_line set status = 'ignored'", "statement_line_ignored"),
        ("update statement_line set status = 'matched'", "statement_line_matches"),
        ("update line_match set target_id = 7", "line_match_append_only"),
        ("update line_match set entry_id = null", "line_match_append_only"),
        ("update line_match set undone_at = now()", "line_match_undone"),
        ("delete from line_match", "line_match_append_only"),
    ],
)
async def test_what_the_bank_said_and_what_was_matched_stays(sql, statement, attack, constraint):
    assert constraint == await refused(sql, attack)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({}, "line_match_entry_once"),
        (
            {
                "line_id": "(select min(id) from statement_line)",
                "amount_fen": 1_000,
                "kind": "'interest'",
                "entry_id": "(select min(id) from entry)",
            },
            "line_match_one_stands",
        ),
        ({"amount_fen": -299, "entry_id": "(select min(id) from entry)"}, "line_match_line_fkey"),
        ({"kind": "'wallet'"}, "line_match_direction"),
        ({"kind": "'gift'", "amount_fen": 300}, "line_match_kind"),
        ({"kind": "'payout'"}, "line_match_reference"),
        ({"reference": "'SC-P-1'"}, "line_match_reference"),
        ({"entry_id": "null"}, "line_match_entry"),
        ({"kind": "'contra'"}, "line_match_entry"),
        ({"reason": "''"}, "line_match_reason"),
    ],
)
async def test_a_match_is_whole_once_and_has_its_entry(sql, statement, changes, constraint):
    given = {
        "line_id": "(select max(id) from statement_line)",
        "amount_fen": -300,
        "kind": "'charge'",
        "reference": "null",
        "reason": "'x'",
        "entry_id": "(select entry_id from line_match)",
    }

    assert constraint == await refused(sql, MATCH.format(**(given | changes)))


async def test_a_line_is_known_once_in_any_statement(sql, statement):
    copied = """insert into statement_line (statement_id, line_number, identity, booked_on,
      amount_fen, balance_fen, counterparty_name, counterparty_account, remark, bank_reference,
      status) select statement_id, {}, identity, booked_on, 1, 1, '', '', '', '', 'unmatched'
      from statement_line order by id limit 1"""

    assert "statement_line_identity" == await refused(sql, copied.format(9))
    assert "statement_line_number" == await refused(sql, copied.format(1))
    assert "statement_line_numbered" == await refused(sql, copied.format(-1))


async def test_a_match_that_was_undone_stays_so(database, sql, statement):
    await matched(database, statement)
    await sql.execute("update line_match set undone_at = now(), undone_by = 1, undo_reason = 'x'")

    assert "line_match_append_only" == await refused(
        sql, "update line_match set undone_at = null, undone_by = null, undo_reason = null"
    )


async def test_two_persons_sign_a_period_off(sql):
    await sql.execute(
        """insert into period (ledger, first_on, last_on, made_by, made_at)
        values ('cash', '2025-02-01', '2025-02-28', 1, now())"""
    )
    draft = """insert into reconciliation_period (ledger_period_id, first_on, last_on, status,
      balancing, made_by, made_at, approved_by, approved_at)
      values (1, '2025-02-01', {}, {}, '{{}}', 1, now(), {}, {})"""

    for values, constraint in (
        (("'2025-02-28'", "'signed'", "1", "now()"), "reconciliation_period_two_persons"),
        (("'2025-02-28'", "'signed'", "null", "null"), "reconciliation_period_signed"),
        (("'2025-01-01'", "'draft'", "null", "null"), "reconciliation_period_days"),
        (("'2025-02-28'", "'open'", "null", "null"), "reconciliation_period_status"),
    ):
        assert constraint == await refused(sql, draft.format(*values))
    good = draft.format("'2025-02-28'", "'draft'", "null", "null")
    await sql.execute(good)
    assert "reconciliation_period_of_ledger" == await refused(sql, good)
