"""What blocking anomalies hold up: an order's voucher money is not redeemed before the decision."""

from marketplace.kernel.migrate import sql

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    sql(
        """
        -- The blocking anomalies in the way of orders: about the order itself until they are
        -- dismissed; about one of its vouchers, or about its buyer and its provider together,
        -- until they are decided.
        create function anomalies_in_the_way(orders bigint[])
          returns table (order_id bigint, anomaly_id bigint) language sql stable as $$
          with concerned as (
            select s.subject_id as order_id, s.anomaly_id, true as lasting
            from anomaly_subject s
            where s.kind = 'order' and s.subject_id = any (orders)
            union all
            select h.order_id, s.anomaly_id, false
            from voucher_hold h
            join anomaly_subject s on s.kind = 'grant' and s.subject_id = h.grant_id
            where h.order_id = any (orders) and h.status <> 'released'
            union all
            select o.id, b.anomaly_id, false
            from service_order o
            join anomaly_subject b on b.kind = 'organisation' and b.subject_id = o.buyer_id
            join anomaly_subject p on p.anomaly_id = b.anomaly_id
              and p.kind = 'organisation' and p.subject_id = o.provider_id
            where o.id = any (orders)
          )
          select distinct c.order_id, a.id
          from concerned c join anomaly a on a.id = c.anomaly_id
          where a.severity = 'blocking' and (
            a.status in ('open', 'in_review', 'needs_information')
            or c.lasting and a.status = 'confirmed')
        $$;

        create function redemption_unblocked() returns trigger language plpgsql as $$
        declare
          blocked bigint;
        begin
          select w.order_id into blocked
          from anomalies_in_the_way(array(select order_id from made)) w limit 1;
          if blocked is not null then
            raise exception 'an anomaly about order % is not decided', blocked
              using errcode = 'check_violation', constraint = 'redemption_unblocked',
                table = 'redemption';
          end if;
          return null;
        end $$;
        create trigger redemption_unblocked after insert on redemption
          referencing new table as made
          for each statement execute function redemption_unblocked();
        """
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")
