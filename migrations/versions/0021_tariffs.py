"""Tariffs: more units, volume tiers, hours with a factor, urgency, extras, objections, true-up."""

from marketplace.kernel.migrate import sql

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    sql(
        """
        alter table cost_sheet
          add column basis text not null default 'planned',
          add constraint cost_sheet_basis check (basis in ('planned', 'actual'));

        -- What a unit of help or material costs; prices of extras rest on it.
        create table cost_item (
          cost_sheet_id bigint not null references cost_sheet,
          code text not null,
          kind text not null,
          name text not null,
          unit text not null,
          cost_fen bigint not null,
          primary key (cost_sheet_id, code),
          constraint cost_item_kind check (kind in ('staff_help', 'consumable', 'other')),
          constraint cost_item_cost_range check (cost_fen >= 0)
        );

        alter table price rename column minutes_per_sample to minutes_per_unit;
        alter table price
          drop constraint price_unit,
          drop constraint price_minutes_per_sample_given,
          drop constraint price_minutes_per_sample_range,
          add constraint price_unit check (
            unit in ('hour', 'day', 'session', 'sample', 'element', 'run')
          ),
          add constraint price_minutes_per_unit_given check (
            (unit = 'hour') = (minutes_per_unit is null)
          ),
          add constraint price_minutes_per_unit_range check (
            minutes_per_unit between 1 and 366 * 24 * 60
          );

        alter table price_list
          add column urgent_basis_points integer,
          add column carried_surplus_fen bigint not null default 0,
          add constraint price_list_urgent check (urgent_basis_points between 1 and 20000),
          add constraint price_list_carried check (carried_surplus_fen >= 0);

        create table price_tier (
          price_list_id bigint not null,
          customer_class text not null,
          unit text not null,
          from_quantity integer not null,
          amount_fen bigint not null,
          primary key (price_list_id, customer_class, unit, from_quantity),
          foreign key (price_list_id, customer_class, unit) references price,
          constraint price_tier_from check (from_quantity between 2 and 1000000),
          constraint price_tier_amount check (amount_fen >= 0)
        );

        create table price_hours (
          price_list_id bigint not null references price_list,
          name text not null,
          weekday smallint not null,
          opens_minute smallint not null,
          closes_minute smallint not null,
          factor_basis_points integer not null,
          primary key (price_list_id, weekday, opens_minute),
          constraint price_hours_weekday check (weekday between 0 and 6),
          constraint price_hours_minutes check (
            opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute
          ),
          constraint price_hours_factor check (factor_basis_points between 0 and 50000),
          constraint price_hours_no_overlap exclude using gist (
            price_list_id with =, weekday with =,
            int4range(opens_minute, closes_minute) with &&
          )
        );

        create table price_extra (
          price_list_id bigint not null references price_list,
          code text not null,
          amount_fen bigint not null,
          primary key (price_list_id, code),
          constraint price_extra_amount check (amount_fen >= 0)
        );

        create table price_objection (
          id bigint generated always as identity primary key,
          price_list_id bigint not null references price_list,
          organisation_id bigint not null references organisation,
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          text text not null,
          outcome text,
          answer text,
          answered_by bigint references person,
          answered_at timestamptz,
          constraint price_objection_once unique (price_list_id, organisation_id),
          constraint price_objection_outcome check (outcome in ('upheld', 'rejected')),
          constraint price_objection_answered check (
            num_nonnulls(outcome, answer, answered_by, answered_at) in (0, 4)
          ),
          constraint price_objection_second_person check (answered_by <> filed_by)
        );
        create index price_objection_open_idx on price_objection (price_list_id)
          where outcome is null;

        -- What a year brought in beside what it really cost; a surplus lowers the next ceiling.
        create table true_up (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          year smallint not null,
          cost_sheet_id bigint not null references cost_sheet,
          income_fen bigint not null,
          cost_fen bigint not null,
          surplus_fen bigint not null generated always as (
            greatest(0, income_fen - cost_fen)
          ) stored,
          made_by bigint not null references person,
          made_at timestamptz not null,
          constraint true_up_once unique (instrument_id, year),
          constraint true_up_amounts check (income_fen >= 0 and cost_fen >= 0)
        );

        -- No price above cost comes into force by any route: what is written is compared with the
        -- cost sheet, in its dearest hour and urgent, whoever writes it.
        create function refuse_price_above_cost() returns trigger language plpgsql as $$
        declare
          wrong bigint;
        begin
          select l.id into wrong
            from (select distinct price_list_id as id from written) as touched
            join price_list l on l.id = touched.id
            join cost_sheet c on c.id = l.cost_sheet_id
           where (not l.state_set and exists (
                   select from price p
                    cross join lateral (
                      select case when p.unit = 'hour' then floor(p.amount_fen::numeric
                               * greatest(10000, (select max(h.factor_basis_points)
                                                    from price_hours h
                                                   where h.price_list_id = l.id)) / 10000)
                             else p.amount_fen end as dear_fen
                    ) as hour
                    where p.price_list_id = l.id
                      and greatest(
                            ceil(dear_fen * (10000 + coalesce(l.urgent_basis_points, 0)) / 10000),
                            p.minimum_fen)
                          > floor(greatest(0, c.total_fen - l.carried_surplus_fen)::numeric
                                  * coalesce(p.minutes_per_unit, 60) / c.planned_minutes)))
              or exists (
                   select from price_extra e
                     left join cost_item i
                       on i.cost_sheet_id = l.cost_sheet_id and i.code = e.code
                    where e.price_list_id = l.id
                      and (i.code is null or (e.amount_fen > i.cost_fen and not l.state_set)))
              or exists (
                   select from price_tier t
                     join price p using (price_list_id, customer_class, unit)
                    where t.price_list_id = l.id and t.amount_fen > p.amount_fen)
              or l.carried_surplus_fen < coalesce((
                   select t.surplus_fen from true_up t
                    where t.instrument_id = l.instrument_id
                      and t.year = extract(year from l.in_force_from) - 1), 0)
           limit 1;
          if wrong is not null then
            raise exception 'price list % is above cost', wrong
              using errcode = 'check_violation', constraint = 'price_list_within_cost';
          end if;
          return null;
        end $$;

        create trigger price_within_cost after insert on price
          referencing new table as written
          for each statement execute function refuse_price_above_cost();
        create trigger price_tier_within_cost after insert on price_tier
          referencing new table as written
          for each statement execute function refuse_price_above_cost();
        create trigger price_hours_within_cost after insert on price_hours
          referencing new table as written
          for each statement execute function refuse_price_above_cost();
        create trigger price_extra_within_cost after insert on price_extra
          referencing new table as written
          for each statement execute function refuse_price_above_cost();

        create trigger cost_item_append_only before update or delete on cost_item
          for each row execute function refuse_change();
        create trigger price_tier_append_only before update or delete on price_tier
          for each row execute function refuse_change();
        create trigger price_hours_append_only before update or delete on price_hours
          for each row execute function refuse_change();
        create trigger price_extra_append_only before update or delete on price_extra
          for each row execute function refuse_change();
        create trigger true_up_append_only before update or delete on true_up
          for each row execute function refuse_change();
        create trigger price_objection_no_delete before delete on price_objection
          for each row execute function refuse_change();
        create trigger price_objection_answered_once before update on price_objection
          for each row
          when (old.outcome is not null
                or (old.id, old.price_list_id, old.organisation_id, old.filed_by, old.filed_at,
                    old.text)
                   is distinct from
                   (new.id, new.price_list_id, new.organisation_id, new.filed_by, new.filed_at,
                    new.text))
          execute function refuse_change();

        drop trigger price_list_append_only on price_list;
        create trigger price_list_append_only before update on price_list
          for each row
          when (old.withdrawn_at is not null
                or (old.id, old.instrument_id, old.version, old.cost_sheet_id, old.state_set,
                    old.state_source, old.notice_ends_on, old.in_force_from, old.filed_by,
                    old.filed_at, old.urgent_basis_points, old.carried_surplus_fen)
                   is distinct from
                   (new.id, new.instrument_id, new.version, new.cost_sheet_id, new.state_set,
                    new.state_source, new.notice_ends_on, new.in_force_from, new.filed_by,
                    new.filed_at, new.urgent_basis_points, new.carried_surplus_fen))
          execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
