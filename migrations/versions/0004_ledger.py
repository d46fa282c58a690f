"""The ledger: accounts, entries, postings, holds, periods, seals, and the functions that write.

Everything a caller could get wrong is refused here, in the database, under a name: whoever reaches
the tables without the application meets the same rules.
`LI001` is what our own functions and triggers raise; the constraint's name says which rule it was.
"""

from marketplace.kernel.migrate import sql

revision = "0004"
down_revision = "0003"

TABLES = """
create table account_type (
  type text primary key,
  ledger text not null,
  normal smallint not null,
  owner_kind text,
  cached boolean not null,
  min_available_fen bigint,
  constraint account_type_ledger check (ledger in ('cash', 'voucher')),
  constraint account_type_normal check (normal in (-1, 1)),
  constraint account_type_facts unique (type, ledger, normal, cached)
);

insert into account_type (type, ledger, normal, owner_kind, cached, min_available_fen) values
  ('bank', 'cash', 1, null, false, null),
  ('bank_suspense', 'cash', -1, null, false, null),
  ('wallet', 'cash', -1, 'organisation', true, 0),
  ('payable', 'cash', -1, 'organisation', true, 0),
  ('voucher_fund', 'cash', -1, null, true, 0),
  ('reward_fund', 'cash', -1, null, true, 0),
  ('reward_payable', 'cash', -1, 'organisation', true, 0),
  ('payout_in_transit', 'cash', -1, null, false, null),
  ('fee_income', 'cash', -1, null, false, null),
  ('bank_charges', 'cash', 1, null, false, null),
  ('appropriation', 'voucher', 1, 'programme_layer', false, null),
  ('programme_budget', 'voucher', -1, 'programme_layer', true, 0),
  ('voucher', 'voucher', -1, 'grant_part', true, 0),
  ('programme_spent', 'voucher', -1, 'programme_layer', false, null);

-- An account with a limit keeps its balance in its row: the row lock and the check are the guard.
-- A wide account has no limit and no cached balance, so nobody queues for its row.
create table account (
  id bigint generated always as identity primary key,
  ledger text not null,
  type text not null,
  owner_kind text,
  owner_id bigint,
  normal smallint not null,
  posted_fen bigint not null default 0,
  held_fen bigint not null default 0,
  seq bigint not null default 0,
  min_available_fen bigint,
  max_balance_fen bigint,
  cached boolean not null,
  opened_at timestamptz not null,
  closed_at timestamptz,
  constraint account_type_fkey foreign key (type, ledger, normal, cached)
    references account_type (type, ledger, normal, cached),
  constraint account_of_ledger unique (id, ledger),
  constraint account_name unique nulls not distinct (type, owner_id),
  constraint account_held check (held_fen >= 0),
  constraint account_min_available
    check (min_available_fen is null or normal * posted_fen - held_fen >= min_available_fen),
  constraint account_max_balance
    check (max_balance_fen is null or normal * posted_fen <= max_balance_fen),
  constraint account_wide check (cached or (posted_fen = 0 and held_fen = 0)),
  constraint account_closed check (closed_at is null or posted_fen = 0)
) with (fillfactor = 50);

create table entry (
  id bigint generated always as identity primary key,
  ledger text not null,
  kind text not null,
  effective_on date not null,
  posted_at timestamptz not null,
  xid bigint not null default (pg_current_xact_id()::text::bigint),
  key text not null,
  request_sha256 bytea not null,
  reverses bigint,
  source_kind text not null,
  source_id bigint not null,
  remark text not null default '',
  made_by bigint not null references person,
  approved_by bigint references person,
  constraint entry_of_ledger unique (id, ledger),
  constraint entry_key unique (key),
  constraint entry_reverses_fkey foreign key (reverses, ledger) references entry (id, ledger),
  constraint entry_kind check (kind ~ '^[a-z_]{1,40}$'),
  constraint entry_reversal check ((kind = 'reversal') = (reverses is not null)),
  constraint entry_effective_on check (effective_on between '2000-01-01' and '2100-12-31'),
  constraint entry_key_length check (length(key) between 1 and 200),
  constraint entry_source check (source_kind ~ '^[a-z_]{1,40}$' and source_id >= 0),
  constraint entry_remark_length check (length(remark) <= 500),
  constraint entry_approved_by_another check (approved_by is distinct from made_by)
);
create unique index entry_reversed_once on entry (reverses) where reverses is not null;
create index entry_xid_idx on entry (xid, id);
create index entry_source_idx on entry (source_kind, source_id);
create index entry_effective_on_idx on entry using brin (effective_on);

create table posting (
  entry_id bigint not null,
  account_id bigint not null,
  ledger text not null,
  amount_fen bigint not null,
  account_seq bigint,
  balance_after_fen bigint,
  primary key (entry_id, account_id),
  constraint posting_entry_fkey foreign key (entry_id, ledger) references entry (id, ledger),
  constraint posting_account_fkey foreign key (account_id, ledger) references account (id, ledger),
  constraint posting_amount
    check (amount_fen <> 0 and amount_fen between -1000000000000 and 1000000000000),
  constraint posting_chain check ((account_seq is null) = (balance_after_fen is null))
);
-- A posting is in one of these two: numbered on its account, or on a wide account.
create unique index posting_account_seq on posting (account_id, account_seq)
  where account_seq is not null;
create index posting_wide_idx on posting (account_id, entry_id) include (amount_fen)
  where account_seq is null;

create table hold (
  id bigint generated always as identity primary key,
  account_id bigint not null references account,
  amount_fen bigint not null,
  placed_at timestamptz not null,
  expires_at timestamptz,
  key text not null,
  request_sha256 bytea not null,
  source_kind text not null,
  source_id bigint not null,
  made_by bigint not null references person,
  constraint hold_key unique (key),
  constraint hold_of_amount unique (id, amount_fen),
  constraint hold_amount check (amount_fen between 1 and 1000000000000),
  constraint hold_expires check (expires_at > placed_at),
  constraint hold_key_length check (length(key) between 1 and 200),
  constraint hold_source check (source_kind ~ '^[a-z_]{1,40}$' and source_id >= 0)
);
create index hold_account_idx on hold (account_id, id);

-- The primary key lets a hold end once; the foreign key and the check, within what was held.
create table hold_end (
  hold_id bigint primary key,
  held_fen bigint not null,
  how text not null,
  amount_fen bigint not null,
  entry_id bigint references entry,
  ended_at timestamptz not null,
  made_by bigint not null references person,
  constraint hold_end_hold_fkey foreign key (hold_id, held_fen) references hold (id, amount_fen),
  constraint hold_end_how check (how in ('settled', 'released', 'lapsed')),
  constraint hold_end_within_hold check (amount_fen between 0 and held_fen),
  constraint hold_end_entry check ((how = 'settled') = (entry_id is not null)
                                   and (how = 'settled') = (amount_fen > 0))
);
create index hold_end_entry_idx on hold_end (entry_id) where entry_id is not null;

-- What may lapse and has not ended: a queue, not a book, so its rows go.
create table hold_due (
  hold_id bigint primary key references hold,
  expires_at timestamptz not null
);
create index hold_due_expires_idx on hold_due (expires_at);

create table period (
  id bigint generated always as identity primary key,
  ledger text not null,
  first_on date not null,
  last_on date not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  approved_by bigint references person,
  closed_at timestamptz,
  trial_balance jsonb,
  seal_number bigint,
  constraint period_ledger check (ledger in ('cash', 'voucher')),
  constraint period_days check (first_on <= last_on),
  constraint period_approved_by_another check (approved_by is distinct from made_by),
  constraint period_closed check ((approved_by is null) = (closed_at is null)
                                  and (closed_at is null) = (trial_balance is null)),
  constraint period_no_overlap exclude using gist
    (ledger with =, daterange(first_on, last_on, '[]') with &&)
);

create table seal (
  number bigint primary key,
  after_id bigint not null,
  from_xid bigint not null,
  to_xid bigint not null,
  entries bigint not null,
  last_id bigint not null,
  previous bytea not null,
  sha256 bytea not null,
  sealed_at timestamptz not null,
  constraint seal_range check (from_xid < to_xid),
  constraint seal_entries check (entries > 0)
);
"""

GUARDS = """
create function ledger_refuse(rule text, message text) returns void language plpgsql as $$
begin
  raise exception '%', message using errcode = 'LI001', constraint = rule;
end $$;

create function ledger_xid() returns bigint language sql stable as
$$ select pg_current_xact_id()::text::bigint $$;

-- Each statement's lines balance per entry, join an entry of this very transaction, and continue
-- the chain of their account. Scalar subqueries on purpose: they use the primary keys whatever
-- the planner knew about the tables when the session first came here.
create function ledger_check_lines() returns trigger language plpgsql as $$
declare
  bad record;
  v_xid bigint := ledger_xid();
begin
  select t.entry_id, t.total <> 0 or t.lines < 2 as unbalanced, t.follows into bad
  from (
    select l.entry_id, sum(l.amount_fen) as total, count(*) as lines, bool_and(coalesce((
             select case when a.cached
                         then l.account_seq < a.seq
                              or (l.account_seq = a.seq and l.balance_after_fen = a.posted_fen)
                         else l.account_seq is null end
             from account a where a.id = l.account_id), false)) as follows
    from new_posting l group by l.entry_id
  ) t
  where t.total <> 0 or t.lines < 2 or not t.follows
     or (select e.xid from entry e where e.id = t.entry_id) is distinct from v_xid
  limit 1;
  if not found then
    return null;
  elsif bad.unbalanced then
    perform ledger_refuse('ledger_entry_balanced',
      format('entry %s: each statement adds two or more lines that sum to zero', bad.entry_id));
  elsif not bad.follows then
    perform ledger_refuse('ledger_account_chain',
      format('entry %s: a line does not continue its account', bad.entry_id));
  end if;
  perform ledger_refuse('ledger_late_lines',
    format('entry %s was posted by another transaction', bad.entry_id));
end $$;

create trigger posting_checked after insert on posting
  referencing new table as new_posting
  for each statement execute function ledger_check_lines();

-- At commit: an entry has lines, and a reversal is the exact negation of what it reverses.
create function ledger_check_entry() returns trigger language plpgsql as $$
begin
  if new.xid <> ledger_xid() or not exists (select from posting where entry_id = new.id) then
    perform ledger_refuse('ledger_entry_lines', format('entry %s has no lines', new.id));
  end if;
  if new.reverses is null then
    return null;
  end if;
  if exists (select from entry where id = new.reverses and reverses is not null) then
    perform ledger_refuse('ledger_reversal_final', 'a reversal is not reversed: post anew');
  end if;
  if exists (
    select from (select account_id, amount_fen from posting where entry_id = new.id) n
    full join (select account_id, amount_fen from posting where entry_id = new.reverses) o
      on o.account_id = n.account_id and o.amount_fen = -n.amount_fen
    where n.account_id is null or o.account_id is null
  ) then
    perform ledger_refuse('ledger_reversal_exact',
      format('entry %s is not the exact negation of entry %s', new.id, new.reverses));
  end if;
  return null;
end $$;

create constraint trigger entry_checked after insert on entry
  deferrable initially deferred for each row execute function ledger_check_entry();

do $$
declare
  kept text;
begin
  foreach kept in array array['entry', 'posting', 'hold', 'hold_end', 'seal'] loop
    execute format('create trigger %1$s_append_only before update or delete on %1$s '
                   'for each row execute function refuse_change()', kept);
  end loop;
  foreach kept in array
    array['account', 'entry', 'posting', 'hold', 'hold_end', 'period', 'seal'] loop
    execute format('create trigger %1$s_no_truncate before truncate on %1$s '
                   'for each statement execute function refuse_change()', kept);
  end loop;
end $$;

-- What never changes is looked at once, when the account is opened: every check on the table costs
-- each of its updates, and accounts are updated more than anything else.
create function ledger_check_account() returns trigger language plpgsql as $$
declare
  v_type account_type;
begin
  select * into v_type from account_type where type = new.type;
  if new.owner_kind is distinct from v_type.owner_kind
     or (new.owner_kind is null) <> (new.owner_id is null) then
    perform ledger_refuse('account_owner', format('%s is owned by %s', new.type,
                                                  coalesce(v_type.owner_kind, 'nobody')));
  elsif new.min_available_fen is distinct from v_type.min_available_fen
     or not new.cached and (new.max_balance_fen is not null or new.seq <> 0) then
    perform ledger_refuse('account_limits', format('%s has other limits', new.type));
  end if;
  return new;
end $$;

create trigger account_opened before insert on account
  for each row execute function ledger_check_account();

-- Of an account only its balance moves. The column list costs the balance's updates nothing.
create trigger account_fixed before update of
    id, ledger, type, owner_kind, owner_id, normal, min_available_fen, max_balance_fen, cached,
    opened_at on account
  for each row execute function refuse_change();
create trigger account_kept before delete on account
  for each row execute function refuse_change();
create trigger account_closed_once before update of closed_at on account
  for each row when (old.closed_at is not null or not old.cached) execute function refuse_change();
create trigger period_closed_once before update or delete on period
  for each row when (old.closed_at is not null) execute function refuse_change();
"""

POSTING = """
-- Posting takes the lock of its ledger shared; closing a period takes it alone, and so waits for
-- every entry under way.
create function ledger_lock(p_ledger text) returns integer language sql immutable as
$$ select case p_ledger when 'cash' then 1 when 'voucher' then 2 end $$;

-- What two requests under one key must share. Who asks is not part of it.
create function ledger_request(
  p_kind text, p_effective_on date, p_source_kind text, p_source_id bigint, p_reverses bigint,
  p_accounts bigint[], p_amounts bigint[], p_remark text
) returns bytea language sql stable as $$
  select sha256(convert_to(concat(
    p_kind, '|', to_char(p_effective_on, 'YYYY-MM-DD'), '|', p_source_kind, '|', p_source_id, '|',
    p_reverses, '|', array_to_string(p_accounts, ','), '|', array_to_string(p_amounts, ','), '|',
    p_remark), 'UTF8'))
$$;

-- An owner is looked for by `=`: no index helps `is not distinct from`.
create function ledger_account_id(p_type text, p_owner_id bigint) returns bigint
language plpgsql stable as $$
begin
  if p_owner_id is null then
    return (select id from account where type = p_type and owner_id is null);
  end if;
  return (select id from account where type = p_type and owner_id = p_owner_id);
end $$;

create function ledger_open_account(
  p_type text, p_owner_id bigint, p_max_fen bigint, p_at timestamptz
) returns bigint language plpgsql as $$
declare
  v_id bigint := ledger_account_id(p_type, p_owner_id);
begin
  if v_id is not null then
    return v_id;
  end if;
  return (ledger_open_accounts(array[p_type], array[p_owner_id], array[p_max_fen], p_at))[1];
end $$;

-- The accounts of these names, in their order; null where nobody has opened one.
create function ledger_account_ids(p_types text[], p_owner_ids bigint[]) returns bigint[]
language sql volatile set plan_cache_mode = force_custom_plan as $$
  select coalesce(array_agg(coalesce(owned.id, common.id) order by n.place), '{}')
  from unnest(p_types, p_owner_ids) with ordinality as n (type, owner_id, place)
  left join account owned on owned.type = n.type and owned.owner_id = n.owner_id
  left join (select id, type from account where owner_id is null) common
    on common.type = n.type and n.owner_id is null
$$;

-- Opens what is not there yet; racers insert in the same order and so do not wait in a ring.
create function ledger_open_accounts(
  p_types text[], p_owner_ids bigint[], p_max_fen bigint[], p_at timestamptz
) returns bigint[] language plpgsql as $$
declare
  v_ids bigint[] := ledger_account_ids(p_types, p_owner_ids);
begin
  if array_position(v_ids, null) is null then
    return v_ids;
  end if;
  insert into account (ledger, type, owner_kind, owner_id, normal, min_available_fen,
                       max_balance_fen, cached, opened_at)
  select distinct on (t.type, n.owner_id)
         t.ledger, t.type, t.owner_kind, n.owner_id, t.normal, t.min_available_fen,
         n.max_fen, t.cached, p_at
  from unnest(p_types, p_owner_ids, p_max_fen, v_ids) with ordinality
    as n (type, owner_id, max_fen, id, place)
  join account_type t on t.type = n.type
  where n.id is null
  order by t.type, n.owner_id, n.place
  on conflict on constraint account_name do nothing;
  return ledger_account_ids(p_types, p_owner_ids);
end $$;

-- One entry in one call, so that no lock is held over the network.
-- Accounts come in ascending order: that is the order in which everybody locks them.
create function ledger_post(
  p_kind text, p_effective_on date, p_accounts bigint[], p_amounts bigint[], p_key text,
  p_source_kind text, p_source_id bigint, p_made_by bigint, p_approved_by bigint,
  p_reverses bigint, p_remark text, p_posted_at timestamptz,
  out entry_id bigint, out replayed boolean
) language plpgsql as $$
declare
  v_ledger text;
  v_request bytea := ledger_request(p_kind, p_effective_on, p_source_kind, p_source_id,
                                    p_reverses, p_accounts, p_amounts, p_remark);
  v_same boolean;
  v_locked boolean;
  v_before bigint := 0;
  v_seq bigint;
  v_balance bigint;
  v_seqs bigint[];
  v_balances bigint[];
begin
  select a.ledger into v_ledger from account a where a.id = p_accounts[1];
  if not found then
    perform ledger_refuse('ledger_account_missing', format('no account %s', p_accounts[1]));
  end if;
  -- An assignment is evaluated without a statement of its own; the insert sees what the lock
  -- waited for, because it is the next statement.
  v_locked := pg_advisory_xact_lock_shared(4862004, ledger_lock(v_ledger)) is null;
  insert into entry (ledger, kind, effective_on, posted_at, key, request_sha256, reverses,
                     source_kind, source_id, remark, made_by, approved_by)
  select v_ledger, p_kind, p_effective_on, p_posted_at, p_key, v_request, p_reverses,
         p_source_kind, p_source_id, p_remark, p_made_by, p_approved_by
  where not exists (select from period p where p.ledger = v_ledger and p.closed_at is not null
                    and p_effective_on between p.first_on and p.last_on)
  on conflict on constraint entry_key do nothing
  returning id into entry_id;
  if not found then
    if exists (select from period p where p.ledger = v_ledger and p.closed_at is not null
               and p_effective_on between p.first_on and p.last_on) then
      perform ledger_refuse('ledger_period_open',
        format('%s is in a closed period', p_effective_on));
    end if;
    select e.id, e.request_sha256 = v_request into entry_id, v_same
    from entry e where e.key = p_key;
    if not v_same then
      perform ledger_refuse('ledger_key_reused', format('%s belongs to entry %s', p_key, entry_id));
    end if;
    replayed := true;
    return;
  end if;
  for i in 1 .. cardinality(p_accounts) loop
    if p_accounts[i] <= v_before then
      perform ledger_refuse('ledger_accounts_ascending', 'an account comes once, in order of id');
    end if;
    v_before := p_accounts[i];
    update account a set posted_fen = a.posted_fen + p_amounts[i], seq = a.seq + 1
    where a.id = v_before and a.cached
    returning a.seq, a.posted_fen into v_seq, v_balance;
    v_seqs[i] := v_seq;
    v_balances[i] := v_balance;
  end loop;
  insert into posting (entry_id, account_id, ledger, amount_fen, account_seq, balance_after_fen)
  select ledger_post.entry_id, unnest(p_accounts), v_ledger, unnest(p_amounts), unnest(v_seqs),
         unnest(v_balances);
  replayed := false;
end $$;
"""

BULK = """
-- Many entries in one call, set by set: all of them or none. Limits hold for the whole of it.
-- What joins is planned anew for each set (`force_custom_plan`): a plan that is kept takes arrays
-- to have ten elements, and then compares each line with every other. What inserts joins nothing,
-- and stands outside, so that the foreign keys' own plans are kept.

-- Of each entry its ledger, and what requests under one key must share; null where it names no
-- account that exists. Joined by place: finding the n-th text of an array means walking to it.
create function ledger_requests(
  p_kinds text[], p_effective_on date[], p_source_kinds text[], p_source_ids bigint[],
  p_reverses bigint[], p_remarks text[],
  p_line_entry integer[], p_line_account bigint[], p_line_amount bigint[],
  out ledgers text[], out requests bytea[]
) language sql stable set plan_cache_mode = force_custom_plan as $$
  select array_agg(x.ledger order by e.place),
         array_agg(ledger_request(e.kind, e.effective_on, e.source_kind, e.source_id, e.reverses,
                                  x.accounts, x.amounts, e.remark) order by e.place)
  from unnest(p_kinds, p_effective_on, p_source_kinds, p_source_ids, p_reverses, p_remarks)
    with ordinality as e (kind, effective_on, source_kind, source_id, reverses, remark, place)
  left join (select l.place, min(a.ledger) as ledger,
                    array_agg(l.account order by l.account) as accounts,
                    array_agg(l.amount order by l.account) as amounts
             from unnest(p_line_entry, p_line_account, p_line_amount) as l (place, account, amount)
             left join account a on a.id = l.account
             group by l.place) x on x.place = e.place
$$;

-- The lines of new entries: lock the accounts in order, move their balances, answer the postings.
create function ledger_move_many(
  p_new_ids bigint[], p_new_keys text[], p_keys text[], p_ledgers text[],
  p_line_entry integer[], p_line_account bigint[], p_line_amount bigint[],
  out entry_ids bigint[], out account_ids bigint[], out ledgers text[], out amounts bigint[],
  out seqs bigint[], out balances bigint[]
) language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_ids bigint[];
  v_places integer[];
  v_ledgers text[];
begin
  select array_agg(n.id), array_agg(a.place), array_agg(a.ledger) into v_ids, v_places, v_ledgers
  from unnest(p_new_ids, p_new_keys) as n (id, key)
  join (select distinct on (k.key) k.key, k.ledger, k.place::integer as place
        from unnest(p_keys, p_ledgers) with ordinality as k (key, ledger, place)
        order by k.key, k.place) a on a.key = n.key;
  perform from account
  where cached and id in (
    select l.account from unnest(p_line_entry, p_line_account) as l (place, account)
    join unnest(v_places) as n (place) using (place))
  order by id for no key update;
  update account a set posted_fen = a.posted_fen + t.total, seq = a.seq + t.lines
  from (select l.account, sum(l.amount)::bigint as total, count(*) as lines
        from unnest(p_line_entry, p_line_account, p_line_amount) as l (place, account, amount)
        join unnest(v_places) as n (place) using (place)
        group by l.account) t
  where a.id = t.account and a.cached;
  select array_agg(l.id), array_agg(l.account), array_agg(l.ledger), array_agg(l.amount),
         array_agg(case when a.cached then a.seq - l.after_lines end),
         array_agg(case when a.cached then a.posted_fen - l.after_total end)
  into entry_ids, account_ids, ledgers, amounts, seqs, balances
  from (select n.id, n.ledger, l.account, l.amount,
               count(*) over later as after_lines,
               coalesce(sum(l.amount) over later, 0)::bigint as after_total
        from unnest(p_line_entry, p_line_account, p_line_amount) as l (place, account, amount)
        join unnest(v_ids, v_places, v_ledgers) as n (id, place, ledger) using (place)
        window later as (partition by l.account order by n.id desc
                         rows between unbounded preceding and 1 preceding)
        order by n.id, l.account) l
  left join account a on a.id = l.account;
end $$;

-- The entries that now stand for the keys, new or found; a key that says something else is refused.
create function ledger_standing(p_keys text[], p_requests bytea[], p_new_ids bigint[])
returns table (place integer, entry_id bigint, replayed boolean)
language plpgsql set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  v_bad text;
begin
  select k.key into v_bad
  from unnest(p_keys, p_requests) as k (key, request) join entry e on e.key = k.key
  where e.request_sha256 <> k.request limit 1;
  if found then
    perform ledger_refuse('ledger_key_reused', format('%s belongs to another entry', v_bad));
  end if;
  -- Of a key that was given twice, only the first is new.
  return query
    select k.place::integer, e.id,
           n.id is null or row_number() over (partition by k.key order by k.place) > 1
    from unnest(p_keys) with ordinality as k (key, place)
    join entry e on e.key = k.key
    left join unnest(p_new_ids) as n (id) on n.id = e.id
    order by k.place;
end $$;

-- `p_line_entry` says to which entry (1, 2, …) a line belongs.
create function ledger_post_many(
  p_kinds text[], p_effective_on date[], p_keys text[], p_source_kinds text[],
  p_source_ids bigint[], p_made_by bigint[], p_approved_by bigint[], p_reverses bigint[],
  p_remarks text[], p_line_entry integer[], p_line_account bigint[], p_line_amount bigint[],
  p_posted_at timestamptz
) returns table (place integer, entry_id bigint, replayed boolean) language plpgsql as $$
#variable_conflict use_column
declare
  v_ledgers text[];
  v_requests bytea[];
  v_new_ids bigint[];
  v_new_keys text[];
  v_lines record;
  v_bad text;
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
  perform pg_advisory_xact_lock_shared(4862004, ledger_lock(l))
  from (select distinct l from unnest(v_ledgers) as l order by l) as d (l);
  select e.key into v_bad
  from unnest(p_keys, v_ledgers, p_effective_on) as e (key, ledger, effective_on)
  join period p on p.ledger = e.ledger and p.closed_at is not null
               and e.effective_on between p.first_on and p.last_on limit 1;
  if found then
    perform ledger_refuse('ledger_period_open', format('%s is in a closed period', v_bad));
  end if;
  with made as (
    insert into entry (ledger, kind, effective_on, posted_at, key, request_sha256, reverses,
                       source_kind, source_id, remark, made_by, approved_by)
    select ledger, kind, effective_on, p_posted_at, key, request, reverses,
           source_kind, source_id, remark, made_by, approved_by
    from unnest(p_keys, v_ledgers, p_kinds, p_effective_on, v_requests, p_reverses,
                p_source_kinds, p_source_ids, p_remarks, p_made_by, p_approved_by)
      with ordinality as e (key, ledger, kind, effective_on, request, reverses,
                            source_kind, source_id, remark, made_by, approved_by, place)
    order by place
    on conflict on constraint entry_key do nothing
    returning id, key
  )
  select array_agg(id), array_agg(key) into v_new_ids, v_new_keys from made;
  select * into v_lines from ledger_move_many(v_new_ids, v_new_keys, p_keys, v_ledgers,
                                              p_line_entry, p_line_account, p_line_amount);
  insert into posting (entry_id, account_id, ledger, amount_fen, account_seq, balance_after_fen)
  select * from unnest(v_lines.entry_ids, v_lines.account_ids, v_lines.ledgers, v_lines.amounts,
                       v_lines.seqs, v_lines.balances);
  return query select * from ledger_standing(p_keys, v_requests, v_new_ids);
end $$;

create function ledger_reverse(
  p_entry_id bigint, p_effective_on date, p_key text, p_remark text, p_made_by bigint,
  p_approved_by bigint, p_at timestamptz, out entry_id bigint, out replayed boolean
) language plpgsql as $$
declare
  v_entry entry;
  v_accounts bigint[];
  v_amounts bigint[];
begin
  select * into v_entry from entry e where e.id = p_entry_id;
  if not found then
    perform ledger_refuse('ledger_entry_missing', format('no entry %s', p_entry_id));
  elsif v_entry.reverses is not null then
    perform ledger_refuse('ledger_reversal_final', 'a reversal is not reversed: post anew');
  end if;
  select array_agg(p.account_id order by p.account_id),
         array_agg(-p.amount_fen order by p.account_id)
  into v_accounts, v_amounts from posting p where p.entry_id = p_entry_id;
  select r.entry_id, r.replayed into entry_id, replayed from ledger_post(
    'reversal', p_effective_on, v_accounts, v_amounts, p_key, v_entry.source_kind,
    v_entry.source_id, p_made_by, p_approved_by, p_entry_id, p_remark, p_at) r;
end $$;
"""

HOLDS = """
create function ledger_hold(
  p_account bigint, p_amount bigint, p_expires_at timestamptz, p_key text, p_source_kind text,
  p_source_id bigint, p_made_by bigint, p_at timestamptz, out hold_id bigint, out replayed boolean
) language plpgsql as $$
declare
  v_request bytea := sha256(convert_to(concat(
    p_account, '|', p_amount, '|', p_source_kind, '|', p_source_id), 'UTF8'));
  v_same boolean;
begin
  if not exists (select from account where id = p_account) then
    perform ledger_refuse('ledger_account_missing', format('no account %s', p_account));
  end if;
  insert into hold (account_id, amount_fen, placed_at, expires_at, key, request_sha256,
                    source_kind, source_id, made_by)
  values (p_account, p_amount, p_at, p_expires_at, p_key, v_request,
          p_source_kind, p_source_id, p_made_by)
  on conflict on constraint hold_key do nothing
  returning id into hold_id;
  replayed := not found;
  if replayed then
    select h.id, h.request_sha256 = v_request into hold_id, v_same from hold h where h.key = p_key;
    if not v_same then
      perform ledger_refuse('ledger_key_reused', format('%s belongs to hold %s', p_key, hold_id));
    end if;
    return;
  end if;
  update account set held_fen = held_fen + p_amount where id = p_account;
  if p_expires_at is not null then
    insert into hold_due (hold_id, expires_at) values (ledger_hold.hold_id, p_expires_at);
  end if;
end $$;

-- Ends a hold whose account is locked, once: the primary key of hold_end is the last word.
create function ledger_end_hold(
  p_hold hold, p_how text, p_amount bigint, p_entry bigint, p_made_by bigint, p_at timestamptz
) returns void language sql as $$
  insert into hold_end (hold_id, held_fen, how, amount_fen, entry_id, ended_at, made_by)
  values (p_hold.id, p_hold.amount_fen, p_how, p_amount, p_entry, p_at, p_made_by);
  delete from hold_due where hold_id = p_hold.id;
$$;

-- Both accounts are locked in order before anything moves; the rest of the hold is released.
create function ledger_settle_hold(
  p_hold_id bigint, p_amount bigint, p_credit bigint, p_kind text, p_effective_on date, p_key text,
  p_source_kind text, p_source_id bigint, p_made_by bigint, p_remark text, p_at timestamptz,
  out entry_id bigint, out replayed boolean
) language plpgsql as $$
declare
  v_hold hold;
  v_normal smallint;
  v_accounts bigint[];
  v_amounts bigint[];
  v_ended record;
begin
  select * into v_hold from hold where id = p_hold_id;
  if not found then
    perform ledger_refuse('ledger_hold_missing', format('no hold %s', p_hold_id));
  end if;
  perform from account where id in (v_hold.account_id, p_credit) and cached
    order by id for no key update;
  select normal into v_normal from account where id = v_hold.account_id;
  v_accounts := array[least(v_hold.account_id, p_credit), greatest(v_hold.account_id, p_credit)];
  v_amounts := case when v_hold.account_id < p_credit
    then array[-v_normal * p_amount, v_normal * p_amount]
    else array[v_normal * p_amount, -v_normal * p_amount] end;
  select h.how, e.id, e.key = p_key and e.request_sha256 = ledger_request(p_kind, p_effective_on,
           p_source_kind, p_source_id, null, v_accounts, v_amounts, p_remark) as same
  into v_ended from hold_end h left join entry e on e.id = h.entry_id where h.hold_id = p_hold_id;
  if v_ended.same or (v_ended.how = 'released' and p_amount = 0) then
    entry_id := v_ended.id;
    replayed := true;
    return;
  elsif v_ended.how = 'lapsed' or (v_ended.how is null and v_hold.expires_at <= p_at) then
    perform ledger_refuse('ledger_hold_over', format('hold %s ran until %s', p_hold_id,
                                                     v_hold.expires_at));
  elsif v_ended.how is not null then
    perform ledger_refuse('ledger_hold_resolved', format('hold %s was %s', p_hold_id, v_ended.how));
  elsif p_amount not between 0 and v_hold.amount_fen then
    perform ledger_refuse('hold_end_within_hold', format('hold %s is of %s fen', p_hold_id,
                                                         v_hold.amount_fen));
  end if;
  update account set held_fen = held_fen - v_hold.amount_fen where id = v_hold.account_id;
  if p_amount > 0 then
    select r.entry_id, r.replayed into entry_id, replayed from ledger_post(
      p_kind, p_effective_on, v_accounts, v_amounts, p_key, p_source_kind, p_source_id,
      p_made_by, null, null, p_remark, p_at) r;
    if replayed then
      perform ledger_refuse('ledger_key_reused', format('%s belongs to entry %s', p_key, entry_id));
    end if;
  end if;
  replayed := false;
  perform ledger_end_hold(v_hold, case when p_amount > 0 then 'settled' else 'released' end,
                          p_amount, entry_id, p_made_by, p_at);
end $$;

-- True when this call released it, false when it was released or lapsed before.
create function ledger_release_hold(p_hold_id bigint, p_made_by bigint, p_at timestamptz)
returns boolean language plpgsql as $$
declare
  v_hold hold;
  v_how text;
begin
  select * into v_hold from hold where id = p_hold_id;
  if not found then
    perform ledger_refuse('ledger_hold_missing', format('no hold %s', p_hold_id));
  end if;
  perform from account where id = v_hold.account_id for no key update;
  select how into v_how from hold_end where hold_id = p_hold_id;
  if v_how = 'settled' then
    perform ledger_refuse('ledger_hold_resolved', format('hold %s was settled', p_hold_id));
  elsif v_how is not null then
    return false;
  end if;
  update account set held_fen = held_fen - v_hold.amount_fen where id = v_hold.account_id;
  perform ledger_end_hold(v_hold, 'released', 0, null, p_made_by, p_at);
  return true;
end $$;

-- Holds past their end, in order of account; an account that somebody is posting to waits for the
-- next run, so that this never stands in anybody's way.
create function ledger_lapse_holds(p_limit bigint, p_made_by bigint, p_at timestamptz)
returns setof hold language plpgsql as $$
declare
  v_hold hold;
begin
  for v_hold in
    select h.* from (select * from hold_due where expires_at <= p_at
                     order by expires_at limit p_limit) d
    join hold h on h.id = d.hold_id order by h.account_id, h.id
  loop
    perform from account where id = v_hold.account_id for no key update skip locked;
    if found and not exists (select from hold_end where hold_id = v_hold.id) then
      update account set held_fen = held_fen - v_hold.amount_fen where id = v_hold.account_id;
      perform ledger_end_hold(v_hold, 'lapsed', 0, null, p_made_by, p_at);
      return next v_hold;
    end if;
  end loop;
end $$;
"""

SEALS = """
-- Everything an entry says, as one digest. `rules/digests.py` computes the same in Python.
create function ledger_digest(e entry) returns bytea language sql stable as $$
  select sha256(convert_to(concat(
    e.id, '|', e.ledger, '|', (extract(epoch from e.posted_at) * 1000000)::bigint, '|', e.xid, '|',
    length(e.key), '|', e.key, '|', e.made_by, '|', e.approved_by, '|',
    encode(e.request_sha256, 'hex'), '|', l.lines), 'UTF8'))
  from (select string_agg(concat(p.account_id, ',', p.amount_fen, ',', p.account_seq, ',',
                                 p.balance_after_fen), ';' order by p.account_id) as lines
        from posting p where p.entry_id = e.id) l
$$;

-- Seals what is complete: every transaction below the horizon has ended, so nothing can come in
-- late. A database restored into a younger server counts its transactions from the start again;
-- then what is left of the old count is sealed first, and `after_id` begins the new one.
create function ledger_seal(
  p_entries_max bigint, p_at timestamptz, p_snapshot pg_snapshot default null
) returns bigint language plpgsql as $$
declare
  v_snapshot pg_snapshot;
  v_last seal;
  v_after bigint := 0;
  v_from bigint := 0;
  v_to bigint;
  v_found record;
  v_seal seal;
  v_digests bytea;
begin
  perform pg_advisory_xact_lock(4862004, 3);
  v_snapshot := coalesce(p_snapshot, pg_current_snapshot());
  v_to := pg_snapshot_xmin(v_snapshot)::text::bigint;
  select * into v_last from seal order by number desc limit 1;
  if found then
    v_after := v_last.after_id;
    v_from := v_last.to_xid;
  end if;
  if v_from > pg_snapshot_xmax(v_snapshot)::text::bigint then
    if exists (select from entry where xid >= v_from and id > v_after) then
      v_to := 9223372036854775807;
    else
      select max(last_id) into v_after from seal;
      v_from := 0;
    end if;
  end if;
  select count(*) as entries, min(x.xid) as first_xid, max(x.xid) as last_xid into v_found
  from (select xid from entry where xid >= v_from and xid < v_to and id > v_after
        order by xid, id limit p_entries_max + 1) x;
  if v_found.entries > p_entries_max then
    -- What one transaction posted stays together, however much it was.
    v_to := greatest(v_found.last_xid, v_found.first_xid + 1);
  end if;
  select count(*), max(e.id), string_agg(ledger_digest(e), ''::bytea order by e.xid, e.id)
  into v_seal.entries, v_seal.last_id, v_digests
  from entry e where e.xid >= v_from and e.xid < v_to and e.id > v_after;
  if v_seal.entries = 0 then
    return 0;
  end if;
  v_seal.number := coalesce(v_last.number, 0) + 1;
  v_seal.previous := coalesce(v_last.sha256, decode(repeat('00', 32), 'hex'));
  v_seal.sha256 := sha256(convert_to(concat(v_seal.number, '|', v_after, '|', v_from, '|', v_to,
                                            '|', v_seal.entries, '|'), 'UTF8')
                          || v_seal.previous || sha256(v_digests));
  insert into seal values (v_seal.number, v_after, v_from, v_to, v_seal.entries, v_seal.last_id,
                           v_seal.previous, v_seal.sha256, p_at);
  return v_seal.entries;
end $$;
"""


def upgrade() -> None:
    for script in (TABLES, GUARDS, POSTING, BULK, HOLDS, SEALS):
        sql(script)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
