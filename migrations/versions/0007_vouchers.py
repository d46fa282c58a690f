"""Vouchers: programmes and their layers, applications, grants, holds, redemptions, claims."""

from marketplace.kernel.migrate import sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    sql(
        """
        create table programme (
          id bigint generated always as identity primary key,
          name text not null,
          name_en text not null,
          year integer not null,
          opens_on date not null,
          closes_on date not null,
          valid_until date not null,
          terms jsonb not null,
          status text not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          closed_at timestamptz,
          constraint programme_name unique (year, name),
          constraint programme_status check (status in ('draft', 'open', 'closed')),
          constraint programme_days check (opens_on <= closes_on and closes_on <= valid_until),
          constraint programme_second_person check (approved_by is distinct from made_by),
          constraint programme_approved check ((status = 'draft') = (approved_by is null))
        );

        create table programme_layer (
          id bigint generated always as identity primary key,
          programme_id bigint not null references programme,
          funder text not null,
          region_code char(6) not null,
          ratio_basis_points integer not null,
          budget_fen bigint not null,
          constraint programme_layer_once unique (programme_id, funder, region_code),
          constraint programme_layer_funder check (funder in ('province', 'city', 'zone')),
          constraint programme_layer_ratio check (ratio_basis_points between 1 and 10000),
          constraint programme_layer_budget check (budget_fen > 0)
        );

        create table voucher_application (
          id bigint generated always as identity primary key,
          programme_id bigint not null references programme,
          organisation_id bigint not null references organisation,
          asked_fen bigint not null,
          purpose text not null,
          status text not null,
          checks jsonb not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          decided_by bigint references person,
          decided_at timestamptz,
          reason text not null default '',
          constraint voucher_application_asked check (asked_fen > 0),
          constraint voucher_application_status
            check (status in ('submitted', 'granted', 'refused', 'withdrawn')),
          constraint voucher_application_second_person check (decided_by is distinct from made_by)
        );
        create unique index voucher_application_open_once
          on voucher_application (programme_id, organisation_id) where status = 'submitted';
        create index voucher_application_organisation_idx
          on voucher_application (organisation_id, id);
        create index voucher_application_queue_idx
          on voucher_application (programme_id, id) where status = 'submitted';

        create table voucher_grant (
          id bigint generated always as identity primary key,
          programme_id bigint not null references programme,
          organisation_id bigint not null references organisation,
          application_id bigint not null references voucher_application,
          amount_fen bigint not null,
          valid_until date not null,
          status text not null,
          granted_by bigint not null references person,
          granted_at timestamptz not null,
          constraint voucher_grant_once unique (programme_id, organisation_id),
          constraint voucher_grant_application unique (application_id),
          constraint voucher_grant_amount check (amount_fen > 0),
          constraint voucher_grant_status
            check (status in ('active', 'exhausted', 'expired', 'revoked'))
        );
        create index voucher_grant_organisation_idx on voucher_grant (organisation_id, id);
        create index voucher_grant_due_idx on voucher_grant (valid_until, id)
          where status = 'active';

        create table grant_part (
          id bigint generated always as identity primary key,
          grant_id bigint not null references voucher_grant,
          layer_id bigint not null references programme_layer,
          amount_fen bigint not null,
          constraint grant_part_once unique (grant_id, layer_id),
          constraint grant_part_amount check (amount_fen > 0)
        );

        -- What one funder granted to one SME in a year: the row lock and the check together keep
        -- the yearly cap, however many programmes grant at once.
        create table voucher_year (
          organisation_id bigint not null references organisation,
          year integer not null,
          funder text not null,
          granted_fen bigint not null,
          cap_fen bigint not null,
          primary key (organisation_id, year, funder),
          constraint voucher_year_cap check (granted_fen between 0 and cap_fen)
        );

        create table voucher_hold (
          id bigint generated always as identity primary key,
          order_id bigint not null,
          grant_id bigint not null references voucher_grant,
          provider_id bigint not null references organisation,
          instrument_id bigint not null references instrument,
          service_kind text not null,
          service_value_fen bigint not null,
          amount_fen bigint not null,
          status text not null,
          held_at timestamptz not null,
          ended_at timestamptz,
          constraint voucher_hold_order unique (order_id),
          constraint voucher_hold_status check (status in ('held', 'settled', 'released')),
          constraint voucher_hold_amount
            check (amount_fen > 0 and amount_fen <= service_value_fen),
          constraint voucher_hold_ended check ((status = 'held') = (ended_at is null))
        );
        create index voucher_hold_grant_idx on voucher_hold (grant_id);

        create table voucher_hold_part (
          hold_id bigint not null references voucher_hold,
          grant_part_id bigint not null references grant_part,
          ledger_hold_id bigint not null references hold,
          amount_fen bigint not null,
          primary key (hold_id, grant_part_id),
          constraint voucher_hold_part_ledger_hold unique (ledger_hold_id),
          constraint voucher_hold_part_amount check (amount_fen > 0)
        );

        create table claim (
          id bigint generated always as identity primary key,
          provider_id bigint not null references organisation,
          programme_id bigint references programme,
          status text not null,
          amount_fen bigint not null,
          seed bigint,
          made_by bigint not null references person,
          made_at timestamptz not null,
          submitted_by bigint references person,
          submitted_at timestamptz,
          audited_by bigint references person,
          audited_at timestamptz,
          notice_starts_on date,
          notice_ends_on date,
          approved_by bigint references person,
          approved_at timestamptz,
          entry_id bigint references entry,
          refused_by bigint references person,
          refused_at timestamptz,
          reversed_by bigint references person,
          reversed_at timestamptz,
          reversal_entry_id bigint references entry,
          reason text not null default '',
          constraint claim_status check (status in
            ('draft', 'submitted', 'audited', 'in_notice', 'approved', 'paid', 'refused',
             'reversed')),
          constraint claim_amount check (amount_fen >= 0),
          constraint claim_auditor check (audited_by is null or audited_by <> submitted_by),
          constraint claim_second_person check (approved_by is null
            or (approved_by <> submitted_by and approved_by <> audited_by)),
          constraint claim_seed check (audited_by is null or seed is not null),
          constraint claim_notice check (approved_by is null or notice_ends_on is not null),
          constraint claim_entry check ((approved_by is null) = (entry_id is null))
        );
        create index claim_provider_idx on claim (provider_id, id);
        create index claim_status_idx on claim (status, id);

        create table redemption (
          id bigint generated always as identity primary key,
          order_id bigint not null,
          grant_id bigint not null references voucher_grant,
          provider_id bigint not null references organisation,
          service_value_fen bigint not null,
          amount_fen bigint not null,
          redeemed_on date not null,
          claim_id bigint references claim,
          excluded_at timestamptz,
          excluded_reason text,
          constraint redemption_order unique (order_id),
          constraint redemption_amount
            check (amount_fen > 0 and amount_fen <= service_value_fen),
          constraint redemption_excluded
            check ((excluded_at is null) = (excluded_reason is null))
        );
        create index redemption_unclaimed_idx on redemption (provider_id, redeemed_on)
          where claim_id is null and excluded_at is null;
        create index redemption_claim_idx on redemption (claim_id, id);
        create index redemption_grant_idx on redemption (grant_id);

        create table redemption_part (
          redemption_id bigint not null references redemption,
          layer_id bigint not null references programme_layer,
          amount_fen bigint not null,
          primary key (redemption_id, layer_id),
          constraint redemption_part_amount check (amount_fen > 0)
        );

        -- One file serves one redemption, under as many kinds as it proves; one invoice likewise.
        create table claim_evidence (
          id bigint generated always as identity primary key,
          redemption_id bigint not null references redemption,
          kind text not null,
          sha256 text not null,
          reference text not null,
          invoice_number char(20),
          attached_by bigint not null references person,
          attached_at timestamptz not null,
          constraint claim_evidence_kind check (kind in
            ('contract', 'invoice', 'payment-proof', 'result', 'usage-log')),
          constraint claim_evidence_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint claim_evidence_invoice check
            ((kind = 'invoice') = (invoice_number is not null)),
          constraint claim_evidence_digits check (invoice_number ~ '^[0-9]{20}$'),
          constraint claim_evidence_attached_once unique (redemption_id, kind, sha256),
          constraint claim_evidence_invoice_number unique (invoice_number),
          constraint claim_evidence_file
            exclude using gist (sha256 with =, redemption_id with <>)
        );

        create table spot_check (
          claim_id bigint not null references claim,
          redemption_id bigint not null references redemption,
          result text not null,
          finding text not null default '',
          checked_by bigint references person,
          checked_at timestamptz,
          primary key (claim_id, redemption_id),
          constraint spot_check_result check (result in ('open', 'passed', 'failed')),
          constraint spot_check_checked check ((result = 'open') = (checked_by is null))
        );
        create index spot_check_redemption_idx on spot_check (redemption_id);
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
