"""When what was owed on a credit line was given up, so that debts can be told as of a day."""

from marketplace.kernel.migrate import sql

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    sql("""
create table credit_note (
  id bigint generated always as identity primary key,
  receivable_id bigint not null references receivable,
  amount_fen bigint not null,
  credited_on date not null,
  entry_id bigint not null references entry,
  constraint credit_note_amount check (amount_fen > 0),
  constraint credit_note_entry_once unique (entry_id)
);
create index credit_note_receivable_idx on credit_note (receivable_id);

insert into credit_note (receivable_id, amount_fen, credited_on, entry_id)
select receivable.id, posting.amount_fen, entry.effective_on, entry.id
  from entry
  join receivable on receivable.order_id = entry.source_id
   and entry.key like '%-' || receivable.id
  join posting on posting.entry_id = entry.id and posting.amount_fen > 0
 where entry.kind = 'credit_noted';

create trigger credit_note_append_only before update or delete on credit_note
  for each row execute function refuse_change();
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
