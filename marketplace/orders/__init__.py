"""The story of a service, from an offer to a review.

An offer is found with its free week and its price for this buyer; a quote freezes price list,
lines, voucher part and terms; an order reserves the time, holds the voucher and the buyer's own
money and makes the contract, in one transaction, whole or not at all; the service is given and
delivered; the buyer accepts or objects; what was really used is settled and the rest goes back.

    placed ──confirm──▶ confirmed ──open──▶ in_service ──deliver──▶ delivered ──accept──▶ settled
      │  │                │     │               │                      │                     ▲
      │  │ reject, expire │     │ miss          │ dispute              │ dispute             │
      │  ▼                │     ▼               └──────────┐  ┌────────┘                     │
      │  rejected, expired│     no_show                    ▼  ▼                              │
      └──cancel──▶ cancelled ◀──cancel                    disputed ──rule, agree, concede────┘

A dispute that is withdrawn leads back to where the order stood. What a settled order was charged is
given back only by a correction: a second person approves it, and nothing that was posted changes.

The steps are `rules.states.TRANSITIONS`. An order can have another time, or a longer one, without a
step: at figures shown first, performed whole or proposed to the other side (`rules.rescheduling`).
What always holds, and who sees to it:

- An order is whole at COMMIT: time, voucher hold, money hold, contract (`service_order_whole`).
- A quote makes one order (`service_order_quote_once`).
- A change makes one quote, one addendum and at most one fee; a fee for moving late is held beside
  the price and due whatever becomes of the order (`order_change`, `service_order_move_fee`).
- Never more is settled than was held, in either part (`service_order_settled_within`).
- An order that has ended holds nothing; one that has not, exactly what it says.
- What both sides signed is not changed (`contract_agreed`); its timeline is append-only.
- Vouchers pay for services received. Fees for late cancellation and for not coming come from the
  buyer's own money; the voucher part then goes back whole [J.22b].
- Locks are taken in one order: the order, its calendar when it moves, its reservation, the
  voucher's accounts, the wallet.
"""
