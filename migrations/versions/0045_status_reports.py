"""What the bank says of payment files before its statement does: taken or refused, one by one."""

from marketplace.kernel.migrate import sql

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    sql("""
create table status_report (
  id bigint generated always as identity primary key,
  batch_id bigint not null references payout_batch,
  message_id text not null,
  file_name text not null,
  sha256 text not null,
  accepted integer not null,
  rejected integer not null,
  pending integer not null,
  imported_by bigint not null references person,
  imported_at timestamptz not null,
  constraint status_report_once unique (sha256),
  constraint status_report_counts check (least(accepted, rejected, pending) >= 0),
  constraint status_report_sha256 check (sha256 ~ '^[0-9a-f]{64}$')
);
create index status_report_batch_idx on status_report (batch_id, id desc);
create trigger status_report_append_only before update or delete on status_report
  for each row execute function refuse_change();

create table status_report_line (
  report_id bigint not null references status_report,
  payout_id bigint not null references payout,
  outcome text not null,
  code text not null,
  reason text not null,
  primary key (report_id, payout_id),
  constraint status_report_line_outcome check (outcome in ('accepted', 'rejected', 'pending')),
  constraint status_report_line_code check (code <> '')
);
create index status_report_line_payout_idx on status_report_line (payout_id, report_id desc);
create trigger status_report_line_append_only before update or delete on status_report_line
  for each row execute function refuse_change();
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
