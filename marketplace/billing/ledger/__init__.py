"""Accounts, journal entries, postings, holds. The ledger knows no one; everyone posts through it.

An entry is two or more lines on accounts of one ledger (cash or voucher) that sum to zero; it is
posted once under its key, and nothing changes it any more. A reversal is the only correction.

A hold keeps money of an account for something that is going to happen:
held → settled (some of it moves, the rest is free again) | released | lapsed. It ends once.

Invariants, each refused by PostgreSQL under a name and proved by `queries.verify`:
entries balance; what is available on an account with a limit is never below zero; what a row says
is what its postings sum to; every entry since the first is in the chain of seals, unchanged.

`rules/` says what an account and an entry are, `use_cases/` post and hold, each by one call of a
database function (migration 0004), `queries/` read. `docs/ledger.md` is the chart of accounts.
"""
