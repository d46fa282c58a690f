"""What is done with credit: one verb a command."""

from marketplace.billing.credit.rules.states import Owing
from marketplace.billing.credit.use_cases.orders import (
    CreditBack,
    HoldCredit,
    OweForOrder,
    credit_back,
    hold_credit,
    owe_for_order,
    require_room,
    usable_line,
)
from marketplace.billing.credit.use_cases.receipts import PayCredit, pay_credit
from marketplace.billing.credit.use_cases.reminders import RemindAfter, Reminded, remind
from marketplace.billing.credit.use_cases.terms import (
    DecideTerms,
    EndTerms,
    ProposeTerms,
    decide_terms,
    end_terms,
    propose_terms,
)

__all__ = [
    "CreditBack",
    "DecideTerms",
    "EndTerms",
    "HoldCredit",
    "OweForOrder",
    "Owing",
    "PayCredit",
    "ProposeTerms",
    "RemindAfter",
    "Reminded",
    "credit_back",
    "decide_terms",
    "end_terms",
    "hold_credit",
    "owe_for_order",
    "pay_credit",
    "propose_terms",
    "remind",
    "require_room",
    "usable_line",
]
