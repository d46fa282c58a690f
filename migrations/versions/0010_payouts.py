"""Bank accounts of parties, payouts, and the batches in which they go to the bank."""

from marketplace.kernel.migrate import sql

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    sql(
        """
        create table bank_account (
          id bigint generated always as identity primary key,
          organisation_id bigint not null references organisation,
          bank_name text not null,
          cnaps text not null,
          number text not null,
          holder text not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          verified_by bigint references person,
          verified_at timestamptz,
          closed_at timestamptz,
          constraint bank_account_two_persons check (verified_by is distinct from made_by),
          constraint bank_account_verified check ((verified_by is null) = (verified_at is null)),
          constraint bank_account_cnaps check (cnaps ~ '^[0-9]{12}$'),
          constraint bank_account_number check (number ~ '^[0-9]{8,32}$')
        );
        create unique index bank_account_one_verified on bank_account (organisation_id)
          where verified_at is not null and closed_at is null;

        create table payout_batch (
          id bigint generated always as identity primary key,
          status text not null,
          lines integer not null,
          total_fen bigint not null,
          content_sha256 bytea not null,
          content bytea not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          exported_at timestamptz,
          sent_at timestamptz,
          constraint payout_batch_status
            check (status in ('draft', 'approved', 'sent', 'discarded')),
          constraint payout_batch_two_persons check (approved_by is distinct from made_by),
          constraint payout_batch_control check (lines > 0 and total_fen > 0)
        );
        create index payout_batch_made_idx on payout_batch (made_at, id);

        create table payout (
          id bigint generated always as identity primary key,
          organisation_id bigint not null references organisation,
          amount_fen bigint not null,
          source_kind text not null,
          source_id bigint not null,
          debit_account_id bigint not null references account,
          status text not null,
          attempt integer not null default 1,
          end_to_end_id text not null generated always as
            ('SC-P-' || id::text || case when attempt > 1
             then '-' || attempt::text else '' end) stored,
          batch_id bigint references payout_batch,
          bank_account_id bigint references bank_account,
          instructed_by bigint not null references person,
          instructed_at timestamptz not null,
          sent_at timestamptz,
          confirmed_on date,
          returned_on date,
          return_reason text,
          withdrawn_by bigint references person,
          withdrawn_at timestamptz,
          withdrawal_reason text,
          constraint payout_amount check (amount_fen > 0),
          constraint payout_source_kind
            check (source_kind in ('claim', 'reward', 'settlement', 'refund')),
          constraint payout_status check (status in
            ('instructed', 'batched', 'sent', 'confirmed', 'returned', 'withdrawn')),
          constraint payout_end_to_end_length check (char_length(end_to_end_id) between 1 and 35),
          constraint payout_batched
            check (status in ('instructed', 'withdrawn') or batch_id is not null),
          constraint payout_withdrawn
            check (num_nonnulls(withdrawn_by, withdrawn_at, withdrawal_reason)
              = case status when 'withdrawn' then 3 else 0 end),
          constraint payout_end_to_end_id unique (end_to_end_id),
          constraint payout_source unique (source_kind, source_id, organisation_id)
        );
        create index payout_status_idx on payout (status, id);
        create index payout_organisation_idx on payout (organisation_id, id);
        create index payout_batch_idx on payout (batch_id);
        create index payout_bank_account_idx on payout (bank_account_id);

        -- What was instructed is never rewritten: whom, how much, from which account and why.
        create function payout_keeps_its_terms() returns trigger language plpgsql as $$
        begin
          if (new.organisation_id, new.amount_fen, new.source_kind, new.source_id,
              new.debit_account_id, new.instructed_by)
             is distinct from
             (old.organisation_id, old.amount_fen, old.source_kind, old.source_id,
              old.debit_account_id, old.instructed_by) then
            raise exception 'a payout keeps its terms'
              using errcode = 'restrict_violation', constraint = 'payout_keeps_its_terms';
          end if;
          if old.status = 'withdrawn' then
            raise exception 'a withdrawn payout stays as it is'
              using errcode = 'restrict_violation', constraint = 'payout_stays_withdrawn';
          end if;
          return new;
        end $$;
        create trigger payout_keeps_its_terms before update on payout
          for each row execute function payout_keeps_its_terms();
        create trigger payout_no_delete before delete on payout
          for each row execute function refuse_change();

        create table settlement (
          id bigint generated always as identity primary key,
          through_on date not null,
          made_by bigint not null references person,
          made_at timestamptz not null
        );
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
