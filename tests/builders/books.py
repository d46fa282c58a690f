"""What must hold of all orders together, asked of the database itself: each row is a fault."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.billing.ledger.queries import verify
from tests.builders.orders import Market

_OPEN = """
    select hold.id, hold.amount_fen, hold.source_kind from hold
      left join hold_end ended on ended.hold_id = hold.id
     where ended.hold_id is null
"""
# Which vouchers pay the provider; the others pay their SME back, and take nothing off the price.
_PROVIDERS = """
    join voucher_grant g on g.id = v.grant_id
    join programme p on p.id = g.programme_id
     and coalesce(p.terms -> 'redeemed_by' ->> 'value', 'provider') <> 'sme'
"""
_FAULTS = {
    "an order holds what it says while it lives, and nothing after": f"""
        with open as ({_OPEN})
        select o.id from service_order o
          left join open own on own.id = o.own_hold_id
          left join open fee on fee.id = o.fee_hold_id
          cross join lateral (
            select coalesce(sum(v.amount_fen), 0)::bigint as amount_fen
              from voucher_hold v {_PROVIDERS}
             where v.order_id = o.id and v.status = 'held') vouchers
         where (coalesce(own.amount_fen, 0), coalesce(fee.amount_fen, 0), vouchers.amount_fen)
            <> case when o.ended_at is null then (o.own_fen, o.move_fee_fen, o.voucher_fen)
                    else (0::bigint, 0::bigint, 0::bigint) end
    """,
    "vouchers are held while their order lives, and paid for what it took": f"""
        select o.id from service_order o
         where o.ended_at is not null and (
           exists (select from voucher_hold where order_id = o.id and status = 'held')
           or o.settled_voucher_fen <> (
             select coalesce(sum(v.amount_fen), 0) from redemption v {_PROVIDERS}
              where v.order_id = o.id)
           or o.settled_fen < (
             select coalesce(sum(amount_fen), 0) from redemption where order_id = o.id))
    """,
    "no money is held for an order but by its two holds": f"""
        with open as ({_OPEN})
        select open.id from open
         where source_kind = 'service_order'
           and not exists (
             select from service_order o where open.id in (o.own_hold_id, o.fee_hold_id))
    """,
    "a layer's hold is what its order's hold says": """
        select v.id from voucher_hold v
         where v.amount_fen <> (select sum(p.amount_fen) from voucher_hold_part p
                                 where p.hold_id = v.id)
    """,
    "an order has the time that its quote says, and booking keeps it": """
        select o.id from service_order o
          join quote q on q.id = o.quote_id
          join reservation r on r.id = o.reservation_id
         where r.order_id <> o.id
            or r.during <> tstzrange(q.starts_at, q.ends_at, '[)')
            or q.total_fen <> o.total_fen
    """,
    "what was charged is what was settled, and the fees for moving": """
        select o.id from service_order o
          left join charge_line c on c.order_id = o.id
         where o.ended_at is not null
         group by o.id
        having coalesce(sum(c.service_value_fen), 0) <> o.settled_fen + o.move_fee_fen
            or coalesce(sum(c.voucher_fen), 0) <> o.settled_voucher_fen
    """,
    "there is an addendum and a quote for every change, and its fee": """
        select o.id from service_order o
         where (select count(*) from contract where order_id = o.id)
             <> 1 + (select count(*) from order_change
                      where order_id = o.id and status = 'agreed')
            or (select count(*) from quote where amends_order_id = o.id)
             <> (select count(*) from order_change where order_id = o.id and status = 'agreed')
            or o.move_fee_fen <> (select coalesce(sum(fee_fen), 0) from order_change
                                   where order_id = o.id and status = 'agreed')
    """,
}


async def faults(market: Market) -> list[str]:
    """What does not add up; nothing, in a sound platform."""
    found = []
    async with market.database.engine.connect() as connection:
        for sentence, question in _FAULTS.items():
            rows = (await connection.execute(text(question))).scalars().all()
            found += [f"{sentence}: {row}" for row in rows]
        paid = await connection.scalar(
            text(
                "select coalesce(sum(settled_own_fen + move_fee_fen), 0) from service_order"
                " where ended_at is not null and provider_id = :provider_id"
            ),
            {"provider_id": market.manager.organisation_id},
        )
        spent = await connection.scalar(text("select coalesce(sum(amount_fen), 0) from redemption"))
        granted = await connection.scalar(text("select sum(amount_fen) from voucher_grant"))
    if paid != (await market.payable()).posted_fen:
        found.append(f"the provider is owed what orders cost: {paid}")
    if (granted or 0) - spent != (await market.voucher()).posted_fen:
        found.append(f"vouchers paid for services only: {spent}")
    found += [str(problem) for problem in (await verify(market.database)).problems]
    return found
