"""Which documents stand behind several services: contracts, invoices, slips and results."""

from __future__ import annotations

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries.guard_facts import service_of, set_by_set, statement
from marketplace.vouchers.rules.guards import Paper
from marketplace.vouchers.rules.invoices_alike import Invoiced

# Each source first says which of its keys stand behind several orders; whose they are is asked once
# for all of them.
_PAPERS = """
with paper as materialized (
  select e.kind, e.document as key, e.reference as shown, e.order_id
  from (
    select kind, document from claim_evidence
    where kind in ('contract', 'invoice', 'payment-proof', 'result') and document is not null
    group by 1, 2 having min(order_id) <> max(order_id)
  ) same
  join claim_evidence e on e.kind = same.kind and e.document = same.document
  union all
  select 'contract', document_key(c.registration_number), c.registration_number, c.order_id
  from (
    select document_key(registration_number) as key from contract
    where registration_number is not null
    group by 1 having min(order_id) <> max(order_id)
  ) same
  join contract c on document_key(c.registration_number) = same.key
    and c.registration_number is not null
  union all
  select 'result', d.sha256, d.name, d.order_id
  from (
    select sha256 from deliverable group by 1 having min(order_id) <> max(order_id)
  ) same
  join deliverable d on d.sha256 = same.sha256
),
concerned as materialized (
  select kind, key from paper where order_id in (select order_id from guard_focus)
)
select p.kind, p.key, p.shown, $service
from paper p
join redeemed_service s on s.order_id = p.order_id
where (p.kind, p.key) in (select kind, key from concerned)
"""


async def papers(tx: Tx) -> list[Paper]:
    """Documents of services in focus that stand behind other services too."""
    rows = await tx.execute(statement(_PAPERS))
    return [Paper(row.kind, row.key, row.shown, service_of(row)) for row in rows]


# Pairs of invoices over one sum that a buyer had from a provider within days, and of them those of
# one day and those whose numbers differ as by a slip: a wrong digit makes a difference of one digit
# and noughts, two that changed places one of a multiple of nine. The rule compares the numbers;
# whether anything was done for each is looked up for these pairs alone.
_INVOICES = """
with invoiced as materialized (
  select i.order_id, i.number::text as number, i.provider_id, i.buyer_id, i.amount_fen, i.issued_on
  from (
    select provider_id, buyer_id, amount_fen from invoice where kind = 'blue'
    group by 1, 2, 3 having min(order_id) <> max(order_id)
  ) same
  join invoice i on i.buyer_id = same.buyer_id and i.provider_id = same.provider_id
    and i.amount_fen = same.amount_fen and i.kind = 'blue'
),
pair as materialized (
  select a.order_id as one, b.order_id as other, a.number as one_number,
    b.number as other_number, a.issued_on as one_on, b.issued_on as other_on, a.amount_fen
  from invoiced a
  join invoiced b on b.buyer_id = a.buyer_id and b.provider_id = a.provider_id
    and b.amount_fen = a.amount_fen and b.order_id > a.order_id
    and abs(b.issued_on - a.issued_on) <= :days
  where a.issued_on = b.issued_on
    or rtrim(abs(a.number::numeric - b.number::numeric)::text, '0') in ('1', '2', '3', '4', '5',
      '6', '7', '8', '9', '18', '27', '36', '45', '54', '63', '72', '81')
),
concerned as materialized (
  select * from pair
  where one in (select order_id from guard_focus) or other in (select order_id from guard_focus)
),
served as materialized (
  select $service,
    case s.mode
      when 'samples' then exists (
        select from sample_set m where m.order_id = s.order_id and m.received_at is not null)
      else exists (select from usage_session u where u.reservation_id = s.reservation_id)
    end as recorded
  from redeemed_service s
  where s.order_id in (select one from concerned union select other from concerned)
)
select c.one, c.one_number, c.one_on, c.other_number, c.other_on, c.amount_fen as invoiced_fen,
  s.*
from concerned c
cross join lateral (values (c.one), (c.other)) of_pair (order_id)
join served s on s.order_id = of_pair.order_id
order by c.one, c.other, s.order_id, s.redemption_id
"""


async def invoices_alike(tx: Tx, days: int) -> list[tuple[Invoiced, Invoiced]]:
    """Invoices of one pair over one sum within days, one of them for a service in focus."""
    found: dict[tuple[str, str], dict[int, Invoiced]] = {}
    for row in await set_by_set(tx, statement(_INVOICES), {"days": days}):
        first = row.order_id == row.one
        number, issued_on = (
            (row.one_number, row.one_on) if first else (row.other_number, row.other_on)
        )
        found.setdefault((row.one_number, row.other_number), {})[row.order_id] = Invoiced(
            number, issued_on, row.invoiced_fen, row.recorded, service_of(row)
        )
    pairs = []
    for pair in found.values():
        if len(pair) == 2:
            first, second = pair.values()
            pairs.append((first, second))
    return pairs
