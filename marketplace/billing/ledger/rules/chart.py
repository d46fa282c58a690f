"""The chart of accounts: which accounts there are, and what may lie on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LedgerName(StrEnum):
    """Three sets of books; no entry crosses from one to another."""

    CASH = "cash"
    """Money: what lies in the bank, and whose it is."""
    VOUCHER = "voucher"
    """Entitlement: what treasury has promised, granted and seen used. No money moves here."""
    CREDIT = "credit"
    """Trust: what providers let buyers owe them, and what is owed. No money moves here."""


class AccountType(StrEnum):
    """What an account is for. An account is its type and, for some, its owner."""

    BANK = "bank"
    """What the platform's bank account holds, as the platform has booked it."""
    BANK_SUSPENSE = "bank_suspense"
    """Lines of the bank's statement, in and out, that are not explained yet; every line goes
    through here, so that the bank account always equals the statement."""
    WALLET = "wallet"
    """What an SME paid in and has not spent; orders hold and settle from it."""
    PAYABLE = "payable"
    """What the platform owes a provider for services, until a payout is instructed."""
    VOUCHER_FUND = "voucher_fund"
    """Treasury money received to redeem vouchers."""
    REWARD_FUND = "reward_fund"
    """Treasury money received to reward providers."""
    REWARD_PAYABLE = "reward_payable"
    """Rewards approved for a provider, until a payout is instructed."""
    PAYOUT_IN_TRANSIT = "payout_in_transit"
    """Payouts that are instructed and that the bank's statement has not confirmed yet."""
    CLAWBACK_RECEIVABLE = "clawback_receivable"
    """What a claimant owes back of claims that were paid; set off or paid in until it is zero."""
    CLAWBACK_PENDING = "clawback_pending"
    """What the voucher fund gets back once that has come in; until then it is not
    there to spend."""
    REWARD_RECEIVABLE = "reward_receivable"
    """What a provider owes back of rewards of a closed year, until it is paid in or set off."""
    REWARD_RETURN_PENDING = "reward_return_pending"
    """What the reward fund gets back once that has come in; until then it is not
    there to spend."""
    FEE_INCOME = "fee_income"
    """What the platform itself earned: bank interest and fees."""
    BANK_CHARGES = "bank_charges"
    """What the bank took for its services."""
    APPROPRIATION = "appropriation"
    """What a funder has set aside for a layer of a voucher programme."""
    PROGRAMME_BUDGET = "programme_budget"
    """What of a layer's appropriation is not granted yet; grants cannot exceed it."""
    VOUCHER = "voucher"
    """What an SME's grant still has from one layer; orders hold and settle from it."""
    PROGRAMME_SPENT = "programme_spent"
    """What of a layer was used for services."""
    CREDIT_GRANTED = "credit_granted"
    """How much a provider lets one buyer owe it: the limit of a credit line."""
    CREDIT = "credit"
    """What a buyer may still owe on a credit line; orders on account hold and settle from it."""
    CREDIT_OWED = "credit_owed"
    """What a buyer owes on a credit line for settled services, until it is paid or credited."""


DEBIT, CREDIT = 1, -1


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What all accounts of a type share.

    `normal` is the side on which the balance grows. A wide account has no limit and no balance in
    its row, so that many may post to it at once; the others keep `min_available_fen`.
    """

    ledger: LedgerName
    normal: int
    owner_kind: str | None = None
    wide: bool = False

    @property
    def min_available_fen(self) -> int | None:
        """What must always remain available: nothing below zero, unless the account is wide."""
        return None if self.wide else 0


_CASH, _VOUCHER, _CREDIT = LedgerName.CASH, LedgerName.VOUCHER, LedgerName.CREDIT

CHART: dict[AccountType, AccountFacts] = {
    AccountType.BANK: AccountFacts(_CASH, DEBIT, wide=True),
    AccountType.BANK_SUSPENSE: AccountFacts(_CASH, CREDIT, wide=True),
    AccountType.WALLET: AccountFacts(_CASH, CREDIT, "organisation"),
    AccountType.PAYABLE: AccountFacts(_CASH, CREDIT, "organisation"),
    AccountType.VOUCHER_FUND: AccountFacts(_CASH, CREDIT),
    AccountType.REWARD_FUND: AccountFacts(_CASH, CREDIT),
    AccountType.REWARD_PAYABLE: AccountFacts(_CASH, CREDIT, "organisation"),
    AccountType.PAYOUT_IN_TRANSIT: AccountFacts(_CASH, CREDIT, wide=True),
    AccountType.CLAWBACK_RECEIVABLE: AccountFacts(_CASH, DEBIT, "organisation"),
    AccountType.CLAWBACK_PENDING: AccountFacts(_CASH, CREDIT),
    AccountType.REWARD_RECEIVABLE: AccountFacts(_CASH, DEBIT, "organisation"),
    AccountType.REWARD_RETURN_PENDING: AccountFacts(_CASH, CREDIT),
    AccountType.FEE_INCOME: AccountFacts(_CASH, CREDIT, wide=True),
    AccountType.BANK_CHARGES: AccountFacts(_CASH, DEBIT, wide=True),
    AccountType.APPROPRIATION: AccountFacts(_VOUCHER, DEBIT, "programme_layer", wide=True),
    AccountType.PROGRAMME_BUDGET: AccountFacts(_VOUCHER, CREDIT, "programme_layer"),
    AccountType.VOUCHER: AccountFacts(_VOUCHER, CREDIT, "grant_part"),
    AccountType.PROGRAMME_SPENT: AccountFacts(_VOUCHER, CREDIT, "programme_layer", wide=True),
    AccountType.CREDIT_GRANTED: AccountFacts(_CREDIT, DEBIT, "credit_line", wide=True),
    AccountType.CREDIT: AccountFacts(_CREDIT, CREDIT, "credit_line"),
    AccountType.CREDIT_OWED: AccountFacts(_CREDIT, CREDIT, "credit_line"),
}


def require_owner(account_type: AccountType, owner_id: int | None) -> None:
    """An account that has an owner names one; one that has none does not.

    Raises:
        ValueError: when it is the other way round; that is a bug of the caller.
    """
    if (CHART[account_type].owner_kind is None) != (owner_id is None):
        raise ValueError(f"{account_type} belongs to {CHART[account_type].owner_kind or 'nobody'}")
