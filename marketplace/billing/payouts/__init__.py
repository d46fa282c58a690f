"""Instructions to pay, their approval, the bank files, and what became of them.

A payout moves its amount at once from what is owed (payable, reward payable, wallet) to payout in
transit, so that nothing is paid twice; it is in transit until the bank's statement confirms it.

    instructed ──draft a batch──▶ batched ──send──▶ sent ──statement──▶ confirmed
      │ ▲            │ discard                        │ bank refuses         │ statement
      │ └────────────┘                                ▼                      ▼
      │ ▲───────────────── instruct again ───────── returned ◀───────────────┘
      │                                               │
      └──withdraw──▶ withdrawn ◀──────withdraw────────┘

Withdrawing ends a payout for good: its amount is owed again, and its source is never instructed
a second time. What is in a batch or with the bank is not withdrawn.

Invariants: one payout per source and payee; a batch is approved by another person than its maker;
an account is verified by another person than the one who registered it; what was instructed
(payee, amount, source) is never rewritten; only a line of the statement moves money of the bank.
"""
