"""Red-letter invoices, invoice files, and which providers' income is non-tax revenue."""

from marketplace.kernel.migrate import sql

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    sql(
        """
        alter table invoice
          add column kind text not null default 'blue',
          add column reverses bigint references invoice,
          add column reason text not null default '',
          add column tax_fen bigint,
          add column non_tax_revenue boolean not null default false,
          drop constraint invoice_order,
          add constraint invoice_kind check (kind in ('blue', 'red')),
          add constraint invoice_red check ((kind = 'red') = (reverses is not null)),
          add constraint invoice_red_reason check (kind = 'blue' or reason <> ''),
          add constraint invoice_tax_range check (tax_fen between 0 and amount_fen);
        create index invoice_order_idx on invoice (order_id);
        create index invoice_reverses_idx on invoice (reverses) where reverses is not null;

        -- What a tax authority's file said, kept as it came.
        create table invoice_file (
          invoice_id bigint primary key references invoice,
          name text not null,
          sha256 text not null,
          content bytea not null,
          constraint invoice_file_content_once unique (sha256),
          constraint invoice_file_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
          constraint invoice_file_size check (octet_length(content) between 1 and 1048576)
        );
        create trigger invoice_file_append_only before update or delete on invoice_file
          for each row execute function refuse_change();

        -- How a provider books what it earns, from a day on.
        create table provider_revenue (
          provider_id bigint not null references organisation,
          since date not null,
          non_tax_revenue boolean not null,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          primary key (provider_id, since)
        );
        create trigger provider_revenue_append_only before update or delete on provider_revenue
          for each row execute function refuse_change();

        -- Blue less red never passes what stands charged, and no red passes its blue one. The
        -- lock lets two invoices of one order take turns, whoever writes them.
        create function invoice_within_charge() returns trigger language plpgsql as $$
        declare
          charged bigint;
          invoiced bigint;
          left_fen bigint;
        begin
          perform pg_advisory_xact_lock(hashtextextended('invoice:' || new.order_id, 0));
          if new.kind = 'blue' then
            select coalesce(sum(service_value_fen), 0) into charged
              from charge_line where order_id = new.order_id;
            select coalesce(sum(case kind when 'blue' then amount_fen else -amount_fen end), 0)
              into invoiced from invoice where order_id = new.order_id;
            if invoiced + new.amount_fen > charged then
              raise exception 'order % is invoiced above its charge', new.order_id
                using errcode = 'check_violation', constraint = 'invoice_within_charge';
            end if;
          else
            select b.amount_fen - coalesce((select sum(r.amount_fen) from invoice r
                                             where r.reverses = b.id), 0)
              into left_fen
              from invoice b
             where b.id = new.reverses and b.kind = 'blue' and b.order_id = new.order_id;
            if left_fen is null or new.amount_fen > left_fen then
              raise exception 'a red invoice passes the one that it reverses'
                using errcode = 'check_violation', constraint = 'invoice_red_within';
            end if;
          end if;
          return new;
        end $$;
        create trigger invoice_within_charge before insert on invoice
          for each row execute function invoice_within_charge();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
