"""The refusals of quotas."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Refused


class QuotaRefused(Refused):
    """The quota counts what cannot be counted; every reason is listed."""

    code = "quota-refused"
    title = "This quota cannot be counted"


class QuotaExists(Conflict):
    """The same people, period and measure are limited already: change that quota."""

    code = "quota-exists"
    title = "There is such a quota already"
    constraint = "quota_once"


class QuotaEnded(Conflict):
    """The quota holds no more; set a new one."""

    code = "quota-ended"
    title = "This quota has ended"
