"""The catalogue: which instruments there are, whose, where, when open, and how they are found.

An instrument belongs to a provider and is known by the provider's inner id and by a local
identifier in the shape of a CSTR. States: unlisted → listed → withdrawn (→ listed) → disposed.

Invariants:
- a provider's inner id names one instrument (`instrument_inner_id`);
- an instrument bought with public funds and worth the rulebook's threshold or more is open to
  society, or carries a coded exemption (`rules.listing`);
- opening hours of one weekday never overlap (`opening_hours_no_overlap`);
- a file imported twice changes nothing, and its report counts every line exactly once
  (`import_batch_counts`); what was reported stays reported;
- search sees an instrument in the transaction that stores it.
"""
