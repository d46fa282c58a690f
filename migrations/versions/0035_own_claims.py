"""Vouchers that the SME redeems itself are held beside an order that it pays in full."""

from marketplace.kernel.migrate import sql

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    sql("""
-- As before; what the SME claims itself takes nothing off the price.
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
       select coalesce(sum(held.amount_fen), 0)
         from voucher_hold held
         join voucher_grant on voucher_grant.id = held.grant_id
         join programme on programme.id = voucher_grant.programme_id
        where held.order_id = placed.id and held.status <> 'released'
          and programme.terms -> 'redeemed_by' ->> 'value' is distinct from 'sme')
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
""")


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
