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
from marketplace.billing.credit.use_cases.receipts import (
    CreditReceived,
    PayCredit,
    ReceiveCredit,
    TakeReceiptBack,
    pay_credit,
    receive_credit,
    take_receipt_back,
)
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
    "CreditReceived",
    "DecideTerms",
    "EndTerms",
    "HoldCredit",
    "OweForOrder",
    "Owing",
    "PayCredit",
    "ProposeTerms",
    "ReceiveCredit",
    "RemindAfter",
    "Reminded",
    "TakeReceiptBack",
    "credit_back",
    "decide_terms",
    "end_terms",
    "hold_credit",
    "owe_for_order",
    "pay_credit",
    "propose_terms",
    "receive_credit",
    "remind",
    "require_room",
    "take_receipt_back",
    "usable_line",
]
