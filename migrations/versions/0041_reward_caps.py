"""Caps per instrument, notice before payment, use-of-funds reports and clawbacks of rewards."""

from marketplace.kernel.migrate import sql

revision = "0041"
down_revision = "0040"

NOTICE = """
alter table reward_run
  add column published_by bigint references person,
  add column published_at timestamptz,
  add column notice_ends_on date,
  drop constraint reward_run_status,
  add constraint reward_run_status
    check (status in ('draft', 'in_notice', 'approved', 'discarded')),
  add constraint reward_run_published_whole
    check (num_nonnulls(published_by, published_at, notice_ends_on)
           = case when published_at is null then 0 else 3 end
           and case status when 'draft' then published_at is null
                           when 'in_notice' then published_at is not null else true end),
  -- Where the terms ask for a notice, nothing is paid without one.
  add constraint reward_run_notice_given
    check (status <> 'approved' or published_at is not null
           or coalesce((terms -> 'notice_working_days' ->> 'value')::integer, 0) = 0);
drop index reward_run_one_draft;
create unique index reward_run_one_draft on reward_run (year)
  where status in ('draft', 'in_notice');

create table reward_objection (
  id bigint generated always as identity primary key,
  run_id bigint not null references reward_run,
  name text not null,
  contact text not null,
  statement text not null,
  filed_at timestamptz not null,
  status text not null,
  answer text,
  answered_by bigint references person,
  answered_at timestamptz,
  constraint reward_objection_filed check (name <> '' and contact <> '' and statement <> ''),
  constraint reward_objection_status check (status in ('open', 'upheld', 'dismissed')),
  constraint reward_objection_answered
    check (num_nonnulls(answer, answered_by, answered_at)
           = case status when 'open' then 0 else 3 end)
);
create index reward_objection_run_idx on reward_objection (run_id, id);
create trigger reward_objection_append_only before update on reward_objection
  for each row when (old.status <> 'open') execute function refuse_change();
create trigger reward_objection_no_delete before delete on reward_objection
  for each row execute function refuse_change();

-- What was published is what is approved, after the notice and its objections.
create function reward_run_in_notice() returns trigger language plpgsql as $$
begin
  if new.status = 'draft'
     or (to_jsonb(new) - array['status', 'approved_by', 'approved_at', 'discarded_by',
                               'discarded_at'])
        is distinct from
        (to_jsonb(old) - array['status', 'approved_by', 'approved_at', 'discarded_by',
                               'discarded_at']) then
    raise exception 'what was published stays as it is'
      using errcode = 'restrict_violation', constraint = 'reward_run_append_only';
  end if;
  if new.status = 'approved' then
    if (new.approved_at at time zone 'Asia/Shanghai')::date <= new.notice_ends_on then
      raise exception 'the notice is not over'
        using errcode = 'check_violation', constraint = 'reward_run_notice_over';
    end if;
    if exists (select from reward_objection o
               where o.run_id = new.id and o.status <> 'dismissed') then
      raise exception 'an objection is open or upheld'
        using errcode = 'check_violation', constraint = 'reward_run_objections_dismissed';
    end if;
  end if;
  return new;
end $$;
drop trigger reward_run_append_only on reward_run;
create trigger reward_run_append_only before update on reward_run
  for each row when (old.status not in ('draft', 'in_notice')) execute function refuse_change();
create trigger reward_run_in_notice before update on reward_run
  for each row when (old.status = 'in_notice') execute function reward_run_in_notice();
"""

CAPS = """
alter table reward_entity_share
  add column held_fen bigint not null default 0,
  drop constraint reward_entity_share_claimed,
  add constraint reward_entity_share_claimed
    check (claimed_fen + held_fen = greatest(capped_fen - paid_before_fen, 0)),
  add constraint reward_entity_share_held
    check (held_fen >= 0 and (held_fen = 0 or claimed_fen = 0));

alter table reward_share
  add column rate_class text not null default 'graded',
  add constraint reward_share_rate_class check (rate_class in ('graded', 'social', 'special'));

-- What each instrument has earned, in 1/10,000 fen, where the terms cap it.
create table reward_instrument_share (
  run_id bigint not null,
  legal_entity_id bigint not null,
  provider_id bigint not null,
  instrument_id bigint not null references instrument,
  service_total_fen bigint not null,
  rate_basis_points integer not null,
  cap_fen bigint not null,
  counted numeric not null,
  primary key (run_id, legal_entity_id, provider_id, instrument_id),
  constraint reward_instrument_share_unit foreign key (run_id, legal_entity_id, provider_id)
    references reward_share deferrable initially deferred,
  constraint reward_instrument_share_cap check (counted <= cap_fen::numeric * 10000),
  constraint reward_instrument_share_counted
    check (counted = least(greatest(service_total_fen, 0)::numeric * rate_basis_points,
                           cap_fen::numeric * 10000))
);
create trigger reward_instrument_share_append_only
  before update or delete on reward_instrument_share
  for each row execute function refuse_change();
"""

REPORTS = """
create table reward_use_report (
  id bigint generated always as identity primary key,
  run_id bigint not null references reward_run,
  provider_id bigint not null references organisation,
  legal_entity_id bigint not null references legal_entity,
  amount_fen bigint not null,
  paid_on date not null,
  due_on date not null,
  status text not null,
  opened_at timestamptz not null,
  constraint reward_use_report_once unique (run_id, provider_id),
  constraint reward_use_report_amount check (amount_fen > 0),
  constraint reward_use_report_days check (due_on >= paid_on),
  constraint reward_use_report_status
    check (status in ('due', 'filed', 'accepted', 'returned'))
);
create index reward_use_report_provider_idx on reward_use_report (provider_id, id desc);
create index reward_use_report_open_idx on reward_use_report (due_on, id)
  where status in ('due', 'returned');
create index reward_use_report_owing_idx on reward_use_report (legal_entity_id, due_on)
  where status in ('due', 'returned');

-- One handing in of a report: what a province decided about it stays with it.
create table reward_use_filing (
  id bigint generated always as identity primary key,
  report_id bigint not null references reward_use_report,
  number integer not null,
  outside_fen bigint not null,
  note text not null default '',
  filed_by bigint not null references person,
  filed_at timestamptz not null,
  decision text,
  reason text not null default '',
  decided_by bigint references person,
  decided_at timestamptz,
  constraint reward_use_filing_number unique (report_id, number),
  constraint reward_use_filing_outside check (outside_fen >= 0),
  constraint reward_use_filing_decision check (decision in ('accepted', 'returned')),
  constraint reward_use_filing_decided
    check (num_nonnulls(decision, decided_by, decided_at) in (0, 3)
           and (decision is distinct from 'returned' or reason <> '')),
  constraint reward_use_filing_second_person check (decided_by is distinct from filed_by)
);
create unique index reward_use_filing_undecided on reward_use_filing (report_id)
  where decision is null;

create table reward_use_line (
  filing_id bigint not null references reward_use_filing,
  purpose text not null,
  amount_fen bigint not null,
  note text not null default '',
  primary key (filing_id, purpose),
  constraint reward_use_line_amount check (amount_fen > 0),
  constraint reward_use_line_purpose check (purpose ~ '^[a-z][a-z-]{1,39}$'),
  constraint reward_use_line_reason check (purpose <> 'other' or note <> '')
);

-- A report accounts for what was paid, to the fen.
create function reward_use_filing_whole() returns trigger language plpgsql as $$
declare
  v_paid bigint;
  v_lines numeric;
  v_outside numeric;
begin
  select amount_fen into v_paid from reward_use_report where id = new.report_id;
  select coalesce(sum(amount_fen), 0), coalesce(sum(amount_fen) filter (where purpose = 'other'), 0)
    into v_lines, v_outside from reward_use_line where filing_id = new.id;
  if v_lines <> v_paid or v_outside <> new.outside_fen then
    raise exception 'a report of % fen accounts for %', v_paid, v_lines
      using errcode = 'check_violation', constraint = 'reward_use_filing_whole';
  end if;
  return null;
end $$;
create constraint trigger reward_use_filing_whole after insert on reward_use_filing
  deferrable initially deferred for each row execute function reward_use_filing_whole();
create trigger reward_use_filing_append_only before update on reward_use_filing
  for each row when (old.decision is not null) execute function refuse_change();
create trigger reward_use_filing_no_delete before delete on reward_use_filing
  for each row execute function refuse_change();
create trigger reward_use_line_append_only before update or delete on reward_use_line
  for each row execute function refuse_change();

create table reward_use_evidence (
  id bigint generated always as identity primary key,
  report_id bigint not null references reward_use_report,
  name text not null,
  media_type text not null,
  sha256 text not null,
  size_bytes integer not null,
  storage_key text not null,
  stored_by bigint not null references person,
  stored_at timestamptz not null,
  constraint reward_use_evidence_once unique (report_id, sha256),
  constraint reward_use_evidence_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint reward_use_evidence_size check (size_bytes between 1 and 10485760),
  constraint reward_use_evidence_storage_key
    check (storage_key = 'reward_use/' || left(sha256, 2) || '/' || sha256)
);
create index reward_use_evidence_storage_key_idx on reward_use_evidence (storage_key);
create trigger reward_use_evidence_append_only before update or delete on reward_use_evidence
  for each row execute function refuse_change();

create table reward_use_reminder (
  report_id bigint not null references reward_use_report,
  step_days integer not null,
  sent_on date not null,
  primary key (report_id, step_days)
);
"""

CLAWBACKS = """
insert into account_type (type, ledger, normal, owner_kind, cached, min_available_fen) values
  ('reward_receivable', 'cash', 1, 'organisation', true, 0),
  ('reward_return_pending', 'cash', -1, null, true, 0);

create table reward_clawback (
  id bigint generated always as identity primary key,
  legal_entity_id bigint not null references legal_entity,
  year smallint not null,
  paid_fen bigint not null,
  due_fen bigint not null,
  amount_fen bigint not null,
  recovered_fen bigint not null default 0,
  terms jsonb not null,
  reason text not null,
  status text not null,
  proposed_by bigint not null references person,
  proposed_at timestamptz not null,
  decided_by bigint references person,
  decided_at timestamptz,
  decision text not null default '',
  constraint reward_clawback_amount
    check (amount_fen > 0 and due_fen >= 0 and amount_fen = paid_fen - due_fen),
  constraint reward_clawback_recovered check (recovered_fen between 0 and amount_fen),
  constraint reward_clawback_reason check (reason <> ''),
  constraint reward_clawback_status
    check (status in ('proposed', 'rejected', 'owed', 'received')),
  constraint reward_clawback_received
    check (case status when 'owed' then recovered_fen < amount_fen
                       when 'received' then recovered_fen = amount_fen
                       else recovered_fen = 0 end),
  constraint reward_clawback_decided
    check ((status = 'proposed') = (decided_at is null)
           and (decided_by is null) = (decided_at is null)),
  constraint reward_clawback_second_person check (decided_by is distinct from proposed_by)
);
create unique index reward_clawback_one_proposal on reward_clawback (legal_entity_id, year)
  where status = 'proposed';
create index reward_clawback_entity_idx on reward_clawback (legal_entity_id, year);
create index reward_clawback_status_idx on reward_clawback (status, id desc);

create table reward_clawback_line (
  clawback_id bigint not null references reward_clawback,
  provider_id bigint not null references organisation,
  amount_fen bigint not null,
  recovered_fen bigint not null default 0,
  primary key (clawback_id, provider_id),
  constraint reward_clawback_line_amount check (amount_fen > 0),
  constraint reward_clawback_line_recovered check (recovered_fen between 0 and amount_fen)
);
create index reward_clawback_line_provider_idx on reward_clawback_line (provider_id);

create table reward_clawback_recovery (
  id bigint generated always as identity primary key,
  clawback_id bigint not null,
  provider_id bigint not null,
  amount_fen bigint not null,
  source text not null,
  entry_id bigint not null references entry,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint reward_clawback_recovery_line foreign key (clawback_id, provider_id)
    references reward_clawback_line,
  constraint reward_clawback_recovery_amount check (amount_fen > 0),
  constraint reward_clawback_recovery_source check (source in ('wallet', 'reward_payable'))
);
create index reward_clawback_recovery_idx on reward_clawback_recovery (clawback_id, id);
create trigger reward_clawback_recovery_append_only
  before update or delete on reward_clawback_recovery
  for each row execute function refuse_change();

-- Nobody owes back more than was paid to it in the year, whatever was decided before; and the
-- lines of a clawback sum to it.
create function reward_clawback_within_paid() returns trigger language plpgsql as $$
begin
  if (select coalesce(sum(amount_fen), 0) from reward_clawback_line where clawback_id = new.id)
     <> new.amount_fen then
    raise exception 'the lines of a clawback sum to it'
      using errcode = 'check_violation', constraint = 'reward_clawback_line_sum';
  end if;
  if exists (
    select from reward_clawback_line mine
    where mine.clawback_id = new.id
      and (select coalesce(sum(l.amount_fen), 0) from reward_clawback_line l
           join reward_clawback c on c.id = l.clawback_id
           where c.legal_entity_id = new.legal_entity_id and c.year = new.year
             and c.status in ('owed', 'received') and l.provider_id = mine.provider_id)
        > (select coalesce(sum(s.amount_fen), 0) from reward_share s
           join reward_run r on r.id = s.run_id
           where r.year = new.year and r.status = 'approved'
             and s.legal_entity_id = new.legal_entity_id and s.provider_id = mine.provider_id)
  ) then
    raise exception 'more would be owed back than was paid'
      using errcode = 'check_violation', constraint = 'reward_clawback_within_paid';
  end if;
  return null;
end $$;
create constraint trigger reward_clawback_within_paid after insert or update on reward_clawback
  deferrable initially deferred for each row when (new.status in ('owed', 'received'))
  execute function reward_clawback_within_paid();
create trigger reward_clawback_append_only before update on reward_clawback
  for each row when (old.status in ('rejected', 'received')
    or (old.legal_entity_id, old.year, old.paid_fen, old.due_fen, old.amount_fen, old.terms,
        old.reason, old.proposed_by, old.proposed_at)
       is distinct from
       (new.legal_entity_id, new.year, new.paid_fen, new.due_fen, new.amount_fen, new.terms,
        new.reason, new.proposed_by, new.proposed_at)) execute function refuse_change();
create trigger reward_clawback_no_delete before delete on reward_clawback
  for each row execute function refuse_change();
create trigger reward_clawback_line_append_only before update on reward_clawback_line
  for each row when ((old.clawback_id, old.provider_id, old.amount_fen)
    is distinct from (new.clawback_id, new.provider_id, new.amount_fen)
    or new.recovered_fen < old.recovered_fen) execute function refuse_change();
create trigger reward_clawback_line_no_delete before delete on reward_clawback_line
  for each row execute function refuse_change();
"""


def upgrade() -> None:
    sql(NOTICE + CAPS + REPORTS + CLAWBACKS)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
