"""Vouchers: public money with which technology SMEs buy services of shared instruments.

A *programme* has one *layer* per funder, each with its own budget and ratio. An SME *applies*,
is checked against every eligibility rule, and receives a *grant* with one part per layer. An order
takes a *hold*; what was really used becomes a *redemption*, the rest is free again at once, and
what is left on the last day goes back to the budget. A provider gathers its redemptions in a
*claim* with evidence; after an audit, a random spot check and a public notice a second person
approves it, and its payout is instructed in the same transaction.

Programme: draft → open → closed. Application: submitted → granted | refused | withdrawn.
Grant: active → exhausted | expired. Hold: held → settled | released.
Claim: draft → submitted → audited → in notice → approved ⇄ paid; refused on the way, or reversed
once approved. It is paid while the bank's statement shows its payout.

Always true: budgets and grants never fall below zero, because the ledger's accounts cannot; an
order is held once and redeemed once; layers together never pay more than the service is worth;
nobody approves what they made.

Policy: J.22a, J.22b, J.30.
"""
