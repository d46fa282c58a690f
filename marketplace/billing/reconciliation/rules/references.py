"""What a remark says: our references, the bank's own words for fees and interest.

`SC-P-12` is payout 12 (`SC-P-12-2` its second attempt), `SC-W-7` the wallet of organisation 7,
`SC-V-2025` and `SC-R-2025` treasury's money for vouchers and rewards of a year, `SC-C-3` what is
owed on credit line 3.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Every dash a bank or a phone may write; full-width ones are narrowed before.
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
# Not within another number or word, and not cut short: `SC-W-12-3` names no wallet.
_REFERENCE = re.compile(
    r"(?<![A-Z0-9])SC-(?:(P)-([0-9]{1,15})(?:-([0-9]{1,4}))?|([WVRC])-([0-9]{1,15}))"
    r"(?![A-Z0-9]|-[0-9])"
)
_FEE = re.compile(r"手续费|工本费|汇划费|账户管理费|账户维护费|回单费|短信费|网银服务费")
_NOT_A_FEE = re.compile(r"退|返|冲|还")
_INTEREST = re.compile(r"^(?:存款|活期|季度|批量)?(?:结息|利息|收息)")
FUND_YEARS = range(2000, 2101)
# A fee above this is looked at by a person: 1,000 yuan.
FEE_FEN_MAX = 100_000


@dataclass(frozen=True, slots=True)
class References:
    """The references in one text; several of them are for a person to sort out."""

    payouts: frozenset[str]
    wallets: frozenset[int]
    voucher_funds: frozenset[int]
    reward_funds: frozenset[int]
    credit_lines: frozenset[int] = frozenset()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def names(self) -> list[str]:
        """All of them, each in its one form."""
        numbered = (
            ("W", self.wallets),
            ("V", self.voucher_funds),
            ("R", self.reward_funds),
            ("C", self.credit_lines),
        )
        others = (f"SC-{letter}-{number}" for letter, found in numbered for number in found)
        return sorted([*self.payouts, *others])


def references(text: str) -> References:
    """Every reference of ours in `text`."""
    normal = unicodedata.normalize("NFKC", text).translate(_DASHES).upper()
    payouts: set[str] = set()
    others: dict[str, set[int]] = {letter: set() for letter in "WVRC"}
    for pay, payout, attempt, letter, number in _REFERENCE.findall(normal):
        if pay:
            payouts.add(f"SC-P-{int(payout)}" + (f"-{int(attempt)}" if attempt else ""))
        else:
            others[letter].add(int(number))
    return References(
        payouts=frozenset(payouts),
        wallets=frozenset(others["W"]),
        voucher_funds=frozenset(others["V"]),
        reward_funds=frozenset(others["R"]),
        credit_lines=frozenset(others["C"]),
    )


def is_bank_fee(remark: str, amount_fen: int) -> bool:
    """Whether a line is a small fee of the bank by its words; a fee given back is not."""
    return (
        -FEE_FEN_MAX <= amount_fen < 0
        and _FEE.search(remark) is not None
        and _NOT_A_FEE.search(remark) is None
    )


def is_interest(remark: str, counterparty_account: str, amount_fen: int) -> bool:
    """Whether a line is the bank's interest: its words, and nobody's account behind it."""
    return amount_fen > 0 and not counterparty_account and _INTEREST.match(remark) is not None
