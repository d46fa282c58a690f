"""Quotas, qualifications, training, operators."""

from marketplace.kernel.migrate import sql

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    sql(
        """
        create table quota (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          instrument_id bigint references instrument,
          subject text not null,
          user_class text,
          period text not null,
          measure text not null,
          peak_only boolean not null default false,
          at_most integer not null,
          set_by bigint not null references person,
          set_at timestamptz not null,
          ended_by bigint references person,
          ended_at timestamptz,
          constraint quota_subject check (subject in ('person', 'organisation')),
          constraint quota_user_class check (
            user_class in ('own_unit', 'academic', 'enterprise')
          ),
          constraint quota_period check (period in ('day', 'week', 'month', 'year', 'open')),
          constraint quota_measure check (measure in ('minutes', 'reservations')),
          constraint quota_open check (
            period <> 'open' or (measure = 'reservations' and not peak_only)
          ),
          constraint quota_at_most check (at_most between 0 and 10000000),
          constraint quota_ended check ((ended_at is null) = (ended_by is null))
        );
        create unique index quota_once on quota (
          provider_id, instrument_id, subject, user_class, period, measure, peak_only
        ) nulls not distinct where ended_at is null;

        create table qualification (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          person_id bigint not null references person,
          granted_by bigint not null references person,
          granted_at timestamptz not null,
          valid_until timestamptz,
          reason text not null,
          reminded_at timestamptz,
          revoked_by bigint references person,
          revoked_at timestamptz,
          revoked_because text,
          constraint qualification_by_another check (
            granted_by <> person_id and revoked_by is distinct from person_id
          ),
          constraint qualification_valid check (valid_until > granted_at),
          constraint qualification_revoked check (
            num_nonnulls(revoked_by, revoked_at, revoked_because) in (0, 3)
          )
        );
        create unique index qualification_stands on qualification (instrument_id, person_id)
          where revoked_at is null;
        create index qualification_person_idx on qualification (person_id, id);
        create index qualification_provider_idx on qualification (provider_id, id);
        create index qualification_expiring_idx on qualification (valid_until)
          where revoked_at is null and reminded_at is null;

        create table training_request (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          status text not null,
          note text not null default '',
          asked_at timestamptz not null,
          trainer_id bigint references person,
          held_at timestamptz,
          place text,
          answer text,
          answered_by bigint references person,
          answered_at timestamptz,
          qualification_id bigint references qualification,
          constraint training_request_status check (status in (
            'asked', 'scheduled', 'passed', 'failed', 'withdrawn', 'declined'
          )),
          constraint training_request_scheduled check (
            num_nonnulls(trainer_id, held_at, place) in (0, 3)
            and (status not in ('scheduled', 'passed', 'failed') or trainer_id is not null)
          ),
          constraint training_request_answered check (
            (status in ('asked', 'scheduled')) = (answered_at is null)
            and (answered_at is null) = (answered_by is null)
          ),
          constraint training_request_passed check (
            (status = 'passed') = (qualification_id is not null)
          ),
          constraint training_request_by_another check (
            trainer_id <> person_id
            and (status = 'withdrawn' or answered_by is distinct from person_id)
          )
        );
        create unique index training_request_open on training_request (instrument_id, person_id)
          where status in ('asked', 'scheduled');
        create index training_request_person_idx on training_request (person_id, id);
        create index training_request_provider_idx on training_request (provider_id, id);

        create table operator (
          instrument_id bigint not null references instrument,
          person_id bigint not null references person,
          named_by bigint not null references person,
          named_at timestamptz not null,
          primary key (instrument_id, person_id)
        );
        create index operator_person_idx on operator (person_id);

        create table operator_hours (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          person_id bigint not null references person,
          weekday smallint not null,
          opens_minute smallint not null,
          closes_minute smallint not null,
          constraint operator_hours_weekday check (weekday between 0 and 6),
          constraint operator_hours_minutes check (
            opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute
          ),
          constraint operator_hours_no_overlap exclude using gist (
            person_id with =, weekday with =, int4range(opens_minute, closes_minute) with &&
          )
        );

        create table operator_absence (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          person_id bigint not null references person,
          during tstzrange not null,
          reason text not null,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          withdrawn_by bigint references person,
          withdrawn_at timestamptz,
          constraint operator_absence_during check (
            not isempty(during) and lower_inc(during) and not upper_inc(during)
            and not lower_inf(during) and not upper_inf(during)
          ),
          constraint operator_absence_withdrawn check (
            (withdrawn_at is null) = (withdrawn_by is null)
          )
        );
        create index operator_absence_person_idx on operator_absence using gist (
          person_id, during
        ) where withdrawn_at is null;
        create index operator_absence_provider_idx on operator_absence (provider_id, id);
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
