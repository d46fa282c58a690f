"""What more real programmes ask for: days of papers, persons trained, an order of who waits."""

from marketplace.kernel.migrate import sql

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    sql("""
alter table claim_evidence
  -- The day of an invoice or of a payment, where a programme pays for those of some days only.
  add column dated_on date,
  drop constraint claim_evidence_kind,
  add constraint claim_evidence_kind check (kind in ('contract', 'invoice', 'payment-proof',
    'result', 'usage-log', 'provider-qualification', 'service-confirmation', 'service-rating')),
  add constraint claim_evidence_dated
    check (dated_on is null or kind in ('invoice', 'payment-proof')),
  -- What qualifies a provider is the same paper for all that it serves.
  drop constraint claim_evidence_file,
  add constraint claim_evidence_file exclude using gist (sha256 with =, order_id with <>)
    where (kind <> 'provider-qualification');

alter table voucher_hold
  -- How many persons the service trains, where that caps what a voucher pays.
  add column persons integer,
  add constraint voucher_hold_persons check (persons between 1 and 10000);

alter table voucher_application
  -- The place of the preference that it meets, nought for the first; who meets none comes last.
  add column waiting_rank smallint not null default 0,
  add constraint voucher_application_waiting_rank check (waiting_rank >= 0);
drop index voucher_application_waiting_idx;
create index voucher_application_waiting_idx
  on voucher_application (programme_id, waiting_rank, waiting_since, id) where status = 'waiting';
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
