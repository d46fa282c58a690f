"""The ledger against somebody who writes SQL: each attack is refused, under a name."""

from __future__ import annotations

import asyncpg
import pytest
import pytest_asyncio

from marketplace.billing.ledger.queries import verify
from marketplace.billing.ledger.rules.chart import CHART, AccountType
from tests.builders.ledger import (
    a_hold,
    a_payable,
    a_posted_entry,
    a_wallet,
    an_account,
)
from tests.builders.parties import a_person

NEW_ENTRY = """
insert into entry (ledger, kind, effective_on, posted_at, key, request_sha256, source_kind,
                   source_id, remark, made_by, approved_by, reverses, xid)
values ({ledger}, {kind}, {effective_on}, now(), {key}, '', {source_kind}, {source_id}, {remark}, 1,
        {approved_by}, {reverses}, coalesce({xid}::bigint, ledger_xid()))
returning id
"""


def entry_sql(**changes: object) -> str:
    """An entry without its lines, as a statement that answers its id."""
    given = {"ledger": "cash", "kind": "wallet_top_up", "effective_on": "2025-03-03", "key": "raw"}
    source = {"source_kind": "test", "source_id": 1, "remark": ""}
    nothing = {"approved_by": None, "reverses": None, "xid": None}
    values = given | source | nothing | changes
    written = {
        name: "null" if value is None else value if isinstance(value, int) else f"'{value}'"
        for name, value in values.items()
    }
    return NEW_ENTRY.format(**written)


async def new_entry(sql: asyncpg.Connection, **changes: object) -> None:
    await sql.execute(entry_sql(**changes))


LINES = """
insert into posting (entry_id, account_id, ledger, amount_fen, account_seq, balance_after_fen)
select {entry}, a, account.ledger, m, s, b
from (values {lines}) as l (a, m, s, b) join account on account.id = a
"""


async def new_lines(sql: asyncpg.Connection, entry_id: int, lines: str) -> None:
    """`lines` are (account, amount, seq, balance after) as SQL values."""
    await sql.execute(LINES.format(entry=entry_id, lines=lines))


async def new_entry_with(sql: asyncpg.Connection, lines: str, **changes: object) -> None:
    """An entry and its lines in one statement, as the ledger's own functions write them."""
    entry = entry_sql(**changes)
    written = LINES.format(entry="made.id", lines=lines)
    await sql.execute(f"with made as ({entry}) {written.rstrip()} cross join made")


@pytest_asyncio.fixture
async def sql(database_url):
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def books(database):
    """Two wide accounts (bank, suspense), a wallet with 1,000 fen of which 400 are held."""
    wallet = await a_wallet(database, funds_fen=1_000)
    bank = await an_account(database, AccountType.BANK)
    suspense = await an_account(database, AccountType.BANK_SUSPENSE)
    hold = await a_hold(database, account_id=wallet, amount_fen=400)
    yield {"wallet": wallet, "bank": bank, "suspense": suspense, "hold": hold}
    # Whatever was tried, nothing came of it.
    report = await verify(database)
    assert report.problems == []


def refused_by(constraint: str):
    return pytest.raises(asyncpg.PostgresError, check=lambda e: e.constraint_name == constraint)


@pytest.mark.parametrize("table", ["entry", "posting", "hold", "hold_end", "seal"])
@pytest.mark.parametrize("attack", ["update {0} set {1} = {1}", "delete from {0}"])
async def test_what_is_written_is_not_changed(database, sql, books, table, attack):
    released = await a_hold(database, account_id=books["wallet"], amount_fen=1)
    await sql.execute(f"select ledger_release_hold({released}, 1, now())")
    await sql.execute("select ledger_seal(10, now())")
    column = {"posting": "amount_fen", "hold_end": "how", "seal": "entries"}.get(table, "id")
    if attack.startswith("update") and table in ("entry", "hold"):
        column = "key"

    with refused_by(f"{table}_append_only"):
        await sql.execute(attack.format(table, column))


@pytest.mark.parametrize(
    "table", ["account", "entry", "posting", "hold", "hold_end", "period", "seal"]
)
async def test_no_table_is_emptied(sql, books, table):
    with refused_by(f"{table}_append_only"):
        await sql.execute(f"truncate {table} cascade")


@pytest.mark.parametrize(
    "change",
    [
        "min_available_fen = -1000000",
        "max_balance_fen = 1",
        "type = 'payable'",
        "owner_id = 5",
        "normal = 1",
        "cached = false",
        "ledger = 'voucher'",
    ],
)
async def test_of_an_account_only_the_balance_moves(sql, books, change):
    with refused_by("account_append_only"):
        await sql.execute(f"update account set {change} where id = {books['wallet']}")
    with refused_by("account_append_only"):
        await sql.execute(f"delete from account where id = {books['wallet']}")


@pytest.mark.parametrize(
    ("account", "constraint"),
    [
        ("'cash', 'reward_fund', null, null, 1, 0, null, true", "account_type_fkey"),
        ("'voucher', 'reward_fund', null, null, -1, 0, null, true", "account_type_fkey"),
        ("'cash', 'wallet', null, null, -1, 0, null, true", "account_owner"),
        ("'cash', 'wallet', 'organisation', null, -1, 0, null, true", "account_owner"),
        ("'cash', 'reward_fund', 'organisation', 5, -1, 0, null, true", "account_owner"),
        ("'cash', 'wallet', 'organisation', 5, -1, null, null, true", "account_limits"),
        ("'cash', 'wallet', 'organisation', 5, -1, -1, null, true", "account_limits"),
        ("'cash', 'fee_income', null, null, -1, null, 9, false", "account_limits"),
    ],
)
async def test_an_account_is_what_its_type_says(sql, account, constraint):
    with refused_by(constraint):
        await sql.execute(
            "insert into account (ledger, type, owner_kind, owner_id, normal, min_available_fen,"
            f" max_balance_fen, cached, opened_at) values ({account}, now())"
        )


async def test_a_wide_account_is_never_closed(sql, books):
    with refused_by("account_append_only"):
        await sql.execute(f"update account set closed_at = now() where id = {books['bank']}")


async def test_the_chart_in_the_database_is_the_chart_in_the_code(sql):
    rows = await sql.fetch("select * from account_type")

    assert {row["type"]: tuple(row)[1:] for row in rows} == {
        str(type): (
            str(facts.ledger),
            facts.normal,
            facts.owner_kind,
            not facts.wide,
            facts.min_available_fen,
        )
        for type, facts in CHART.items()
    }


async def test_lines_that_do_not_balance_are_refused(sql, books):
    bank, suspense = books["bank"], books["suspense"]

    for lines in (
        f"({bank}, 5, null::bigint, null::bigint), ({suspense}, -4, null, null)",
        f"({bank}, 5, null::bigint, null::bigint)",
    ):
        with refused_by("ledger_entry_balanced"):
            await new_entry_with(sql, lines)


async def test_an_entry_without_lines_is_refused_at_once(sql, books):
    with refused_by("ledger_entry_lines"):
        await new_entry(sql)
    bank, suspense = books["bank"], books["suspense"]
    with refused_by("ledger_entry_lines"):
        # One of the two has lines.
        await sql.execute(
            f"with bare as ({entry_sql(key='bare')}), made as ({entry_sql(key='made')})"
            + LINES.format(
                entry="made.id",
                lines=f"({bank}, 5, null::bigint, null::bigint), ({suspense}, -5, null, null)",
            ).rstrip()
            + " cross join made"
        )


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"kind": ""}, "entry_kind"),
        ({"kind": "Top Up"}, "entry_kind"),
        ({"kind": "k" * 41}, "entry_kind"),
        ({"kind": "reversal"}, "entry_reversal"),
        ({"effective_on": "1999-12-31"}, "entry_effective_on"),
        ({"effective_on": "2101-01-01"}, "entry_effective_on"),
        ({"key": ""}, "entry_key_length"),
        ({"key": "k" * 201}, "entry_key_length"),
        ({"source_kind": "Test"}, "entry_source"),
        ({"source_kind": "s" * 41}, "entry_source"),
        ({"source_id": -1}, "entry_source"),
        ({"remark": "r" * 501}, "entry_remark_length"),
    ],
)
async def test_an_entry_has_its_shape(sql, books, changes, rule):
    bank, suspense = books["bank"], books["suspense"]
    lines = f"({bank}, 5, null::bigint, null::bigint), ({suspense}, -5, null, null)"

    with refused_by(rule):
        await new_entry_with(sql, lines, **changes)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("(999999, 5, null::bigint, null::bigint)", None),
        ("({bank}, 5, 1::bigint, 5::bigint)", "ledger_account_chain"),
        ("({bank}, 5, null::bigint, 5::bigint)", "ledger_account_chain"),
        ("({wallet}, 5, 2::bigint, null::bigint)", "ledger_account_chain"),
    ],
)
async def test_a_line_names_an_account_and_continues_it_or_is_on_a_wide_one(sql, books, line, rule):
    lines = f"{line.format(**books)}, ({books['suspense']}, -5, null, null)"
    made = f"with made as ({entry_sql()})"

    with refused_by(rule or "ledger_account_missing"):
        await sql.execute(
            f"{made} insert into posting (entry_id, account_id, ledger, amount_fen, account_seq,"
            f" balance_after_fen) select made.id, a, 'cash', m, s, b"
            f" from made cross join (values {lines}) as l (a, m, s, b)"
        )


async def test_a_line_names_an_entry(sql, books):
    bank, suspense = books["bank"], books["suspense"]
    with refused_by("ledger_account_missing"):
        await new_lines(
            sql, 999_999, f"({bank}, 5, null::bigint, null::bigint), ({suspense}, -5, null, null)"
        )


async def test_an_entry_pretends_no_other_transaction(sql, books):
    wide = f"({books['bank']}, 5, null::bigint, null::bigint)"

    with refused_by("ledger_late_lines"):
        await new_entry_with(sql, f"{wide}, ({books['suspense']}, -5, null, null)", xid=3)


async def test_late_lines_are_refused_even_when_they_balance(database, sql, books):
    spare = await a_payable(database)
    entry = await a_posted_entry(database, debit=books["bank"], credit=spare)
    other = await an_account(database, AccountType.FEE_INCOME)
    wide = f"({books['suspense']}, 5, null::bigint, null::bigint), ({other}, -5, null, null)"

    with refused_by("ledger_late_lines"):
        await new_lines(sql, entry, wide)


async def test_lines_beside_the_cached_balance_are_refused(sql, books):
    wallet, bank = books["wallet"], books["bank"]

    for line in (
        f"({wallet}, 5, null::bigint, null::bigint)",
        f"({wallet}, 5, 2::bigint, -995::bigint)",
    ):
        with refused_by("ledger_account_chain"):
            await new_entry_with(sql, f"{line}, ({bank}, -5, null, null)")
    with refused_by("posting_account_seq"):
        lines = f"({wallet}, 5, 1::bigint, -995::bigint), ({bank}, -5, null, null)"
        await new_entry_with(sql, lines)


async def test_no_entry_crosses_from_one_ledger_to_the_other(database, sql, books):
    layer = await an_account(database, AccountType.APPROPRIATION, 3)

    with refused_by("ledger_one_ledger"):
        wide = f"({books['bank']}, 5, null::bigint, null::bigint), ({layer}, -5, null, null)"
        await new_entry_with(sql, wide)


async def test_a_reversal_is_the_exact_negation_and_there_is_one(database, sql, books):
    bank, suspense = books["bank"], books["suspense"]
    entry = await a_posted_entry(database, debit=bank, credit=suspense, amount_fen=5)

    with refused_by("ledger_reversal_exact"):
        part = f"({bank}, -4, null::bigint, null::bigint), ({suspense}, 4, null, null)"
        await new_entry_with(sql, part, kind="reversal", reverses=entry)
    with refused_by("entry_reversal"):
        await new_entry(sql, kind="wallet_top_up", reverses=entry)
    reversal = f"select (ledger_reverse({entry}, '2025-03-03', 'r1', 'x', 1, null, now())).entry_id"
    reversal_id = await sql.fetchval(reversal)
    with refused_by("entry_reversed_once"):
        await sql.fetchval(reversal.replace("r1", "r2"))
    with refused_by("ledger_reversal_final"):
        whole = f"({bank}, 5, null::bigint, null::bigint), ({suspense}, -5, null, null)"
        await new_entry_with(sql, whole, kind="reversal", reverses=reversal_id)


async def test_nobody_approves_what_they_made(sql, books):
    with refused_by("entry_approved_by_another"):
        await new_entry(sql, approved_by=1)
    with refused_by("period_approved_by_another"):
        await sql.execute(
            "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by,"
            " closed_at, trial_balance)"
            " values ('cash', '2025-01-01', '2025-01-31', 1, now(), 1, now(), '[]')"
        )


async def test_no_balance_and_no_hold_goes_below_zero(sql, books):
    for change in ("posted_fen = posted_fen + 601", "held_fen = held_fen + 601"):
        with refused_by("account_min_available"):
            await sql.execute(f"update account set {change} where id = {books['wallet']}")
    with refused_by("account_held"):
        await sql.execute(f"update account set held_fen = -1 where id = {books['wallet']}")
    with refused_by("account_wide"):
        await sql.execute(f"update account set posted_fen = 1 where id = {books['bank']}")


async def test_a_hold_ends_once_and_within_what_was_held(sql, books):
    hold = books["hold"]
    end = "insert into hold_end values ({}, {}, 'settled', {}, 1, now(), 1)"

    with refused_by("hold_end_within_hold"):
        await sql.execute(end.format(hold, 400, 401))
    with refused_by("hold_end_hold_fkey"):
        await sql.execute(end.format(hold, 500, 401))
    with refused_by("hold_end_within_hold"):
        await sql.execute(
            f"select ledger_settle_hold({hold}, 401, {books['suspense']}, 'order_settled',"
            " '2025-03-03', 'k', 'test', 1, 1, '', now())"
        )
    await sql.execute(f"select ledger_release_hold({hold}, 1, now())")
    with refused_by("hold_end_pkey"):
        await sql.execute(end.format(hold, 400, 400))


@pytest.mark.parametrize(
    ("amounts", "constraint"),
    [("{0,0}", "posting_amount"), ("{1000000000001,-1000000000001}", "posting_amount")],
)
async def test_a_line_moves_something_and_not_the_moon(sql, books, amounts, constraint):
    accounts = f"{{{books['bank']},{books['suspense']}}}"

    with refused_by(constraint):
        await sql.execute(
            f"select ledger_post('bank_charge', '2025-03-03', '{accounts}', '{amounts}',"
            " 'k', 'test', 1, 1, null, null, '', now())"
        )


async def test_a_number_too_large_for_the_column_is_refused(sql, books):
    accounts = f"{{{books['bank']},{books['suspense']}}}"

    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await sql.execute(
            f"select ledger_post('bank_charge', '2025-03-03', '{accounts}',"
            " '{9223372036854775808,-9223372036854775808}',"
            " 'k', 'test', 1, 1, null, null, '', now())"
        )


async def test_accounts_come_once_and_in_order(sql, books):
    for accounts in (
        f"{{{books['suspense']},{books['bank']}}}",
        f"{{{books['bank']},{books['bank']}}}",
    ):
        with refused_by("ledger_accounts_ascending"):
            await sql.execute(
                f"select ledger_post('bank_charge', '2025-03-03', '{accounts}', '{{5,-5}}',"
                " 'k', 'test', 1, 1, null, null, '', now())"
            )


async def test_a_closed_period_stays_as_it_was_closed(database, sql, books):
    second = await a_person(database)
    await sql.execute(
        "insert into period (ledger, first_on, last_on, made_by, made_at, approved_by, closed_at,"
        f" trial_balance) values ('cash', '2025-01-01', '2025-01-31', 1, now(), {second}, now(),"
        " '[]')"
    )

    for attack in ("update period set last_on = '2025-01-30'", "delete from period"):
        with refused_by("period_append_only"):
            await sql.execute(attack)
    with refused_by("period_no_overlap"):
        await sql.execute(
            "insert into period (ledger, first_on, last_on, made_by, made_at)"
            " values ('cash', '2025-01-31', '2025-02-28', 1, now())"
        )
