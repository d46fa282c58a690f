"""The statements of each stage of matching: which lines are which payments, and how that is known.

A stage reads what earlier ones left in `open_line` and `open_payment`. What two stages have in
common is written once: a stage is text with these words filled in.
"""

from __future__ import annotations

from marketplace.billing.reconciliation.rules.scoring import Stage

LINES = """
create temp table open_line on commit drop as
select id, booked_on, amount_fen, counterparty_account, counterparty_name, named,
       remark ~ '退' as came_back
  from statement_line where status = 'unmatched' and line_number > 0;
"""
PROPOSED = """
create temp table proposed (
  stage text, score smallint, kind text, line_ids bigint[], payout_ids bigint[]) on commit drop;
create temp table taken_line (id bigint) on commit drop;
create temp table taken_payment (id bigint) on commit drop;
analyze open_line;
analyze open_payment;
"""
# A stage reads what is left, and says which lines are which payments.
STAGES: dict[Stage, str] = {
    # A full account number that is another one speaks against a reference: a payer may mistype it.
    # Where others name the payment over other amounts, the line has to go to its party.
    Stage.REFERENCE: """
with naming as (
  select l.id, l.booked_on, l.amount_fen, l.counterparty_account, l.counterparty_name, r.reference,
         cardinality(l.named) as names,
         count(*) over (partition by r.reference, l.amount_fen > 0) as rivals
    from open_line l cross join lateral unnest(l.named) r(reference)),
agreeing as (
  select n.*, p.id as payout_id, p.number, p.status, p.sent_on, p.confirmed_on,
         n.counterparty_account = p.number
           or n.counterparty_name = normalize(p.holder, nfkc) as party,
         count(*) over (partition by p.id, n.amount_fen > 0) as alike
    from naming n join open_payment p
      on p.end_to_end_id = n.reference and p.amount_fen = abs(n.amount_fen))
select case when n.amount_fen < 0 then 'payout' else 'return' end as kind,
       array[n.id] as line_ids, array[n.payout_id] as payout_ids
  from agreeing n
 where n.names = 1 and n.alike = 1 and (n.rivals = 1 or n.party)
   and (n.counterparty_account !~ '^[0-9]{{8,32}}$' or n.counterparty_account = n.number)
   and case when n.amount_fen < 0 then n.status = 'sent' and n.booked_on >= n.sent_on
            else n.status = 'confirmed' and n.booked_on >= n.confirmed_on end
""",
    # Lines to another account name it by mistake, and are not its parts.
    Stage.PARTS: """
select 'payout' as kind, array_agg(l.id order by l.id) as line_ids, array[p.id] as payout_ids
  from open_line l join open_payment p on p.end_to_end_id = l.named[1]
 where l.amount_fen < 0 and cardinality(l.named) = 1 and p.status = 'sent'
   and l.booked_on >= p.sent_on
   and (l.counterparty_account !~ '^[0-9]{{8,32}}$' or l.counterparty_account = p.number)
 group by p.id, p.amount_fen
having count(*) between 2 and 200 and sum(l.amount_fen) = -p.amount_fen
""",
    # Another line that names one of them stands in the way unless it is clearly over something
    # else: another amount, to another account.
    Stage.SUM: """
with naming as (
  select l.id, l.amount_fen, l.booked_on, l.counterparty_account, r.reference,
         cardinality(l.named) as names
    from open_line l cross join lateral unnest(l.named) r(reference) where l.amount_fen < 0),
meant as (
  select n.*, p.id as payout_id, p.amount_fen as payout_fen, p.status, p.sent_on,
         count(*) filter (where n.names > 1 or n.amount_fen = -p.amount_fen
             or n.counterparty_account !~ '^[0-9]{{8,32}}$' or n.counterparty_account = p.number)
           over (partition by p.id) as rivals
    from naming n join open_payment p on p.end_to_end_id = n.reference)
select 'payout' as kind, array[n.id] as line_ids,
       array_agg(n.payout_id order by n.payout_id) as payout_ids
  from meant n
 where n.names between 2 and 199 and n.rivals = 1
   and n.status = 'sent' and n.booked_on >= n.sent_on
 group by n.id, n.amount_fen, n.names
having count(*) = n.names and sum(n.payout_fen) = -n.amount_fen
""",
    # Somebody else's name speaks against an account: not all that leaves it is a payout.
    Stage.ACCOUNT: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, min(counterparty_name) as name,
               bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on,
               min(holder) as holder
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
 where not l.names and l.name in ('', normalize(p.holder, nfkc))
   and l.booked_on between p.sent_on and p.sent_on + {days}
""",
    # A line that names another payment by mistake: that one goes to somebody else, or is none of
    # ours, and everything else is this one's alone. Whether a payment of the same party was meant,
    # over another amount, only a person can tell.
    Stage.MISNAMED: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, min(counterparty_name) as name, min(named) as named
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on,
               min(holder) as holder
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
  left join ({accounts}) meant
    on meant.id = substring(l.named[1] from '^SC-P-([0-9]{{1,15}})')::bigint
 where cardinality(l.named) = 1 and l.named[1] like 'SC-P-%'
   and l.name <> '' and l.name = normalize(p.holder, nfkc)
   and meant.number is distinct from l.number
   and l.booked_on between p.sent_on and p.sent_on + {days}
""",
    Stage.NAME: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_name as holder, amount_fen, min(id) as id,
               min(booked_on) as booked_on,
               bool_or(cardinality(named) > 0 or counterparty_account <> '') as told
          from open_line where amount_fen < 0 and counterparty_name <> ''
         group by 1, 2 having count(*) = 1) l
  join (select holder, amount_fen, min(id) as id, min(sent_on) as sent_on
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.holder = l.holder and p.amount_fen = -l.amount_fen
 where not l.told and l.booked_on between p.sent_on and p.sent_on + {days}
""",
    # Later than banks take, but the account, the name and the amount are those of one payment that
    # the bank has not answered for, and of nothing else.
    Stage.OVERDUE: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, min(counterparty_name) as name,
               bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on,
               min(holder) as holder
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
 where not l.names and l.name <> '' and l.name = normalize(p.holder, nfkc)
   and l.booked_on > p.sent_on + {days} and l.booked_on <= p.sent_on + {late_days}
""",
    # Money that came back without its reference, in the bank's words.
    Stage.RETURNED: """
with pair as (
  select l.id as line_id, p.id as payout_id, l.came_back,
         count(*) over (partition by l.id) as payments, count(*) over (partition by p.id) as lines
    from open_line l join open_payment p
      on p.number = l.counterparty_account and p.amount_fen = l.amount_fen
   where l.amount_fen > 0 and cardinality(l.named) = 0 and p.status = 'confirmed'
     and l.counterparty_name in ('', normalize(p.holder, nfkc))
     and l.booked_on between p.confirmed_on and p.confirmed_on + {days})
select 'return' as kind, array[line_id] as line_ids, array[payout_id] as payout_ids
  from pair where payments = 1 and lines = 1 and came_back
""",
    Stage.LATE: """
select 'payout' as kind, array[l.id] as line_ids, array[p.id] as payout_ids
  from (select counterparty_account as number, amount_fen, min(id) as id,
               min(booked_on) as booked_on, bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1, 2 having count(*) = 1) l
  join (select number, amount_fen, min(id) as id, min(sent_on) as sent_on
          from open_payment where status = 'sent' group by 1, 2 having count(*) = 1) p
    on p.number = l.number and p.amount_fen = -l.amount_fen
 where not l.names and l.booked_on > p.sent_on + {days}
""",
    Stage.ACCOUNT_SUM: """
select 'payout' as kind, array[l.id] as line_ids, p.payout_ids
  from (select counterparty_account as number, min(amount_fen) as amount_fen, min(id) as id,
               min(booked_on) as booked_on, bool_or(cardinality(named) > 0) as names
          from open_line where amount_fen < 0 and counterparty_account <> ''
         group by 1 having count(*) = 1) l
  join (select number, sum(amount_fen) as fen, array_agg(id order by id) as payout_ids,
               min(sent_on) as first_on, max(sent_on) as last_on
          from open_payment where status = 'sent'
         group by 1 having count(*) between 2 and 199) p
    on p.number = l.number and p.fen = -l.amount_fen
 where not l.names and l.booked_on between p.last_on and p.first_on + {days}
""",
}

# One party's lines and payments side by side, where several of the one may be one of the other:
# lines without a reference in the party's own name, and payments that the bank was sent.
FOUND_SUMS = """
create temp table if not exists found_sum (line_ids bigint[], payout_ids bigint[]) on commit drop;
truncate found_sum;
"""
PARTIES = """
with line as (
  select l.counterparty_account as number, array_agg(l.id order by l.id) as ids,
         array_agg(-l.amount_fen order by l.id) as amounts,
         array_agg(l.booked_on order by l.id) as days, min(l.counterparty_name) as name
    from open_line l
   where l.amount_fen < 0 and l.counterparty_account <> '' and cardinality(l.named) = 0
   group by 1 having count(*) <= {most} and min(l.counterparty_name) = max(l.counterparty_name)),
payment as (
  select p.number, array_agg(p.id order by p.id) as ids,
         array_agg(p.amount_fen order by p.id) as amounts,
         array_agg(p.sent_on order by p.id) as days, min(p.holder) as holder
    from open_payment p where p.status = 'sent'
   group by 1 having count(*) <= {most} and min(p.holder) = max(p.holder))
select l.ids as line_ids, l.amounts as line_fen, l.days as line_days,
       p.ids as payout_ids, p.amounts as payout_fen, p.days as payout_days
  from line l join payment p on p.number = l.number and normalize(p.holder, nfkc) = l.name
 where l.name <> '' and cardinality(l.ids) + cardinality(p.ids) > 2
"""
