"""What settled orders were worth, and the tax invoices that providers issued for them.

A charge line is written when an order is settled: service value = voucher part + own part, by
whom to whom, and whether it earns its provider a reward. It is never changed; a correction is a
negative line that names the one it reverses, and counts in the same year. An invoice carries the
20-digit number of the tax authority's system; one per order, each number once.

Invariants: one charge per order; corrections never exceed what was charged; lines are append-only;
fees for what was not served, and services to affiliated buyers, earn no reward (J.30a).
"""
