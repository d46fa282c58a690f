"""Reopening a period by two persons, months signed off, verifications kept, and audit packs.

Whoever writes entries without the ledger's functions meets the closed period as well: a trigger
looks at every statement, and takes the lock that closing waits for.
"""

from marketplace.kernel.migrate import sql

revision = "0036"
down_revision = "0035"

PERIODS = """
-- Why a closed period is opened again, who asked and who agreed, and what its closing had said.
create table period_reopening (
  id bigint generated always as identity primary key,
  period_id bigint not null references period,
  reason text not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  closed_by bigint not null references person,
  closed_at timestamptz not null,
  trial_balance jsonb not null,
  seal_number bigint,
  approved_by bigint references person,
  approved_at timestamptz,
  constraint period_reopening_once unique (period_id, closed_at),
  constraint period_reopening_reason check (length(reason) between 1 and 1000),
  constraint period_reopening_approved check ((approved_by is null) = (approved_at is null)),
  constraint period_reopening_two_persons check (approved_by is distinct from made_by)
);
create trigger period_reopening_fixed before update of
    id, period_id, reason, made_by, made_at, closed_by, closed_at, trial_balance, seal_number
  on period_reopening for each row execute function refuse_change();
create trigger period_reopening_approved_once before update on period_reopening
  for each row when (old.approved_at is not null) execute function refuse_change();
create trigger period_reopening_kept before delete on period_reopening
  for each row execute function refuse_change();
create trigger period_reopening_no_truncate before truncate on period_reopening
  for each statement execute function refuse_change();

-- A closed period changes in one way only: two persons open it again, the latest one first.
create function ledger_guard_period() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE'
     and (new.id, new.ledger, new.first_on, new.last_on, new.made_by, new.made_at)
       = (old.id, old.ledger, old.first_on, old.last_on, old.made_by, old.made_at)
     and num_nonnulls(new.approved_by, new.closed_at, new.trial_balance, new.seal_number) = 0
     and exists (select from period_reopening r
                 where r.period_id = old.id and r.closed_at = old.closed_at
                   and r.approved_at is not null) then
    if exists (select from period p where p.ledger = old.ledger and p.first_on > old.last_on
               and p.closed_at is not null) then
      perform ledger_refuse('period_reopened_latest_first',
        format('a later period of the %s ledger is closed', old.ledger));
    end if;
    return new;
  end if;
  raise exception 'a closed period is opened again by two persons, and not changed'
    using errcode = 'restrict_violation', constraint = 'period_append_only';
end $$;

drop trigger period_closed_once on period;
create trigger period_closed_once before update or delete on period
  for each row when (old.closed_at is not null) execute function ledger_guard_period();

-- The functions that post have looked already; this is for whoever does without them.
create function ledger_check_days() returns trigger language plpgsql as $$
declare
  v_ledger text;
  v_day date;
begin
  for v_ledger in select distinct ledger from new_entry order by 1 loop
    perform pg_advisory_xact_lock_shared(4862004, ledger_lock(v_ledger));
  end loop;
  select e.effective_on into v_day
  from new_entry e join period p on p.ledger = e.ledger and p.closed_at is not null
    and e.effective_on between p.first_on and p.last_on
  limit 1;
  if found then
    perform ledger_refuse('ledger_period_open', format('%s is in a closed period', v_day));
  end if;
  return null;
end $$;

create trigger entry_in_open_period after insert on entry
  referencing new table as new_entry
  for each statement execute function ledger_check_days();
"""

CLOSING = """
-- A month that one person found ready, with its checklist, and another person signed off.
create table month_close (
  id bigint generated always as identity primary key,
  first_on date not null,
  last_on date not null,
  status text not null,
  checklist jsonb not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  approved_by bigint references person,
  approved_at timestamptz,
  constraint month_close_month check (
    first_on = date_trunc('month', first_on)::date
    and last_on = (first_on + interval '1 month' - interval '1 day')::date),
  constraint month_close_status check (status in ('draft', 'signed')),
  constraint month_close_signed check (
    num_nonnulls(approved_by, approved_at) = case status when 'signed' then 2 else 0 end),
  constraint month_close_two_persons check (approved_by is distinct from made_by),
  constraint month_close_checklist check (jsonb_typeof(checklist) = 'array')
);
create unique index month_close_one_draft on month_close (first_on) where status = 'draft';
create index month_close_month_idx on month_close (first_on desc, id desc);
create trigger month_close_signed_once before update or delete on month_close
  for each row when (old.status = 'signed') execute function refuse_change();

-- That the books were computed again, when, and with what result.
create table ledger_verification (
  id bigint generated always as identity primary key,
  verified_at timestamptz not null,
  entries bigint not null,
  accounts bigint not null,
  seals bigint not null,
  head_number bigint not null,
  head_sha256 text not null,
  problems bigint not null,
  first_problem text not null,
  constraint ledger_verification_counts check (
    entries >= 0 and accounts >= 0 and seals >= 0 and head_number >= 0 and problems >= 0),
  constraint ledger_verification_head check (head_sha256 ~ '^([0-9a-f]{64})?$')
);
create trigger ledger_verification_append_only before update or delete on ledger_verification
  for each row execute function refuse_change();

-- Whatever of some day is open; what a checklist counts.
create view close_item as
  select 'unexplained' as item, id as subject_id, booked_on as on_day, amount_fen
  from statement_line where status = 'unmatched'
  union all
  select 'payouts_returned', id,
         coalesce(returned_on, (instructed_at at time zone 'Asia/Shanghai')::date), amount_fen
  from payout where status = 'returned'
  union all
  select 'holds_aged', h.id, (h.placed_at at time zone 'Asia/Shanghai')::date, h.amount_fen
  from account a join hold h on h.account_id = a.id
  where a.held_fen > 0 and not exists (select from hold_end e where e.hold_id = h.id);

-- Until when the bank has told of each of the platform's accounts.
create view close_statement as
  select account_number, max(until_on) as until_on
  from (select account_number, until_on from bank_statement
        union all select number, null from house_account) s
  group by account_number;
"""

PACKS = """
create table audit_pack (
  id bigint generated always as identity primary key,
  first_on date not null,
  last_on date not null,
  status text not null,
  entries_total bigint not null default 0,
  entries_done bigint not null default 0,
  asked_by bigint not null references person,
  asked_at timestamptz not null,
  ended_at timestamptz,
  size bigint,
  sha256 text,
  manifest jsonb,
  problem text not null default '',
  constraint audit_pack_days check (first_on <= last_on),
  constraint audit_pack_status check (status in ('asked', 'building', 'ready', 'failed')),
  constraint audit_pack_progress check (entries_done between 0 and entries_total),
  constraint audit_pack_ended check ((ended_at is not null) = (status in ('ready', 'failed'))),
  constraint audit_pack_ready check (
    num_nonnulls(size, sha256, manifest) = case status when 'ready' then 3 else 0 end),
  constraint audit_pack_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint audit_pack_size check (size > 0),
  constraint audit_pack_problem check ((problem <> '') = (status = 'failed'))
);
create index audit_pack_due_idx on audit_pack (id) where status in ('asked', 'building');
create trigger audit_pack_ended_once before update or delete on audit_pack
  for each row when (old.ended_at is not null) execute function refuse_change();

-- The archive in order, each part a kept file.
create table audit_pack_part (
  pack_id bigint not null references audit_pack,
  number integer not null,
  storage_key text not null,
  primary key (pack_id, number),
  constraint audit_pack_part_number check (number >= 1),
  constraint audit_pack_part_storage_key check
    (storage_key ~ '^audit_packs/[0-9a-f]{2}/[0-9a-f]{64}$')
);
create index audit_pack_part_key_idx on audit_pack_part (storage_key);

-- What documents of a period's services were, by digest.
create view close_evidence as
  select 'contract' as kind, id, (buyer_signed_at at time zone 'Asia/Shanghai')::date as on_day,
         order_id, coalesce(registration_number, '') as reference, sha256
  from contract
  union all
  select 'invoice', i.id, i.issued_on, i.order_id, i.number::text, coalesce(f.sha256, '')
  from invoice i left join invoice_file f on f.invoice_id = i.id
  union all
  select 'claim', id, (attached_at at time zone 'Asia/Shanghai')::date, order_id,
         kind || ' ' || reference, sha256
  from claim_evidence;
"""


def upgrade() -> None:
    for script in (PERIODS, CLOSING, PACKS):
        sql(script)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
