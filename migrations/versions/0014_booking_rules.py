"""Classes of user, shared calendars, holds and offers, operators, groups and series."""

from marketplace.kernel.migrate import sql

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    sql(
        """
        alter table booking_rule
          add column makeup_days text not null default 'as_workday',
          add column calendar_id bigint references instrument,
          add column operation text not null default 'self',
          add column qualification text not null default 'none',
          add column answer_minutes integer,
          add column outside_floor_minutes integer not null default 0,
          add column outside_floor_lapses_minutes integer not null default 2880,
          add constraint booking_rule_makeup_days check (
            makeup_days in ('as_workday', 'as_weekday')
          ),
          add constraint booking_rule_calendar_of_another check (calendar_id <> instrument_id),
          add constraint booking_rule_operation check (
            operation in ('self', 'operator', 'either')
          ),
          add constraint booking_rule_qualification check (
            qualification in ('none', 'self_operated', 'always')
          ),
          add constraint booking_rule_answer check (answer_minutes between 5 and 43200),
          add constraint booking_rule_outside_floor check (
            outside_floor_minutes between 0 and 10080
            and outside_floor_lapses_minutes between 0 and 525600
          );

        create index booking_rule_calendar_idx on booking_rule (calendar_id)
          where calendar_id is not null;

        create table class_terms (
          instrument_id bigint not null references instrument,
          user_class text not null,
          may_book boolean not null,
          notice_minutes integer,
          horizon_days integer,
          maximum_minutes integer,
          needs_approval boolean,
          primary key (instrument_id, user_class),
          constraint class_terms_user_class check (
            user_class in ('own_unit', 'academic', 'enterprise')
          ),
          constraint class_terms_notice check (notice_minutes between 0 and 525600),
          constraint class_terms_horizon check (horizon_days between 1 and 3660),
          constraint class_terms_maximum check (maximum_minutes between 1 and 44640)
        );

        create table weekly_hours (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          kind text not null,
          user_class text,
          weekday smallint not null,
          opens_minute smallint not null,
          closes_minute smallint not null,
          lapses_minutes integer,
          constraint weekly_hours_kind check (kind in ('class', 'priority', 'peak')),
          constraint weekly_hours_user_class check (
            (kind = 'class') = (user_class is not null)
            and user_class in ('own_unit', 'academic', 'enterprise')
          ),
          constraint weekly_hours_lapses check (
            (kind = 'priority') = (lapses_minutes is not null)
            and lapses_minutes between 0 and 525600
          ),
          constraint weekly_hours_weekday check (weekday between 0 and 6),
          constraint weekly_hours_minutes check (
            opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute
          ),
          constraint weekly_hours_no_overlap exclude using gist (
            instrument_id with =, kind with =, (coalesce(user_class, '')) with =,
            weekday with =, int4range(opens_minute, closes_minute) with &&
          )
        );
        create index weekly_hours_instrument_idx on weekly_hours (instrument_id);

        create table dated_hours (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          day date not null,
          opens_minute smallint not null,
          closes_minute smallint not null,
          note text not null,
          set_by bigint not null references person,
          set_at timestamptz not null,
          constraint dated_hours_minutes check (
            opens_minute >= 0 and closes_minute <= 1440 and opens_minute < closes_minute
          ),
          constraint dated_hours_no_overlap exclude using gist (
            instrument_id with =, day with =, int4range(opens_minute, closes_minute) with &&
          )
        );

        create table reservation_group (
          id bigint generated always as identity primary key,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          note text,
          made_at timestamptz not null
        );

        create table reservation_series (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          purpose text not null,
          rule text not null,
          starts_at timestamptz not null,
          minutes integer not null,
          follows_id bigint references reservation_series,
          made_at timestamptz not null,
          ended_at timestamptz,
          constraint reservation_series_purpose check (purpose in (
            'external', 'own_research', 'teaching', 'maintenance', 'test_run'
          )),
          constraint reservation_series_minutes check (minutes between 1 and 44640)
        );
        create index reservation_series_organisation_idx
          on reservation_series (organisation_id);

        alter table reservation
          add column calendar_id bigint references instrument,
          add column user_class text,
          add column operator_id bigint references person,
          add column group_id bigint references reservation_group,
          add column series_id bigint references reservation_series,
          add column revision integer not null default 0,
          add column changed_at timestamptz;
        update reservation
           set calendar_id = instrument_id,
               user_class = case purpose when 'external' then 'enterprise' else 'own_unit' end,
               changed_at = greatest(placed_at, confirmed_at, ended_at);
        alter table reservation
          alter column calendar_id set not null,
          alter column user_class set not null,
          alter column changed_at set not null,
          drop constraint reservation_no_overlap,
          drop constraint reservation_status,
          drop constraint reservation_held,
          drop constraint reservation_ended,
          add constraint reservation_no_overlap exclude using gist (
            calendar_id with =, blocked with &&, seat with =
          ) where (status in ('held', 'offered', 'requested', 'confirmed', 'in_use')),
          add constraint reservation_operator_free exclude using gist (
            operator_id with =, during with &&
          ) where (
            operator_id is not null
            and status in ('held', 'offered', 'requested', 'confirmed', 'in_use')
          ),
          add constraint reservation_user_class check (
            user_class in ('own_unit', 'academic', 'enterprise')
          ),
          add constraint reservation_status check (status in (
            'held', 'offered', 'requested', 'confirmed', 'in_use', 'used', 'cancelled',
            'late_cancelled', 'no_show', 'rejected', 'expired'
          )),
          add constraint reservation_held check (
            status not in ('requested', 'held', 'offered') or held_until is not null
          ),
          add constraint reservation_ended check (
            (ended_at is null)
            = (status in ('held', 'offered', 'requested', 'confirmed', 'in_use'))
          );
        drop index reservation_held_idx;
        create index reservation_held_idx on reservation (held_until)
          where status in ('requested', 'held', 'offered');
        create index reservation_instrument_idx on reservation (instrument_id, lower(during));
        create index reservation_person_idx on reservation (person_id, lower(during));
        create index reservation_of_idx on reservation (organisation_id, lower(during));
        create index reservation_group_idx on reservation (group_id)
          where group_id is not null;
        create index reservation_series_idx on reservation (series_id)
          where series_id is not null;

        create table series_occurrence (
          series_id bigint not null references reservation_series,
          starts_at timestamptz not null,
          reservation_id bigint references reservation,
          skipped_because jsonb,
          primary key (series_id, starts_at),
          constraint series_occurrence_reservation_id unique (reservation_id),
          constraint series_occurrence_explained check (
            reservation_id is not null or skipped_because is not null
          )
        );

        alter table closure add column kind text not null default 'closed',
          add constraint closure_kind check (kind in ('closed', 'maintenance', 'breakdown'));
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
