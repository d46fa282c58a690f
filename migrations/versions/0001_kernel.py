"""The kernel: extensions, outbox, audit trail, idempotency keys, job runs."""

from marketplace.kernel.migrate import sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    sql(
        """
        create extension if not exists btree_gist;
        create extension if not exists btree_gin;
        create extension if not exists pg_trgm;

        create function refuse_change() returns trigger language plpgsql as $$
        begin
          raise exception '% is append-only', tg_table_name
            using errcode = 'restrict_violation', constraint = tg_table_name || '_append_only';
        end $$;

        create table outbox_event (
          id bigint generated always as identity primary key,
          name text not null,
          payload jsonb not null,
          recorded_at timestamptz not null,
          due_at timestamptz not null,
          delivered_at timestamptz,
          attempts integer not null default 0,
          last_error text
        );
        create index outbox_event_due_idx on outbox_event (due_at, id) where delivered_at is null;

        create table outbox_delivery (
          event_id bigint not null references outbox_event,
          handler text not null,
          delivered_at timestamptz not null,
          primary key (event_id, handler)
        );

        create table audit_event (
          id bigint generated always as identity primary key,
          at timestamptz not null,
          person_id bigint not null,
          organisation_id bigint not null,
          label text not null default '',
          request_id text not null default '',
          action text not null,
          subject text not null,
          subject_id bigint not null,
          facts jsonb not null
        );
        create index audit_event_subject_idx on audit_event (subject, subject_id);
        create index audit_event_at_idx on audit_event (at, id);
        create trigger audit_event_append_only before update or delete on audit_event
          for each row execute function refuse_change();
        create trigger audit_event_no_truncate before truncate on audit_event
          for each statement execute function refuse_change();

        create table idempotency_key (
          key text not null,
          person_id bigint not null,
          organisation_id bigint not null,
          method text not null,
          path text not null,
          body_sha256 bytea not null,
          status integer not null,
          body bytea not null,
          stored_at timestamptz not null,
          primary key (person_id, organisation_id, key),
          constraint idempotency_key_key_length check (length(key) between 1 and 200)
        );
        create index idempotency_key_stored_idx on idempotency_key (stored_at);

        create table job_run (
          job text not null,
          tick timestamptz not null,
          worker text not null,
          started_at timestamptz not null,
          finished_at timestamptz,
          done bigint,
          error text,
          primary key (job, tick)
        );
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
