"""Orders that move to another time: changes proposed and agreed, versions of quote and contract."""

from marketplace.kernel.migrate import sql

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    sql(
        """
        alter table quote
          add column amends_order_id bigint references service_order,
          add column priced_on date,
          add column arrives_on date;
        update quote set priced_on = (made_at at time zone 'Asia/Shanghai')::date;
        alter table quote
          alter column priced_on set not null,
          add constraint quote_amendment_used check (
            amends_order_id is null or used_at is not null),
          add constraint quote_arrival check (arrives_on is null or mode = 'samples');
        create index quote_amends_idx on quote (amends_order_id)
          where amends_order_id is not null;

        alter table service_order
          add column move_fee_fen bigint not null default 0,
          add column fee_hold_id bigint references hold,
          add constraint service_order_fee_hold_once unique (fee_hold_id),
          add constraint service_order_move_fee check (
            move_fee_fen >= 0 and (move_fee_fen = 0) = (fee_hold_id is null));

        -- A change of an order's time: performed at once, or proposed until the other side answers.
        create table order_change (
          id bigint generated always as identity primary key,
          order_id bigint not null references service_order,
          kind text not null,
          side text not null,
          status text not null,
          was_starts_at timestamptz not null,
          was_ends_at timestamptz not null,
          starts_at timestamptz not null,
          ends_at timestamptz not null,
          total_fen bigint not null,
          voucher_fen bigint not null,
          own_fen bigint not null,
          fee_fen bigint not null,
          reason text not null,
          proposed_by bigint not null references person,
          proposed_at timestamptz not null,
          proposed_from text not null,
          answer_until timestamptz,
          decided_by bigint references person,
          decided_at timestamptz,
          decided_because text,
          old_quote_id bigint not null references quote,
          new_quote_id bigint references quote,
          constraint order_change_quote_once unique (new_quote_id),
          constraint order_change_kind check (kind in ('reschedule', 'extend')),
          constraint order_change_side check (side in ('buyer', 'provider', 'agent')),
          constraint order_change_status check (
            status in ('proposed', 'agreed', 'declined', 'withdrawn', 'lapsed')),
          constraint order_change_times check (
            was_starts_at < was_ends_at and starts_at < ends_at
            and (kind = 'reschedule' or starts_at = was_starts_at and ends_at > was_ends_at)),
          constraint order_change_amounts check (
            voucher_fen >= 0 and own_fen >= 0 and total_fen = voucher_fen + own_fen),
          -- Whoever asks the buyer to move, or sells it more time, charges nothing for it.
          constraint order_change_fee check (
            fee_fen = 0 or fee_fen > 0 and kind = 'reschedule' and side <> 'provider'),
          constraint order_change_answer check (
            status <> 'proposed' or answer_until > proposed_at),
          constraint order_change_decided check (
            (status = 'proposed') = (decided_at is null)
            and (decided_at is null) = (decided_by is null)),
          constraint order_change_agreed check (
            (status = 'agreed') = (new_quote_id is not null))
        );
        create unique index order_change_open on order_change (order_id)
          where status = 'proposed';
        create index order_change_order_idx on order_change (order_id, id);
        create index order_change_answer_idx on order_change (answer_until)
          where status = 'proposed';
        create trigger order_change_no_delete before delete on order_change
          for each row execute function refuse_change();

        -- What was decided stays; only an open proposal may still change.
        create trigger order_change_decided_stays before update on order_change
          for each row when (old.status <> 'proposed') execute function refuse_change();

        alter table contract
          add column amendment integer not null default 0,
          drop constraint contract_order_once,
          add constraint contract_amendment_once unique (order_id, amendment),
          add constraint contract_amendment check (amendment >= 0);

        create or replace function contract_keep_agreed() returns trigger language plpgsql as $$
        begin
          if (new.order_id, new.amendment, new.version, new.document, new.text, new.sha256,
              new.buyer_signed_by, new.buyer_signed_at, new.buyer_signed_from)
             is distinct from
             (old.order_id, old.amendment, old.version, old.document, old.text, old.sha256,
              old.buyer_signed_by, old.buyer_signed_at, old.buyer_signed_from)
             or old.provider_signed_at is not null and
             (new.provider_signed_how, new.provider_signed_by, new.provider_signed_at,
              new.provider_signed_from)
             is distinct from
             (old.provider_signed_how, old.provider_signed_by, old.provider_signed_at,
              old.provider_signed_from)
          then
            raise exception 'what was agreed and signed is not changed'
              using errcode = 'restrict_violation', constraint = 'contract_agreed';
          end if;
          return new;
        end $$;

        -- An order that changes lets its old voucher hold go and takes another.
        alter table voucher_hold drop constraint voucher_hold_order;
        create unique index voucher_hold_order on voucher_hold (order_id)
          where status <> 'released';
        create index voucher_hold_order_idx on voucher_hold (order_id);

        -- The fees for moving late are charged beside what the order came to.
        alter table charge_line
          drop constraint charge_line_kind,
          add constraint charge_line_kind check (kind in ('service', 'cancellation_fee',
            'no_show_fee', 'move_fee')),
          add constraint charge_line_move_fee_own check (
            kind <> 'move_fee' or voucher_fen = 0);
        drop index charge_line_order;
        create unique index charge_line_order on charge_line (order_id)
          where reverses is null and kind <> 'move_fee';
        create unique index charge_line_move_fee on charge_line (order_id)
          where reverses is null and kind = 'move_fee';
        create index charge_line_order_idx on charge_line (order_id);

        -- As before, and now to the fen: what is held is what the order and its quote say.
        create or replace function service_order_whole() returns trigger language plpgsql as $$
        declare
          placed service_order;
        begin
          select * into placed from service_order where id = new.id;
          if placed.mode = 'machine_time' and placed.reservation_id is null
             or (placed.own_fen > 0) <> (placed.own_hold_id is not null)
             or placed.own_fen > 0 and not exists (
               select from hold where id = placed.own_hold_id and amount_fen = placed.own_fen)
             or placed.move_fee_fen > 0 and not exists (
               select from hold where id = placed.fee_hold_id
                  and amount_fen = placed.move_fee_fen)
             or placed.move_fee_fen <> (
               select coalesce(sum(fee_fen), 0) from order_change
                where order_id = placed.id and status = 'agreed')
             or placed.voucher_fen <> (
               select coalesce(sum(amount_fen), 0) from voucher_hold
                where order_id = placed.id and status <> 'released')
             or not exists (
               select from quote where id = placed.quote_id and total_fen = placed.total_fen)
             or placed.mode = 'samples'
                and not exists (select from sample_set where order_id = placed.id)
             or not exists (select from contract where order_id = placed.id)
          then
            raise exception 'order % is half-done', placed.id
              using errcode = 'check_violation', constraint = 'service_order_whole';
          end if;
          return null;
        end $$;
        drop trigger service_order_whole on service_order;
        create constraint trigger service_order_whole
          after insert or update of mode, quote_id, own_fen, own_hold_id, voucher_fen,
            reservation_id, move_fee_fen, fee_hold_id
          on service_order deferrable initially deferred
          for each row execute function service_order_whole();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
