"""Free of charge by approval, credit terms, reminders."""

from marketplace.kernel.migrate import sql

revision = "0028"
down_revision = "0027"

LEDGER = """
-- A third set of books: what providers let buyers owe. Like a voucher, the room of a credit line is
-- an account that orders hold and settle from, so that its limit is guarded by the account's row.
alter table account_type
  drop constraint account_type_ledger,
  add constraint account_type_ledger check (ledger in ('cash', 'voucher', 'credit'));
alter table period
  drop constraint period_ledger,
  add constraint period_ledger check (ledger in ('cash', 'voucher', 'credit'));
insert into account_type (type, ledger, normal, owner_kind, cached, min_available_fen) values
  ('credit_granted', 'credit', 1, 'credit_line', false, null),
  ('credit', 'credit', -1, 'credit_line', true, 0),
  ('credit_owed', 'credit', -1, 'credit_line', true, 0);
create or replace function ledger_lock(p_ledger text) returns integer language sql immutable as
$$ select case p_ledger when 'cash' then 1 when 'voucher' then 2 when 'credit' then 3 end $$;
"""

CREDIT = """
-- A line is the two parties; `limit_fen` is what the ledger has granted on it.
create table credit_line (
  id bigint generated always as identity primary key,
  provider_id bigint not null references organisation,
  buyer_id bigint not null references organisation,
  limit_fen bigint not null default 0,
  opened_by bigint not null references person,
  opened_at timestamptz not null,
  constraint credit_line_parties unique (provider_id, buyer_id),
  constraint credit_line_of_parties unique (id, provider_id, buyer_id),
  constraint credit_line_two_parties check (provider_id <> buyer_id),
  constraint credit_line_limit check (limit_fen between 0 and 1000000000000)
);
create index credit_line_buyer_idx on credit_line (buyer_id, id);
create function credit_line_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.provider_id, new.buyer_id, new.opened_by, new.opened_at)
     is distinct from (old.id, old.provider_id, old.buyer_id, old.opened_by, old.opened_at)
  then
    raise exception 'credit line % stays between its parties', old.id
      using errcode = 'restrict_violation', constraint = 'credit_line_kept';
  end if;
  return new;
end $$;
create trigger credit_line_keep before update on credit_line
  for each row execute function credit_line_keep();
create trigger credit_line_no_delete before delete on credit_line
  for each row execute function refuse_change();

-- The terms of a line, version by version; at most one is proposed and at most one in force.
create table credit_terms (
  id bigint generated always as identity primary key,
  line_id bigint not null references credit_line,
  status text not null,
  limit_fen bigint not null,
  due_days integer not null,
  valid_until date not null,
  reason text not null,
  proposed_by bigint not null references person,
  proposed_at timestamptz not null,
  decided_by bigint references person,
  decided_at timestamptz,
  decided_because text,
  ended_by bigint references person,
  ended_at timestamptz,
  ended_because text,
  constraint credit_terms_status check (
    status in ('proposed', 'in_force', 'refused', 'withdrawn', 'ended')),
  constraint credit_terms_limit check (limit_fen between 1 and 1000000000000),
  constraint credit_terms_due_days check (due_days between 1 and 365),
  constraint credit_terms_reason check (reason <> ''),
  constraint credit_terms_two_persons check (
    status = 'withdrawn' or decided_by is distinct from proposed_by),
  constraint credit_terms_decided check (
    num_nonnulls(decided_by, decided_at) = case status when 'proposed' then 0 else 2 end
    and (status not in ('refused', 'withdrawn') or decided_because <> '')),
  constraint credit_terms_ended check (
    num_nonnulls(ended_by, ended_at, ended_because) = case status when 'ended' then 3 else 0 end)
);
create unique index credit_terms_proposed on credit_terms (line_id) where status = 'proposed';
create unique index credit_terms_in_force on credit_terms (line_id) where status = 'in_force';
create index credit_terms_line_idx on credit_terms (line_id, id);
create function credit_terms_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.line_id, new.limit_fen, new.due_days, new.valid_until, new.reason,
      new.proposed_by, new.proposed_at)
     is distinct from
     (old.id, old.line_id, old.limit_fen, old.due_days, old.valid_until, old.reason,
      old.proposed_by, old.proposed_at)
     or old.status not in ('proposed', 'in_force')
     or old.status = 'in_force' and
     (new.status, new.decided_by, new.decided_at, new.decided_because)
     is distinct from ('ended', old.decided_by, old.decided_at, old.decided_because)
  then
    raise exception 'credit terms % were decided', old.id
      using errcode = 'restrict_violation', constraint = 'credit_terms_kept';
  end if;
  return new;
end $$;
create trigger credit_terms_keep before update on credit_terms
  for each row execute function credit_terms_keep();
create trigger credit_terms_no_delete before delete on credit_terms
  for each row execute function refuse_change();

-- What a buyer owes for one settled service or fee, until paid or credited by the provider.
create table receivable (
  id bigint generated always as identity primary key,
  line_id bigint not null,
  provider_id bigint not null,
  buyer_id bigint not null,
  order_id bigint not null references service_order,
  what text not null,
  amount_fen bigint not null,
  paid_fen bigint not null default 0,
  credited_fen bigint not null default 0,
  arose_on date not null,
  due_on date not null,
  entry_id bigint not null references entry,
  constraint receivable_line foreign key (line_id, provider_id, buyer_id)
    references credit_line (id, provider_id, buyer_id),
  constraint receivable_entry_once unique (entry_id),
  constraint receivable_what check (what in ('service', 'fee')),
  constraint receivable_amount check (amount_fen > 0),
  constraint receivable_paid check (
    paid_fen >= 0 and credited_fen >= 0 and paid_fen + credited_fen <= amount_fen),
  constraint receivable_due check (due_on >= arose_on)
);
create index receivable_order_idx on receivable (order_id);
create index receivable_line_idx on receivable (line_id, due_on, id);
create index receivable_open_idx on receivable (line_id, due_on, id)
  where paid_fen + credited_fen < amount_fen;
create index receivable_due_idx on receivable (due_on, id)
  where paid_fen + credited_fen < amount_fen;
create index receivable_provider_idx on receivable (provider_id, id desc);
create index receivable_buyer_idx on receivable (buyer_id, id desc);
create function receivable_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.line_id, new.provider_id, new.buyer_id, new.order_id, new.what, new.amount_fen,
      new.arose_on, new.due_on, new.entry_id)
     is distinct from
     (old.id, old.line_id, old.provider_id, old.buyer_id, old.order_id, old.what, old.amount_fen,
      old.arose_on, old.due_on, old.entry_id)
     or new.paid_fen < old.paid_fen or new.credited_fen < old.credited_fen
     or new.paid_fen is distinct from (
       select coalesce(sum(amount_fen), 0) from credit_receipt_part where receivable_id = old.id)
  then
    raise exception 'receivable % is paid by receipts and otherwise stays', old.id
      using errcode = 'restrict_violation', constraint = 'receivable_kept';
  end if;
  return new;
end $$;
create trigger receivable_keep before update on receivable
  for each row execute function receivable_keep();
create trigger receivable_no_delete before delete on receivable
  for each row execute function refuse_change();

-- Money that came in for a line, and which receivables it paid, oldest first.
create table credit_receipt (
  id bigint generated always as identity primary key,
  line_id bigint not null references credit_line,
  amount_fen bigint not null,
  how text not null,
  received_on date not null,
  made_by bigint not null references person,
  made_at timestamptz not null,
  constraint credit_receipt_amount check (amount_fen > 0),
  constraint credit_receipt_how check (how in ('wallet', 'bank'))
);
create index credit_receipt_line_idx on credit_receipt (line_id, id desc);
create trigger credit_receipt_append_only before update or delete on credit_receipt
  for each row execute function refuse_change();

create table credit_receipt_part (
  receipt_id bigint not null references credit_receipt,
  receivable_id bigint not null references receivable,
  amount_fen bigint not null,
  primary key (receipt_id, receivable_id),
  constraint credit_receipt_part_amount check (amount_fen > 0)
);
create index credit_receipt_part_receivable_idx on credit_receipt_part (receivable_id);
create trigger credit_receipt_part_append_only before update or delete on credit_receipt_part
  for each row execute function refuse_change();
-- A part is of its receipt's line, and pays its receivable in the same statement.
create function credit_receipt_part_pays() returns trigger language plpgsql as $$
begin
  update receivable r set paid_fen = r.paid_fen + new.amount_fen
    from credit_receipt c
   where r.id = new.receivable_id and c.id = new.receipt_id and r.line_id = c.line_id;
  if not found then
    raise exception 'receipt % is of another line', new.receipt_id
      using errcode = 'check_violation', constraint = 'credit_receipt_part_line';
  end if;
  return null;
end $$;
create trigger credit_receipt_part_pays after insert on credit_receipt_part
  for each row execute function credit_receipt_part_pays();
-- At COMMIT a receipt is the sum of its parts.
create function credit_receipt_whole() returns trigger language plpgsql as $$
begin
  if new.amount_fen is distinct from (
       select sum(amount_fen) from credit_receipt_part where receipt_id = new.id) then
    raise exception 'receipt % is not the sum of its parts', new.id
      using errcode = 'check_violation', constraint = 'credit_receipt_whole';
  end if;
  return null;
end $$;
create constraint trigger credit_receipt_whole after insert on credit_receipt
  deferrable initially deferred for each row execute function credit_receipt_whole();

-- Which reminder went out for which receivable: each step once.
create table credit_reminder (
  receivable_id bigint not null references receivable,
  step_days integer not null,
  sent_on date not null,
  owed_fen bigint not null,
  primary key (receivable_id, step_days),
  constraint credit_reminder_step check (step_days between -60 and 365),
  constraint credit_reminder_owed check (owed_fen > 0)
);
create trigger credit_reminder_append_only before update or delete on credit_reminder
  for each row execute function refuse_change();

-- An order on account names the line between its own two parties.
alter table service_order
  add column credit_line_id bigint,
  add constraint service_order_credit_line foreign key (credit_line_id, provider_id, buyer_id)
    references credit_line (id, provider_id, buyer_id);
create index service_order_credit_line_idx on service_order (credit_line_id)
  where credit_line_id is not null;
-- What it holds of the buyer's own part lies on that line, and never on its wallet.
create function service_order_on_account() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.credit_line_id is distinct from old.credit_line_id
     and old.own_hold_id is not null
     or exists (
       select from hold h join account a on a.id = h.account_id
        where h.id in (new.own_hold_id, new.fee_hold_id)
          and (a.type <> case when new.credit_line_id is null then 'wallet' else 'credit' end
               or a.owner_id is distinct from coalesce(new.credit_line_id, new.buyer_id)))
  then
    raise exception 'order % holds where it does not pay from', new.id
      using errcode = 'check_violation', constraint = 'service_order_on_account';
  end if;
  return new;
end $$;
create trigger service_order_on_account
  before insert or update of credit_line_id, own_hold_id, fee_hold_id on service_order
  for each row execute function service_order_on_account();
"""

FREE_USE = """
-- A buyer asks for a service free of charge for a public purpose; the provider examines and, by
-- another person, decides. What it would have cost is kept, quoted and served.
create table free_use (
  id bigint generated always as identity primary key,
  quote_id bigint not null references quote,
  buyer_id bigint not null references organisation,
  provider_id bigint not null references organisation,
  instrument_id bigint not null references instrument,
  purpose text not null,
  statement text not null,
  list_value_fen bigint not null,
  status text not null,
  asked_by bigint not null references person,
  asked_at timestamptz not null,
  examined_by bigint references person,
  examined_at timestamptz,
  finding text,
  decided_by bigint references person,
  decided_at timestamptz,
  decided_because text,
  served_on date,
  served_minutes integer,
  served_samples integer,
  served_value_fen bigint,
  constraint free_use_quote_once unique (quote_id),
  constraint free_use_status check (
    status in ('asked', 'examined', 'approved', 'refused', 'withdrawn')),
  constraint free_use_purpose check (purpose ~ '^[a-z-]{1,60}$'),
  constraint free_use_statement check (statement <> ''),
  constraint free_use_value check (list_value_fen >= 0),
  constraint free_use_examined check (
    num_nonnulls(examined_by, examined_at, finding) in (0, 3)
    and (status not in ('examined', 'approved') or examined_by is not null)),
  constraint free_use_decided check (
    num_nonnulls(decided_by, decided_at, decided_because)
      = case when status in ('approved', 'refused', 'withdrawn') then 3 else 0 end),
  constraint free_use_two_persons check (
    status = 'withdrawn'
    or decided_by is distinct from examined_by and decided_by is distinct from asked_by
    or decided_by is null),
  constraint free_use_served check (
    num_nonnulls(served_on, served_minutes, served_samples, served_value_fen) in (0, 4)
    and (served_on is null or status = 'approved')
    and served_minutes >= 0 and served_samples >= 0 and served_value_fen >= 0)
);
create index free_use_buyer_idx on free_use (buyer_id, id desc);
create index free_use_provider_idx on free_use (provider_id, id desc);
create index free_use_served_idx on free_use (served_on, provider_id, purpose)
  where served_on is not null;

create table free_use_evidence (
  id bigint generated always as identity primary key,
  free_use_id bigint not null references free_use,
  name text not null,
  media_type text not null,
  sha256 text not null,
  size_bytes integer not null,
  storage_key text not null,
  stored_by bigint not null references person,
  stored_at timestamptz not null,
  constraint free_use_evidence_once unique (free_use_id, sha256),
  constraint free_use_evidence_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint free_use_evidence_size check (size_bytes between 1 and 10485760),
  constraint free_use_evidence_storage_key check (
    storage_key = 'free_use/' || left(sha256, 2) || '/' || sha256)
);
create index free_use_evidence_storage_key_idx on free_use_evidence (storage_key);
create trigger free_use_evidence_append_only before update or delete on free_use_evidence
  for each row execute function refuse_change();
create function free_use_evidence_open() returns trigger language plpgsql as $$
begin
  if (select status from free_use where id = new.free_use_id for share) <> 'asked' then
    raise exception 'request % was examined', new.free_use_id
      using errcode = 'check_violation', constraint = 'free_use_evidence_open';
  end if;
  return new;
end $$;
create trigger free_use_evidence_open before insert on free_use_evidence
  for each row execute function free_use_evidence_open();

create function free_use_keep() returns trigger language plpgsql as $$
begin
  if (new.id, new.quote_id, new.buyer_id, new.provider_id, new.instrument_id, new.purpose,
      new.statement, new.list_value_fen, new.asked_by, new.asked_at)
     is distinct from
     (old.id, old.quote_id, old.buyer_id, old.provider_id, old.instrument_id, old.purpose,
      old.statement, old.list_value_fen, old.asked_by, old.asked_at)
     or old.examined_by is not null and (new.examined_by, new.examined_at, new.finding)
     is distinct from (old.examined_by, old.examined_at, old.finding)
     or old.decided_by is not null and
     (new.status, new.decided_by, new.decided_at, new.decided_because)
     is distinct from (old.status, old.decided_by, old.decided_at, old.decided_because)
     or old.served_on is not null
  then
    raise exception 'request % stays as it was asked, examined and decided', old.id
      using errcode = 'restrict_violation', constraint = 'free_use_kept';
  end if;
  if new.status = 'approved' and old.status <> 'approved'
     and not exists (select from free_use_evidence where free_use_id = new.id)
  then
    raise exception 'request % has no evidence', new.id
      using errcode = 'check_violation', constraint = 'free_use_evidenced';
  end if;
  return new;
end $$;
create trigger free_use_keep before update on free_use
  for each row execute function free_use_keep();
create trigger free_use_no_delete before delete on free_use
  for each row execute function refuse_change();

-- No order is free of charge for its purpose before that was approved.
create function service_order_free_use() returns trigger language plpgsql as $$
begin
  if exists (select from quote where id = new.quote_id and purpose is not null
                                 and amends_order_id is null)
     and not exists (select from free_use where quote_id = new.quote_id and status = 'approved')
  then
    raise exception 'quote % is not approved to be free of charge', new.quote_id
      using errcode = 'check_violation', constraint = 'service_order_free_use';
  end if;
  return new;
end $$;
create trigger service_order_free_use before insert on service_order
  for each row execute function service_order_free_use();
"""


def upgrade() -> None:
    sql(LEDGER)
    sql(CREDIT)
    sql(FREE_USE)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
