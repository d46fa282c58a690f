"""What makes an entry, a seal and an account true, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from marketplace.billing.ledger.rules.digests import (
    NO_SEAL,
    Seal,
    StoredEntry,
    entry_digest,
    request_digest,
    seal_digest,
    stored_lines,
)
from marketplace.billing.ledger.rules.verification import (
    PROBLEMS_MAX,
    AccountSums,
    Problem,
    SealCheck,
    VerifyReport,
    account_problems,
    entry_problems,
)


def an_entry(**changes) -> StoredEntry:
    plain = StoredEntry(
        id=7,
        ledger="cash",
        kind="wallet_top_up",
        effective_on=date(2025, 3, 3),
        posted_at=datetime(2025, 3, 3, 1, tzinfo=UTC),
        xid=700,
        key="k",
        request_sha256=b"",
        reverses=None,
        source_kind="statement_line",
        source_id=1,
        remark="",
        made_by=1,
        approved_by=None,
        lines=stored_lines([1, 2], [100, -100], [None, 1], [None, -100]),
    )
    made = replace(plain, **changes)
    return (
        made if "request_sha256" in changes else replace(made, request_sha256=request_digest(made))
    )


AN_ACCOUNT = AccountSums(
    id=2,
    posted_fen=-100,
    held_fen=10,
    seq=1,
    summed_fen=-100,
    postings=1,
    open_holds_fen=10,
    broken_entry_id=None,
)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"lines": stored_lines([1, 2], [100, -99])}, ["balance"]),
        ({"lines": stored_lines([1], [100])}, ["balance", "lines"]),
        ({"lines": ()}, ["lines"]),
        ({"request_sha256": b"x" * 32}, ["request"]),
        ({"made_by": 3, "approved_by": 3}, ["approval"]),
        ({"reverses": 5, "reversed_lines": stored_lines([1, 2], [-100, 100])}, []),
        ({"reverses": 5, "reversed_lines": stored_lines([1, 2], [-99, 99])}, ["reversal"]),
        ({"reverses": 5, "reversed_lines": stored_lines([1, 3], [-100, 100])}, ["reversal"]),
        ({"reverses": 5}, ["reversal"]),
    ],
)
def test_an_entry_says_what_is_wrong_with_it(changes, rules):
    found = list(entry_problems(an_entry(**changes)))

    assert [problem.rule for problem in found] == rules
    assert {problem.entry_id for problem in found} <= {7}


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, []),
        ({"posted_fen": -99}, ["cached"]),
        ({"seq": 2}, ["chain"]),
        ({"held_fen": 9}, ["held"]),
        ({"broken_entry_id": 7}, ["chain"]),
    ],
)
def test_an_account_says_what_is_wrong_with_it(changes, rules):
    found = list(account_problems(replace(AN_ACCOUNT, **changes)))

    assert [problem.rule for problem in found] == rules


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 8},
        {"ledger": "voucher"},
        {"posted_at": datetime(2025, 3, 3, 1, 0, 0, 1, tzinfo=UTC)},
        {"xid": 701},
        {"key": "k|1"},
        {"made_by": 2},
        {"approved_by": 2},
        {"kind": "bank_charge"},
        {"effective_on": date(2025, 3, 4)},
        {"source_kind": "claim"},
        {"source_id": 2},
        {"remark": "x"},
        {"lines": stored_lines([1, 2], [100, -100], [None, 2], [None, -100])},
        {"lines": stored_lines([1, 2], [100, -100], [None, 1], [None, -101])},
        {"lines": stored_lines([1, 3], [100, -100], [None, 1], [None, -100])},
        {"lines": stored_lines([1, 2], [101, -101], [None, 1], [None, -100])},
    ],
)
def test_a_digest_covers_everything_an_entry_says(changes):
    assert entry_digest(an_entry(**changes)) != entry_digest(an_entry())


@pytest.mark.parametrize(
    "changes", [{"made_by": 2}, {"approved_by": 2}, {"id": 8}, {"key": "other"}]
)
def test_who_asked_and_how_it_was_stored_are_not_part_of_what_was_asked(changes):
    assert request_digest(an_entry(**changes)) == request_digest(an_entry())


def a_seal(number: int, previous: bytes, *entries: StoredEntry) -> Seal:
    import hashlib

    digests = hashlib.sha256(b"".join(map(entry_digest, entries))).digest()
    last_id = max(entry.id for entry in entries)
    seal = Seal(number, 0, 0, 900, len(entries), last_id, previous, b"")
    return replace(seal, sha256=seal_digest(seal, digests))


def test_a_chain_of_seals_is_followed_link_by_link():
    entries = [an_entry(id=number) for number in range(1, 5)]
    first = a_seal(1, NO_SEAL, *entries[:3])
    second = a_seal(2, first.sha256, entries[3])
    report = VerifyReport()
    check = SealCheck(report)

    for entry in entries[:3]:
        check.add(entry)
    check.finish(first)
    check.add(entries[3])
    check.finish(second)

    assert report.ok
    assert (report.seals, report.head_sha256) == (2, second.sha256.hex())


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_an_entry_that_is_gone_breaks_its_seal(missing):
    entries = [an_entry(id=number) for number in range(1, 4)]
    report = VerifyReport()
    check = SealCheck(report)

    for entry in entries[:missing] + entries[missing + 1 :]:
        check.add(entry)
    check.finish(a_seal(1, NO_SEAL, *entries))

    assert {problem.seal_number for problem in report.problems} == {1}


def test_a_seal_taken_out_of_the_chain_is_missed():
    entries = [an_entry(id=number) for number in range(1, 3)]
    first = a_seal(1, NO_SEAL, entries[0])
    report = VerifyReport()
    check = SealCheck(report)

    check.add(entries[1])
    check.finish(a_seal(2, first.sha256, entries[1]))

    assert [problem.message for problem in report.problems] == [
        "seal 2 does not follow the seal before it"
    ]


def test_a_report_keeps_the_first_problems_and_counts_all():
    report = VerifyReport()

    for number in range(1, PROBLEMS_MAX + 50):
        report.add(Problem("balance", "wrong", entry_id=1000 - number))

    assert len(report.problems) == PROBLEMS_MAX
    assert report.problems_total == PROBLEMS_MAX + 49
    assert not report.ok
