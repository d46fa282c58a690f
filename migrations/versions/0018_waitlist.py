"""Waiting for time that comes free; strikes, appeals and suspensions."""

from marketplace.kernel.migrate import sql

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    sql(
        """
        create table waitlist_entry (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          user_class text not null,
          purpose text not null,
          during tstzrange not null,
          minutes integer not null,
          weekdays smallint[] not null,
          earliest_minute smallint not null,
          latest_minute smallint not null,
          status text not null,
          offers_lapsed smallint not null default 0,
          reservation_id bigint references reservation,
          made_at timestamptz not null,
          changed_at timestamptz not null,
          ended_at timestamptz,
          ended_because text,
          constraint waitlist_entry_user_class check (
            user_class in ('own_unit', 'academic', 'enterprise')
          ),
          constraint waitlist_entry_purpose check (purpose in (
            'external', 'own_research', 'teaching', 'maintenance', 'test_run'
          )),
          constraint waitlist_entry_during check (
            not isempty(during) and lower_inc(during) and not upper_inc(during)
            and not lower_inf(during) and not upper_inf(during)
          ),
          constraint waitlist_entry_minutes check (minutes between 1 and 44640),
          constraint waitlist_entry_weekdays check (
            cardinality(weekdays) between 1 and 7
            and weekdays <@ array[0, 1, 2, 3, 4, 5, 6]::smallint[]
          ),
          constraint waitlist_entry_hours check (
            earliest_minute >= 0 and latest_minute <= 1440 and earliest_minute < latest_minute
          ),
          constraint waitlist_entry_status check (
            status in ('waiting', 'offered', 'taken', 'withdrawn', 'lapsed', 'closed')
          ),
          constraint waitlist_entry_lapsed check (offers_lapsed between 0 and 1000),
          constraint waitlist_entry_offered check (
            status not in ('offered', 'taken') or reservation_id is not null
          ),
          constraint waitlist_entry_ended check (
            (ended_at is null) = (status in ('waiting', 'offered'))
          )
        );
        create unique index waitlist_entry_once
          on waitlist_entry (person_id, instrument_id, during)
          where status in ('waiting', 'offered');
        create index waitlist_entry_waiting_idx
          on waitlist_entry (instrument_id, made_at, id) where status = 'waiting';
        create index waitlist_entry_over_idx on waitlist_entry (upper(during))
          where status = 'waiting';
        create index waitlist_entry_offered_idx on waitlist_entry (reservation_id)
          where status = 'offered';
        create index waitlist_entry_organisation_idx on waitlist_entry (organisation_id, id);
        create index waitlist_entry_provider_idx on waitlist_entry (provider_id, id);

        create table slot_offer (
          id bigint generated always as identity primary key,
          entry_id bigint not null references waitlist_entry,
          reservation_id bigint not null references reservation,
          during tstzrange not null,
          offered_at timestamptz not null,
          held_until timestamptz not null,
          outcome text,
          ended_at timestamptz,
          constraint slot_offer_reservation_id unique (reservation_id),
          constraint slot_offer_held check (held_until > offered_at),
          constraint slot_offer_outcome check (
            outcome in ('accepted', 'declined', 'lapsed', 'withdrawn')
          ),
          constraint slot_offer_ended check ((ended_at is null) = (outcome is null))
        );
        create index slot_offer_entry_idx on slot_offer (entry_id, id);
        create unique index slot_offer_one_open on slot_offer (entry_id) where outcome is null;

        create table strike (
          id bigint generated always as identity primary key,
          person_id bigint not null references person,
          organisation_id bigint not null references organisation,
          provider_id bigint not null references organisation,
          instrument_id bigint not null references instrument,
          reservation_id bigint not null references reservation,
          kind text not null,
          given_at timestamptz not null,
          noted_at timestamptz not null,
          expires_at timestamptz not null,
          why text not null,
          waived_at timestamptz,
          waived_by bigint references person,
          waived_because text,
          constraint strike_once unique (reservation_id, kind),
          constraint strike_kind check (kind in ('no_show', 'late_cancel', 'overrun', 'waste')),
          constraint strike_expires check (expires_at > given_at and noted_at >= given_at),
          constraint strike_waived check (
            num_nulls(waived_at, waived_by, waived_because) in (0, 3)
          ),
          constraint strike_second_person check (waived_by is distinct from person_id)
        );
        create index strike_person_idx on strike (person_id, given_at);
        create index strike_organisation_idx on strike (organisation_id, id);
        create index strike_provider_idx on strike (provider_id, id);

        create table strike_appeal (
          id bigint generated always as identity primary key,
          strike_id bigint not null references strike,
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          text text not null,
          status text not null,
          decided_by bigint references person,
          decided_at timestamptz,
          reason text,
          constraint strike_appeal_strike_id unique (strike_id),
          constraint strike_appeal_status check (status in ('open', 'upheld', 'rejected')),
          constraint strike_appeal_decided check (
            num_nulls(decided_by, decided_at, reason) = case status when 'open' then 3 else 0 end
          ),
          constraint strike_appeal_second_person check (decided_by is distinct from filed_by)
        );
        create index strike_appeal_open_idx on strike_appeal (id) where status = 'open';

        create table suspension (
          id bigint generated always as identity primary key,
          person_id bigint not null references person,
          organisation_id bigint not null references organisation,
          starts_at timestamptz not null,
          ends_at timestamptz not null,
          lifted_at timestamptz,
          lifted_because text,
          constraint suspension_ends check (ends_at > starts_at),
          constraint suspension_lifted check ((lifted_at is null) = (lifted_because is null)),
          constraint suspension_no_overlap exclude using gist (
            person_id with =, tstzrange(starts_at, ends_at) with &&
          ) where (lifted_at is null)
        );
        create index suspension_person_idx on suspension (person_id, ends_at);
        create index suspension_organisation_idx on suspension (organisation_id, id);

        create table strike_sweep (
          id smallint primary key,
          judged_until timestamptz not null,
          constraint strike_sweep_only_one check (id = 1)
        );

        create index reservation_ended_idx on reservation (ended_at, id)
          where status in ('used', 'late_cancelled', 'no_show');
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
