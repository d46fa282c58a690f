"""The platform's own bank accounts, bank formats, clearings of several items, cases, and refunds.

A statement line is still explained once: by one thing, or by a clearing, whose lines come to what
its items come to. What a receipt paid on a credit line can be taken back, once and whole.
"""

from marketplace.kernel.migrate import sql

revision = "0033"
down_revision = "0032"

STATEMENTS = """
-- An account of the platform's own: how its bank writes statements and reads payment files.
create table house_account (
  number text primary key,
  holder text not null,
  bank_name text not null,
  cnaps text not null,
  statement_columns jsonb not null default '{}',
  payment_format text not null default 'csv',
  payment_columns jsonb not null default '[]',
  changed_by bigint not null references person,
  changed_at timestamptz not null,
  constraint house_account_number check (number ~ '^[0-9]{8,32}$'),
  constraint house_account_cnaps check (cnaps ~ '^[0-9]{12}$'),
  constraint house_account_words check (holder <> '' and bank_name <> ''),
  constraint house_account_format check (payment_format in ('csv', 'xlsx', 'pain001')),
  constraint house_account_columns check
    (jsonb_typeof(statement_columns) = 'object' and jsonb_typeof(payment_columns) = 'array')
);

alter table bank_statement
  add column format text not null default 'table',
  add constraint bank_statement_format
    check (format in ('table', 'camt.053', 'camt.054', 'MT940'));

-- `named` is every reference of ours that a line carries, in one form: what matching joins on.
alter table statement_line
  add column end_to_end_id text not null default '',
  add column named text[] not null default '{}';
drop trigger statement_line_fixed on statement_line;
update statement_line
   set named = array(
     select distinct match[1]
       from regexp_matches(
         upper(normalize(remark || ' ' || bank_reference, nfkc)),
         '(?:^|[^A-Z0-9])(SC-(?:P-[0-9]{1,15}(?:-[0-9]{1,4})?|[WVR]-[0-9]{1,15}))(?![A-Z0-9]|-[0-9])',
         'g') match);
create trigger statement_line_fixed before update of
    id, statement_id, line_number, identity, booked_on, amount_fen, balance_fen,
    counterparty_name, counterparty_account, remark, bank_reference, end_to_end_id, named
    on statement_line
  for each row execute function refuse_change();
create index statement_line_reference_idx on statement_line
  (split_part(bank_reference, '/', 1), booked_on) where bank_reference <> '';
create index statement_line_paid_to_idx on statement_line (counterparty_account, amount_fen)
  where status = 'unmatched';
create index payout_sent_idx on payout (amount_fen, bank_account_id) where status = 'sent';
create index bank_account_number_idx on bank_account (number);
"""

CLEARINGS = """
-- Lines and what they are, where that is not one for one: a payment in parts, several payments in
-- one line, a fee that the bank kept back, a difference within the tolerance.
create table clearing (
  id bigint generated always as identity primary key,
  how text not null,
  rule text not null,
  reason text not null,
  score smallint,
  made_by bigint not null references person,
  made_at timestamptz not null,
  undone_by bigint references person,
  undone_at timestamptz,
  undo_reason text,
  constraint clearing_how check (how in ('auto', 'manual')),
  constraint clearing_reason check (how = 'auto' or reason <> ''),
  constraint clearing_score check (score between 0 and 100),
  constraint clearing_undone check (num_nonnulls(undone_by, undone_at, undo_reason) in (0, 3))
);
create trigger clearing_fixed before update of id, how, rule, reason, score, made_by, made_at
  on clearing for each row execute function refuse_change();
create trigger clearing_undone_once before update on clearing
  for each row when (old.undone_at is not null) execute function refuse_change();
create trigger clearing_kept before delete on clearing
  for each row execute function refuse_change();

create table clearing_item (
  clearing_id bigint not null references clearing,
  position integer not null,
  kind text not null,
  target_id bigint not null,
  reference text,
  amount_fen bigint not null,
  reason_code text not null default '',
  entry_id bigint not null references entry,
  primary key (clearing_id, position),
  constraint clearing_item_position check (position between 1 and 200),
  constraint clearing_item_kind check (kind in (
    'payout', 'return', 'wallet', 'voucher_fund', 'reward_fund', 'credit',
    'charge', 'interest', 'difference')),
  constraint clearing_item_direction check (
    case when kind in ('payout', 'charge') then amount_fen < 0
         when kind = 'difference' then amount_fen <> 0
         else amount_fen > 0 end),
  constraint clearing_item_reference
    check ((reference is not null) = (kind in ('payout', 'return'))),
  constraint clearing_item_reason check ((reason_code <> '') = (kind = 'difference')),
  constraint clearing_item_entry_once unique (entry_id)
);
create index clearing_item_target_idx on clearing_item (kind, target_id);
create trigger clearing_item_append_only before update or delete on clearing_item
  for each row execute function refuse_change();

alter table line_match
  add column score smallint,
  drop constraint line_match_kind,
  add constraint line_match_kind check (kind in (
    'payout', 'return', 'wallet', 'voucher_fund', 'reward_fund', 'credit',
    'charge', 'interest', 'contra', 'clearing')),
  drop constraint line_match_direction,
  add constraint line_match_direction check (
    case when kind in ('payout', 'charge') then amount_fen < 0
         when kind in ('contra', 'clearing') then amount_fen <> 0
         else amount_fen > 0 end),
  drop constraint line_match_entry,
  add constraint line_match_entry check ((entry_id is null) = (kind in ('contra', 'clearing'))),
  add constraint line_match_score check (score between 0 and 100);
drop trigger line_match_fixed on line_match;
create trigger line_match_fixed before update of
    id, line_id, amount_fen, kind, target_id, reference, how, rule, reason, entry_id,
    matched_by, matched_at, score on line_match
  for each row execute function refuse_change();
create index line_match_clearing_idx on line_match (target_id) where kind = 'clearing';

-- At COMMIT the lines of a clearing come to its items, and both stand or are undone together.
create function clearing_even(of_id bigint) returns void language plpgsql as $$
declare
  lines record;
  items bigint;
  undone boolean;
begin
  select undone_at is not null into undone from clearing where id = of_id;
  select count(*) as rows, sum(amount_fen) as fen,
         count(*) filter (where (undone_at is not null) <> undone) as other
    into lines from line_match where kind = 'clearing' and target_id = of_id;
  select sum(amount_fen) into items from clearing_item where clearing_id = of_id;
  if undone is null or lines.rows = 0 or lines.other > 0 or lines.fen is distinct from items then
    raise exception 'clearing % does not come to its lines', of_id
      using errcode = 'check_violation', constraint = 'clearing_even';
  end if;
end $$;
create function clearing_checked() returns trigger language plpgsql as $$
begin
  perform clearing_even(new.id);
  return null;
end $$;
create constraint trigger clearing_even after insert or update on clearing
  deferrable initially deferred for each row execute function clearing_checked();
create function clearing_item_checked() returns trigger language plpgsql as $$
begin
  perform clearing_even(new.clearing_id);
  return null;
end $$;
create constraint trigger clearing_item_even after insert on clearing_item
  deferrable initially deferred for each row execute function clearing_item_checked();
create function clearing_line_checked() returns trigger language plpgsql as $$
begin
  perform clearing_even(new.target_id);
  return null;
end $$;
create constraint trigger clearing_line_even after insert or update on line_match
  deferrable initially deferred for each row when (new.kind = 'clearing')
  execute function clearing_line_checked();
"""

CASES = """
-- Who looks after a line that nobody can explain yet, and why it is left.
create table line_case (
  line_id bigint primary key references statement_line,
  owner_id bigint references person,
  reason_code text not null,
  note text not null default '',
  changed_by bigint not null references person,
  changed_at timestamptz not null,
  constraint line_case_reason check (reason_code in (
    'unknown_payer', 'no_reference', 'wrong_amount', 'wrong_reference', 'duplicate',
    'awaiting_bank', 'awaiting_payer', 'to_be_returned', 'other')),
  constraint line_case_note check (char_length(note) <= 2000)
);
create index line_case_owner_idx on line_case (owner_id, line_id);
create trigger line_case_kept before delete on line_case
  for each row execute function refuse_change();

create table line_attachment (
  id bigint generated always as identity primary key,
  line_id bigint not null references statement_line,
  name text not null,
  media_type text not null,
  sha256 text not null,
  size_bytes integer not null,
  storage_key text not null,
  stored_by bigint not null references person,
  stored_at timestamptz not null,
  constraint line_attachment_once unique (line_id, sha256),
  constraint line_attachment_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint line_attachment_size check (size_bytes between 1 and 10485760),
  constraint line_attachment_storage_key check (
    storage_key = 'line_attachment/' || left(sha256, 2) || '/' || sha256)
);
create index line_attachment_storage_key_idx on line_attachment (storage_key);
create trigger line_attachment_append_only before update or delete on line_attachment
  for each row execute function refuse_change();
"""

RECEIPTS = """
-- What a receipt paid is owed again: the bank's line was not this payment.
create table credit_receipt_undone (
  receipt_id bigint primary key references credit_receipt,
  reason text not null,
  undone_by bigint not null references person,
  undone_at timestamptz not null,
  constraint credit_receipt_undone_reason check (reason <> '')
);
create trigger credit_receipt_undone_append_only before update or delete on credit_receipt_undone
  for each row execute function refuse_change();
create or replace function receivable_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.line_id, new.provider_id, new.buyer_id, new.order_id, new.what, new.amount_fen,
      new.arose_on, new.due_on, new.entry_id)
     is distinct from
     (old.id, old.line_id, old.provider_id, old.buyer_id, old.order_id, old.what, old.amount_fen,
      old.arose_on, old.due_on, old.entry_id)
     or new.credited_fen < old.credited_fen
     or new.paid_fen is distinct from (
       select coalesce(sum(p.amount_fen), 0) from credit_receipt_part p
        where p.receivable_id = old.id
          and not exists (select from credit_receipt_undone u where u.receipt_id = p.receipt_id))
  then
    raise exception 'receivable % is paid by receipts and otherwise stays', old.id
      using errcode = 'restrict_violation', constraint = 'receivable_kept';
  end if;
  return new;
end $$;
create function credit_receipt_undo() returns trigger language plpgsql as $$
begin
  if (select how from credit_receipt where id = new.receipt_id) <> 'bank' then
    raise exception 'receipt % did not come from the bank', new.receipt_id
      using errcode = 'check_violation', constraint = 'credit_receipt_undone_bank';
  end if;
  update receivable r set paid_fen = r.paid_fen - p.amount_fen
    from credit_receipt_part p
   where p.receipt_id = new.receipt_id and r.id = p.receivable_id;
  return null;
end $$;
create trigger credit_receipt_undo after insert on credit_receipt_undone
  for each row execute function credit_receipt_undo();
"""

REFUNDS = """
-- An SME takes unspent money back: held when it asks, paid out when another person agrees.
create table wallet_refund (
  id bigint generated always as identity primary key,
  organisation_id bigint not null references organisation,
  amount_fen bigint not null,
  reason text not null,
  status text not null,
  hold_id bigint not null references hold,
  asked_by bigint not null references person,
  asked_at timestamptz not null,
  decided_by bigint references person,
  decided_at timestamptz,
  decided_because text,
  payout_id bigint references payout,
  constraint wallet_refund_hold_once unique (hold_id),
  constraint wallet_refund_payout_once unique (payout_id),
  constraint wallet_refund_amount check (amount_fen > 0),
  constraint wallet_refund_reason check (reason <> ''),
  constraint wallet_refund_status check (status in ('asked', 'approved', 'refused', 'withdrawn')),
  constraint wallet_refund_decided check (
    num_nonnulls(decided_by, decided_at, decided_because)
      = case status when 'asked' then 0 else 3 end),
  constraint wallet_refund_two_persons check (
    status = 'withdrawn' or decided_by is distinct from asked_by),
  constraint wallet_refund_paid check ((payout_id is not null) = (status = 'approved'))
);
create index wallet_refund_organisation_idx on wallet_refund (organisation_id, id);
create index wallet_refund_asked_idx on wallet_refund (id) where status = 'asked';
create trigger wallet_refund_fixed before update of
    id, organisation_id, amount_fen, reason, hold_id, asked_by, asked_at on wallet_refund
  for each row execute function refuse_change();
create trigger wallet_refund_decided_once before update on wallet_refund
  for each row when (old.status <> 'asked') execute function refuse_change();
create trigger wallet_refund_kept before delete on wallet_refund
  for each row execute function refuse_change();

-- In which form a batch goes to the bank, as it was when the batch was drafted.
alter table payout_batch
  add column format text not null default 'csv',
  add column layout jsonb not null default '{}',
  add constraint payout_batch_format check (format in ('csv', 'xlsx', 'pain001')),
  add constraint payout_batch_layout check (jsonb_typeof(layout) = 'object');
"""


def upgrade() -> None:
    for part in (STATEMENTS, CLEARINGS, CASES, RECEIPTS, REFUNDS):
        sql(part)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
