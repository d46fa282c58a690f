"""Whether the books are true: each entry by itself, each seal over its entries, each account.

Pure: entries and seals come in one after the other, and nothing is kept but the running digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from marketplace.billing.ledger.rules.digests import (
    NO_SEAL,
    Seal,
    StoredEntry,
    entry_digest,
    request_digest,
    seal_digest,
)

PROBLEMS_MAX = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be, and where."""

    rule: str
    message: str
    entry_id: int | None = None
    account_id: int | None = None
    seal_number: int | None = None

    def __str__(self) -> str:
        """What a person reads."""
        return self.message


@dataclass(slots=True)
class VerifyReport:
    """What was looked at and what was found; the first problems are kept, all are counted.

    `head_sha256` is the end of the chain of seals: noted outside the database, it shows whether
    somebody with every right has rewritten the whole chain.
    """

    entries: int = 0
    postings: int = 0
    accounts: int = 0
    seals: int = 0
    complete: bool = True
    head_number: int = 0
    head_sha256: str = ""
    problems_total: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that was looked at is as it should be."""
        return self.problems_total == 0

    def add(self, problem: Problem) -> None:
        """Count a problem and keep it, up to `PROBLEMS_MAX`."""
        self.problems_total += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)

    @property
    def first_bad_entry(self) -> int | None:
        """The lowest id among the entries that a problem names."""
        named = [problem.entry_id for problem in self.problems if problem.entry_id is not None]
        return min(named, default=None)


def entry_problems(entry: StoredEntry) -> Iterator[Problem]:
    """What is wrong with one entry by itself."""

    def problem(rule: str, message: str) -> Problem:
        return Problem(rule, f"entry {entry.id} {message}", entry_id=entry.id)

    total_fen = sum(line.amount_fen for line in entry.lines)
    if total_fen:
        yield problem("balance", f"does not balance: its lines sum to {total_fen} fen")
    if len(entry.lines) < 2:
        yield problem("lines", "has fewer than two lines")
    if request_digest(entry) != entry.request_sha256:
        yield problem("request", "says something else than when it was posted")
    if entry.approved_by == entry.made_by:
        yield problem("approval", "was approved by the person who made it")
    if entry.reverses is not None and not _negates(entry):
        yield problem("reversal", f"is not the exact negation of entry {entry.reverses}")


def _negates(entry: StoredEntry) -> bool:
    return [(line.account_id, line.amount_fen) for line in entry.lines] == [
        (line.account_id, -line.amount_fen) for line in entry.reversed_lines
    ]


class SealCheck:
    """Recomputes seals from the entries they cover, in the order in which they were sealed."""

    def __init__(self, report: VerifyReport) -> None:
        self._report = report
        self._previous = NO_SEAL
        self._number = 0
        self._begin()

    def _begin(self) -> None:
        self._digest = hashlib.sha256()
        self._entries = 0
        self._first_id: int | None = None
        self._last_id = 0

    def add(self, entry: StoredEntry) -> None:
        """One more entry of the present seal."""
        self._digest.update(entry_digest(entry))
        self._entries += 1
        if self._first_id is None:
            self._first_id = entry.id
        self._last_id = max(self._last_id, entry.id)

    def finish(self, seal: Seal) -> None:
        """The present seal is complete: compare it, and begin the next."""
        wrong = []
        if seal.number != self._number + 1 or seal.previous != self._previous:
            wrong.append("does not follow the seal before it")
        if seal.entries != self._entries or seal.last_id != self._last_id:
            wrong.append(f"covers {self._entries} entries and not {seal.entries}")
        if seal.sha256 != seal_digest(seal, self._digest.digest()):
            wrong.append(f"does not match entries {self._first_id} to {self._last_id}")
        for message in wrong:
            self._report.add(
                Problem("seal", f"seal {seal.number} {message}", seal_number=seal.number)
            )
        self._report.seals += 1
        self._report.head_number, self._report.head_sha256 = seal.number, seal.sha256.hex()
        self._previous, self._number = seal.sha256, seal.number
        self._begin()


@dataclass(frozen=True, slots=True)
class AccountSums:
    """What an account's row says beside what its postings and holds add up to."""

    id: int
    posted_fen: int
    held_fen: int
    seq: int
    summed_fen: int
    postings: int
    open_holds_fen: int
    broken_entry_id: int | None


def account_problems(account: AccountSums) -> Iterator[Problem]:
    """What is wrong with one account that keeps its balance in its row."""

    def problem(rule: str, message: str, entry_id: int | None = None) -> Problem:
        return Problem(
            rule, f"account {account.id}: {message}", entry_id=entry_id, account_id=account.id
        )

    if account.broken_entry_id is not None:
        yield problem(
            "chain",
            f"entry {account.broken_entry_id} does not continue the balance before it",
            account.broken_entry_id,
        )
    if account.posted_fen != account.summed_fen:
        yield problem(
            "cached",
            f"its row says {account.posted_fen} fen, its postings {account.summed_fen} fen",
        )
    if account.seq != account.postings:
        yield problem("chain", f"its row counts {account.seq} postings, there are more or fewer")
    if account.held_fen != account.open_holds_fen:
        yield problem(
            "held", f"its row says {account.held_fen} fen, its holds {account.open_holds_fen} fen"
        )
