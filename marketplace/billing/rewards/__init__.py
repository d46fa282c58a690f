"""What the province pays to units for serving: reward runs, shares, and the two caps on them.

A run of a year computes what every provider has earned from 1 January through a day: its actual
service total × the rate of its evaluation grade, never more than 5 % of that total. The units of
one legal entity add up, and what the entity is paid in a calendar year, over all its units and all
runs, never passes 500,000 CNY. A run pays the difference to what was paid before; a budget reduces
every entity alike. What an entity gets is split among its units by what each has earned and was
not yet paid, and every share carries the arithmetic by which a person can redo it.

States of a run: draft → approved | discarded. A second person approves.
Invariants: the shares of an entity sum to its amount, to the fen; neither cap is ever passed, by
rounding or by runs at the same time; what an entity is paid in all does not depend on how the year
is split into runs; no unit pays back because another earned later; the same inputs give the same
fen (J.27a, J.30a, J.30b).

A calculation lives twice on purpose: `queries.computation` does it for a whole province in one
statement, and `rules` does it for one legal entity in words that a person can read. Approving a
run recomputes every entity by the rules and refuses a draft that differs by a fen.
"""
