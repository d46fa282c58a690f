"""Terms for tests of the voucher rules: the Jiangsu and Hunan numbers, changed where asked."""

import dataclasses
from datetime import date
from typing import Any

from marketplace.rulebook.book import load, rulebook_path
from marketplace.vouchers.rules.terms import Terms, terms_of

ON = date(2025, 3, 3)


def terms(province: str = "jiangsu", **changes: Any) -> Terms:
    """The terms of `province` in March 2025, with `changes`."""
    made = terms_of(load(rulebook_path(province)).voucher.snapshot(ON))
    return dataclasses.replace(made, **changes)
