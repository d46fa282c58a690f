"""Calendar feeds by secret address, and busy times from calendars outside the platform."""

from marketplace.kernel.migrate import sql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    sql(
        """
        create table calendar_feed (
          id bigint generated always as identity primary key,
          kind text not null,
          organisation_id bigint not null references organisation,
          person_id bigint not null references person,
          instrument_id bigint references instrument,
          name text not null,
          secret_sha256 bytea not null,
          made_at timestamptz not null,
          rotated_at timestamptz,
          read_at timestamptz,
          revoked_at timestamptz,
          revoked_by bigint references person,
          constraint calendar_feed_secret unique (secret_sha256),
          constraint calendar_feed_kind check (kind in ('person', 'instrument', 'provider')),
          constraint calendar_feed_instrument check (
            (kind = 'instrument') = (instrument_id is not null)
          ),
          constraint calendar_feed_name check (length(name) between 1 and 100),
          constraint calendar_feed_digest check (octet_length(secret_sha256) = 32),
          constraint calendar_feed_revoked check ((revoked_at is null) = (revoked_by is null))
        );
        create index calendar_feed_organisation_idx on calendar_feed (organisation_id, id);
        create index calendar_feed_person_idx on calendar_feed (person_id, id)
          where revoked_at is null;

        create table busy_source (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          provider_id bigint not null references organisation,
          kind text not null,
          name text not null,
          url text,
          etag text,
          last_modified text,
          due_at timestamptz,
          attempt integer not null default 0,
          tried_at timestamptz,
          fetched_at timestamptz,
          landed_at timestamptz,
          failed_at timestamptz,
          failures integer not null default 0,
          error text,
          problems jsonb not null default '[]',
          paused boolean not null default false,
          made_by bigint not null references person,
          made_at timestamptz not null,
          changed_at timestamptz not null,
          constraint busy_source_of_instrument unique (id, instrument_id),
          constraint busy_source_name unique (instrument_id, name),
          constraint busy_source_kind check (kind in ('url', 'upload', 'push')),
          constraint busy_source_url check (
            (kind = 'url') = (url is not null) and length(url) <= 2000
          ),
          constraint busy_source_due check (
            (due_at is not null) = (kind = 'url' and not paused)
          ),
          constraint busy_source_failed check (
            failures >= 0 and (failures = 0 or (failed_at is not null and error is not null))
          )
        );
        create index busy_source_provider_idx on busy_source (provider_id, id);
        create index busy_source_due_idx on busy_source (due_at) where due_at is not null;

        create table outside_busy (
          source_id bigint not null,
          instrument_id bigint not null,
          uid text not null,
          recurrence_id text not null default '',
          during tstzrange not null,
          summary text not null default '',
          primary key (source_id, uid, recurrence_id),
          constraint outside_busy_source foreign key (source_id, instrument_id)
            references busy_source (id, instrument_id) on delete cascade,
          constraint outside_busy_during check (
            not isempty(during) and not lower_inf(during) and not upper_inf(during)
          )
        );
        create index outside_busy_instrument_idx
          on outside_busy using gist (instrument_id, during);

        create index reservation_served_idx on reservation (provider_id, lower(during));
        create index reservation_operated_idx on reservation (operator_id, lower(during))
          where operator_id is not null;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
