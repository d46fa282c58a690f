"""The tables of catalogue."""

from marketplace.kernel.migrate import sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    sql(
        """
        create table instrument (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          inner_id text not null,
          cstr text not null,
          cname text not null,
          ename text not null default '',
          category_code text not null,
          model text not null default '',
          manufacturer text not null default '',
          nation text not null default '',
          worth_fen bigint not null,
          funds text not null,
          source text,
          customs_supervised boolean not null,
          began_on date,
          accepted_on date,
          kind text not null,
          technical text not null default '',
          functions text not null default '',
          subjects text not null default '',
          service_content text not null default '',
          achievement text not null default '',
          requirement text not null default '',
          fee_text text not null default '',
          service_url text not null default '',
          share_mode text not null,
          exemption text,
          condition text not null,
          department text not null default '',
          province text not null default '',
          city text not null default '',
          county text not null default '',
          street text not null default '',
          postalcode text not null default '',
          contact text not null default '',
          phone text not null default '',
          email text not null default '',
          further jsonb not null default '{}',
          region_code text not null,
          status text not null,
          listing_due_on date,
          registered_at timestamptz not null,
          listed_at timestamptz,
          withdrawn_at timestamptz,
          withdrawn_reason text,
          changed_at timestamptz not null,
          content_sha256 bytea not null,
          search tsvector not null,
          constraint instrument_inner_id unique (provider_id, inner_id),
          constraint instrument_cstr unique (cstr),
          constraint instrument_category_code check (category_code ~ '^[0-9]{6}$'),
          constraint instrument_region_code check (region_code ~ '^[0-9]{6}$'),
          constraint instrument_worth_fen check (worth_fen between 0 and 1000000000000),
          constraint instrument_funds check (funds in ('central', 'local', 'own', 'other')),
          constraint instrument_source
            check (source in ('purchased', 'developed', 'donated', 'other')),
          constraint instrument_kind check (kind in ('general', 'special')),
          constraint instrument_share_mode check (share_mode in ('internal', 'external', 'none')),
          constraint instrument_exemption
            check (exemption in ('national-security', 'secrecy', 'other-law')),
          constraint instrument_condition check (
            condition in ('normal', 'occasional-faults', 'frequent-faults',
                          'awaiting-repair', 'awaiting-disposal')),
          constraint instrument_status
            check (status in ('unlisted', 'listed', 'withdrawn', 'disposed')),
          constraint instrument_listed check (status <> 'listed' or listed_at is not null)
        )
        -- Long prose and the search vector lie out of line, so that counting facets over
        -- ten thousand hits reads narrow rows.
        with (toast_tuple_target = 512);
        create index instrument_search_idx on instrument using gin (search);
        create index instrument_provider_idx on instrument (provider_id, id);
        -- Answers a search without words from the index alone, in the order of the answer.
        create index instrument_listed_idx on instrument (id)
          include (category_code, region_code, kind, share_mode, provider_id, worth_fen)
          where status = 'listed';
        create index instrument_category_idx on instrument (category_code, id)
          include (region_code, kind, share_mode, provider_id, worth_fen)
          where status = 'listed';
        create index instrument_region_idx on instrument (region_code, id)
          include (category_code, kind, share_mode, provider_id, worth_fen)
          where status = 'listed';
        create index instrument_listing_due_idx on instrument (listing_due_on)
          where listing_due_on is not null;

        create table opening_hours (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          weekday smallint not null,
          opens_minute smallint not null,
          closes_minute smallint not null,
          constraint opening_hours_weekday check (weekday between 0 and 6),
          constraint opening_hours_minutes
            check (opens_minute >= 0 and opens_minute < closes_minute and closes_minute <= 1440),
          constraint opening_hours_no_overlap exclude using gist (
            instrument_id with =, weekday with =,
            int4range(opens_minute, closes_minute) with &&)
        );

        create table closure (
          id bigint generated always as identity primary key,
          instrument_id bigint not null references instrument,
          during tstzrange not null,
          reason text not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          constraint closure_during check (
            not isempty(during) and not lower_inf(during) and not upper_inf(during))
        );
        create index closure_instrument_idx on closure using gist (instrument_id, during);

        create table import_batch (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          file_sha256 text not null,
          file_name text not null,
          lines integer not null,
          added integer not null,
          changed integer not null,
          unchanged integer not null,
          refused integer not null,
          report jsonb not null,
          imported_by bigint not null references person,
          imported_at timestamptz not null,
          constraint import_batch_counts
            check (lines = added + changed + unchanged + refused)
        );
        create index import_batch_provider_idx on import_batch (provider_id, id);
        create trigger import_batch_append_only before update or delete on import_batch
          for each row execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
