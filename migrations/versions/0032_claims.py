"""Lines of claims, their audits, objections, clawbacks, sanctions, and the views of reports.

What came back of a redemption is written once, layer by layer, and never above what was used: the
row of the redemption is locked and its check decides, however many take back at once.
"""

from marketplace.kernel.migrate import sql

revision = "0032"
down_revision = "0031"

CLAIMS = """
insert into account_type (type, ledger, normal, owner_kind, cached, min_available_fen) values
  ('clawback_receivable', 'cash', 1, 'organisation', true, 0),
  ('clawback_pending', 'cash', -1, null, true, 0);

alter table claim
  alter column provider_id drop not null,
  add column sme_id bigint references organisation,
  add column set_off_fen bigint not null default 0,
  add column withdrawn_by bigint references person,
  add column withdrawn_at timestamptz,
  drop constraint claim_status,
  add constraint claim_status check (status in
    ('draft', 'submitted', 'audited', 'in_notice', 'approved', 'paid', 'refused', 'reversed',
     'withdrawn')),
  add constraint claim_claimant check (num_nonnulls(provider_id, sme_id) = 1),
  add constraint claim_set_off check (set_off_fen between 0 and amount_fen),
  add constraint claim_withdrawn check
    (num_nonnulls(withdrawn_by, withdrawn_at) = case status when 'withdrawn' then 2 else 0 end);
create index claim_sme_idx on claim (sme_id, id) where sme_id is not null;

alter table redemption
  add column returned_fen bigint not null default 0,
  add constraint redemption_returned check (returned_fen between 0 and amount_fen);

create table claim_line (
  claim_id bigint not null references claim,
  redemption_id bigint not null references redemption,
  claimed_fen bigint not null,
  approved_fen bigint not null,
  clawed_back_fen bigint not null default 0,
  reason text not null default '',
  decided_by bigint references person,
  decided_at timestamptz,
  resubmits_claim_id bigint,
  correction text not null default '',
  primary key (claim_id, redemption_id),
  constraint claim_line_resubmits_fkey foreign key (resubmits_claim_id, redemption_id)
    references claim_line (claim_id, redemption_id),
  constraint claim_line_resubmitted_once unique (resubmits_claim_id, redemption_id),
  constraint claim_line_resubmits check (resubmits_claim_id <> claim_id),
  constraint claim_line_corrected check ((resubmits_claim_id is null) = (correction = '')),
  constraint claim_line_approved check (approved_fen between 0 and claimed_fen),
  constraint claim_line_clawed_back check (clawed_back_fen between 0 and approved_fen),
  constraint claim_line_reason check (approved_fen = claimed_fen or reason <> ''),
  constraint claim_line_decided check ((decided_by is null) = (decided_at is null))
);
create index claim_line_redemption_idx on claim_line (redemption_id);

create table claim_audit (
  id bigint generated always as identity primary key,
  claim_id bigint not null references claim,
  stage text not null,
  layer_id bigint references programme_layer,
  passed boolean not null,
  finding text not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint claim_audit_stage check (stage in ('local', 'centre')),
  constraint claim_audit_layer check ((stage = 'local') = (layer_id is not null)),
  constraint claim_audit_once unique nulls not distinct (claim_id, stage, layer_id)
);
create trigger claim_audit_unchanged before update or delete on claim_audit
  for each row execute function refuse_change();

create function claim_audit_by_another() returns trigger language plpgsql as $$
begin
  if exists (select from claim where id = new.claim_id and submitted_by = new.made_by)
     or exists (select from claim_audit where claim_id = new.claim_id
                and stage <> new.stage and made_by = new.made_by) then
    perform ledger_refuse('claim_audit_by_another',
      'nobody audits twice, nor what they submitted');
  end if;
  return new;
end $$;
create trigger claim_audit_by_another before insert on claim_audit
  for each row execute function claim_audit_by_another();

create table claim_objection (
  id bigint generated always as identity primary key,
  claim_id bigint not null references claim,
  redemption_id bigint references redemption,
  name text not null,
  contact text not null,
  statement text not null,
  filed_at timestamptz not null,
  status text not null,
  answer text,
  answered_by bigint references person,
  answered_at timestamptz,
  constraint claim_objection_filed check (name <> '' and contact <> '' and statement <> ''),
  constraint claim_objection_status check (status in ('open', 'upheld', 'dismissed')),
  constraint claim_objection_answered check
    (num_nonnulls(answer, answered_by, answered_at) = case status when 'open' then 0 else 3 end)
);
create index claim_objection_claim_idx on claim_objection (claim_id, id);
create index claim_objection_open_idx on claim_objection (claim_id) where status = 'open';

create table clawback (
  id bigint generated always as identity primary key,
  claim_id bigint not null references claim,
  organisation_id bigint not null references organisation,
  cause text not null,
  amount_fen bigint not null,
  recovered_fen bigint not null default 0,
  reason text not null,
  status text not null,
  proposed_by bigint not null references person,
  proposed_at timestamptz not null,
  decided_by bigint references person,
  decided_at timestamptz,
  decision text not null default '',
  entry_id bigint references entry,
  constraint clawback_cause check (cause in ('finding', 'refund')),
  constraint clawback_amount check (amount_fen > 0),
  constraint clawback_reason check (reason <> ''),
  constraint clawback_recovered check (recovered_fen between 0 and amount_fen),
  constraint clawback_status check (status in ('proposed', 'approved', 'rejected')),
  constraint clawback_second_person check (decided_by is distinct from proposed_by),
  constraint clawback_decided check
    ((status = 'proposed') = (decided_at is null)
     and (cause = 'refund' or (decided_by is null) = (decided_at is null))),
  constraint clawback_entry check ((status = 'approved') = (entry_id is not null)),
  constraint clawback_recovers_what_was_decided check (recovered_fen = 0 or status = 'approved')
);
create index clawback_claim_idx on clawback (claim_id, id);
create index clawback_due_idx on clawback (organisation_id, id)
  where status = 'approved' and recovered_fen < amount_fen;

create table clawback_line (
  clawback_id bigint not null references clawback,
  claim_id bigint not null,
  redemption_id bigint not null,
  amount_fen bigint not null,
  primary key (clawback_id, redemption_id),
  constraint clawback_line_fkey foreign key (claim_id, redemption_id)
    references claim_line (claim_id, redemption_id),
  constraint clawback_line_amount check (amount_fen > 0)
);
create index clawback_line_claimed_idx on clawback_line (claim_id, redemption_id);

create table clawback_recovery (
  id bigint generated always as identity primary key,
  clawback_id bigint not null references clawback,
  amount_fen bigint not null,
  source text not null,
  claim_id bigint references claim,
  entry_id bigint not null references entry,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint clawback_recovery_amount check (amount_fen > 0),
  constraint clawback_recovery_source check (source in ('payable', 'wallet')),
  constraint clawback_recovery_claim check (claim_id is null or source = 'payable')
);
create index clawback_recovery_clawback_idx on clawback_recovery (clawback_id, id);
create trigger clawback_recovery_unchanged before update or delete on clawback_recovery
  for each row execute function refuse_change();

create function clawback_recovered() returns trigger language plpgsql as $$
begin
  update clawback set recovered_fen = recovered_fen + new.amount_fen where id = new.clawback_id;
  return new;
end $$;
create trigger clawback_recovered after insert on clawback_recovery
  for each row execute function clawback_recovered();

create table redemption_return (
  id bigint generated always as identity primary key,
  redemption_id bigint not null references redemption,
  layer_id bigint not null,
  amount_fen bigint not null,
  cause text not null,
  went_to text not null,
  frees_caps boolean not null,
  after_approval boolean not null,
  clawback_id bigint references clawback,
  entry_id bigint not null references entry,
  returned_on date not null,
  reason text not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint redemption_return_part_fkey foreign key (redemption_id, layer_id)
    references redemption_part (redemption_id, layer_id),
  constraint redemption_return_amount check (amount_fen > 0),
  constraint redemption_return_cause
    check (cause in ('excluded', 'cut', 'refunded', 'clawed_back')),
  constraint redemption_return_went_to check (went_to in ('budget', 'voucher')),
  constraint redemption_return_clawback check (after_approval = (clawback_id is not null))
);
create index redemption_return_redemption_idx on redemption_return (redemption_id, layer_id);
create index redemption_return_day_idx on redemption_return (returned_on, id);
create index redemption_return_clawback_idx on redemption_return (clawback_id)
  where clawback_id is not null;
create trigger redemption_return_unchanged before update or delete on redemption_return
  for each row execute function refuse_change();

-- The update locks the redemption's row and its check counts the whole; the sum counts the layer.
create function redemption_return_within() returns trigger language plpgsql as $$
begin
  update redemption set returned_fen = returned_fen + new.amount_fen where id = new.redemption_id;
  if (select coalesce(sum(amount_fen), 0) + new.amount_fen from redemption_return
      where redemption_id = new.redemption_id and layer_id = new.layer_id)
     > (select amount_fen from redemption_part
        where redemption_id = new.redemption_id and layer_id = new.layer_id) then
    perform ledger_refuse('redemption_return_within', 'a layer gets back more than it gave');
  end if;
  if new.frees_caps then
    update voucher_cap c set used_fen = c.used_fen - new.amount_fen
    from redemption r
    join voucher_hold h
      on h.order_id = r.order_id and h.grant_id = r.grant_id and h.status = 'settled'
    join voucher_hold_cap counted on counted.hold_id = h.id
    join programme_layer layer on layer.id = new.layer_id
    where r.id = new.redemption_id
      and counted.funder in ('', layer.funder)
      and (c.programme_id, c.kind, c.subject, c.funder, c.year)
        = (counted.programme_id, counted.kind, counted.subject, counted.funder, counted.year);
  end if;
  return new;
end $$;
create trigger redemption_return_within before insert on redemption_return
  for each row execute function redemption_return_within();
"""

SANCTIONS = """
create table sanction (
  id bigint generated always as identity primary key,
  organisation_id bigint not null references organisation,
  programme_id bigint references programme,
  kind text not null,
  reason text not null,
  starts_on date not null,
  ends_on date,
  status text not null,
  proposed_by bigint not null references person,
  proposed_at timestamptz not null,
  statement_due_on date not null,
  statement text,
  stated_by bigint references person,
  stated_at timestamptz,
  decided_by bigint references person,
  decided_at timestamptz,
  decision text not null default '',
  appeal_due_on date,
  appeal text,
  appealed_by bigint references person,
  appealed_at timestamptz,
  appeal_decided_by bigint references person,
  appeal_decided_at timestamptz,
  appeal_answer text,
  constraint sanction_kind check (kind in ('warning', 'suspension', 'exclusion')),
  constraint sanction_reason check (reason <> ''),
  constraint sanction_days check (ends_on >= starts_on),
  constraint sanction_period check (kind <> 'suspension' or ends_on is not null),
  constraint sanction_of_programme check (kind <> 'exclusion' or programme_id is not null),
  constraint sanction_status
    check (status in ('proposed', 'imposed', 'dropped', 'appealed', 'lifted')),
  constraint sanction_second_person check (decided_by is distinct from proposed_by),
  constraint sanction_decided check
    (num_nonnulls(decided_by, decided_at) = case status when 'proposed' then 0 else 2 end),
  constraint sanction_stated check (num_nonnulls(statement, stated_by, stated_at) in (0, 3)),
  constraint sanction_appealed check
    (num_nonnulls(appeal, appealed_by, appealed_at) in (0, 3)
     and (status <> 'appealed' or appeal is not null)),
  constraint sanction_appeal_decided check
    (num_nonnulls(appeal_decided_by, appeal_decided_at, appeal_answer) in (0, 3)
     and (appeal_decided_by is null
          or (appeal is not null and status in ('imposed', 'lifted')))),
  constraint sanction_appeal_third_person check
    (appeal_decided_by is null
     or (appeal_decided_by <> proposed_by and appeal_decided_by <> decided_by))
);
create index sanction_organisation_idx on sanction (organisation_id, id);
create index sanction_status_idx on sanction (status, id);
create index sanction_in_force_idx on sanction (organisation_id, programme_id)
  where status in ('imposed', 'appealed') and kind <> 'warning';

-- An appeal does not put a sanction off.
create function voucher_barred(of_organisation bigint, of_programme bigint, on_day date)
returns boolean language sql stable as $$
  select exists (
    select from sanction
    where organisation_id = of_organisation and status in ('imposed', 'appealed')
      and kind <> 'warning'
      and (programme_id is null or of_programme is null or programme_id = of_programme)
      and on_day >= starts_on and (ends_on is null or on_day <= ends_on))
$$;

create function refuse_barred_application() returns trigger language plpgsql as $$
begin
  if voucher_barred(new.organisation_id, new.programme_id,
                    (new.made_at at time zone 'Asia/Shanghai')::date) then
    perform ledger_refuse('voucher_party_barred', 'the SME is barred from the programme');
  end if;
  return new;
end $$;
create trigger voucher_application_barred before insert on voucher_application
  for each row execute function refuse_barred_application();

create function refuse_barred_hold() returns trigger language plpgsql as $$
declare
  held_on date := (new.held_at at time zone 'Asia/Shanghai')::date;
begin
  if exists (
    select from voucher_grant
    where id = new.grant_id
      and (voucher_barred(organisation_id, programme_id, held_on)
           or voucher_barred(new.provider_id, programme_id, held_on))) then
    perform ledger_refuse('voucher_party_barred', 'a party is barred from the programme');
  end if;
  return new;
end $$;
create trigger voucher_hold_barred before insert on voucher_hold
  for each row execute function refuse_barred_hold();

create function refuse_barred_claim() returns trigger language plpgsql as $$
declare
  payee bigint := coalesce(new.provider_id, new.sme_id);
  moved_on date := (coalesce(new.approved_at, new.submitted_at)
                    at time zone 'Asia/Shanghai')::date;
begin
  if exists (
    select from redemption join voucher_grant on voucher_grant.id = redemption.grant_id
    where redemption.claim_id = new.id and redemption.excluded_at is null
      and voucher_barred(payee, voucher_grant.programme_id, moved_on)) then
    perform ledger_refuse('voucher_party_barred', 'the claimant is barred from the programme');
  end if;
  return new;
end $$;
create trigger claim_barred before update on claim for each row
  when (new.status is distinct from old.status and new.status in ('submitted', 'approved'))
  execute function refuse_barred_claim();
"""

# What was claimed before lines were kept; what was excluded, as it stands in the ledger.
BACKFILL = """
insert into claim_line (claim_id, redemption_id, claimed_fen, approved_fen, reason)
select redemption.claim_id, redemption.id, redemption.amount_fen,
       case when redemption.excluded_at is null then redemption.amount_fen else 0 end,
       coalesce(nullif(redemption.excluded_reason, ''), 'excluded')
from redemption join claim on claim.id = redemption.claim_id
where claim.status <> 'draft';

insert into redemption_return (redemption_id, layer_id, amount_fen, cause, went_to, frees_caps,
  after_approval, entry_id, returned_on, reason, made_by, made_at)
select part.redemption_id, part.layer_id, part.amount_fen, 'excluded', 'budget', false, false,
       entry.id, entry.effective_on, entry.remark, entry.made_by, entry.posted_at
from redemption_part part
join entry on entry.key = 'redemption-excluded:' || part.redemption_id;
"""


# What happened to voucher money, one row a layer and event; the sums of the reports are over it.
# Issued, expired and withdrawn are what the ledger says, so that no way of granting is forgotten.
MOVEMENTS = """
create view voucher_movement as
with moved as (
  select case coalesce(was.kind, entry.kind) when 'voucher_granted' then 'issued'
              when 'voucher_expired' then 'expired' else 'withdrawn' end as measure,
         entry.effective_on as on_day, part.grant_id, part.layer_id, null::bigint as order_id,
         null::bigint as provider_id,
         case coalesce(was.kind, entry.kind) when 'voucher_granted' then -posting.amount_fen
              else posting.amount_fen end as amount_fen
  from account
  join posting on posting.account_id = account.id
  join entry on entry.id = posting.entry_id
  left join entry was on was.id = entry.reverses
  join grant_part part on part.id = account.owner_id
  where account.type = 'voucher'
    and coalesce(was.kind, entry.kind) in
      ('voucher_granted', 'voucher_expired', 'voucher_revoked', 'voucher_withdrawn')
  union all
  -- What the provider's region takes over of a service was granted to nobody before.
  select 'issued', redemption.redeemed_on, redemption.grant_id, part.layer_id,
         redemption.order_id, redemption.provider_id, part.amount_fen
  from redemption
  join redemption_part part on part.redemption_id = redemption.id
  join grant_part granted
    on granted.grant_id = redemption.grant_id and granted.layer_id = part.layer_id
  where granted.amount_fen = 0
  union all
  select 'held', (held.held_at at time zone 'Asia/Shanghai')::date, held.grant_id, part.layer_id,
         held.order_id, held.provider_id, of_hold.amount_fen
  from voucher_hold held
  join voucher_hold_part of_hold on of_hold.hold_id = held.id
  join grant_part part on part.id = of_hold.grant_part_id
  where held.status = 'held'
  union all
  select 'used', redemption.redeemed_on, redemption.grant_id, part.layer_id,
         redemption.order_id, redemption.provider_id, part.amount_fen
  from redemption join redemption_part part on part.redemption_id = redemption.id
  union all
  select case when back.after_approval then 'clawed_back' else 'returned' end, back.returned_on,
         redemption.grant_id, back.layer_id, redemption.order_id, redemption.provider_id,
         back.amount_fen
  from redemption_return back join redemption on redemption.id = back.redemption_id
  union all
  select step.measure, step.on_day, redemption.grant_id, part.layer_id, redemption.order_id,
         redemption.provider_id,
         part.amount_fen - coalesce((
           select sum(back.amount_fen) from redemption_return back
           where back.redemption_id = redemption.id and back.layer_id = part.layer_id
             and not back.after_approval
             and (step.measure <> 'claimed' or back.made_at <= claim.submitted_at)), 0)
  from redemption
  join claim on claim.id = redemption.claim_id
  join redemption_part part on part.redemption_id = redemption.id
  left join payout on payout.source_kind = 'claim' and payout.source_id = claim.id
    and payout.status = 'confirmed'
  cross join lateral (values
    ('claimed', (claim.submitted_at at time zone 'Asia/Shanghai')::date,
     claim.status in ('submitted', 'audited', 'in_notice', 'approved', 'paid')),
    ('approved', (claim.approved_at at time zone 'Asia/Shanghai')::date,
     claim.status in ('approved', 'paid')),
    ('paid', coalesce(payout.confirmed_on, (claim.approved_at at time zone 'Asia/Shanghai')::date),
     claim.status = 'paid')) step (measure, on_day, reached)
  where step.reached
)
select moved.measure, moved.on_day, moved.amount_fen, moved.order_id, moved.provider_id,
       moved.grant_id, moved.layer_id, layer.programme_id, layer.funder,
       layer.region_code as layer_region, granted.organisation_id as sme_id,
       sme.region_code as sme_region, held.service_kind
from moved
join programme_layer layer on layer.id = moved.layer_id
join voucher_grant granted on granted.id = moved.grant_id
join organisation sme on sme.id = granted.organisation_id
left join voucher_hold held on held.order_id = moved.order_id
  and held.grant_id = moved.grant_id and held.status in ('held', 'settled')
where moved.amount_fen <> 0;
"""

# What the tables sum to against what lies on the accounts, both as of one moment.
RECONCILIATION = """
create view voucher_reconciliation as
with books as (
  select layer.id as layer_id,
         coalesce((select sum(posting.amount_fen) from account join posting
                   on posting.account_id = account.id
                   where account.type = 'appropriation' and account.owner_id = layer.id), 0)
           as appropriated_fen,
         -- What a closed programme gave back to its funder is no longer appropriated.
         coalesce((select -sum(posting.amount_fen) from account
                   join posting on posting.account_id = account.id
                   join entry on entry.id = posting.entry_id
                   left join entry was on was.id = entry.reverses
                   where account.type = 'appropriation' and account.owner_id = layer.id
                     and coalesce(was.kind, entry.kind) = 'budget_returned'), 0)
           as given_back_fen,
         coalesce((select -posted_fen from account
                   where type = 'programme_budget' and owner_id = layer.id), 0) as available_fen,
         coalesce((select -sum(posting.amount_fen) from account join posting
                   on posting.account_id = account.id
                   where account.type = 'programme_spent' and account.owner_id = layer.id), 0)
           as spent_fen,
         coalesce(voucher.left_fen, 0) as left_fen,
         -- Of guests' services the provider's region holds its part on its budget.
         coalesce(voucher.held_fen, 0) + coalesce((
           select held_fen from account
           where type = 'programme_budget' and owner_id = layer.id), 0) as held_fen
  from programme_layer layer
  left join (
    select part.layer_id, -sum(account.posted_fen) as left_fen, sum(account.held_fen) as held_fen
    from account join grant_part part on part.id = account.owner_id
    where account.type = 'voucher' group by part.layer_id
  ) voucher on voucher.layer_id = layer.id
), used as (
  select part.layer_id, sum(part.amount_fen) as used_fen
  from redemption_part part group by part.layer_id
), back as (
  select layer_id, sum(amount_fen) as back_fen from redemption_return group by layer_id
), held as (
  select part.layer_id, sum(of_hold.amount_fen) as held_fen
  from voucher_hold join voucher_hold_part of_hold on of_hold.hold_id = voucher_hold.id
  join grant_part part on part.id = of_hold.grant_part_id
  where voucher_hold.status = 'held' group by part.layer_id
)
select programme.id as programme_id, programme.name as programme_name, layer.id as layer_id,
       layer.funder, layer.region_code, compared.what,
       compared.tables_fen::bigint as tables_fen, compared.ledger_fen::bigint as ledger_fen,
       (compared.tables_fen - compared.ledger_fen)::bigint as difference_fen
from programme_layer layer
join programme on programme.id = layer.programme_id
join books on books.layer_id = layer.id
left join used on used.layer_id = layer.id
left join back on back.layer_id = layer.id
left join held on held.layer_id = layer.id
cross join lateral (values
  ('budget', case programme.status when 'draft' then 0 else layer.budget_fen end,
   books.appropriated_fen + books.given_back_fen),
  ('identity', books.appropriated_fen, books.available_fen + books.left_fen + books.spent_fen),
  ('held', coalesce(held.held_fen, 0), books.held_fen),
  ('used', coalesce(used.used_fen, 0) - coalesce(back.back_fen, 0), books.spent_fen)
) compared (what, tables_fen, ledger_fen)
where programme.status <> 'draft' or books.appropriated_fen <> 0
union all
select null, null, null, null, null, compared.what, compared.tables_fen::bigint,
       compared.ledger_fen::bigint, (compared.tables_fen - compared.ledger_fen)::bigint
from (values
  ('claims-approved',
   (select coalesce(sum(amount_fen), 0) from claim where status in ('approved', 'paid')),
   (select coalesce(sum(posting.amount_fen), 0)
    from entry left join entry was on was.id = entry.reverses
    join posting on posting.entry_id = entry.id
    join account on account.id = posting.account_id and account.type = 'voucher_fund'
    where coalesce(was.kind, entry.kind) = 'claim_approved')),
  ('lines-approved',
   (select coalesce(sum(line.approved_fen), 0) from claim_line line
    join claim on claim.id = line.claim_id where claim.status in ('approved', 'paid')),
   (select coalesce(sum(amount_fen), 0) from claim where status in ('approved', 'paid'))),
  ('clawed-back',
   (select coalesce(sum(amount_fen - recovered_fen), 0) from clawback where status = 'approved'),
   (select coalesce(sum(posted_fen), 0) from account where type = 'clawback_receivable'))
) compared (what, tables_fen, ledger_fen);
"""

# From a redemption to everything around it. The first view finds redemptions by whatever is known
# of the money; the second tells the whole way of each.
AUDIT_PATHS = """
create view voucher_trail as
select redemption.id as redemption_id, redemption.order_id, redemption.grant_id,
       voucher_grant.programme_id, redemption.provider_id,
       voucher_grant.organisation_id as sme_id, redemption.amount_fen, redemption.redeemed_on,
       redemption.claim_id, payout.id as payout_id, matched.line_id as statement_line_id
from redemption
join voucher_grant on voucher_grant.id = redemption.grant_id
left join payout on payout.source_kind = 'claim' and payout.source_id = redemption.claim_id
left join line_match matched on matched.kind = 'payout' and matched.target_id = payout.id
  and matched.undone_at is null;

create view voucher_audit_path as
select trail.*, to_jsonb(redemption) as redemption,
  (select jsonb_agg(jsonb_build_object(
     'layer_id', layer.id, 'funder', layer.funder, 'region_code', layer.region_code,
     'budget_fen', layer.budget_fen, 'granted_fen', of_grant.amount_fen,
     'used_fen', part.amount_fen,
     'returned_fen', (select coalesce(sum(back.amount_fen), 0) from redemption_return back
                      where back.redemption_id = part.redemption_id
                        and back.layer_id = part.layer_id)) order by layer.id)
   from redemption_part part join programme_layer layer on layer.id = part.layer_id
   left join grant_part of_grant
     on of_grant.grant_id = redemption.grant_id and of_grant.layer_id = part.layer_id
   where part.redemption_id = redemption.id) as budget,
  to_jsonb(programme) - 'terms' as programme,
  to_jsonb(application) - 'checks' as application,
  application.checks as eligibility,
  to_jsonb(granted) as voucher_grant,
  (select jsonb_build_object('id', bought.id, 'title', bought.title, 'status', bought.status,
     'buyer_id', bought.buyer_id, 'provider_id', bought.provider_id,
     'instrument_id', bought.instrument_id, 'mode', bought.mode, 'placed_at', bought.placed_at,
     'total_fen', bought.total_fen, 'voucher_fen', bought.voucher_fen,
     'own_fen', bought.own_fen, 'settled_fen', bought.settled_fen,
     'settled_voucher_fen', bought.settled_voucher_fen, 'ended_at', bought.ended_at)
   from service_order bought where bought.id = redemption.order_id) as service_order,
  (select jsonb_agg(to_jsonb(sitting) - 'operator_id' order by sitting.id)
   from reservation reserved join usage_session sitting on sitting.reservation_id = reserved.id
   where reserved.order_id = redemption.order_id) as usage_log,
  (select jsonb_agg(jsonb_build_object('id', agreed.id, 'amendment', agreed.amendment,
     'sha256', agreed.sha256, 'buyer_signed_at', agreed.buyer_signed_at,
     'provider_signed_at', agreed.provider_signed_at,
     'registration_number', agreed.registration_number) order by agreed.amendment)
   from contract agreed where agreed.order_id = redemption.order_id) as contracts,
  (select jsonb_agg(jsonb_build_object('id', handed.id, 'name', handed.name,
     'sha256', handed.sha256, 'stored_at', handed.stored_at) order by handed.id)
   from deliverable handed where handed.order_id = redemption.order_id) as results,
  (select jsonb_agg(to_jsonb(bill) - 'recorded_by' order by bill.id)
   from invoice bill where bill.order_id = redemption.order_id) as invoices,
  (select jsonb_agg(to_jsonb(proof) - 'attached_by' order by proof.id)
   from claim_evidence proof where proof.redemption_id = redemption.id) as evidence,
  (select jsonb_build_object('claim', to_jsonb(claimed),
     'line', (select to_jsonb(line) from claim_line line
              where line.claim_id = claimed.id and line.redemption_id = redemption.id),
     'audits', (select jsonb_agg(to_jsonb(made) order by made.id) from claim_audit made
                where made.claim_id = claimed.id),
     'spot_check', (select to_jsonb(drawn) from spot_check drawn
                    where drawn.claim_id = claimed.id and drawn.redemption_id = redemption.id))
   from claim claimed where claimed.id = redemption.claim_id) as claim,
  (select to_jsonb(paid) from payout paid where paid.id = trail.payout_id) as payout,
  (select to_jsonb(line) - 'identity' || jsonb_build_object('statement_id', line.statement_id,
     'account_number', statement.account_number, 'file_name', statement.file_name)
   from statement_line line join bank_statement statement on statement.id = line.statement_id
   where line.id = trail.statement_line_id) as bank_line,
  (select jsonb_agg(to_jsonb(back) order by back.id) from redemption_return back
   where back.redemption_id = redemption.id) as returns,
  (select jsonb_agg(jsonb_build_object('id', booked.id, 'kind', booked.kind,
     'effective_on', booked.effective_on, 'key', booked.key, 'reverses', booked.reverses,
     'lines', (select jsonb_agg(jsonb_build_object('account_id', posting.account_id,
                 'type', account.type, 'owner_id', account.owner_id,
                 'amount_fen', posting.amount_fen) order by posting.account_id)
               from posting join account on account.id = posting.account_id
               where posting.entry_id = booked.id)) order by booked.id)
   from entry booked where booked.id in (
     select source.id from entry source join voucher_hold held
       on source.source_kind = 'voucher_hold' and source.source_id = held.id
     where held.order_id = redemption.order_id and held.grant_id = redemption.grant_id
     union select claimed.entry_id from claim claimed where claimed.id = redemption.claim_id
     union select back.entry_id from redemption_return back
       where back.redemption_id = redemption.id
     union select source.id from entry source
       where source.source_kind = 'payout' and source.source_id = trail.payout_id)) as entries
from voucher_trail trail
join redemption on redemption.id = trail.redemption_id
join voucher_grant granted on granted.id = redemption.grant_id
join programme on programme.id = granted.programme_id
join voucher_application application on application.id = granted.application_id;
"""


def upgrade() -> None:
    sql(CLAIMS)
    sql(SANCTIONS)
    sql(BACKFILL)
    sql(MOVEMENTS)
    sql(RECONCILIATION)
    sql(AUDIT_PATHS)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
