"""Why money moves: every kind of journal entry, with the accounts it debits and credits."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """What happened. The line below each kind says which accounts it moves, and why."""

    WALLET_TOP_UP = "wallet_top_up"
    """Debit bank suspense, credit wallet: a line of the statement is an SME's transfer."""
    WALLET_REFUND = "wallet_refund"
    """Debit wallet, credit payout in transit: an SME takes unspent money back."""
    VOUCHER_FUND_RECEIVED = "voucher_fund_received"
    """Debit bank suspense, credit voucher fund: treasury sent money to redeem vouchers."""
    REWARD_FUND_RECEIVED = "reward_fund_received"
    """Debit bank suspense, credit reward fund: treasury sent money for rewards."""
    SUSPENSE_RECEIVED = "suspense_received"
    """Debit bank, credit bank suspense: a line of the statement shows money in, for what is to be
    explained."""
    SUSPENSE_PAID = "suspense_paid"
    """Debit bank suspense, credit bank: a line of the statement shows money out, for what is to be
    explained."""
    SUSPENSE_RESOLVED = "suspense_resolved"
    """Debit bank suspense, credit what it was for."""
    INTEREST_RECEIVED = "interest_received"
    """Debit bank suspense, credit fee income: the bank paid interest."""
    BANK_CHARGE = "bank_charge"
    """Debit bank charges, credit bank suspense: the bank took its fee."""
    ORDER_SETTLED = "order_settled"
    """Debit wallet, credit payable: the SME's own part of a service, out of its hold."""
    ORDER_FEE = "order_fee"
    """Debit wallet, credit payable: a late cancellation, a missed slot, a late move, out of the
    hold."""
    ORDER_REFUNDED = "order_refunded"
    """Debit payable, credit wallet: a provider gives money back, for instance after a dispute."""
    FEE_CHARGED = "fee_charged"
    """Debit wallet, credit fee income: the platform's own fee."""
    CLAIM_APPROVED = "claim_approved"
    """Debit voucher fund, credit payable: the voucher part of claimed services is due."""
    CLAIM_CLAWED_BACK = "claim_clawed_back"
    """Debit clawback receivable, credit clawback pending: a redemption that was approved turned
    out wrong, or its order is refunded."""
    CLAWBACK_RECOVERED = "clawback_recovered"
    """Debit payable or wallet and clawback pending, credit clawback receivable and voucher fund:
    what was to be paid back is set off, or was paid in, and the fund has it again."""
    REWARD_APPROVED = "reward_approved"
    """Debit reward fund, credit reward payable: a run was approved."""
    REWARD_CLAWED_BACK = "reward_clawed_back"
    """Debit reward receivable, credit reward return pending: what was paid for a closed year turned
    out too high."""
    REWARD_RECOVERED = "reward_recovered"
    """Debit wallet or reward payable and reward return pending, credit reward receivable and reward
    fund: what was owed back was paid in or set off, and the fund has it again."""
    PAYOUT_INSTRUCTED = "payout_instructed"
    """Debit payable, reward payable or wallet, credit payout in transit: what is owed is to be paid
    out, and no second instruction can pay it again."""
    PAYOUT_CONFIRMED = "payout_confirmed"
    """Debit payout in transit, credit bank suspense: a line of the bank's statement is this
    payment."""
    PAYOUT_REJECTED = "payout_rejected"
    """Debit payout in transit, credit what was owed: the bank refused it, and nothing moved."""
    PAYOUT_RETURNED = "payout_returned"
    """Debit bank suspense, credit what was owed: a line of the statement brings the money back."""
    BUDGET_APPROPRIATED = "budget_appropriated"
    """Debit appropriation, credit programme budget: a programme was approved, or a version that
    raises a budget or adds a layer."""
    BUDGET_LOWERED = "budget_lowered"
    """Debit programme budget, credit appropriation: a version that lowers a budget was approved;
    never below what is granted, held and used."""
    VOUCHER_GRANTED = "voucher_granted"
    """Debit programme budget, credit voucher: an SME was granted a voucher."""
    VOUCHER_REDEEMED = "voucher_redeemed"
    """Debit voucher, credit programme spent: the voucher part of a service, out of its hold."""
    VOUCHER_EXPIRED = "voucher_expired"
    """Debit voucher, credit programme budget: what was not used in time goes back."""
    VOUCHER_WITHDRAWN = "voucher_withdrawn"
    """Debit voucher, credit programme budget: the centre took unused quota back."""
    BUDGET_RETURNED = "budget_returned"
    """Debit programme budget, credit appropriation: a closed programme returns what is unspent."""
    VOUCHER_REVOKED = "voucher_revoked"
    """Debit voucher, credit programme budget: the grant was taken back."""
    REDEMPTION_CLAWED_BACK = "redemption_clawed_back"
    """Debit programme spent, credit programme budget: a redemption turned out wrong."""
    REDEMPTION_REVERSED = "redemption_reversed"
    """Debit programme spent, credit voucher: the order was refunded, and the SME has its voucher
    money again."""
    CREDIT_GRANTED = "credit_granted"
    """Debit credit granted, credit credit: a provider's second person approved a line's limit, or a
    higher one."""
    CREDIT_REDUCED = "credit_reduced"
    """Debit credit, credit credit granted: a lower limit was approved; never below what is held
    and owed."""
    CREDIT_USED = "credit_used"
    """Debit credit, credit credit owed: a service or fee on account is owed, out of its hold."""
    CREDIT_REPAID = "credit_repaid"
    """Debit credit owed, credit credit: what was owed is paid, and there is room again."""
    CREDIT_NOTED = "credit_noted"
    """Debit credit owed, credit credit: the provider gave up what was owed, for instance after a
    dispute."""
    CREDIT_PAYMENT = "credit_payment"
    """Debit wallet, credit payable: a buyer pays what it owes a provider on account."""
    REVERSAL = "reversal"
    """Every line of the entry it names, negated: the only way to correct an entry."""
