"""Several instruments of one provider in one quote and one order, item by item."""

from marketplace.kernel.migrate import sql

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    sql(
        """
        -- What a quote offers, item by item; the quote itself names the first as its main item.
        create table quote_item (
          quote_id bigint not null references quote,
          position smallint not null,
          instrument_id bigint not null references instrument,
          mode text not null,
          starts_at timestamptz,
          ends_at timestamptz,
          samples integer,
          unit text not null,
          elements integer not null default 0,
          runs integer not null default 0,
          urgent boolean not null default false,
          extras jsonb not null default '[]',
          price_list_id bigint not null references price_list,
          lines jsonb not null,
          total_fen bigint not null,
          primary key (quote_id, position),
          constraint quote_item_position check (position between 1 and 10),
          constraint quote_item_mode check (mode in ('machine_time', 'samples')),
          constraint quote_item_what check (
            mode = 'machine_time' and starts_at < ends_at and samples is null
            or mode = 'samples' and starts_at is null and ends_at is null and samples > 0),
          constraint quote_item_what_stated check (starts_at is not null or samples is not null),
          constraint quote_item_unit check (
            mode = 'machine_time' and unit in ('hour', 'day', 'session')
            or mode = 'samples' and unit in ('sample', 'element', 'run')),
          constraint quote_item_counts check (
            elements between 0 and 1000 and runs between 0 and 10000),
          constraint quote_item_extras check (jsonb_typeof(extras) = 'array'),
          constraint quote_item_total check (total_fen >= 0)
        );
        create index quote_item_instrument_idx on quote_item (instrument_id);

        insert into quote_item (quote_id, position, instrument_id, mode, starts_at, ends_at,
                                samples, unit, price_list_id, lines, total_fen)
        select id, 1, instrument_id, mode, starts_at, ends_at, samples,
               case
                 when mode = 'machine_time' and lines->0->>'unit' in ('hour', 'day', 'session')
                   or mode = 'samples' and lines->0->>'unit' in ('sample', 'element', 'run')
                 then lines->0->>'unit'
                 when mode = 'samples' then 'sample'
                 else 'hour'
               end,
               price_list_id, lines, total_fen
          from quote;

        create trigger quote_item_append_only before update or delete on quote_item
          for each row execute function refuse_change();

        -- What becomes of an order's items. `quantity` counts samples; machine time is one.
        create table order_item (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          position smallint not null,
          instrument_id bigint not null references instrument,
          title text not null,
          mode text not null,
          quantity integer not null,
          total_fen bigint not null,
          reservation_id bigint references reservation,
          status text not null,
          delivered integer not null default 0,
          undeliverable integer not null default 0,
          undeliverable_because text,
          tested integer,
          runs_used integer,
          extras_used jsonb,
          fee_basis_points integer,
          settled_fen bigint,
          settled_voucher_fen bigint,
          settled_own_fen bigint,
          settlement jsonb,
          constraint order_item_position_once unique (order_id, position),
          constraint order_item_reservation_once unique (reservation_id),
          constraint order_item_position check (position between 1 and 10),
          constraint order_item_mode check (mode in ('machine_time', 'samples')),
          constraint order_item_status check (status in (
            'ordered', 'in_service', 'delivered', 'undeliverable', 'cancelled', 'missed')),
          constraint order_item_quantity check (
            quantity > 0 and (mode = 'samples' or quantity = 1)),
          constraint order_item_counted check (
            delivered >= 0 and undeliverable >= 0 and delivered + undeliverable <= quantity
            and tested between 0 and quantity),
          constraint order_item_because check (
            (undeliverable > 0) = (undeliverable_because is not null)),
          -- What is done with is accounted for, piece by piece.
          constraint order_item_over check (
            status not in ('delivered', 'undeliverable')
            or delivered + undeliverable = quantity
               and (status = 'undeliverable') = (delivered = 0)),
          constraint order_item_fee check (
            fee_basis_points between 0 and 10000
            and (fee_basis_points is null or status in ('cancelled', 'missed'))),
          constraint order_item_runs check (runs_used >= 0),
          constraint order_item_extras check (jsonb_typeof(extras_used) = 'array'),
          constraint order_item_settled_within check (
            total_fen >= 0 and settled_fen between 0 and total_fen
            and settled_voucher_fen >= 0 and settled_own_fen >= 0
            and settled_fen = settled_voucher_fen + settled_own_fen),
          constraint order_item_settled check (
            num_nonnulls(settled_fen, settled_voucher_fen, settled_own_fen) in (0, 3))
        );
        create index order_item_instrument_idx on order_item (instrument_id);
        create index order_item_title_idx on order_item using gin (title gin_trgm_ops)
          where position > 1;

        insert into order_item (order_id, position, instrument_id, title, mode, quantity,
                                total_fen, reservation_id, status, delivered, undeliverable,
                                undeliverable_because, tested, settled_fen, settled_voucher_fen,
                                settled_own_fen)
        select old.id, 1, old.instrument_id, old.title, old.mode, old.quantity, old.total_fen,
               old.reservation_id,
               case
                 when old.status in ('cancelled', 'rejected', 'expired') then 'cancelled'
                 when old.status = 'no_show' then 'missed'
                 when old.delivered_at is not null and old.done = 0 then 'undeliverable'
                 when old.delivered_at is not null then 'delivered'
                 when old.status in ('in_service', 'disputed', 'settled') then 'in_service'
                 else 'ordered'
               end,
               case when old.delivered_at is null then 0 else old.done end,
               case when old.delivered_at is null then 0 else old.quantity - old.done end,
               case when old.delivered_at is not null and old.done < old.quantity
                    then 'Not tested.' end,
               old.tested, old.settled_fen, old.settled_voucher_fen, old.settled_own_fen
          from (
            select o.*, coalesce(s.samples, 1) as quantity, s.tested,
                   case o.mode when 'samples' then coalesce(s.tested, 0) else 1 end as done
              from service_order o left join sample_set s on s.order_id = o.id
          ) as old;

        -- Which part of an item was delivered when, and what will never be.
        create table item_delivery (
          id bigint generated always as identity primary key,
          order_id bigint not null,
          position smallint not null,
          kind text not null,
          quantity integer not null,
          runs integer,
          extras jsonb not null default '[]',
          reason text not null,
          noted_by bigint not null references person,
          noted_at timestamptz not null,
          constraint item_delivery_item
            foreign key (order_id, position) references order_item (order_id, position),
          constraint item_delivery_kind check (kind in ('delivered', 'undeliverable')),
          constraint item_delivery_quantity check (quantity between 0 and 10000),
          constraint item_delivery_runs check (runs between 0 and 10000),
          constraint item_delivery_reason check (kind = 'delivered' or reason <> '')
        );
        create index item_delivery_order_idx on item_delivery (order_id, id);
        create trigger item_delivery_append_only before update or delete on item_delivery
          for each row execute function refuse_change();
        create trigger item_delivery_no_truncate before truncate on item_delivery
          for each statement execute function refuse_change();

        alter table order_change add column position smallint not null default 1;

        -- Which item a reservation is for, and which item a charge.
        alter table reservation
          add column order_position smallint not null default 1,
          drop constraint reservation_order_id,
          add constraint reservation_order_id unique (order_id, order_position);
        alter table charge_line add column order_position smallint not null default 1;
        drop index charge_line_order;
        create unique index charge_line_order on charge_line (order_id, order_position)
          where reverses is null and kind <> 'move_fee';

        -- An item stays the one that was ordered, and what it came to stays.
        create function order_item_keep() returns trigger language plpgsql as $$
        begin
          if old.settled_fen is not null
             or (new.order_id, new.position, new.instrument_id, new.title, new.mode, new.quantity)
                is distinct from
                (old.order_id, old.position, old.instrument_id, old.title, old.mode, old.quantity)
             or new.delivered < old.delivered
             or new.undeliverable < old.undeliverable
          then
            raise exception 'item % of order % is not rewritten', old.position, old.order_id
              using errcode = 'check_violation', constraint = 'order_item_kept';
          end if;
          return new;
        end $$;
        create trigger order_item_keep before update on order_item
          for each row execute function order_item_keep();
        create trigger order_item_no_delete before delete on order_item
          for each row execute function refuse_change();

        -- A quote is the sum of its items. Its samples may be those of any item.
        alter table quote drop constraint quote_arrival;
        create function quote_whole() returns trigger language plpgsql as $$
        declare
          told quote;
        begin
          select * into told from quote where id = new.id;
          if told.arrives_on is not null and not exists (
               select from quote_item where quote_id = told.id and mode = 'samples')
          then
            raise exception 'quote % has no samples that could arrive', told.id
              using errcode = 'check_violation', constraint = 'quote_arrival';
          end if;
          if told.total_fen is distinct from (
               select sum(total_fen) from quote_item where quote_id = told.id)
             or not exists (
               select from quote_item
                where quote_id = told.id and position = 1
                  and instrument_id = told.instrument_id and mode = told.mode)
          then
            raise exception 'quote % is not the sum of its items', told.id
              using errcode = 'check_violation', constraint = 'quote_whole';
          end if;
          return null;
        end $$;
        create constraint trigger quote_whole
          after insert or update of total_fen, instrument_id, mode, arrives_on on quote
          deferrable initially deferred for each row execute function quote_whole();

        -- An order is the sum of its items, before and after; each has its time and its quote's
        -- price.
        create function order_items_whole(the_order bigint) returns void language plpgsql as $$
        declare
          placed service_order;
        begin
          select * into placed from service_order where id = the_order;
          if placed.total_fen is distinct from (
               select sum(total_fen) from order_item where order_id = placed.id)
             or placed.settled_fen is not null and exists (
               select from (
                 select sum(settled_fen)::bigint as settled_fen,
                        sum(settled_voucher_fen)::bigint as voucher_fen,
                        sum(settled_own_fen)::bigint as own_fen
                   from order_item where order_id = placed.id) as items
                where (items.settled_fen, items.voucher_fen, items.own_fen)
                      is distinct from
                      (placed.settled_fen, placed.settled_voucher_fen, placed.settled_own_fen))
             or placed.settled_fen is null and exists (
               select from order_item where order_id = placed.id and settled_fen is not null)
             or exists (
               select from order_item as item
                left join quote_item as told
                  on told.quote_id = placed.quote_id and told.position = item.position
                left join reservation as held on held.id = item.reservation_id
                where item.order_id = placed.id
                  and (told.total_fen is distinct from item.total_fen
                       or told.instrument_id <> item.instrument_id
                       or told.mode <> item.mode
                       or item.mode = 'machine_time' and (
                            held.order_id is distinct from item.order_id
                            or held.order_position <> item.position)
                       or item.mode = 'samples' and item.reservation_id is not null))
             or (select count(*) from order_item where order_id = placed.id)
                <> (select count(*) from quote_item where quote_id = placed.quote_id)
             or exists (
               select from order_item
                where order_id = placed.id and position = 1
                  and (instrument_id, mode, reservation_id)
                      is distinct from (placed.instrument_id, placed.mode, placed.reservation_id))
             or exists (select from order_item where order_id = placed.id and mode = 'samples')
                and not exists (select from sample_set where order_id = placed.id)
          then
            raise exception 'order % is not the sum of its items', placed.id
              using errcode = 'check_violation', constraint = 'order_item_whole';
          end if;
        end $$;
        create function service_order_items() returns trigger language plpgsql as $$
        begin
          perform order_items_whole(new.id);
          return null;
        end $$;
        create constraint trigger service_order_with_items
          after insert or update of quote_id, total_fen, reservation_id, settled_fen,
            settled_voucher_fen, settled_own_fen
          on service_order deferrable initially deferred
          for each row execute function service_order_items();
        create function order_item_of_order() returns trigger language plpgsql as $$
        begin
          perform order_items_whole(new.order_id);
          return null;
        end $$;
        create constraint trigger order_item_whole
          after insert or update of total_fen, reservation_id, settled_fen, settled_voucher_fen,
            settled_own_fen
          on order_item deferrable initially deferred
          for each row execute function order_item_of_order();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
