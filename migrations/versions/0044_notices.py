"""Notices on top of pages, sessions that an administrator ends, and who looked as whom."""

from marketplace.kernel.migrate import sql

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    sql("""
-- What the centre tells on top of pages, in both languages. Without an audience it is for
-- everybody, also for who is not signed in. A word that was published stays: it is withdrawn.
create table notice (
  id bigint generated always as identity primary key,
  severity text not null,
  title_zh text not null,
  title_en text not null,
  text_zh text not null default '',
  text_en text not null default '',
  audience text[] not null default '{}',
  shown_from timestamptz not null,
  shown_until timestamptz not null,
  written_by bigint not null references person,
  written_at timestamptz not null,
  withdrawn_by bigint references person,
  withdrawn_at timestamptz,
  withdrawn_reason text not null default '',
  constraint notice_severity check (severity in ('info', 'warning', 'critical')),
  constraint notice_titles check (
    char_length(title_zh) between 1 and 120 and char_length(title_en) between 1 and 120),
  constraint notice_texts check (
    char_length(text_zh) <= 1000 and char_length(text_en) <= 1000
    and (text_zh = '') = (text_en = '')),
  constraint notice_audience check (
    audience <@ array[
      'buyer', 'sme_administrator', 'technician', 'provider_manager', 'finance_maker',
      'finance_checker', 'voucher_officer', 'evaluator', 'expert', 'station_agent', 'regulator',
      'auditor', 'administrator']),
  constraint notice_period check (
    shown_until > shown_from and shown_until <= shown_from + interval '366 days'),
  constraint notice_withdrawn check (
    (withdrawn_by is null) = (withdrawn_at is null)
    and (withdrawn_by is null) = (withdrawn_reason = '')
    and char_length(withdrawn_reason) <= 500)
);
create index notice_shown_idx on notice (shown_until, shown_from) where withdrawn_at is null;

create function keep_notice() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.withdrawn_at is not null or new.withdrawn_at is null
     or (to_jsonb(new) - '{withdrawn_by,withdrawn_at,withdrawn_reason}'::text[])
        is distinct from (to_jsonb(old) - '{withdrawn_by,withdrawn_at,withdrawn_reason}'::text[])
  then
    raise exception 'a notice is withdrawn once and never changed'
      using errcode = 'restrict_violation', constraint = 'notice_kept';
  end if;
  return new;
end $$;
create trigger notice_kept before update or delete on notice
  for each row execute function keep_notice();

-- Sign-ins from before this moment have ended, whatever their token or cookie says.
alter table person add column sessions_ended_at timestamptz;

-- An administrator looks at the pages as somebody else sees them: for a reason, for a while, and
-- without changing anything.
create table viewing (
  id bigint generated always as identity primary key,
  viewer_id bigint not null references person,
  person_id bigint not null references person,
  organisation_id bigint not null references organisation,
  reason text not null,
  began_at timestamptz not null,
  ends_at timestamptz not null,
  ended_at timestamptz,
  constraint viewing_another check (viewer_id <> person_id),
  constraint viewing_reason check (char_length(reason) between 1 and 500),
  constraint viewing_term check (
    ends_at > began_at and ends_at <= began_at + interval '8 hours'),
  constraint viewing_ended check (ended_at >= began_at and ended_at <= ends_at)
);
create index viewing_person_idx on viewing (person_id, id);
create index viewing_viewer_idx on viewing (viewer_id, id);

-- The queues of the centre: who waits to be verified, who is locked out, what was not delivered.
create index legal_entity_unverified_idx on legal_entity (registered_at, id)
  where verified_at is null;
create index outbox_event_failing_idx on outbox_event (id)
  where delivered_at is null and attempts > 0;
create index job_run_failed_idx on job_run (started_at) where error is not null;
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
