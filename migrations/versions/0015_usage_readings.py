"""Repairs and problems of usage sessions, readings of instruments' own logs, keys of systems."""

from marketplace.kernel.migrate import sql

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    sql(
        """
        alter table usage_session
          add column opened_how text not null default 'person',
          add column closed_how text,
          add column samples_run integer,
          add column note text,
          add column settled_at timestamptz;
        update usage_session
           set closed_how = case when problem is null then 'person' else 'platform' end
         where closed_at is not null;
        alter table usage_session
          drop constraint usage_session_problem,
          add constraint usage_session_problem check (
            problem in ('never-closed', 'overrun', 'log-differs')
          ),
          add constraint usage_session_said check (
            opened_how in ('person', 'log') and closed_how in ('person', 'log', 'platform')
            and (closed_how is null) = (closed_at is null)
          ),
          add constraint usage_session_samples_run check (samples_run between 0 and 1000000),
          add constraint usage_session_note check (length(note) between 1 and 2000),
          add constraint usage_session_settled check (
            settled_at is null or closed_at is not null
          );

        create table session_repair (
          id bigint generated always as identity primary key,
          session_id bigint not null references usage_session,
          kind text not null,
          answers_id bigint references session_repair,
          made_by bigint not null references person,
          made_at timestamptz not null,
          by_staff boolean not null,
          reason text not null,
          before jsonb not null,
          after jsonb not null,
          constraint session_repair_kind check (kind in (
            'repair', 'proposal', 'confirmation', 'rejection', 'acceptance'
          )),
          constraint session_repair_answers check (
            case kind when 'proposal' then answers_id is null and not by_staff
                      when 'confirmation' then answers_id is not null and by_staff
                      when 'rejection' then answers_id is not null and by_staff
                      else true end
          ),
          constraint session_repair_reason check (length(reason) between 3 and 500),
          constraint session_repair_answered_once unique (answers_id)
        );
        create index session_repair_session_idx on session_repair (session_id, id);
        create trigger session_repair_append_only before update or delete on session_repair
          for each row execute function refuse_change();
        create trigger session_repair_no_truncate before truncate on session_repair
          for each statement execute function refuse_change();

        create table problem_report (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          reservation_id bigint not null references reservation,
          organisation_id bigint not null references organisation,
          severity text not null,
          note text not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          closure_id bigint references closure,
          resolved_by bigint references person,
          resolved_at timestamptz,
          resolution text,
          constraint problem_report_severity check (severity in ('minor', 'major', 'breakdown')),
          constraint problem_report_note check (length(note) between 3 and 2000),
          constraint problem_report_resolved check (
            num_nulls(resolved_by, resolved_at, resolution) in (0, 3)
          )
        );
        create index problem_report_provider_idx on problem_report (provider_id, id);
        create index problem_report_reservation_idx on problem_report (reservation_id);
        create index problem_report_instrument_idx on problem_report (instrument_id, id)
          where resolved_at is null;

        create table reading_source (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          source text not null,
          opens_sessions boolean not null,
          tolerance_minutes integer not null,
          accepts boolean not null,
          set_by bigint not null references person,
          set_at timestamptz not null,
          constraint reading_source_name unique (instrument_id, source),
          constraint reading_source_shape check (source ~ '^[a-z0-9][a-z0-9._-]{0,49}$'),
          constraint reading_source_tolerance check (tolerance_minutes between 0 and 1440)
        );

        create table machine_reading (
          id bigint generated always as identity primary key,
          source_id bigint not null references reading_source,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          external_id text not null,
          started_at timestamptz,
          stopped_at timestamptz,
          user_reference text,
          samples integer,
          received_at timestamptz not null,
          changed_at timestamptz not null,
          sent_by bigint not null references person,
          state text not null,
          reservation_id bigint references reservation,
          session_id bigint references usage_session,
          resolved_by bigint references person,
          resolved_at timestamptz,
          resolution text,
          constraint machine_reading_external_id unique (source_id, external_id),
          constraint machine_reading_run check (
            num_nonnulls(started_at, stopped_at) >= 1 and stopped_at >= started_at
            and stopped_at - started_at <= interval '60 days'
          ),
          constraint machine_reading_samples check (samples between 0 and 1000000),
          constraint machine_reading_state check (state in (
            'waiting', 'running', 'matched', 'differs', 'unbooked',
            'attached', 'upkeep', 'dismissed'
          )),
          constraint machine_reading_session check (
            session_id is null or reservation_id is not null
          ),
          constraint machine_reading_resolved check (
            num_nulls(resolved_by, resolved_at, resolution) in (0, 3)
            and (state in ('attached', 'upkeep', 'dismissed')) = (resolved_at is not null)
            and (state not in ('attached', 'upkeep') or session_id is not null)
          )
        );
        create index machine_reading_open_idx on machine_reading (state, id)
          where state in ('waiting', 'running', 'unbooked', 'differs');
        create index machine_reading_provider_idx on machine_reading (provider_id, id);
        create index machine_reading_instrument_idx
          on machine_reading (instrument_id, started_at);
        create index machine_reading_reservation_idx on machine_reading (reservation_id)
          where reservation_id is not null;

        create table api_key (
          id bigint generated always as identity primary key,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          name text not null,
          prefix text not null,
          secret_sha256 bytea not null,
          scopes text[] not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          expires_at timestamptz not null,
          revoked_by bigint references person,
          revoked_at timestamptz,
          last_used_at timestamptz,
          constraint api_key_prefix unique (prefix),
          constraint api_key_person unique (person_id),
          constraint api_key_prefix_shape check (prefix ~ '^[a-z0-9]{10}$'),
          constraint api_key_name_length check (length(name) between 1 and 100),
          constraint api_key_secret check (length(secret_sha256) = 32),
          constraint api_key_scopes check (
            cardinality(scopes) >= 1 and scopes <@ array[
              'readings:write', 'reservations:read', 'availability:read', 'calendar:write'
            ]
          ),
          constraint api_key_lifetime check (
            expires_at > made_at and expires_at <= made_at + interval '2 years'
          ),
          constraint api_key_revoked check ((revoked_by is null) = (revoked_at is null)),
          constraint api_key_not_a_person check (person_id <> made_by)
        );
        create unique index api_key_name on api_key (organisation_id, name)
          where revoked_at is null;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
