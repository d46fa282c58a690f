"""Payments and the lines of a bank of which the truth is known: what matching is measured on.

Two worlds. The *round* one has sums of whole tens of yuan and five payments to an account. The
*unseen* one has other shares, sums to the fen, three payments to an account, and what the first has
not: mistyped and cut references, sums without a reference, returns without one, twins that nobody
can tell apart, and transfers that somebody made by hand to a payee.
"""

from __future__ import annotations

import asyncpg

# Of a hundred payments, what becomes of each; the rest has no line.
WORLDS = {
    "round": {
        "reference": 70,
        "lost": 7,
        "wrong": 4,
        "parts": 4,
        "merged": 4,
        "late": 4,
        "returned": 3,
        "name": 2,
        "stranger": 1,
    },
    "unseen": {
        "reference": 55,
        "lost": 9,
        "typo": 4,
        "cut": 1,
        "wrong": 2,
        "parts": 3,
        "merged": 4,
        "late": 4,
        "returned": 2,
        "returned_bare": 2,
        "name": 3,
        "split_bare": 3,
        "twin": 1,
        "stranger": 2,
        "by_hand": 2,
    },
}
AMOUNT = {
    "round": "100000 + pg_temp.dice(p.id, 1) % 500 * 1000",
    "unseen": "30000 + pg_temp.dice(p.id, 1) % 900000",
}
PER_ACCOUNT = {"round": 5, "unseen": 3}
# Of a hundred accounts, so many have all that was sent to them paid in one transfer.
MERGED_ACCOUNTS = {"round": 0, "unseen": 5}

FILL = """
set session_replication_role = replica;
create function pg_temp.dice(given bigint, salt integer) returns bigint language sql immutable as
$$ select abs(hashint8extended(given * 31 + salt, {seed})) $$;
insert into bank_account (organisation_id, bank_name, cnaps, number, holder, made_by, made_at)
  select n, 'bank', '105301000013', (6222000000000000 + n)::text, '单位' || n / 2, 1, now()
    from generate_series(1, {accounts}) n;
create temp table fate as
  select p.id, account, 'SC-P-' || p.id as reference, b.number, b.holder,
    date '2025-03-01' + (p.id % 10)::integer as sent_on, {amount} as amount_fen,
    case when pg_temp.dice(account, 2) % 100 < {merged_accounts} then 'merged_bare'
      else {kinds} end as kind
  from (
    select n as id, 1 + pg_temp.dice(n, 3) % {accounts} as account,
      pg_temp.dice(n, 4) % 100 as chance
    from generate_series(1, {lines}::bigint) n) p
  join bank_account b on b.id = p.account;
-- Twins are two payments of one sum to one account, sent on one day.
update fate t set account = f.account, number = f.number, holder = f.holder,
    amount_fen = f.amount_fen, sent_on = f.sent_on, kind = 'twin'
  from fate f where f.kind = 'twin' and t.id = f.id + 1 and t.kind = 'reference';
insert into payout (id, organisation_id, amount_fen, source_kind, source_id, debit_account_id,
    status, batch_id, bank_account_id, instructed_by, instructed_at, sent_at, confirmed_on)
  overriding system value
  select id, 1, amount_fen, 'claim', id, 1,
    case when kind like 'returned%' then 'confirmed' else 'sent' end, 1, account, 1, now(),
    sent_on::timestamp at time zone 'Asia/Shanghai' + interval '2 hours',
    case when kind like 'returned%' then date '2025-03-12' end
  from fate;
create table truth (line_id bigint, payout_id bigint, kind text);
create temp table made (payouts bigint[], kind text, booked_on date, amount_fen bigint,
  name text default '', account text default '', named text[] default '{{}}',
  remark text default '');
insert into made select array[id], kind, sent_on + (id % 4)::integer, -amount_fen, holder, number,
  array[reference] from fate where kind = 'reference';
insert into made select array[id], kind, sent_on + 1, -amount_fen, holder, number
  from fate where kind in ('lost', 'twin');
-- One digit of the number is another one; the last is missing; it is that of another payment.
insert into made select array[id], kind, sent_on + 1, -amount_fen, holder, number,
    array[overlay(reference placing (id % 9 + 1)::text
      from 6 + (pg_temp.dice(id, 5) % length(id::text))::integer for 1)]
  from fate where kind = 'typo';
insert into made select array[id], kind, sent_on + 1, -amount_fen, holder, number,
    array[left(reference, -1)] from fate where kind = 'cut' and id > 9;
insert into made select array[id], kind, sent_on + 1, -amount_fen, holder, number,
    array['SC-P-' || greatest(1, id - 60)] from fate where kind = 'wrong';
insert into made select array[id], kind, sent_on + 1 + part,
    -case part when 0 then amount_fen / 3 else amount_fen - amount_fen / 3 end, holder, number,
    array[reference] from fate, generate_series(0, 1) part where kind = 'parts';
insert into made select array_agg(id), 'merged', max(sent_on) + 1, -sum(amount_fen), '', '',
    array_agg(reference order by reference) from fate where kind = 'merged' group by id / 60;
insert into made select array[id], kind, sent_on + 25, -amount_fen, holder, number
  from fate where kind = 'late';
insert into made select array[id], kind, date '2025-03-14', amount_fen, holder, number,
    case kind when 'returned' then array[reference] else '{{}}' end, '退汇'
  from fate where kind like 'returned%';
insert into made select array[id], kind, sent_on + 2, -amount_fen, holder from fate
  where kind = 'name';
insert into made select array[id], kind, sent_on + 1 + part,
    -case part when 0 then amount_fen * 37 / 100 else amount_fen - amount_fen * 37 / 100 end,
    holder, number from fate, generate_series(0, 1) part where kind = 'split_bare';
insert into made select array_agg(id), 'merged_bare', max(sent_on) + 1, -sum(amount_fen), holder,
    number from fate where kind = 'merged_bare' group by holder, number having count(*) < 19;
insert into made select '{{}}', kind, sent_on + 2, -amount_fen - 7000, 'stranger', number
  from fate where kind = 'stranger';
insert into made select '{{}}', kind, sent_on + 2, -30000 - pg_temp.dice(id, 6) % 900000, holder,
    number from fate where kind = 'by_hand';
insert into statement_line (statement_id, line_number, identity, booked_on, amount_fen, balance_fen,
    counterparty_name, counterparty_account, remark, bank_reference, status, named)
  overriding user value
  select 1, row_number() over (), sha256(ctid::text::bytea), booked_on, amount_fen, 0, name,
    account, array_to_string(named, ' ') || remark, '', 'unmatched', named from made;
insert into truth select l.id, p, m.kind from (
    select row_number() over () as line_number, payouts, kind from made) m
  join statement_line l using (line_number) cross join lateral unnest(m.payouts) p;
drop table fate;
drop table made;
set session_replication_role = origin;
vacuum analyze statement_line, payout, bank_account, truth;
"""


async def fill(plain: asyncpg.Connection, world: str, *, lines: int, seed: int) -> None:
    """Write payments, lines and the truth about them into an empty migrated database."""
    kinds, until = "case", 0
    for kind, share in WORLDS[world].items():
        until += share
        kinds += f" when chance < {until} then '{kind}'"
    words = {
        "lines": lines,
        "accounts": max(1, lines // PER_ACCOUNT[world]),
        "amount": AMOUNT[world],
        "merged_accounts": MERGED_ACCOUNTS[world],
        "kinds": f"{kinds} else 'none' end",
        "seed": seed,
    }
    for statement in FILL.format(**words).split(";\n"):
        if statement.strip():
            await plain.execute(statement)
