"""Posting with fewer steps: the same rules, looked at once for each statement.

Measured, a ledger entry spent most of its time on what PostgreSQL does anew for every statement:
reading and planning the text of each check constraint, and one query for each foreign key of each
line. The rules stay, under their names, and so do their refusals; three things moved.

* What the shape of an entry and of a line must be is looked at by the triggers that read the new
  rows anyway. Checks remain on accounts, where they stop overdrafts, and on who approves.
* That a line names an entry and an account of one ledger is looked at there too, instead of by two
  foreign keys. Entries are never changed nor deleted, of accounts only the balance moves, and
  neither table is emptied, so nothing can be wrong later that was right when it was written.
* An entry and its lines are written by one statement. That an entry has lines was looked at for
  each entry at commit; now it is at the end of the statement, for all of its entries.
"""

from marketplace.kernel.migrate import sql

revision = "0043"
down_revision = "0042"

CONSTRAINTS = """
alter table posting
  drop constraint posting_entry_fkey, drop constraint posting_account_fkey,
  drop constraint posting_amount, drop constraint posting_chain;
-- An exact negation has the same accounts, so it is in the same ledger.
alter table entry
  drop constraint entry_reverses_fkey, drop constraint entry_of_ledger,
  drop constraint entry_kind, drop constraint entry_reversal, drop constraint entry_effective_on,
  drop constraint entry_key_length, drop constraint entry_source,
  drop constraint entry_remark_length,
  add constraint entry_reverses_fkey foreign key (reverses) references entry;
-- A limit that is null limits nothing: the comparison says so by itself.
alter table account
  drop constraint account_of_ledger,
  drop constraint account_min_available, drop constraint account_max_balance,
  add constraint account_min_available
    check (normal * posted_fen - held_fen >= min_available_fen),
  add constraint account_max_balance check (normal * posted_fen <= max_balance_fen);
"""

GUARDS = """
-- All ledgers share one lock: whoever posts holds it shared, whoever closes a period holds it
-- alone. An entry's guard takes it before it reads anything, and so sees what it waited for.
create or replace function ledger_lock(p_ledger text) returns integer language sql immutable as
$$ select case when p_ledger in ('cash', 'voucher', 'credit') then 1 end $$;

-- Refuses by the name of a rule, and says to people what it asks for.
create function ledger_fault(p_rule text, p_first_id bigint, p_last_id bigint) returns void
language plpgsql as $$
begin
  perform ledger_refuse(p_rule, format('entry %s: %s',
    case when p_first_id = p_last_id then p_first_id::text
         else format('one of %s to %s', p_first_id, p_last_id) end,
    case p_rule
      when 'ledger_account_missing' then 'a line names no entry or no account that exists'
      when 'ledger_one_ledger' then 'an entry stays within one ledger'
      when 'ledger_late_lines' then 'it was posted by another transaction'
      when 'ledger_account_chain' then 'a line does not continue its account'
      when 'ledger_entry_balanced' then 'its lines are two or more and sum to zero'
      when 'ledger_entry_lines' then 'it has no lines; one statement writes them with it'
      when 'posting_amount' then 'a line moves something, up to 1,000,000,000,000 fen'
      when 'entry_reversal' then 'a reversal, and nothing else, names what it reverses'
      else format('its %s is not allowed', replace(substr(p_rule, 7), '_', ' ')) end));
end $$;

-- Each statement's lines balance per entry, join an entry of this very transaction and ledger, and
-- continue the chain of their account. A scalar subquery on purpose: it uses the primary keys
-- whatever the planner knew about the tables when the session first came here. Few aggregates and
-- one query on purpose, and no grouping while there is one entry, which is nearly always.
create or replace function ledger_check_lines() returns trigger language plpgsql as $$
declare
  v record;
  v_bad bigint;
  v_xid bigint := ledger_xid();
begin
  select min(l.entry_id) as first_id, max(l.entry_id) as last_id, sum(l.amount_fen) as total,
         count(*) as lines,
         max(coalesce((
           select case
             when l.amount_fen = 0 or l.amount_fen not between -1000000000000 and 1000000000000
               then 'posting_amount'
             when a.ledger <> l.ledger or e.ledger <> l.ledger then 'ledger_one_ledger'
             when e.xid <> v_xid then 'ledger_late_lines'
             when a.cached and (l.account_seq is null or l.balance_after_fen is null
                                or l.account_seq > a.seq
                                or (l.account_seq = a.seq and l.balance_after_fen <> a.posted_fen))
               then 'ledger_account_chain'
             when not a.cached and (l.account_seq is not null or l.balance_after_fen is not null)
               then 'ledger_account_chain'
             else '' end
           from account a, entry e where a.id = l.account_id and e.id = l.entry_id
         ), 'ledger_account_missing')) as fault
  into v from new_posting l;
  if v.fault <> '' then
    perform ledger_fault(v.fault, v.first_id, v.last_id);
  elsif v.first_id = v.last_id then
    if v.total <> 0 or v.lines < 2 then
      perform ledger_fault('ledger_entry_balanced', v.first_id, v.last_id);
    end if;
  elsif v.lines > 0 then
    select l.entry_id into v_bad from new_posting l
    group by l.entry_id having sum(l.amount_fen) <> 0 or count(*) < 2 limit 1;
    if found then
      perform ledger_fault('ledger_entry_balanced', v_bad, v_bad);
    end if;
  end if;
  return null;
end $$;

-- An entry is of the right shape and of an open day, and the statement that wrote it wrote its
-- lines. Closed periods are looked for by the earliest day first: entries are nearly always later.
create function ledger_check_entries() returns trigger language plpgsql as $$
declare
  v record;
  v_day date;
  v_locked boolean := pg_advisory_xact_lock_shared(4862004, ledger_lock('cash')) is null;
begin
  select min(e.id) as first_id, max(e.id) as last_id, count(e.reverses) as reversals,
         exists (select from period p
                 where p.closed_at is not null and p.last_on >= min(e.effective_on)) as closed,
         max(case
           when e.kind !~ '^[a-z_]+$' or length(e.kind) > 40 then 'entry_kind'
           when (e.kind = 'reversal') <> (e.reverses is not null) then 'entry_reversal'
           when e.effective_on not between '2000-01-01' and '2100-12-31'
             then 'entry_effective_on'
           when length(e.key) not between 1 and 200 then 'entry_key_length'
           when e.source_kind !~ '^[a-z_]+$' or length(e.source_kind) > 40 or e.source_id < 0
             then 'entry_source'
           when length(e.remark) > 500 then 'entry_remark_length'
           when (select true from posting p where p.entry_id = e.id limit 1) is null
             then 'ledger_entry_lines'
           else '' end) as fault
  into v from new_entry e;
  if v.closed then
    select d.effective_on into v_day
    from (select distinct ledger, effective_on from new_entry) d
    join period p on p.ledger = d.ledger and p.closed_at is not null
                 and d.effective_on between p.first_on and p.last_on
    limit 1;
    if found then
      perform ledger_refuse('ledger_period_open', format('%s is in a closed period', v_day));
    end if;
  end if;
  if v.fault <> '' then
    perform ledger_fault(v.fault, v.first_id, v.last_id);
  elsif v.reversals > 0 then
    perform ledger_check_reversal(e.id, e.reverses) from new_entry e where e.reverses is not null;
  end if;
  return null;
end $$;

-- A reversal is the exact negation of what it reverses, and is not reversed itself.
create function ledger_check_reversal(p_entry_id bigint, p_reverses bigint) returns void
language plpgsql as $$
begin
  if exists (select from entry where id = p_reverses and reverses is not null) then
    perform ledger_refuse('ledger_reversal_final', 'a reversal is not reversed: post anew');
  elsif exists (
    select from (select account_id, amount_fen from posting where entry_id = p_entry_id) n
    full join (select account_id, amount_fen from posting where entry_id = p_reverses) o
      on o.account_id = n.account_id and o.amount_fen = -n.amount_fen
    where n.account_id is null or o.account_id is null
  ) then
    perform ledger_refuse('ledger_reversal_exact',
      format('entry %s is not the exact negation of entry %s', p_entry_id, p_reverses));
  end if;
end $$;

drop trigger entry_in_open_period on entry;
drop function ledger_check_days();
drop trigger entry_checked on entry;
drop function ledger_check_entry();
create trigger entry_checked after insert on entry
  referencing new table as new_entry
  for each statement execute function ledger_check_entries();
"""

POSTING = """
-- One entry in one call, so that no lock is held over the network: its accounts are locked in the
-- order of their ids, which is everybody's order, and one statement writes all of it. Under a key
-- that stands already nothing is made, and so nothing moves. The plan is always the kept one:
-- with two accounts or two hundred there is no better one, and planning costs more than posting.
create or replace function ledger_post(
  p_kind text, p_effective_on date, p_accounts bigint[], p_amounts bigint[], p_key text,
  p_source_kind text, p_source_id bigint, p_made_by bigint, p_approved_by bigint,
  p_reverses bigint, p_remark text, p_posted_at timestamptz,
  out entry_id bigint, out replayed boolean
) language plpgsql set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_request bytea := ledger_request(p_kind, p_effective_on, p_source_kind, p_source_id,
                                    p_reverses, p_accounts, p_amounts, p_remark);
  v_same boolean;
begin
  for i in 2 .. cardinality(p_accounts) loop
    if p_accounts[i] <= p_accounts[i - 1] then
      perform ledger_refuse('ledger_accounts_ascending', 'an account comes once, in order of id');
    end if;
  end loop;
  perform from account where id = any (p_accounts) and cached order by id for no key update;
  with made as (
    insert into entry (ledger, kind, effective_on, posted_at, key, request_sha256, reverses,
                       source_kind, source_id, remark, made_by, approved_by)
    select a.ledger, p_kind, p_effective_on, p_posted_at, p_key, v_request, p_reverses,
           p_source_kind, p_source_id, p_remark, p_made_by, p_approved_by
    from account a where a.id = p_accounts[1]
    on conflict on constraint entry_key do nothing
    returning id, ledger
  ), moved as (
    update account a
    set posted_fen = a.posted_fen + p_amounts[array_position(p_accounts, a.id)], seq = a.seq + 1
    from made where a.id = any (p_accounts) and a.cached
    returning a.id, a.seq, a.posted_fen
  ), lines as (
    insert into posting (entry_id, account_id, ledger, amount_fen, account_seq, balance_after_fen)
    select made.id, l.account, made.ledger, l.amount, moved.seq, moved.posted_fen
    from made cross join unnest(p_accounts, p_amounts) as l (account, amount)
    left join moved on moved.id = l.account
  )
  select id into entry_id from made;
  replayed := not found;
  if replayed then
    select e.id, e.request_sha256 = v_request into entry_id, v_same from entry e
    where e.key = p_key;
    if not found then
      perform ledger_refuse('ledger_account_missing', format('no account %s', p_accounts[1]));
    elsif not v_same then
      perform ledger_refuse('ledger_key_reused', format('%s belongs to entry %s', p_key, entry_id));
    elsif exists (select from period p join entry e on e.ledger = p.ledger and e.id = entry_id
                  where p.closed_at is not null
                    and p_effective_on between p.first_on and p.last_on) then
      perform ledger_refuse('ledger_period_open',
        format('%s is in a closed period', p_effective_on));
    end if;
  end if;
end $$;
"""

BULK = """
-- Many entries in one call, set by set: all of them or none. Limits hold for the whole of it.
-- The accounts are locked first, in order; then one statement writes all of it. It is planned for
-- each set anew (`execute`): a kept plan takes arrays to have ten elements, and compares each line
-- with every other. The foreign keys' plans are kept, which the setting below makes sure of even
-- where a caller wants its own planned anew. `p_line_entry` says to which entry (1, 2, …) a line
-- belongs.
create or replace function ledger_post_many(
  p_kinds text[], p_effective_on date[], p_keys text[], p_source_kinds text[],
  p_source_ids bigint[], p_made_by bigint[], p_approved_by bigint[], p_reverses bigint[],
  p_remarks text[], p_line_entry integer[], p_line_account bigint[], p_line_amount bigint[],
  p_posted_at timestamptz
) returns table (place integer, entry_id bigint, replayed boolean) language plpgsql
set plan_cache_mode = auto as $$
#variable_conflict use_column
declare
  v_ledgers text[];
  v_requests bytea[];
  v_new_ids bigint[];
begin
  if cardinality(p_line_entry) >= 1000 then
    -- What the session planned while the tables were small, for instance to read one from end to
    -- end to check a foreign key, is planned again: this many lines are worth it.
    discard plans;
  end if;
  select r.ledgers, r.requests into v_ledgers, v_requests
  from ledger_requests(p_kinds, p_effective_on, p_source_kinds, p_source_ids, p_reverses,
                       p_remarks, p_line_entry, p_line_account, p_line_amount) r;
  if array_position(v_ledgers, null) is not null then
    perform ledger_refuse('ledger_account_missing', 'an entry names no account that exists');
  end if;
  execute 'select from account where id = any ($1) and cached order by id for no key update'
    using p_line_account;
  execute $statement$
    with made as (
      insert into entry (ledger, kind, effective_on, posted_at, key, request_sha256, reverses,
                         source_kind, source_id, remark, made_by, approved_by)
      select ledger, kind, effective_on, $13, key, request, reverses,
             source_kind, source_id, remark, made_by, approved_by
      from unnest($3, $14, $1, $2, $15, $8, $4, $5, $9, $6, $7)
        with ordinality as e (key, ledger, kind, effective_on, request, reverses,
                              source_kind, source_id, remark, made_by, approved_by, place)
      order by place
      on conflict on constraint entry_key do nothing
      returning id, key, ledger
    ), line as materialized (
      select m.id, m.ledger, l.account, l.amount, count(*) over later as after_lines,
             coalesce(sum(l.amount) over later, 0)::bigint as after_total
      from unnest($10, $11, $12) as l (place, account, amount)
      join (select distinct on (k.key) k.key, k.place::integer as place
            from unnest($3) with ordinality as k (key, place) order by k.key, k.place) k
        using (place)
      join made m using (key)
      window later as (partition by l.account order by m.id desc
                       rows between unbounded preceding and 1 preceding)
    ), moved as (
      update account a set posted_fen = a.posted_fen + t.total, seq = a.seq + t.lines
      from (select account, sum(amount)::bigint as total, count(*) as lines
            from line group by account) t
      where a.id = t.account and a.cached
      returning a.id, a.seq, a.posted_fen
    ), written as (
      insert into posting (entry_id, account_id, ledger, amount_fen, account_seq,
                           balance_after_fen)
      select l.id, l.account, l.ledger, l.amount, m.seq - l.after_lines,
             m.posted_fen - l.after_total
      from line l left join moved m on m.id = l.account
      order by l.id, l.account
    )
    select array_agg(id) from made
  $statement$
  into v_new_ids
  using p_kinds, p_effective_on, p_keys, p_source_kinds, p_source_ids, p_made_by, p_approved_by,
        p_reverses, p_remarks, p_line_entry, p_line_account, p_line_amount, p_posted_at,
        v_ledgers, v_requests;
  return query select * from ledger_standing(p_keys, v_requests, v_new_ids);
end $$;
drop function ledger_move_many(bigint[], text[], text[], text[], integer[], bigint[], bigint[]);
"""

HOLDS = """
create or replace function ledger_hold(
  p_account bigint, p_amount bigint, p_expires_at timestamptz, p_key text, p_source_kind text,
  p_source_id bigint, p_made_by bigint, p_at timestamptz, out hold_id bigint, out replayed boolean
) language plpgsql as $$
declare
  v_request bytea := sha256(convert_to(concat(
    p_account, '|', p_amount, '|', p_source_kind, '|', p_source_id), 'UTF8'));
  v_same boolean;
begin
  with placed as (
    insert into hold (account_id, amount_fen, placed_at, expires_at, key, request_sha256,
                      source_kind, source_id, made_by)
    select a.id, p_amount, p_at, p_expires_at, p_key, v_request, p_source_kind, p_source_id,
           p_made_by
    from account a where a.id = p_account
    on conflict on constraint hold_key do nothing
    returning id
  ), moved as (
    update account a set held_fen = a.held_fen + p_amount from placed where a.id = p_account
  )
  select id into hold_id from placed;
  replayed := not found;
  if replayed then
    if not exists (select from account where id = p_account) then
      perform ledger_refuse('ledger_account_missing', format('no account %s', p_account));
    end if;
    select h.id, h.request_sha256 = v_request into hold_id, v_same from hold h where h.key = p_key;
    if not v_same then
      perform ledger_refuse('ledger_key_reused', format('%s belongs to hold %s', p_key, hold_id));
    end if;
  elsif p_expires_at is not null then
    insert into hold_due (hold_id, expires_at) values (ledger_hold.hold_id, p_expires_at);
  end if;
end $$;

-- Ends a hold whose account is locked, once: the primary key of hold_end is the last word.
create or replace function ledger_end_hold(
  p_hold hold, p_how text, p_amount bigint, p_entry bigint, p_made_by bigint, p_at timestamptz
) returns void language plpgsql as $$
begin
  insert into hold_end (hold_id, held_fen, how, amount_fen, entry_id, ended_at, made_by)
  values (p_hold.id, p_hold.amount_fen, p_how, p_amount, p_entry, p_at, p_made_by);
  if p_hold.expires_at is not null then
    delete from hold_due where hold_id = p_hold.id;
  end if;
end $$;
"""

# A provider is of one legal entity and has few instruments. Without knowing it, the planner takes
# every pair to occur: it expects a million groups where there are thousands, and so sums up a
# province's year in one process, ready to spill to disk.
STATISTICS = """
create statistics charge_line_units (ndistinct)
  on legal_entity_id, provider_id, instrument_id from charge_line;
create statistics reward_share_units (ndistinct) on legal_entity_id, provider_id from reward_share;
"""


def upgrade() -> None:
    for script in (CONSTRAINTS, GUARDS, POSTING, BULK, HOLDS, STATISTICS):
        sql(script)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
