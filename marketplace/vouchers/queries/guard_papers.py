"""Which documents stand behind several services: contracts, invoices, slips and results."""

from __future__ import annotations

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.guard_facts import service_of, statement
from marketplace.vouchers.rules.guards import Paper

# Each source first says which of its keys stand behind several orders; whose they are is asked once
# for all of them.
_PAPERS = """
with paper as materialized (
  select e.kind, e.document as key, e.reference as shown, true as exact, e.order_id
  from (
    select kind, document from claim_evidence
    where kind in ('contract', 'invoice', 'payment-proof', 'result') and document is not null
    group by 1, 2 having min(order_id) <> max(order_id)
  ) same
  join claim_evidence e on e.kind = same.kind and e.document = same.document
  union all
  select 'contract', document_key(c.registration_number), c.registration_number, true, c.order_id
  from (
    select document_key(registration_number) as key from contract
    where registration_number is not null
    group by 1 having min(order_id) <> max(order_id)
  ) same
  join contract c on document_key(c.registration_number) = same.key
    and c.registration_number is not null
  union all
  select 'result', d.sha256, d.name, true, d.order_id
  from (
    select sha256 from deliverable group by 1 having min(order_id) <> max(order_id)
  ) same
  join deliverable d on d.sha256 = same.sha256
  union all
  select 'invoice',
    concat_ws('|', i.provider_id, i.buyer_id, i.amount_fen, i.issued_on), i.number::text, false,
    i.order_id
  from (
    select provider_id, buyer_id, amount_fen, issued_on from invoice where kind = 'blue'
    group by 1, 2, 3, 4 having min(order_id) <> max(order_id)
  ) same
  join invoice i on i.buyer_id = same.buyer_id and i.provider_id = same.provider_id
    and i.amount_fen = same.amount_fen and i.issued_on = same.issued_on and i.kind = 'blue'
),
concerned as materialized (
  select kind, key, exact from paper where order_id in (select order_id from guard_focus)
)
select p.kind, p.key, p.shown, p.exact, $service
from paper p
join redeemed_service s on s.order_id = p.order_id
where (p.kind, p.key, p.exact) in (select kind, key, exact from concerned)
"""


async def papers(tx: Tx) -> list[Paper]:
    """Documents of services in focus that stand behind other services too."""
    rows = await tx.execute(statement(_PAPERS))
    return [Paper(row.kind, row.key, row.exact, row.shown, service_of(row)) for row in rows]
