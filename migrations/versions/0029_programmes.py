"""Versions, layers and limits of voucher programmes."""

from marketplace.kernel.migrate import sql

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    sql(
        """
        alter table programme
          add column code text not null default '',
          add column source text not null default '',
          add constraint programme_code check (code ~ '^[a-z0-9-]{0,40}$');
        create unique index programme_code_year on programme (code, year) where code <> '';

        -- Each funder has its own budget of its own year; without one it is the programme's.
        alter table programme_layer
          add column name text not null default '',
          add column budget_year integer,
          drop constraint programme_layer_once,
          add constraint programme_layer_once
            unique nulls not distinct (programme_id, funder, region_code, budget_year),
          add constraint programme_layer_year check (budget_year between 2000 and 2100);

        -- The terms a programme was approved with are its version 1. Every change is a further
        -- version that a second person approves before the day on which it starts.
        create table programme_version (
          id bigint generated always as identity primary key,
          programme_id bigint not null references programme,
          version integer not null,
          terms jsonb not null,
          starts_on date not null,
          reason text not null,
          status text not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          constraint programme_version_once unique (programme_id, version),
          constraint programme_version_number check (version >= 2),
          constraint programme_version_status check (status in ('draft', 'approved', 'discarded')),
          constraint programme_version_second_person check (approved_by is distinct from made_by),
          constraint programme_version_approved check
            ((status = 'approved') = (approved_by is not null)
             and (approved_by is null) = (approved_at is null)),
          constraint programme_version_ahead check
            (approved_at is null
             or starts_on > (approved_at at time zone 'Asia/Shanghai')::date),
          constraint programme_version_reason check (length(reason) between 1 and 2000)
        );
        create unique index programme_version_start on programme_version (programme_id, starts_on)
          where status = 'approved';
        create unique index programme_version_open on programme_version (programme_id)
          where status = 'draft';

        create function programme_keep_terms() returns trigger language plpgsql as $$
        begin
          if old.status <> 'draft' and
             (new.terms is distinct from old.terms or new.year <> old.year) then
            raise exception 'an approved programme changes by a new version'
              using errcode = 'check_violation', constraint = 'programme_keeps_terms',
                    table = tg_table_name;
          end if;
          return new;
        end $$;
        create trigger programme_keep_terms before update on programme
          for each row execute function programme_keep_terms();

        create function programme_version_keep() returns trigger language plpgsql as $$
        begin
          if tg_op = 'DELETE' or old.status <> 'draft' then
            raise exception 'a decided version of a programme stays as it is'
              using errcode = 'check_violation', constraint = 'programme_version_stays',
                    table = tg_table_name;
          end if;
          return new;
        end $$;
        create trigger programme_version_keep before update or delete on programme_version
          for each row execute function programme_version_keep();

        -- Which version is in force is settled before its day begins, so that whatever is held on
        -- a day is held under the same one.
        create function programme_version_on(of_programme bigint, at_instant timestamptz)
          returns integer language sql stable as $$
            select coalesce(max(version), 1) from programme_version
            where programme_id = of_programme and status = 'approved'
              and starts_on = (
                select max(starts_on) from programme_version
                where programme_id = of_programme and status = 'approved'
                  and starts_on <= (at_instant at time zone 'Asia/Shanghai')::date)
        $$;

        alter table voucher_grant add column terms_version integer not null default 0;
        alter table voucher_hold add column terms_version integer not null default 0;
        update voucher_grant set terms_version = 1;
        update voucher_hold set terms_version = 1;
        alter table voucher_grant
          add constraint voucher_grant_terms_version check (terms_version >= 1);
        alter table voucher_hold
          add constraint voucher_hold_terms_version check (terms_version >= 1);

        create function voucher_grant_version() returns trigger language plpgsql as $$
        begin
          if new.terms_version = 0 then
            new.terms_version := programme_version_on(new.programme_id, new.granted_at);
          end if;
          return new;
        end $$;
        create trigger voucher_grant_version before insert on voucher_grant
          for each row execute function voucher_grant_version();

        create function voucher_hold_version() returns trigger language plpgsql as $$
        begin
          if new.terms_version = 0 then
            select programme_version_on(g.programme_id, new.held_at) into new.terms_version
            from voucher_grant g where g.id = new.grant_id;
          end if;
          return new;
        end $$;
        create trigger voucher_hold_version before insert on voucher_hold
          for each row execute function voucher_hold_version();

        -- What a changed rule would have made of past orders: asked for, worked off by a job.
        create table programme_dry_run (
          id bigint generated always as identity primary key,
          programme_id bigint not null references programme,
          changes jsonb not null,
          terms jsonb not null,
          from_on date not null,
          until_on date not null,
          status text not null,
          orders bigint not null default 0,
          done bigint not null default 0,
          summary jsonb,
          reason text not null default '',
          asked_by bigint not null references person,
          asked_at timestamptz not null,
          started_at timestamptz,
          finished_at timestamptz,
          constraint programme_dry_run_status check
            (status in ('waiting', 'running', 'done', 'failed')),
          constraint programme_dry_run_days check (from_on <= until_on),
          constraint programme_dry_run_progress check (done between 0 and orders),
          constraint programme_dry_run_finished check
            ((status in ('done', 'failed')) = (finished_at is not null)
             and (status = 'done') = (summary is not null))
        );
        create index programme_dry_run_programme_idx on programme_dry_run (programme_id, id);
        create index programme_dry_run_due_idx on programme_dry_run (id)
          where status in ('waiting', 'running');

        create table programme_dry_run_line (
          run_id bigint not null references programme_dry_run on delete cascade,
          dimension text not null,
          key text not null,
          label text not null,
          orders bigint not null,
          service_value_fen bigint not null,
          orders_before bigint not null,
          orders_after bigint not null,
          before_fen bigint not null,
          after_fen bigint not null,
          primary key (run_id, dimension, key),
          constraint programme_dry_run_line_dimension check
            (dimension in ('size', 'region', 'service_kind', 'provider', 'layer'))
        );
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
