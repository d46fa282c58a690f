"""What people keep an eye on: instruments they starred, searches they saved, what newly fits."""

from marketplace.kernel.migrate import sql

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    sql("""
create table favourite (
  person_id bigint not null references person,
  organisation_id bigint not null references organisation,
  instrument_id bigint not null references instrument,
  marked_at timestamptz not null,
  primary key (person_id, organisation_id, instrument_id)
);
create index favourite_list_idx on favourite (person_id, organisation_id, marked_at desc);

-- A search that somebody keeps. With a window only instruments that are free in it fit.
create table saved_search (
  id bigint generated always as identity primary key,
  person_id bigint not null references person,
  organisation_id bigint not null references organisation,
  name text not null,
  words text not null,
  category text not null,
  region text not null,
  free_from date,
  free_until date,
  minutes integer,
  made_at timestamptz not null,
  looked_at timestamptz not null,
  constraint saved_search_name check (char_length(name) between 1 and 100),
  constraint saved_search_words check (char_length(words) <= 100),
  constraint saved_search_codes check (category ~ '^[0-9A-Z]{0,10}$' and region ~ '^[0-9]{0,6}$'),
  constraint saved_search_window check (
    (free_from is null) = (free_until is null) and (free_from is null) = (minutes is null)
    and free_until between free_from and free_from + 60),
  constraint saved_search_minutes check (minutes between 1 and 1440)
);
create index saved_search_list_idx on saved_search (person_id, organisation_id, id desc);
create index saved_search_looked_idx on saved_search (looked_at, id);

-- What a saved search finds. `gone_at`: it no longer fits; should it fit again it is new again.
create table saved_search_find (
  search_id bigint not null references saved_search on delete cascade,
  instrument_id bigint not null references instrument,
  found_at timestamptz not null,
  seen_at timestamptz,
  gone_at timestamptz,
  primary key (search_id, instrument_id),
  constraint saved_search_find_times check (seen_at >= found_at and gone_at >= found_at)
);
create index saved_search_find_new_idx on saved_search_find (search_id)
  where seen_at is null and gone_at is null;
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
