"""A cost sheet below prices that are still in notice: those would come into force above cost."""

from marketplace.kernel.migrate import sql

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    sql("""
-- Prices in force stay until the year's true-up; what is in notice has to be withdrawn first.
create function refuse_cost_below_notice() returns trigger language plpgsql as $$
declare
  above bigint;
begin
  select l.id into above
    from price_list l
    join price p on p.price_list_id = l.id
    join cost_sheet c on c.id = l.cost_sheet_id
   where l.instrument_id = new.instrument_id and l.withdrawn_at is null and not l.state_set
     and l.in_force_from > (new.filed_at at time zone 'Asia/Shanghai')::date
     and new.year between c.year and extract(year from l.in_force_from)
     and greatest(p.amount_fen, p.minimum_fen)
         > floor(greatest(0, new.total_fen - l.carried_surplus_fen)::numeric
                 * coalesce(p.minutes_per_unit, 60) / new.planned_minutes)
   limit 1;
  if above is not null then
    raise exception 'price list % in notice is above this cost', above
      using errcode = 'check_violation', constraint = 'cost_sheet_below_notice';
  end if;
  return null;
end $$;
create trigger cost_sheet_below_notice after insert on cost_sheet
  for each row when (new.basis = 'planned') execute function refuse_cost_below_notice();

-- Prices are held against the newest sheet of their year, and not against a dearer one before it.
create function refuse_outdated_cost() returns trigger language plpgsql as $$
begin
  if not new.state_set and exists (
    select from cost_sheet newer
      join cost_sheet named on named.id = new.cost_sheet_id
     where newer.instrument_id = new.instrument_id and newer.basis = 'planned'
       and named.basis = 'planned'
       and newer.year between named.year and extract(year from new.in_force_from)
       and (newer.year, newer.version) > (named.year, named.version))
  then
    raise exception 'another cost sheet is newer'
      using errcode = 'check_violation', constraint = 'price_list_within_cost';
  end if;
  return new;
end $$;
create trigger price_list_newest_cost before insert on price_list
  for each row execute function refuse_outdated_cost();
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
