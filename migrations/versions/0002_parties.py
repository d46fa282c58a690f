"""The tables of parties: people, legal entities, organisations, memberships, SME profiles."""

from marketplace.kernel.migrate import sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    sql(
        """
        create table person (
          id bigint generated always as identity primary key,
          email text not null,
          name text not null,
          phone text not null default '',
          password_hash text not null,
          password_changed_at timestamptz not null,
          failed_sign_ins integer not null default 0,
          locked_until timestamptz,
          signed_in_at timestamptz,
          disabled_at timestamptz,
          registered_at timestamptz not null,
          constraint person_email unique (email),
          constraint person_email_shape
            check (length(email) between 3 and 254 and email ~ '^[!-?A-~]+@[!-?A-~]+$'
                   and email = lower(email)),
          constraint person_name_length check (length(name) between 1 and 200),
          constraint person_failed_sign_ins_range check (failed_sign_ins >= 0)
        );

        create table legal_entity (
          id bigint generated always as identity primary key,
          uscc text not null,
          name text not null,
          name_en text not null default '',
          region_code char(6) not null,
          kind text not null,
          capital text not null,
          legal_representative text not null default '',
          registered_by bigint not null references person,
          registered_at timestamptz not null,
          verified_by bigint references person,
          verified_at timestamptz,
          constraint legal_entity_uscc unique (uscc),
          constraint legal_entity_uscc_shape check (uscc ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
          constraint legal_entity_name_length check (length(name) between 1 and 200),
          constraint legal_entity_region_code_shape check (region_code ~ '^[0-9]{6}$'),
          constraint legal_entity_kind check (kind in ('university', 'institute',
            'public_institution', 'company', 'social_organisation', 'government')),
          constraint legal_entity_capital check (capital in ('fiscal', 'social')),
          constraint legal_entity_verified_whole
            check ((verified_by is null) = (verified_at is null))
        );
        create index legal_entity_name_idx on legal_entity using gin (name gin_trgm_ops);

        create table shareholding (
          legal_entity_id bigint not null references legal_entity,
          holder text not null,
          basis_points integer not null,
          primary key (legal_entity_id, holder),
          constraint shareholding_holder_length check (length(holder) between 1 and 200),
          constraint shareholding_basis_points_range check (basis_points between 1 and 10000)
        );
        create index shareholding_holder_idx on shareholding (holder);

        create table organisation (
          id bigint generated always as identity primary key,
          legal_entity_id bigint not null references legal_entity,
          kind text not null,
          name text not null,
          name_en text not null default '',
          region_code char(6) not null,
          is_agency boolean not null default false,
          registered_by bigint not null references person,
          registered_at timestamptz not null,
          suspended_at timestamptz,
          suspended_reason text not null default '',
          constraint organisation_name unique (legal_entity_id, kind, name),
          constraint organisation_kind check (kind in
            ('platform', 'centre', 'provider', 'sme', 'station', 'regulator')),
          constraint organisation_name_length check (length(name) between 1 and 200),
          constraint organisation_region_code_shape check (region_code ~ '^[0-9]{6}$'),
          constraint organisation_agency_is_provider check (not is_agency or kind = 'provider')
        );
        create index organisation_name_idx on organisation using gin (name gin_trgm_ops);
        create index organisation_kind_region_idx on organisation (kind, region_code);

        create table sme_profile (
          organisation_id bigint not null references organisation,
          year integer not null,
          staff integer not null,
          sales_fen bigint not null,
          assets_fen bigint not null,
          registration_number text not null default '',
          filed_by bigint not null references person,
          filed_at timestamptz not null,
          primary key (organisation_id, year),
          constraint sme_profile_year_range check (year between 2000 and 2100),
          constraint sme_profile_figures_range
            check (staff >= 0 and sales_fen >= 0 and assets_fen >= 0)
        );
        create unique index sme_profile_registration_number
          on sme_profile (year, registration_number) where registration_number <> '';

        create table membership (
          person_id bigint not null references person,
          organisation_id bigint not null references organisation,
          role text not null,
          granted_by bigint not null references person,
          granted_at timestamptz not null,
          primary key (person_id, organisation_id, role),
          constraint membership_role check (role in ('buyer', 'sme_administrator', 'technician',
            'provider_manager', 'finance_maker', 'finance_checker', 'voucher_officer',
            'evaluator', 'expert', 'station_agent', 'regulator', 'auditor', 'administrator')),
          constraint membership_not_granted_to_oneself check (granted_by <> person_id)
        );
        create index membership_organisation_idx on membership (organisation_id, person_id);

        -- The platform itself: what jobs do is done by it. It has no password and no membership.
        insert into person (id, email, name, password_hash, password_changed_at, disabled_at,
                            registered_at)
          overriding system value
          values (1, 'platform@invalid', '平台', '', now(), now(), now());
        insert into legal_entity (id, uscc, name, name_en, region_code, kind, capital,
                                  registered_by, registered_at)
          overriding system value
          values (1, '000000000000000000', '平台', 'The platform', '000000',
                  'public_institution', 'fiscal', 1, now());
        insert into organisation (id, legal_entity_id, kind, name, name_en, region_code,
                                  registered_by, registered_at)
          overriding system value
          values (1, 1, 'platform', '平台', 'The platform', '000000', 1, now());
        alter table person alter column id restart with 2;
        alter table legal_entity alter column id restart with 2;
        alter table organisation alter column id restart with 2;
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
