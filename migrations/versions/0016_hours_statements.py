"""Frozen monthly statements of machine-hours, and what was sent to the national platform."""

from marketplace.kernel.migrate import sql

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    sql(
        """
        -- Who counts a period looks back this far and no further for what reaches into it.
        alter table reservation add constraint reservation_length check (
          upper(during) - lower(during) <= interval '60 days'
        );
        alter table usage_session add constraint usage_session_length check (
          actual_minutes <= 86400
        );
        create index usage_session_closed_idx on usage_session (opened_at)
          where closed_at is not null;

        -- Which services ever ran on which machine's calendar. Whoever counts the hours of one of
        -- them has to see the others, also when they no longer share.
        create table shared_calendar (
          instrument_id bigint not null references instrument,
          calendar_id bigint not null references instrument,
          primary key (instrument_id, calendar_id),
          constraint shared_calendar_of_another check (calendar_id <> instrument_id)
        );
        create index shared_calendar_idx on shared_calendar (calendar_id, instrument_id);
        insert into shared_calendar
        select distinct instrument_id, calendar_id from reservation
         where calendar_id <> instrument_id;
        create function note_shared_calendar() returns trigger language plpgsql as $$
        begin
          insert into shared_calendar values (new.instrument_id, new.calendar_id)
            on conflict do nothing;
          return null;
        end $$;
        create trigger reservation_shares after insert or update of calendar_id, instrument_id
          on reservation for each row when (new.calendar_id <> new.instrument_id)
          execute function note_shared_calendar();

        create table hours_statement (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          month date not null,
          version integer not null,
          replaces_id bigint references hours_statement,
          status text not null,
          reason text,
          sha256 text not null,
          drafted_by bigint not null references person,
          drafted_at timestamptz not null,
          confirmed_by bigint references person,
          confirmed_at timestamptz,
          constraint hours_statement_version unique (provider_id, month, version),
          constraint hours_statement_month check (extract(day from month) = 1),
          constraint hours_statement_versions check (
            version >= 1 and (version = 1) = (replaces_id is null)
            and (version = 1) = (reason is null)
          ),
          constraint hours_statement_status check (status in ('draft', 'confirmed')),
          constraint hours_statement_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint hours_statement_confirmed check (
            (status = 'confirmed') = (confirmed_by is not null)
            and (confirmed_by is null) = (confirmed_at is null)
          ),
          constraint hours_statement_second_person check (
            confirmed_by is distinct from drafted_by
          )
        );
        create unique index hours_statement_one_draft on hours_statement (provider_id, month)
          where status = 'draft';
        create index hours_statement_month_idx on hours_statement (month, provider_id);

        create table hours_statement_line (
          statement_id bigint not null references hours_statement,
          instrument_id bigint not null references instrument,
          purpose text not null,
          user_class text not null,
          minutes integer not null,
          session_minutes integer not null,
          idle_minutes integer not null,
          overlap_minutes integer not null,
          self_operated_minutes integer not null,
          reserved_minutes integer not null,
          sessions integer not null,
          samples integer not null,
          no_shows integer not null,
          late_cancellations integer not null,
          primary key (statement_id, instrument_id, purpose, user_class),
          constraint hours_statement_line_purpose check (purpose in (
            'external', 'own_research', 'teaching', 'maintenance', 'test_run'
          )),
          constraint hours_statement_line_user_class check (user_class in (
            'own_unit', 'academic', 'enterprise'
          )),
          constraint hours_statement_line_figures check (
            least(minutes, session_minutes, idle_minutes, overlap_minutes, self_operated_minutes,
                  reserved_minutes, sessions, samples, no_shows, late_cancellations) >= 0
            and session_minutes = minutes + overlap_minutes + idle_minutes
            and self_operated_minutes <= minutes
          )
        );

        -- What a second person confirmed stays as it is; drafts may be drafted anew or dropped.
        create trigger hours_statement_confirmed_stays before update or delete on hours_statement
          for each row when (old.status = 'confirmed') execute function refuse_change();
        create trigger hours_statement_no_truncate before truncate on hours_statement
          for each statement execute function refuse_change();
        create function refuse_confirmed_lines() returns trigger language plpgsql as $$
        declare
          statement_status text;
        begin
          select status into statement_status from hours_statement
           where id = case tg_op when 'DELETE' then old.statement_id else new.statement_id end
             for share;
          if statement_status = 'confirmed' or tg_op = 'UPDATE' then
            raise exception 'the lines of a statement stay as they were confirmed'
              using errcode = 'restrict_violation',
                    constraint = 'hours_statement_line_append_only';
          end if;
          return case tg_op when 'DELETE' then old else new end;
        end $$;
        create trigger hours_statement_line_confirmed_stays
          before insert or update or delete on hours_statement_line
          for each row execute function refuse_confirmed_lines();
        create trigger hours_statement_line_no_truncate before truncate on hours_statement_line
          for each statement execute function refuse_change();

        -- The code that the national platform issued to a provider's unit.
        create table national_unit (
          provider_id bigint primary key references organisation,
          ins_code text not null,
          set_by bigint not null references person,
          set_at timestamptz not null,
          constraint national_unit_ins_code check (ins_code ~ '^[0-9a-f]{32}$')
        );

        create table national_export (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          year smallint not null,
          quarter smallint not null,
          status text not null,
          records integer not null,
          refused integer not null,
          unchanged integer not null,
          sha256 text not null,
          report jsonb not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          sent_by bigint references person,
          sent_at timestamptz,
          answered_by bigint references person,
          answered_at timestamptz,
          return_code integer,
          return_note text,
          constraint national_export_period check (
            year between 2000 and 2100 and quarter between 1 and 4
          ),
          constraint national_export_status check (
            status in ('made', 'sent', 'accepted', 'rejected')
          ),
          constraint national_export_counts check (
            records >= 0 and refused >= 0 and unchanged >= 0
          ),
          constraint national_export_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint national_export_sent check (
            (sent_by is null) = (sent_at is null)
            and (status = 'made' or status = 'rejected' or sent_at is not null)
            and (status <> 'made' or sent_at is null)
          ),
          constraint national_export_answered check (
            (answered_by is null) = (answered_at is null)
            and (status in ('made', 'sent') or answered_at is not null)
            and (status <> 'made' or answered_at is null)
          ),
          constraint national_export_return_code check (return_code in (
            0, 1, 100, 101, 200, 201, 202, 203, 204, 301
          ))
        );
        create unique index national_export_one_open
          on national_export (provider_id, year, quarter) where status in ('made', 'sent');
        create index national_export_provider_idx on national_export (provider_id, id);

        create table national_export_record (
          export_id bigint not null references national_export,
          line integer not null,
          record_inner_id text not null,
          kind text not null,
          instrument_id bigint not null references instrument,
          order_id bigint references service_order,
          minutes integer not null,
          content jsonb not null,
          sha256 text not null,
          reasons jsonb not null,
          primary key (export_id, line),
          constraint national_export_record_once unique (export_id, record_inner_id),
          constraint national_export_record_line check (line >= 1),
          constraint national_export_record_kind check (kind in ('order', 'own_use')),
          constraint national_export_record_minutes check (minutes >= 0),
          constraint national_export_record_sha256 check (sha256 ~ '^[0-9a-f]{64}$')
        );

        create function keep_national_export() returns trigger language plpgsql as $$
        begin
          if (old.id, old.provider_id, old.year, old.quarter, old.records, old.refused,
              old.unchanged, old.sha256, old.report, old.made_by, old.made_at)
             is distinct from
             (new.id, new.provider_id, new.year, new.quarter, new.records, new.refused,
              new.unchanged, new.sha256, new.report, new.made_by, new.made_at) then
            raise exception 'what was made to be sent stays as it is'
              using errcode = 'restrict_violation', constraint = 'national_export_append_only';
          end if;
          return new;
        end $$;
        create trigger national_export_stays before update on national_export
          for each row execute function keep_national_export();
        create trigger national_export_no_delete before delete on national_export
          for each row execute function refuse_change();
        create trigger national_export_no_truncate before truncate on national_export
          for each statement execute function refuse_change();
        create trigger national_export_record_append_only
          before update or delete on national_export_record
          for each row execute function refuse_change();
        create trigger national_export_record_no_truncate
          before truncate on national_export_record
          for each statement execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
