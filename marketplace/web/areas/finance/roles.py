"""Who works with the centre's money: makers prepare, checkers approve, auditors read."""

from marketplace.parties.roles import SEES_EVERYTHING, Role

MAKER = (Role.FINANCE_MAKER,)
CHECKER = (Role.FINANCE_CHECKER,)
FINANCE = (*MAKER, *CHECKER)
READERS = (*FINANCE, *SEES_EVERYTHING)
"""Statements, payouts and sums are open to whoever reads everything."""
READS_ENTRIES = (*FINANCE, Role.AUDITOR)
"""An entry tells what one order came to: the regulator reads sums only (N.24a)."""
READS_REWARDS = (*READERS, Role.EVALUATOR)
OFFICER = (Role.VOUCHER_OFFICER,)
READS_CLAIMS = (*READERS, *OFFICER)
