"""The tables of rewards: grades, runs, shares, and what a legal entity was paid in a year."""

from marketplace.kernel.migrate import sql

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    sql(
        """
        create table provider_grade (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          year smallint not null,
          grade text not null,
          source text not null,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          constraint provider_grade_grade
            check (grade in ('excellent', 'good', 'qualified', 'unqualified')),
          constraint provider_grade_source_named check (source <> '')
        );
        create index provider_grade_latest_idx on provider_grade (year, provider_id, id desc);
        create trigger provider_grade_append_only before update or delete on provider_grade
          for each row execute function refuse_change();

        create table reward_run (
          id bigint generated always as identity primary key,
          year smallint not null,
          sequence integer not null,
          through date not null,
          status text not null,
          terms jsonb not null,
          budget_fen bigint,
          entities integer not null default 0,
          providers integer not null default 0,
          service_total_fen bigint not null default 0,
          claimed_fen bigint not null default 0,
          total_fen bigint not null default 0,
          inputs_sha256 text not null default '',
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          discarded_by bigint references person,
          discarded_at timestamptz,
          constraint reward_run_sequence unique (year, sequence),
          constraint reward_run_status check (status in ('draft', 'approved', 'discarded')),
          constraint reward_run_second_person check (approved_by is distinct from made_by),
          constraint reward_run_approved_whole
            check ((status = 'approved') = (approved_by is not null)
                   and (approved_by is null) = (approved_at is null)),
          constraint reward_run_discarded_whole
            check ((status = 'discarded') = (discarded_by is not null)
                   and (discarded_by is null) = (discarded_at is null)),
          constraint reward_run_through_in_year
            check (through between make_date(year, 1, 1) and make_date(year, 12, 31)),
          constraint reward_run_budget
            check (total_fen >= 0 and (budget_fen is null or total_fen <= budget_fen))
        );
        -- Two drafts of one year would both pay what is open.
        create unique index reward_run_one_draft on reward_run (year) where status = 'draft';

        create table reward_entity_share (
          run_id bigint not null references reward_run,
          legal_entity_id bigint not null references legal_entity,
          service_total_fen bigint not null,
          entitled_fen bigint not null,
          capped_fen bigint not null,
          paid_before_fen bigint not null,
          claimed_fen bigint not null,
          amount_fen bigint not null,
          primary key (run_id, legal_entity_id),
          constraint reward_entity_share_capped check (capped_fen between 0 and entitled_fen),
          constraint reward_entity_share_claimed
            check (claimed_fen = greatest(capped_fen - paid_before_fen, 0)),
          constraint reward_entity_share_amount check (amount_fen between 0 and claimed_fen)
        );

        create table reward_share (
          run_id bigint not null,
          legal_entity_id bigint not null,
          provider_id bigint not null references organisation,
          service_total_fen bigint not null,
          grade text,
          rate_basis_points integer not null,
          weight numeric not null,
          uncapped_fen bigint not null,
          bound_fen bigint not null,
          paid_before_fen bigint not null,
          amount_fen bigint not null,
          arithmetic jsonb not null,
          primary key (run_id, legal_entity_id, provider_id),
          constraint reward_share_entity foreign key (run_id, legal_entity_id)
            references reward_entity_share deferrable initially deferred,
          constraint reward_share_weight check (weight >= 0),
          constraint reward_share_amount check (amount_fen >= 0),
          -- The 5 % of the provider's own service total, over the whole year.
          constraint reward_share_bound
            check (amount_fen = 0 or paid_before_fen + amount_fen <= bound_fen)
        );
        create index reward_share_provider_idx on reward_share (provider_id, run_id);

        -- One row holds what a legal entity was paid in a year: whoever approves locks it, and the
        -- check keeps the cap whatever runs at the same time.
        create table reward_year (
          legal_entity_id bigint not null references legal_entity,
          year smallint not null,
          paid_fen bigint not null,
          cap_fen bigint not null,
          primary key (legal_entity_id, year),
          constraint reward_year_cap check (paid_fen between 0 and cap_fen)
        );

        create trigger reward_entity_share_append_only
          before update or delete on reward_entity_share
          for each row execute function refuse_change();
        create trigger reward_share_append_only before update or delete on reward_share
          for each row execute function refuse_change();
        create trigger reward_run_no_delete before delete on reward_run
          for each row execute function refuse_change();
        -- An approved or discarded run is history.
        create trigger reward_run_append_only before update on reward_run
          for each row when (old.status <> 'draft') execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
