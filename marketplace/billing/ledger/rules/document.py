"""`docs/ledger.md`, written from what the enums of the chart and of the kinds say of themselves."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from enum import StrEnum

from marketplace.billing.ledger.rules.chart import CHART, DEBIT, AccountType, LedgerName
from marketplace.billing.ledger.rules.kinds import EntryKind

_HEAD = """\
# The ledger

This page is generated from `marketplace/billing/ledger/rules/`.

Money is a whole number of fen.
In a line of an entry a debit is positive and a credit negative, and the lines of an entry sum \
to zero.
A balance is shown in its account's own sign, so that what an SME has in its wallet is a \
positive number.

## Three ledgers

No entry crosses from one to another.
"""

_ACCOUNTS = """
## Chart of accounts

The normal side is the one on which a balance grows.
An account with a limit keeps its balance in its row: the row's lock and a check constraint stop \
every overdraft.
A wide account has no limit and no balance in its row, so that many entries may post to it at \
once; its balance is the sum of its postings.
"""

_ENTRIES = """
## What each event posts

Entries are never changed and never deleted.
A mistake is corrected by a reversal, which negates every line, and then by the right entry.
"""

_RULES = """
## What the database itself refuses

- Lines of an entry that do not sum to zero, an entry of fewer than two lines, an account twice \
in an entry.
- Lines in two ledgers, and lines added to an entry by a later transaction.
- Less than nothing available on an account with a limit: what is held counts as gone.
- A second entry under a key, unless it says the same; then the first one is the answer.
- A second reversal of an entry, a reversal that is not exact, the reversal of a reversal.
- A hold that ends twice, or settles more than was held, or settles after it has run out.
- An entry on a day of a closed period.
- An approval by the person who made it.
- Any change, deletion or truncation of entries, postings, holds, their ends and seals.

## How it is proved

Every five minutes the job `seal_entries` chains new entries into a seal: a digest over \
everything they say and over the seal before.
An entry is sealed once every older transaction has ended, so that nothing can come in late.
`GET /api/v1/ledger/verify` computes every entry, seal and balance again and names the first bad \
entry.
Somebody who may rewrite the whole database may rewrite the whole chain: keep the head's digest, \
which the answer shows, outside the platform.
After a dump is restored into another server, the chain goes on by itself.
"""


def member_docs(enum: type[StrEnum]) -> Iterator[tuple[str, str]]:
    """Each member's value and the text below it in the source, on one line."""
    (definition,) = ast.parse(inspect.getsource(enum)).body
    assert isinstance(definition, ast.ClassDef)
    for member, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(below, ast.Expr):
            (name,) = member.targets
            assert isinstance(name, ast.Name)
            yield enum[name.id].value, " ".join(ast.literal_eval(below.value).split())


def chart_of_accounts() -> str:
    """The whole page."""
    lines = [_HEAD]
    lines += [f"- `{name}`: {about}" for name, about in member_docs(LedgerName)]
    lines += [_ACCOUNTS, "| account | ledger | of each | normal side | limit | what lies there |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, about in member_docs(AccountType):
        facts = CHART[AccountType(name)]
        owner = (facts.owner_kind or "one in all").replace("_", " ")
        side = "debit" if facts.normal == DEBIT else "credit"
        limit = "wide" if facts.wide else "never below zero"
        lines.append(f"| `{name}` | {facts.ledger} | {owner} | {side} | {limit} | {about} |")
    lines += [_ENTRIES, "| kind | what it moves, and why |", "|---|---|"]
    lines += [f"| `{name}` | {about} |" for name, about in member_docs(EntryKind)]
    lines += [_RULES.rstrip("\n")]
    return "\n".join(lines) + "\n"
