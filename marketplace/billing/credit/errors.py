"""Refusals about credit lines, what is owed on them and what is paid."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class CreditLineMissing(Missing):
    """No such credit line, or not one of yours."""

    code = "credit-line-not-found"
    title = "No such credit line"


class CreditTermsMissing(Missing):
    """No such terms of a credit line, or not of one of yours."""

    code = "credit-terms-not-found"
    title = "No such credit terms"


class CreditTermsUnfit(Refused):
    """Limit, days or end of the proposed terms are not within what the province allows."""

    code = "credit-terms-unfit"
    title = "These credit terms cannot be granted"


class CreditTermsProposed(Conflict):
    """A proposal for this line waits for its decision; decide on it or take it back first."""

    code = "credit-terms-proposed"
    title = "Another proposal waits for its decision"
    constraint = "credit_terms_proposed"


class CreditTermsDecided(Conflict):
    """The terms were decided on, or have ended; what was decided stays."""

    code = "credit-terms-decided"
    title = "These credit terms cannot take this step now"
    constraint = "credit_terms_kept"


class OwnCreditTerms(Refused):
    """The person who proposed the terms may not decide on them."""

    code = "credit-terms-self-decided"
    title = "Somebody else has to decide on these credit terms"
    constraint = "credit_terms_two_persons"


class CreditInUse(Conflict):
    """More is held and owed on the line than the lower limit would allow."""

    code = "credit-in-use"
    title = "More is in use than the new limit"


class CreditRefused(Refused):
    """The provider grants this buyer no credit now: none, no longer, or not while it is overdue."""

    code = "credit-refused"
    title = "This order cannot be paid on account"


class CreditShort(Refused):
    """The order needs more room than the credit line has left."""

    code = "credit-short"
    title = "The credit line has too little left"


class NothingOwed(Refused):
    """More was to be paid than is owed on the line."""

    code = "credit-nothing-owed"
    title = "Less is owed than this"
