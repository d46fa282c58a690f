"""Booking rules, reservations under an exclusion constraint, usage sessions."""

from marketplace.kernel.migrate import sql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    sql(
        """
        create table booking_rule (
          instrument_id bigint primary key references instrument,
          step_minutes integer not null,
          minimum_minutes integer not null,
          maximum_minutes integer not null,
          notice_minutes integer not null,
          horizon_days integer not null,
          before_minutes integer not null,
          after_minutes integer not null,
          seats smallint not null,
          needs_approval boolean not null,
          open_on_holidays boolean not null,
          set_by bigint not null references person,
          set_at timestamptz not null,
          constraint booking_rule_step check (step_minutes between 1 and 1440),
          constraint booking_rule_lengths check (
            minimum_minutes >= step_minutes
            and maximum_minutes between minimum_minutes and 44640
            and minimum_minutes % greatest(step_minutes, 1) = 0
            and maximum_minutes % greatest(step_minutes, 1) = 0
          ),
          constraint booking_rule_notice check (notice_minutes between 0 and 525600),
          constraint booking_rule_horizon check (horizon_days between 1 and 3660),
          constraint booking_rule_buffers check (
            before_minutes between 0 and 1440 and after_minutes between 0 and 1440
          ),
          constraint booking_rule_seats check (seats between 1 and 200)
        );

        create table reservation (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          seat smallint not null,
          during tstzrange not null,
          blocked tstzrange not null,
          status text not null,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          purpose text not null,
          order_id bigint,
          held_until timestamptz,
          override_reason text,
          placed_at timestamptz not null,
          confirmed_at timestamptz,
          decided_by bigint references person,
          ended_at timestamptz,
          reason text,
          constraint reservation_no_overlap exclude using gist (
            instrument_id with =, blocked with &&, seat with =
          ) where (status in ('requested', 'confirmed', 'in_use')),
          constraint reservation_order_id unique (order_id),
          constraint reservation_seat check (seat between 1 and 200),
          constraint reservation_during check (
            not isempty(during) and lower_inc(during) and not upper_inc(during)
            and not lower_inf(during) and not upper_inf(during)
          ),
          constraint reservation_blocked check (
            blocked @> during and not lower_inf(blocked) and not upper_inf(blocked)
          ),
          constraint reservation_status check (status in (
            'requested', 'confirmed', 'in_use', 'used', 'cancelled', 'late_cancelled',
            'no_show', 'rejected', 'expired'
          )),
          constraint reservation_purpose check (purpose in (
            'external', 'own_research', 'teaching', 'maintenance', 'test_run'
          )),
          constraint reservation_held check (status <> 'requested' or held_until is not null),
          constraint reservation_ended check (
            (ended_at is null) = (status in ('requested', 'confirmed', 'in_use'))
          ),
          constraint reservation_second_person check (decided_by is distinct from person_id)
        );
        create index reservation_organisation_idx on reservation (organisation_id, id);
        create index reservation_provider_idx on reservation (provider_id, id);
        create index reservation_held_idx on reservation (held_until)
          where status = 'requested';
        create index reservation_starts_idx on reservation (lower(during))
          where status = 'confirmed';

        create table usage_session (
          id bigint generated always as identity primary key,
          reservation_id bigint not null references reservation,
          instrument_id bigint not null references instrument,
          opened_at timestamptz not null,
          closed_at timestamptz,
          reserved_minutes integer not null,
          actual_minutes integer,
          billable_minutes integer,
          preparation_minutes integer,
          test_minutes integer,
          post_minutes integer,
          operator_id bigint not null references person,
          problem text,
          constraint usage_session_reservation_id unique (reservation_id),
          constraint usage_session_reserved check (reserved_minutes >= 1),
          constraint usage_session_closed check (
            case when closed_at is null
              then num_nonnulls(actual_minutes, billable_minutes, preparation_minutes,
                                test_minutes, post_minutes) = 0
              else closed_at >= opened_at
                and num_nulls(actual_minutes, billable_minutes, preparation_minutes,
                              test_minutes, post_minutes) = 0
            end
          ),
          constraint usage_session_minutes check (
            actual_minutes >= 1 and billable_minutes >= 0
            and preparation_minutes >= 0 and test_minutes >= 0 and post_minutes >= 0
            and preparation_minutes + test_minutes + post_minutes <= actual_minutes
          ),
          constraint usage_session_problem check (problem in ('never-closed', 'overrun'))
        );
        create index usage_session_instrument_idx on usage_session (instrument_id, opened_at);
        create index usage_session_open_idx on usage_session (opened_at) where closed_at is null;
        create index usage_session_problem_idx on usage_session (id) where problem is not null;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
