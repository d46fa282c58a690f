"""The page about the ledger says what the code says."""

from pathlib import Path

import pytest

from marketplace.billing.ledger.rules.chart import AccountType, LedgerName
from marketplace.billing.ledger.rules.document import chart_of_accounts, member_docs
from marketplace.billing.ledger.rules.kinds import EntryKind

PAGE = Path(__file__).parents[3] / "docs" / "ledger.md"


@pytest.mark.parametrize("enum", [LedgerName, AccountType, EntryKind])
def test_every_member_says_what_it_means_in_money_words(enum):
    docs = dict(member_docs(enum))

    assert list(docs) == [member.value for member in enum]
    assert all(len(about) > 20 and about.endswith(".") for about in docs.values())


def test_the_page_is_as_the_code_writes_it():
    written = PAGE.read_text(encoding="utf-8")

    assert written == chart_of_accounts(), "`python -m tools.docs` writes it again"
