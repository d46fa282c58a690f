"""The shareholding graph with dates; anomalies with evidence, decisions and statements."""

from marketplace.kernel.migrate import sql

revision = "0031"
down_revision = "0030"

OWNERSHIP = """
-- A name as it is compared: half-width, in capitals, without spaces.
create function name_key(given text) returns text
  language sql immutable strict parallel safe as
$$ select upper(regexp_replace(normalize(given, NFKC), '[[:space:]]+', '', 'g')) $$;

-- A document's number as it is compared: also without punctuation and a file's ending.
create function document_key(given text) returns text
  language sql immutable strict parallel safe as
$$ select regexp_replace(
     regexp_replace(
       upper(regexp_replace(normalize(given, NFKC), '[[:space:]]+', '', 'g')),
       '[.](PDF|JPE?G|PNG|DOCX?|XML|OFD|ZIP)$', ''),
     '[-_/.,:;#|()''"“”《》【】〔〕—–·\\[\\]\\\\]+', '', 'g') $$;

alter table legal_entity
  add column address text not null default '',
  add column phone text not null default '',
  add constraint legal_entity_address_length check (length(address) <= 300),
  add constraint legal_entity_phone_length check (length(phone) <= 40);
create index legal_entity_name_key_idx on legal_entity (name_key(name));
create index legal_entity_representative_key_idx on legal_entity (name_key(legal_representative))
  where legal_representative <> '';

-- From and up to when a part was held, and by which source. `holder_id` is the holder where it is
-- registered itself, by its code or by its name; triggers keep it.
alter table shareholding
  drop constraint shareholding_pkey,
  add column id bigint generated always as identity primary key,
  add column valid_from date not null default '2000-01-01',
  add column valid_until date,
  add column source text not null default '',
  add column recorded_at timestamptz not null default '2000-01-01 00:00+08',
  add column holder_key text not null generated always as (name_key(holder)) stored,
  add column holder_id bigint references legal_entity,
  add constraint shareholding_days check (valid_until >= valid_from),
  add constraint shareholding_source_length check (length(source) <= 200),
  add constraint shareholding_no_overlap exclude using gist
    (legal_entity_id with =, holder_key with =,
     daterange(valid_from, valid_until, '[]') with &&);
drop index shareholding_holder_idx;
create index shareholding_holder_key_idx on shareholding (holder_key);
create index shareholding_holder_id_idx on shareholding (holder_id);
create index shareholding_recorded_idx on shareholding (recorded_at);

create function shareholding_find_holder() returns trigger language plpgsql as $$
begin
  new.holder_id := (
    select e.id from legal_entity e
    where e.uscc = name_key(new.holder) or name_key(e.name) = name_key(new.holder)
    order by e.uscc = name_key(new.holder) desc, e.id limit 1);
  return new;
end $$;
create trigger shareholding_find_holder before insert or update of holder on shareholding
  for each row execute function shareholding_find_holder();

create function legal_entity_find_holdings() returns trigger language plpgsql as $$
begin
  update shareholding set holder_id = new.id
  where holder_key in (new.uscc, name_key(new.name)) and holder_id is null;
  return null;
end $$;
create trigger legal_entity_find_holdings after insert on legal_entity
  for each row execute function legal_entity_find_holdings();

update shareholding set holder = holder;

create function shareholding_within_whole() returns trigger language plpgsql as $$
begin
  if exists (
    select from shareholding d
    join shareholding s on s.legal_entity_id = d.legal_entity_id
      and s.valid_from <= d.valid_from
      and (s.valid_until is null or s.valid_until >= d.valid_from)
    where d.legal_entity_id = new.legal_entity_id
    group by d.id having sum(s.basis_points) > 10000)
  then
    raise exception 'more than the whole of legal entity % is held', new.legal_entity_id
      using errcode = 'check_violation', constraint = 'shareholding_whole',
        table = 'shareholding';
  end if;
  return null;
end $$;
create constraint trigger shareholding_within_whole after insert or update on shareholding
  deferrable initially deferred for each row execute function shareholding_within_whole();

-- Every way by which anybody holds one of `entities` on a day: the parts multiply along the way,
-- nothing is passed twice, and the way has at most `depth` steps. Without a day: whenever it was.
create function ownership_up(entities bigint[], on_day date, depth integer)
  returns table (legal_entity_id bigint, holder_id bigint, holder_key text, share numeric,
                 steps bigint[], holders text[], held text[], parts integer[])
  language sql stable as $$
  with recursive up as (
    select s.legal_entity_id as root, s.holder_id, s.holder_key,
      s.basis_points / 10000.0 as share, array[s.id] as steps,
      array[coalesce(h.name, s.holder)] as holders, array[e.name] as held,
      array[s.basis_points] as parts, array[s.legal_entity_id] as seen
    from shareholding s
    join legal_entity e on e.id = s.legal_entity_id
    left join legal_entity h on h.id = s.holder_id
    where s.legal_entity_id = any (entities) and s.holder_id is distinct from s.legal_entity_id
      and (on_day is null or s.valid_from <= on_day
           and (s.valid_until is null or s.valid_until >= on_day))
    union all
    select u.root, s.holder_id, s.holder_key, u.share * s.basis_points / 10000,
      u.steps || s.id, u.holders || coalesce(h.name, s.holder), u.held || e.name,
      u.parts || s.basis_points, u.seen || s.legal_entity_id
    from up u
    join shareholding s on s.legal_entity_id = u.holder_id
    join legal_entity e on e.id = s.legal_entity_id
    left join legal_entity h on h.id = s.holder_id
    where cardinality(u.steps) < depth and u.share * s.basis_points >= 1
      and (s.holder_id is null or s.holder_id <> all (u.seen || s.legal_entity_id))
      and (on_day is null or s.valid_from <= on_day
           and (s.valid_until is null or s.valid_until >= on_day))
  )
  select root, holder_id, holder_key, share, steps, holders, held, parts from up
$$;

-- What somebody holds on a day, directly and through others: legal entities by id, persons and
-- those who are not registered by key.
create function ownership_down(heads bigint[], keys text[], on_day date, depth integer)
  returns table (holder_id bigint, holder_key text, legal_entity_id bigint, share numeric)
  language sql stable as $$
  with recursive down as (
    select s.holder_id as head, case when s.holder_id is null then s.holder_key end as head_key,
      s.legal_entity_id, s.basis_points / 10000.0 as share, 1 as depth_now,
      array[s.holder_id, s.legal_entity_id] as seen
    from shareholding s
    where (s.holder_id = any (heads) or (s.holder_id is null and s.holder_key = any (keys)))
      and s.holder_id is distinct from s.legal_entity_id
      and s.valid_from <= on_day and (s.valid_until is null or s.valid_until >= on_day)
    union all
    select d.head, d.head_key, s.legal_entity_id, d.share * s.basis_points / 10000,
      d.depth_now + 1, d.seen || s.legal_entity_id
    from down d
    join shareholding s on s.holder_id = d.legal_entity_id
    where d.depth_now < depth and d.share * s.basis_points >= 1
      and array_position(d.seen, s.legal_entity_id) is null
      and s.valid_from <= on_day and (s.valid_until is null or s.valid_until >= on_day)
  )
  select head, head_key, legal_entity_id, share from down
$$;

-- Every legal entity under one control with `entity`: whoever holds at least `control` basis
-- points controls, and control passes on until nobody new is found.
create function controlling_group(entity bigint, on_day date, control integer, depth integer)
  returns table (legal_entity_id bigint) language plpgsql stable as $$
declare
  members bigint[] := array[entity];
  grown bigint[];
  heads bigint[];
  keys text[];
begin
  for round in 1 .. depth loop
    select coalesce(array_agg(u.holder_id) filter (where u.holder_id is not null), '{}'),
           coalesce(array_agg(u.holder_key) filter (where u.holder_id is null), '{}')
    into heads, keys
    from (
      select o.holder_id, case when o.holder_id is null then o.holder_key end as holder_key
      from ownership_up(members, on_day, depth) o
      group by o.legal_entity_id, 1, 2 having sum(o.share) * 10000 >= control
    ) u;
    select array_agg(distinct m.id order by m.id) into grown
    from (
      select unnest(members || heads) as id
      union
      select d.legal_entity_id
      from ownership_down(members || heads, keys, on_day, depth) d
      group by d.holder_id, d.holder_key, d.legal_entity_id having sum(d.share) * 10000 >= control
    ) m;
    exit when cardinality(grown) = cardinality(members);
    members := grown;
  end loop;
  return query select unnest(members);
end $$;
"""

ANOMALIES = """
create table anomaly (
  id bigint generated always as identity primary key,
  kind text not null,
  severity text not null,
  fingerprint text not null,
  summary text not null,
  evidence jsonb not null,
  evidence_sha256 text not null,
  detector_version integer not null,
  found_at timestamptz not null,
  seen_at timestamptz not null,
  status text not null,
  assigned_to bigint references person,
  assigned_at timestamptz,
  decided_by bigint references person,
  decided_at timestamptz,
  reason text not null default '',
  constraint anomaly_fingerprint unique (fingerprint),
  constraint anomaly_kind check (kind in (
    'affiliated-parties', 'duplicate-contract', 'duplicate-invoice', 'duplicate-payment-proof',
    'duplicate-result', 'split-orders', 'circular-trade', 'price-above-list', 'price-outlier',
    'session-impossible', 'operator-overlap', 'hours-above-opening', 'result-before-samples',
    'burst-before-expiry', 'settled-no-show', 'shared-identity')),
  constraint anomaly_severity check (severity in ('notice', 'warning', 'blocking')),
  constraint anomaly_status check (status in
    ('open', 'in_review', 'needs_information', 'confirmed', 'dismissed')),
  constraint anomaly_sha256 check (fingerprint ~ '^[0-9a-f]{64}$'
    and evidence_sha256 ~ '^[0-9a-f]{64}$'),
  constraint anomaly_seen check (seen_at >= found_at),
  constraint anomaly_assigned check ((assigned_to is null) = (assigned_at is null)
    and (status <> 'in_review' or assigned_to is not null)),
  constraint anomaly_decided check (
    (decided_by is null) = (decided_at is null)
    and (decided_by is null) = (reason = '')
    and (decided_by is null) = (status in ('open', 'in_review')))
);
create index anomaly_status_idx on anomaly (status, id);
create index anomaly_kind_idx on anomaly (kind, id);
create index anomaly_severity_idx on anomaly (severity, id);
create index anomaly_found_idx on anomaly (found_at, id);
create index anomaly_assigned_idx on anomaly (assigned_to, id) where assigned_to is not null;

-- What it is about. Orders and organisations are named by every anomaly that has them.
create table anomaly_subject (
  anomaly_id bigint not null references anomaly,
  kind text not null,
  subject_id bigint not null,
  primary key (anomaly_id, kind, subject_id),
  constraint anomaly_subject_kind check (kind in
    ('order', 'redemption', 'claim', 'grant', 'application', 'organisation'))
);
create index anomaly_subject_idx on anomaly_subject (kind, subject_id, anomaly_id);

-- What happened to it; nobody changes it.
create table anomaly_event (
  id bigint generated always as identity primary key,
  anomaly_id bigint not null references anomaly,
  kind text not null,
  at timestamptz not null,
  person_id bigint not null references person,
  facts jsonb not null,
  constraint anomaly_event_kind check (kind in ('found', 'evidence_changed', 'reopened',
    'assigned', 'needs_information', 'confirmed', 'dismissed', 'answered'))
);
create index anomaly_event_anomaly_idx on anomaly_event (anomaly_id, id);
create trigger anomaly_event_append_only before update or delete on anomaly_event
  for each row execute function refuse_change();

-- What an organisation answers to a finding about it.
create table anomaly_statement (
  id bigint generated always as identity primary key,
  anomaly_id bigint not null references anomaly,
  organisation_id bigint not null references organisation,
  statement text not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint anomaly_statement_length check (length(statement) between 1 and 4000)
);
create index anomaly_statement_anomaly_idx on anomaly_statement (anomaly_id, id);
create trigger anomaly_statement_append_only before update or delete on anomaly_statement
  for each row execute function refuse_change();

-- Which redemptions a run of the detectors looked at, and what it found.
create table anomaly_run (
  id bigint generated always as identity primary key,
  since date,
  through date not null,
  claim_id bigint references claim,
  redemptions integer not null,
  found integer not null,
  changed integer not null,
  detector_version integer not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint anomaly_run_days check (since <= through),
  constraint anomaly_run_counts check (redemptions >= 0 and found >= 0 and changed >= 0)
);
create index anomaly_run_claim_idx on anomaly_run (claim_id, id) where claim_id is not null;

-- Whoever is concerned does not decide: an anomaly of an order, a claim or an application is
-- decided by none of the persons who placed, submitted, audited, approved or decided it.
create function anomaly_uninvolved() returns trigger language plpgsql as $$
begin
  if exists (select from involved_persons(new.id) p where p = new.decided_by) then
    raise exception 'person % is involved in anomaly %', new.decided_by, new.id
      using errcode = 'check_violation', constraint = 'anomaly_decided_uninvolved',
        table = 'anomaly';
  end if;
  return new;
end $$;

create function involved_persons(anomaly bigint) returns setof bigint language sql stable as $$
  select p from (
    select o.placed_by from anomaly_subject s join service_order o on o.id = s.subject_id
    where s.anomaly_id = anomaly and s.kind = 'order'
    union
    select x.p from anomaly_subject s join claim c on c.id = s.subject_id
    cross join lateral unnest(array[c.made_by, c.submitted_by, c.audited_by, c.approved_by]) x (p)
    where s.anomaly_id = anomaly and s.kind = 'claim'
    union
    select x.p from anomaly_subject s join voucher_application a on a.id = s.subject_id
    cross join lateral unnest(array[a.made_by, a.decided_by]) x (p)
    where s.anomaly_id = anomaly and s.kind = 'application'
    union
    select m.person_id from anomaly_subject s
    join membership m on m.organisation_id = s.subject_id
    where s.anomaly_id = anomaly and s.kind = 'organisation'
  ) found (p) where p is not null
$$;
create trigger anomaly_uninvolved before update on anomaly for each row
  when (new.decided_by is not null and new.decided_at is distinct from old.decided_at)
  execute function anomaly_uninvolved();

-- What the detectors look things up by.
create index redemption_redeemed_on_idx on redemption (redeemed_on);
-- What its reference is compared by; nothing where it has too few digits for a number.
alter table claim_evidence add column document text generated always as (
  case when length(regexp_replace(reference, '[^0-9]', '', 'g')) >= 5
    then document_key(reference) end) stored;
create index claim_evidence_document_idx on claim_evidence (document, kind)
  where document is not null;
create index claim_evidence_attached_idx on claim_evidence (attached_at);
create index contract_registration_idx on contract (document_key(registration_number))
  where registration_number is not null;
create index deliverable_sha256_idx on deliverable (sha256);
create index usage_session_operator_idx on usage_session (operator_id, opened_at);

-- A service that a voucher paid for, as the detectors read it.
create view redeemed_service as
  select r.id as redemption_id, r.order_id, r.claim_id, r.grant_id, g.programme_id,
    g.application_id, g.valid_until, r.redeemed_on, r.service_value_fen, r.amount_fen,
    o.buyer_id, o.provider_id, o.buyer_legal_entity_id, o.provider_legal_entity_id,
    o.instrument_id, i.category_code, o.mode, o.placed_by, o.placed_at, o.reservation_id,
    o.status as order_status, q.price_list_id, q.customer_class, q.starts_at, q.ends_at,
    q.samples
  from redemption r
  join voucher_grant g on g.id = r.grant_id
  join service_order o on o.id = r.order_id
  join quote q on q.id = o.quote_id
  join instrument i on i.id = o.instrument_id
  where r.excluded_at is null;
"""


def upgrade() -> None:
    sql(OWNERSHIP)
    sql(ANOMALIES)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
