"""Bank statements, their lines, what the lines were matched to, and periods signed off."""

from marketplace.kernel.migrate import sql

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    sql(
        """
        -- The statements of an account are one chain: each opens with what the one before closed
        -- with, each has one successor, and there is one first.
        create table bank_statement (
          id bigint generated always as identity primary key,
          account_number text not null,
          previous_id bigint,
          file_name text not null,
          file_sha256 bytea not null,
          from_on date not null,
          until_on date not null,
          opening_fen bigint not null,
          in_fen bigint not null,
          out_fen bigint not null,
          closing_fen bigint not null,
          lines integer not null,
          known_lines integer not null,
          imported_by bigint not null references person,
          imported_at timestamptz not null,
          constraint bank_statement_file unique (file_sha256),
          constraint bank_statement_closing unique (id, account_number, closing_fen),
          constraint bank_statement_one_chain
            unique nulls not distinct (account_number, previous_id),
          constraint bank_statement_continues
            foreign key (previous_id, account_number, opening_fen)
            references bank_statement (id, account_number, closing_fen),
          constraint bank_statement_balanced check (opening_fen + in_fen - out_fen = closing_fen),
          constraint bank_statement_sums check (in_fen >= 0 and out_fen >= 0),
          constraint bank_statement_lines check (lines > 0 and known_lines >= 0),
          constraint bank_statement_days check (from_on <= until_on),
          constraint bank_statement_account check (account_number ~ '^[0-9]{8,32}$'),
          constraint bank_statement_file_name
            check (char_length(file_name) between 1 and 200)
        );
        create index bank_statement_account_idx on bank_statement (account_number, id);
        create trigger bank_statement_append_only before update or delete on bank_statement
          for each row execute function refuse_change();

        -- Positive is money in. Line 0 is what an account had before its first statement.
        create table statement_line (
          id bigint generated always as identity primary key,
          statement_id bigint not null references bank_statement,
          line_number integer not null,
          identity bytea not null,
          booked_on date not null,
          amount_fen bigint not null,
          balance_fen bigint not null,
          counterparty_name text not null,
          counterparty_account text not null,
          remark text not null,
          bank_reference text not null,
          status text not null,
          matches integer not null default 0,
          note text not null default '',
          constraint statement_line_number unique (statement_id, line_number),
          constraint statement_line_identity unique (identity),
          constraint statement_line_amount unique (id, amount_fen),
          constraint statement_line_numbered check (line_number >= 0),
          constraint statement_line_status check (status in ('unmatched', 'matched', 'ignored')),
          constraint statement_line_ignored check ((status = 'ignored') = (amount_fen = 0)),
          constraint statement_line_matches
            check (matches >= 0 and (status <> 'matched' or matches > 0))
        );
        create index statement_line_booked_idx on statement_line (booked_on, id);
        create index statement_line_unmatched_idx on statement_line (booked_on, id)
          where status = 'unmatched';

        -- What the bank said is never rewritten; only what we made of it.
        create trigger statement_line_fixed before update of
            id, statement_id, line_number, identity, booked_on, amount_fen, balance_fen,
            counterparty_name, counterparty_account, remark, bank_reference on statement_line
          for each row execute function refuse_change();
        create trigger statement_line_kept before delete on statement_line
          for each row execute function refuse_change();

        -- A line is matched whole and, among the matches that stand, once; so is a payment.
        create table line_match (
          id bigint generated always as identity primary key,
          line_id bigint not null,
          amount_fen bigint not null,
          kind text not null,
          target_id bigint not null,
          reference text,
          how text not null,
          rule text not null,
          reason text not null,
          entry_id bigint references entry,
          matched_by bigint not null references person,
          matched_at timestamptz not null,
          undone_by bigint references person,
          undone_at timestamptz,
          undo_reason text,
          constraint line_match_line_fkey foreign key (line_id, amount_fen)
            references statement_line (id, amount_fen),
          constraint line_match_kind check (kind in (
            'payout', 'return', 'wallet', 'voucher_fund', 'reward_fund',
            'charge', 'interest', 'contra')),
          constraint line_match_direction check (
            case when kind in ('payout', 'charge') then amount_fen < 0
                 when kind = 'contra' then amount_fen <> 0
                 else amount_fen > 0 end),
          constraint line_match_how check (how in ('auto', 'manual')),
          constraint line_match_reason check (how = 'auto' or char_length(reason) > 0),
          constraint line_match_reference
            check ((reference is not null) = (kind in ('payout', 'return'))),
          constraint line_match_entry check ((entry_id is null) = (kind = 'contra')),
          constraint line_match_undone check (
            (undone_at is null) = (undone_by is null)
            and (undone_at is null) = (undo_reason is null))
        );
        create unique index line_match_one_stands on line_match (line_id)
          where undone_at is null;
        create unique index line_match_payment_once on line_match (kind, reference)
          where undone_at is null and reference is not null;
        create unique index line_match_entry_once on line_match (entry_id)
          where entry_id is not null;
        create index line_match_line_idx on line_match (line_id, id);

        create trigger line_match_fixed before update of
            id, line_id, amount_fen, kind, target_id, reference, how, rule, reason, entry_id,
            matched_by, matched_at on line_match
          for each row execute function refuse_change();
        create trigger line_match_undone_once before update on line_match
          for each row when (old.undone_at is not null) execute function refuse_change();
        create trigger line_match_kept before delete on line_match
          for each row execute function refuse_change();

        create table reconciliation_period (
          id bigint generated always as identity primary key,
          ledger_period_id bigint not null references period,
          first_on date not null,
          last_on date not null,
          status text not null,
          balancing jsonb not null,
          made_by bigint not null references person,
          made_at timestamptz not null,
          approved_by bigint references person,
          approved_at timestamptz,
          constraint reconciliation_period_of_ledger unique (ledger_period_id),
          constraint reconciliation_period_days check (first_on <= last_on),
          constraint reconciliation_period_status check (status in ('draft', 'signed')),
          constraint reconciliation_period_signed check (
            (status = 'signed') = (approved_at is not null)
            and (approved_at is null) = (approved_by is null)),
          constraint reconciliation_period_two_persons
            check (approved_by is distinct from made_by)
        );
        create trigger reconciliation_period_signed_once
          before update or delete on reconciliation_period
          for each row when (old.status = 'signed') execute function refuse_change();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
