"""The tables of pricing: cost sheets, price lists, prices."""

from marketplace.kernel.migrate import sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    sql(
        """
        create table cost_sheet (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          year smallint not null,
          version integer not null,
          planned_minutes integer not null,
          total_fen bigint not null,
          unit_cost_fen bigint not null,
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          constraint cost_sheet_version unique (instrument_id, year, version),
          constraint cost_sheet_planned_minutes_range
            check (planned_minutes between 1 and 366 * 24 * 60),
          -- Rounds down: a ceiling met by rounding up is a ceiling passed.
          constraint cost_sheet_unit_cost_rounds_down
            check (total_fen >= 0 and unit_cost_fen = total_fen * 60 / planned_minutes)
        );

        create table cost_component (
          cost_sheet_id bigint not null references cost_sheet,
          kind text not null,
          amount_fen bigint not null,
          primary key (cost_sheet_id, kind),
          constraint cost_component_kind check (kind in ('consumables', 'water_electricity',
            'labour', 'maintenance', 'depreciation', 'other')),
          constraint cost_component_amount_range check (amount_fen >= 0)
        );

        create table price_list (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          version integer not null,
          cost_sheet_id bigint not null references cost_sheet,
          state_set boolean not null,
          state_source text not null default '',
          notice_ends_on date not null,
          in_force_from date not null,
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          withdrawn_by bigint references person,
          withdrawn_at timestamptz,
          constraint price_list_version unique (instrument_id, version),
          constraint price_list_after_notice check (in_force_from > notice_ends_on),
          constraint price_list_state_source_named
            check (state_set = (state_source <> '')),
          constraint price_list_withdrawn_whole
            check ((withdrawn_by is null) = (withdrawn_at is null))
        );
        create index price_list_in_force_idx
          on price_list (instrument_id, in_force_from desc, version desc);

        create table price (
          price_list_id bigint not null references price_list,
          customer_class text not null,
          unit text not null,
          amount_fen bigint not null,
          minimum_fen bigint not null,
          minutes_per_sample integer,
          primary key (price_list_id, customer_class, unit),
          constraint price_customer_class
            check (customer_class in ('own_unit', 'academic', 'sme', 'enterprise')),
          constraint price_unit check (unit in ('hour', 'sample')),
          constraint price_amounts_range check (amount_fen >= 0 and minimum_fen >= 0),
          constraint price_minutes_per_sample_given
            check ((unit = 'sample') = (minutes_per_sample is not null)),
          constraint price_minutes_per_sample_range
            check (minutes_per_sample between 1 and 366 * 24 * 60)
        );

        -- What was filed stays as it was filed: an order is priced by its list for ever.
        create trigger cost_sheet_append_only before update or delete on cost_sheet
          for each row execute function refuse_change();
        create trigger cost_component_append_only before update or delete on cost_component
          for each row execute function refuse_change();
        create trigger price_append_only before update or delete on price
          for each row execute function refuse_change();
        create trigger price_list_no_delete before delete on price_list
          for each row execute function refuse_change();
        create trigger price_list_append_only before update on price_list
          for each row
          when (old.withdrawn_at is not null
                or (old.id, old.instrument_id, old.version, old.cost_sheet_id, old.state_set,
                    old.state_source, old.notice_ends_on, old.in_force_from, old.filed_by,
                    old.filed_at)
                   is distinct from
                   (new.id, new.instrument_id, new.version, new.cost_sheet_id, new.state_set,
                    new.state_source, new.notice_ends_on, new.in_force_from, new.filed_by,
                    new.filed_at))
          execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
