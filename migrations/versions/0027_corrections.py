"""Answers to disputes, refunds, settlement by month."""

from marketplace.kernel.migrate import sql

revision = "0027"
down_revision = "0026"

DISPUTES = """
-- A withdrawn dispute may be followed by another: an order has one open at a time.
alter table dispute
  drop constraint dispute_pkey,
  add column id bigint generated always as identity primary key,
  add column answer_due_at timestamptz,
  add column reminded_at timestamptz,
  add column overdue_at timestamptz,
  add column answer text,
  add column answered_by bigint references person,
  add column answered_at timestamptz,
  add column offered_basis_points integer,
  add column ended_how text,
  add column ended_by bigint references person,
  add column ended_at timestamptz;
update dispute set answer_due_at = opened_at;
update dispute set ended_how = 'ruled', ended_by = ruled_by, ended_at = ruled_at
  where ruled_at is not null;
alter table dispute
  alter column answer_due_at set not null,
  add constraint dispute_answer_due check (answer_due_at >= opened_at),
  add constraint dispute_answered check (
    num_nonnulls(answer, answered_by, answered_at) in (0, 3)
    and (answered_at is not null or offered_basis_points is null)),
  add constraint dispute_answered_by_other check (answered_by <> opened_by),
  add constraint dispute_offer check (offered_basis_points between 0 and 9999),
  add constraint dispute_ended check (
    num_nonnulls(ended_how, ended_by, ended_at) in (0, 3)
    and ended_how in ('ruled', 'agreed', 'conceded', 'withdrawn')
    and (ended_how is not distinct from 'ruled') = (ruled_at is not null)),
  add constraint dispute_agreed check (
    ended_how <> 'agreed' or offered_basis_points is not null),
  add constraint dispute_conceded check (
    ended_how <> 'conceded' or offered_basis_points is not distinct from 0),
  -- Nobody is ruled on before they were heard, or had the time to speak.
  add constraint dispute_heard check (answered_at is not null or ruled_at >= answer_due_at),
  add constraint dispute_ruled_by_other check (ruled_by <> answered_by);
create unique index dispute_open_once on dispute (order_id) where ended_at is null;
create index dispute_order_idx on dispute (order_id, id desc);
create index dispute_due_idx on dispute (answer_due_at)
  where ended_at is null and answered_at is null;
create index dispute_opened_idx on dispute (opened_at);
create trigger dispute_ended_final before update on dispute
  for each row when (old.ended_at is not null) execute function refuse_change();
create trigger dispute_kept before delete on dispute
  for each row execute function refuse_change();
-- What the objection said, and until when an answer is due, stands; so does an answer.
create trigger dispute_opening_kept
  before update of order_id, reason, opened_by, opened_at, answer_due_at on dispute
  for each row execute function refuse_change();
create trigger dispute_answer_kept
  before update of answer, answered_by, answered_at, offered_basis_points on dispute
  for each row when (old.answered_at is not null) execute function refuse_change();

-- Files by which a side shows that it is right.
create table dispute_evidence (
  id bigint generated always as identity primary key,
  dispute_id bigint not null references dispute,
  side text not null,
  name text not null,
  media_type text not null,
  sha256 text not null,
  size_bytes integer not null,
  storage_key text not null,
  stored_by bigint not null references person,
  stored_at timestamptz not null,
  constraint dispute_evidence_once unique (dispute_id, side, sha256),
  constraint dispute_evidence_side check (side in ('buyer', 'provider')),
  constraint dispute_evidence_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint dispute_evidence_size check (size_bytes between 1 and 10485760)
);
create index dispute_evidence_storage_key_idx on dispute_evidence (storage_key);
create trigger dispute_evidence_append_only before update or delete on dispute_evidence
  for each row execute function refuse_change();
"""

CORRECTIONS = """
-- What is given back of an order's charge after settlement: proposed by one person, approved by
-- another, and then in the books as entries and negative charge lines.
create table correction (
  id bigint generated always as identity primary key,
  order_id bigint not null references service_order,
  provider_id bigint not null references organisation,
  buyer_id bigint not null references organisation,
  side text not null,
  voucher_fen bigint not null,
  own_fen bigint not null,
  reason text not null,
  status text not null,
  proposed_by bigint not null references person,
  proposed_at timestamptz not null,
  decided_by bigint references person,
  decided_at timestamptz,
  decided_because text,
  own_entry_id bigint references entry,
  off_account_fen bigint,
  restored_fen bigint,
  to_budgets_fen bigint,
  clawed_back_fen bigint,
  constraint correction_side check (side in ('provider', 'centre')),
  constraint correction_amounts check (
    voucher_fen >= 0 and own_fen >= 0 and voucher_fen + own_fen > 0),
  constraint correction_reason check (reason <> ''),
  constraint correction_status check (
    status in ('proposed', 'approved', 'refused', 'withdrawn')),
  constraint correction_decided check (
    (status = 'proposed') = (decided_at is null)
    and (decided_at is null) = (decided_by is null)),
  constraint correction_second_person check (
    status not in ('approved', 'refused') or decided_by <> proposed_by),
  -- Of the own part: what was owed and is owed no more; the rest is paid into the wallet.
  constraint correction_own_entry check (
    (own_entry_id is not null) = (status = 'approved' and own_fen > off_account_fen)
    and off_account_fen between 0 and own_fen),
  -- Of the voucher part: what can be spent again, what went back to budgets, and what of both had
  -- been approved in a claim and is owed by its claimant.
  constraint correction_voucher check (
    num_nonnulls(off_account_fen, restored_fen, to_budgets_fen, clawed_back_fen)
      = case when status = 'approved' then 4 else 0 end
    and restored_fen >= 0 and to_budgets_fen >= 0
    and restored_fen + to_budgets_fen = voucher_fen
    and clawed_back_fen between 0 and voucher_fen)
);
create unique index correction_open_once on correction (order_id) where status = 'proposed';
create index correction_order_idx on correction (order_id, id);
create index correction_provider_idx on correction (provider_id, id desc);
create index correction_buyer_idx on correction (buyer_id, id desc);
create trigger correction_decided_final before update on correction
  for each row when (old.status <> 'proposed') execute function refuse_change();
create trigger correction_kept before delete on correction
  for each row execute function refuse_change();

-- Never more than was charged, in either part, over all corrections; and an invoice over more than
-- then stands charged is taken back in red before. The lock lets two corrections of one order, and
-- an invoice of it, take turns, whoever writes them.
create function correction_within_charge() returns trigger language plpgsql as $$
declare
  given record;
  charged record;
  standing bigint;
  invoiced bigint;
begin
  perform pg_advisory_xact_lock(hashtextextended('invoice:' || new.order_id, 0));
  select coalesce(sum(voucher_fen), 0) as voucher_fen, coalesce(sum(own_fen), 0) as own_fen
    into given from correction
   where order_id = new.order_id and status in ('proposed', 'approved') and id <> new.id;
  select coalesce(sum(voucher_fen), 0) as voucher_fen, coalesce(sum(own_fen), 0) as own_fen
    into charged from charge_line
   where order_id = new.order_id and reverses is null and kind <> 'move_fee';
  if new.status in ('proposed', 'approved')
     and (given.voucher_fen + new.voucher_fen > charged.voucher_fen
          or given.own_fen + new.own_fen > charged.own_fen) then
    raise exception 'order % would be given back more than was charged', new.order_id
      using errcode = 'check_violation', constraint = 'correction_within_charge';
  end if;
  if new.status = 'approved' then
    select coalesce(sum(service_value_fen), 0) into standing
      from charge_line where order_id = new.order_id;
    select coalesce(sum(case kind when 'blue' then amount_fen else -amount_fen end), 0)
      into invoiced from invoice where order_id = new.order_id;
    if invoiced > standing then
      raise exception 'order % is invoiced above what stands charged', new.order_id
        using errcode = 'check_violation', constraint = 'correction_red_letter';
    end if;
  end if;
  return new;
end $$;
create trigger correction_within_charge before insert or update on correction
  for each row execute function correction_within_charge();

-- The negative charge lines of a correction come to what it says.
create table correction_credit (
  credit_id bigint primary key references charge_line,
  correction_id bigint not null references correction
);
create index correction_credit_correction_idx on correction_credit (correction_id);
create trigger correction_credit_append_only before update or delete on correction_credit
  for each row execute function refuse_change();
create function correction_credited() returns trigger language plpgsql as $$
begin
  if exists (
    select from (select coalesce(sum(l.voucher_fen), 0) as voucher_fen,
                        coalesce(sum(l.own_fen), 0) as own_fen
                   from correction_credit c
                   join charge_line l on l.id = c.credit_id and l.order_id = new.order_id
                                     and l.reverses is not null
                  where c.correction_id = new.id) t
    where t.voucher_fen <> -new.voucher_fen or t.own_fen <> -new.own_fen) then
    raise exception 'correction % is not what its charge lines say', new.id
      using errcode = 'check_violation', constraint = 'correction_credited';
  end if;
  return null;
end $$;
create constraint trigger correction_credited after insert or update of status on correction
  deferrable initially deferred for each row when (new.status = 'approved')
  execute function correction_credited();

-- The negative lines of a charge never pass it, in either part. The row's lock makes two take
-- turns; what the statement after it sees includes the one that it waited for.
create function charge_line_reversed_within() returns trigger language plpgsql as $$
declare
  charge charge_line;
  given record;
begin
  select * into charge from charge_line where id = new.reverses for update;
  select coalesce(sum(voucher_fen), 0) as voucher_fen, coalesce(sum(own_fen), 0) as own_fen
    into given from charge_line where reverses = new.reverses;
  if charge.reverses is not null or charge.order_id <> new.order_id
     or charge.kind <> new.kind or charge.settled_on <> new.settled_on
     or charge.voucher_fen + given.voucher_fen + new.voucher_fen < 0
     or charge.own_fen + given.own_fen + new.own_fen < 0 then
    raise exception 'charge % would be credited beyond what it says', new.reverses
      using errcode = 'check_violation', constraint = 'charge_line_reversed_within';
  end if;
  return new;
end $$;
create trigger charge_line_reversed_within before insert on charge_line
  for each row when (new.reverses is not null) execute function charge_line_reversed_within();
"""

SETTLEMENT = """
-- How far a run that settles what is due has come; each chunk's commit moves it on.
create table settlement_run (
  id bigint generated always as identity primary key,
  worker text not null,
  started_at timestamptz not null,
  due integer not null,
  settled integer not null default 0,
  refused integer not null default 0,
  settled_fen bigint not null default 0,
  moved_at timestamptz not null,
  finished_at timestamptz,
  constraint settlement_run_counts check (
    due >= 0 and settled >= 0 and refused >= 0 and settled_fen >= 0),
  constraint settlement_run_times check (moved_at >= started_at and finished_at >= moved_at)
);
create trigger settlement_run_final before update on settlement_run
  for each row when (old.finished_at is not null) execute function refuse_change();
create trigger settlement_run_kept before delete on settlement_run
  for each row execute function refuse_change();

-- Many holds turned into entries at once, as `ledger_settle_hold` does one: every account is locked
-- in order before anything moves, what was not used is released, all of them or none. A hold that
-- ended before is refused: whoever calls this has locked what the holds are for.
create function ledger_settle_many(
  p_holds bigint[], p_amounts bigint[], p_credits bigint[], p_kinds text[], p_keys text[],
  p_source_kinds text[], p_source_ids bigint[], p_effective_on date, p_made_by bigint,
  p_at timestamptz
) returns table (place integer, entry_id bigint) language plpgsql
set plan_cache_mode = force_custom_plan as $$
#variable_conflict use_column
declare
  v record;
  v_bad record;
  v_entries bigint[];
  v_replayed boolean;
begin
  perform from account
  where cached and id in (select h.account_id from hold h where h.id = any (p_holds)
                          union all select unnest(p_credits))
  order by id for no key update;
  select s.hold_id, h.id, h.amount_fen, h.expires_at, e.how into v_bad
  from unnest(p_holds, p_amounts) as s (hold_id, amount)
  left join hold h on h.id = s.hold_id
  left join hold_end e on e.hold_id = s.hold_id
  where h.id is null or e.how is not null or h.expires_at <= p_at
     or s.amount not between 0 and h.amount_fen
  limit 1;
  if found then
    if v_bad.id is null then
      perform ledger_refuse('ledger_hold_missing', format('no hold %s', v_bad.hold_id));
    elsif v_bad.how = 'lapsed' or (v_bad.how is null and v_bad.expires_at <= p_at) then
      perform ledger_refuse('ledger_hold_over', format('hold %s ran until %s', v_bad.id,
                                                       v_bad.expires_at));
    elsif v_bad.how is not null then
      perform ledger_refuse('ledger_hold_resolved', format('hold %s was %s', v_bad.id, v_bad.how));
    end if;
    perform ledger_refuse('hold_end_within_hold', format('hold %s is of %s fen', v_bad.id,
                                                         v_bad.amount_fen));
  end if;
  update account a set held_fen = a.held_fen - t.held
  from (select h.account_id, sum(h.amount_fen)::bigint as held from hold h
        where h.id = any (p_holds) group by h.account_id) t
  where a.id = t.account_id;
  -- Of those that move money: their place among all, and the lines of their entries.
  select array_agg(s.place order by s.place) as places,
         array_agg(s.kind order by s.place) as kinds,
         array_agg(p_effective_on order by s.place) as days,
         array_agg(s.key order by s.place) as keys,
         array_agg(s.source_kind order by s.place) as source_kinds,
         array_agg(s.source_id order by s.place) as source_ids,
         array_agg(p_made_by order by s.place) as made_by,
         array_agg(null::bigint order by s.place) as nobody,
         array_agg(''::text order by s.place) as remarks,
         array_agg(h.account_id order by s.place) as debits,
         array_agg(s.credit order by s.place) as credits,
         array_agg(-a.normal * s.amount order by s.place) as debited,
         array_agg(a.normal * s.amount order by s.place) as credited
  into v
  from unnest(p_holds, p_amounts, p_credits, p_kinds, p_keys, p_source_kinds, p_source_ids)
    with ordinality as s (hold_id, amount, credit, kind, key, source_kind, source_id, place)
  join hold h on h.id = s.hold_id
  join account a on a.id = h.account_id
  where s.amount > 0;
  if v.places is not null then
    select array_agg(m.entry_id order by m.place), bool_or(m.replayed) into v_entries, v_replayed
    from ledger_post_many(
      v.kinds, v.days, v.keys, v.source_kinds, v.source_ids, v.made_by, v.nobody, v.nobody,
      v.remarks,
      (select array_agg(n::integer) from generate_series(1, cardinality(v.keys)) as n)
        || (select array_agg(n::integer) from generate_series(1, cardinality(v.keys)) as n),
      v.debits || v.credits, v.debited || v.credited, p_at) m;
    if v_replayed then
      perform ledger_refuse('ledger_key_reused', 'a key belongs to another entry');
    end if;
  end if;
  insert into hold_end (hold_id, held_fen, how, amount_fen, entry_id, ended_at, made_by)
  select h.id, h.amount_fen, case when s.amount > 0 then 'settled' else 'released' end, s.amount,
         m.entry_id, p_at, p_made_by
  from unnest(p_holds, p_amounts) with ordinality as s (hold_id, amount, place)
  join hold h on h.id = s.hold_id
  left join unnest(v.places, v_entries) as m (place, entry_id) on m.place = s.place
  order by s.place;
  delete from hold_due where hold_id = any (p_holds);
  return query
    select s.place::integer, m.entry_id from unnest(p_holds) with ordinality as s (hold_id, place)
    left join unnest(v.places, v_entries) as m (place, entry_id) on m.place = s.place
    order by s.place;
end $$;
"""


def upgrade() -> None:
    for script in (DISPUTES, CORRECTIONS, SETTLEMENT):
        sql(script)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
