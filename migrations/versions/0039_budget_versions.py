"""Budgets and layers that change by versions, the one year an order counts in, who is let in."""

from marketplace.kernel.migrate import sql

revision = "0039"
down_revision = "0038"

LAYERS = """
-- A layer that a version added pays from that version's first day on; null: from the beginning.
alter table programme_layer add column starts_on date;

-- What a version changes of its programme's layers: a new one, another budget, another share.
create table programme_layer_change (
  id bigint generated always as identity primary key,
  version_id bigint not null references programme_version,
  -- A layer that is to be added has no row before its version is approved.
  layer_id bigint references programme_layer,
  is_new boolean not null,
  funder text,
  region_code char(6),
  name text not null default '',
  budget_year integer,
  ratio_basis_points integer,
  budget_fen bigint,
  -- What the budget was when the version was approved.
  budget_before_fen bigint,
  constraint programme_layer_change_once unique (version_id, layer_id),
  constraint programme_layer_change_funder check (funder in ('province', 'city', 'zone')),
  constraint programme_layer_change_year check (budget_year between 2000 and 2100),
  constraint programme_layer_change_ratio check (ratio_basis_points between 1 and 10000),
  constraint programme_layer_change_budget check (budget_fen > 0),
  constraint programme_layer_change_before check (budget_before_fen >= 0),
  constraint programme_layer_change_what check (
    case when is_new
      then num_nulls(funder, region_code, ratio_basis_points, budget_fen) = 0
      else layer_id is not null and num_nonnulls(funder, region_code, budget_year) = 0
           and num_nonnulls(ratio_basis_points, budget_fen) > 0 end)
);
create unique index programme_layer_change_new
  on programme_layer_change (version_id, funder, region_code, budget_year) nulls not distinct
  where is_new;
create index programme_layer_change_layer_idx on programme_layer_change (layer_id);

create function programme_layer_change_keep() returns trigger language plpgsql as $$
begin
  if (select status from programme_version
      where id = case tg_op when 'DELETE' then old.version_id else new.version_id end)
     <> 'draft' then
    raise exception 'a decided version of a programme stays as it is'
      using errcode = 'check_violation', constraint = 'programme_layer_change_stays',
            table = tg_table_name;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger programme_layer_change_keep
  before insert or update or delete on programme_layer_change
  for each row execute function programme_layer_change_keep();

-- A version is approved with its layers carried out: the rows there, the budgets as it says.
create function programme_version_carried_out() returns trigger language plpgsql as $$
begin
  if exists (
    select from programme_layer_change c left join programme_layer l on l.id = c.layer_id
    where c.version_id = new.id
      and (l.id is null or l.programme_id <> new.programme_id
           or c.budget_fen is not null
              and (c.budget_before_fen is null or l.budget_fen <> c.budget_fen))) then
    raise exception 'the layers are not what the version says'
      using errcode = 'check_violation', constraint = 'programme_version_layers',
            table = tg_table_name;
  end if;
  return new;
end $$;
create trigger programme_version_carried_out before update on programme_version
  for each row when (new.status = 'approved') execute function programme_version_carried_out();

-- What a layer is stays once its programme is approved; only its budget moves.
create function programme_layer_keep() returns trigger language plpgsql as $$
begin
  if (select status from programme where id = old.programme_id) <> 'draft' then
    raise exception 'a layer of an approved programme keeps what it is'
      using errcode = 'check_violation', constraint = 'programme_layer_keeps',
            table = tg_table_name;
  end if;
  return null;
end $$;
create trigger programme_layer_keep after update on programme_layer for each row
  when ((old.programme_id, old.funder, old.region_code, old.ratio_basis_points, old.budget_year,
         old.starts_on)
        is distinct from
        (new.programme_id, new.funder, new.region_code, new.ratio_basis_points, new.budget_year,
         new.starts_on))
  execute function programme_layer_keep();

-- At commit: a layer's budget is what the ledger has appropriated for it, less what was taken out
-- of it; and one that was added later was added by an approved version.
create function programme_layer_booked() returns trigger language plpgsql as $$
declare
  now_budget bigint;
  booked bigint;
begin
  select l.budget_fen into now_budget
  from programme_layer l join programme p on p.id = l.programme_id and p.status <> 'draft'
  where l.id = new.id;
  if not found then
    return null;
  end if;
  select coalesce(sum(case when coalesce(was.kind, e.kind) = 'budget_returned' then 0
                           else m.amount_fen end), 0)
    into booked
  from account a join posting m on m.account_id = a.id join entry e on e.id = m.entry_id
  left join entry was on was.id = e.reverses
  where a.type = 'appropriation' and a.owner_id = new.id;
  if booked <> now_budget or new.starts_on is not null and not exists (
    select from programme_layer_change c join programme_version v on v.id = c.version_id
    where c.layer_id = new.id and c.is_new and v.status = 'approved'
      and v.starts_on = new.starts_on) then
    raise exception 'layer %: its budget is %, and the ledger has %', new.id, now_budget, booked
      using errcode = 'check_violation', constraint = 'programme_layer_booked',
            table = tg_table_name;
  end if;
  return null;
end $$;
create constraint trigger programme_layer_booked after insert or update on programme_layer
  deferrable initially deferred for each row execute function programme_layer_booked();

-- The share of a layer on a day: what the last version that says so agreed.
create function layer_ratio_on(of_layer bigint, on_day date)
  returns integer language sql stable as $$
    select coalesce(
      (select c.ratio_basis_points
         from programme_layer_change c join programme_version v on v.id = c.version_id
        where c.layer_id = of_layer and c.ratio_basis_points is not null
          and v.status = 'approved' and v.starts_on <= on_day
        order by v.starts_on desc limit 1),
      (select ratio_basis_points from programme_layer where id = of_layer))
$$;

-- What is held keeps the share that it was held by.
alter table voucher_hold_part add column ratio_basis_points integer not null default 0;
update voucher_hold_part h set ratio_basis_points = l.ratio_basis_points
  from grant_part p join programme_layer l on l.id = p.layer_id where p.id = h.grant_part_id;
alter table voucher_hold_part
  add constraint voucher_hold_part_ratio check (ratio_basis_points between 1 and 10000);
create function voucher_hold_part_ratio() returns trigger language plpgsql as $$
begin
  if new.ratio_basis_points = 0 then
    select layer_ratio_on(p.layer_id, (h.held_at at time zone 'Asia/Shanghai')::date)
      into new.ratio_basis_points
    from grant_part p, voucher_hold h
    where p.id = new.grant_part_id and h.id = new.hold_id;
  end if;
  return new;
end $$;
create trigger voucher_hold_part_ratio before insert on voucher_hold_part
  for each row execute function voucher_hold_part_ratio();
"""

YEARS = """
-- Every hold counts in one year, the year of the day of its service, towards all that counts by
-- years: it is decided once, by the order, and kept.
alter table voucher_hold add column counted_year integer not null default 0;
update voucher_hold h set counted_year = coalesce(
  (select max(c.year) from voucher_hold_cap c where c.hold_id = h.id),
  extract(year from h.held_at at time zone 'Asia/Shanghai')::integer);
alter table voucher_hold
  add constraint voucher_hold_counted_year check (counted_year between 2000 and 2100),
  add constraint voucher_hold_of_year unique (id, counted_year);
alter table voucher_hold_cap
  add constraint voucher_hold_cap_year
    foreign key (hold_id, year) references voucher_hold (id, counted_year);

create or replace function voucher_hold_version() returns trigger language plpgsql as $$
begin
  if new.terms_version = 0 then
    select programme_version_on(g.programme_id, new.held_at) into new.terms_version
    from voucher_grant g where g.id = new.grant_id;
  end if;
  if new.counted_year = 0 then
    new.counted_year := extract(year from new.held_at at time zone 'Asia/Shanghai');
  end if;
  return new;
end $$;
"""

LET_IN = """
-- Settled services of SMEs that no voucher paid for: whom a wider rule would let in.
create view order_without_voucher as
select o.id as order_id, o.buyer_id, (o.ended_at at time zone 'Asia/Shanghai')::date as settled_on,
       o.settled_fen as service_value_fen, q.service_kind, o.provider_id, o.instrument_id
from service_order o
join quote q on q.id = o.quote_id
join organisation buyer on buyer.id = o.buyer_id and buyer.kind = 'sme'
where o.status = 'settled' and o.settled_fen > 0 and o.affiliated_because is null
  and not exists (select from redemption r where r.order_id = o.id);

alter table programme_dry_run_line
  drop constraint programme_dry_run_line_dimension,
  add constraint programme_dry_run_line_dimension check (dimension in
    ('size', 'region', 'service_kind', 'provider', 'layer', 'let_in_size', 'let_in_region',
     'let_in_service_kind', 'let_in_provider', 'let_in_layer', 'let_in_unknown'));
"""


def upgrade() -> None:
    sql(LAYERS)
    sql(YEARS)
    sql(LET_IN)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
