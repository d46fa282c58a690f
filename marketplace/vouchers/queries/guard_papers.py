"""Which documents stand behind several services: contracts, invoices, slips and results."""

from __future__ import annotations

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.guard_facts import service_of, statement
from marketplace.vouchers.rules.guards import Paper

_PAPERS = """
with numbered as (
  select e.kind, e.document as key, e.reference as shown, true as exact, $service
  from (
    select kind, document from claim_evidence
    where kind in ('contract', 'invoice', 'payment-proof', 'result') and document is not null
    group by 1, 2 having min(order_id) <> max(order_id)
  ) same
  join claim_evidence e on e.kind = same.kind and e.document = same.document
  join redeemed_service s on s.redemption_id = e.redemption_id
),
registered as (
  select 'contract', document_key(c.registration_number), c.registration_number, true, $service
  from (
    select document_key(registration_number) as key from contract
    where registration_number is not null
    group by 1 having min(order_id) <> max(order_id)
  ) same
  join contract c on document_key(c.registration_number) = same.key
    and c.registration_number is not null
  join redeemed_service s on s.order_id = c.order_id
),
results as (
  select 'result', d.sha256, d.name, true, $service
  from (
    select sha256 from deliverable group by 1 having min(order_id) <> max(order_id)
  ) same
  join deliverable d on d.sha256 = same.sha256
  join redeemed_service s on s.order_id = d.order_id
),
invoices as (
  select 'invoice',
    concat_ws('|', i.provider_id, i.buyer_id, i.amount_fen, i.issued_on), i.number::text, false,
    $service
  from (
    select provider_id, buyer_id, amount_fen, issued_on from invoice where kind = 'blue'
    group by 1, 2, 3, 4 having min(order_id) <> max(order_id)
  ) same
  join invoice i on i.buyer_id = same.buyer_id and i.provider_id = same.provider_id
    and i.amount_fen = same.amount_fen and i.issued_on = same.issued_on and i.kind = 'blue'
  join redeemed_service s on s.order_id = i.order_id
),
paper as (
  select * from numbered union all select * from registered
  union all select * from results union all select * from invoices
)
select * from (
  select paper.*, min(order_id) over w as first_order, max(order_id) over w as last_order,
    bool_or(order_id in (select order_id from guard_focus)) over w as in_focus
  from paper window w as (partition by kind, key, exact)
) p where first_order <> last_order and in_focus
"""


async def papers(tx: Tx) -> list[Paper]:
    """Documents of services in focus that stand behind other services too."""
    rows = await tx.execute(statement(_PAPERS))
    return [Paper(row.kind, row.key, row.exact, row.shown, service_of(row)) for row in rows]
