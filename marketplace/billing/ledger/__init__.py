"""Accounts, journal entries, postings and holds. The ledger knows no one."""
