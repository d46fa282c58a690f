"""Booking what lines are: out of bank suspense, to where the money belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, literal, update

from marketplace.billing.credit import use_cases as credit
from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger import use_cases as ledger
from marketplace.billing.ledger.use_cases import AccountType, EntryKind, LedgerName
from marketplace.billing.payouts import use_cases as payouts
from marketplace.billing.reconciliation.rules.matching import Found
from marketplace.billing.reconciliation.rules.states import How, LineStatus, MatchKind
from marketplace.billing.reconciliation.tables import statement_line
from marketplace.kernel.db import Tx

BOOKED_AS = {
    MatchKind.WALLET: (AccountType.WALLET, EntryKind.WALLET_TOP_UP),
    MatchKind.VOUCHER_FUND: (AccountType.VOUCHER_FUND, EntryKind.VOUCHER_FUND_RECEIVED),
    MatchKind.REWARD_FUND: (AccountType.REWARD_FUND, EntryKind.REWARD_FUND_RECEIVED),
    MatchKind.CHARGE: (AccountType.BANK_CHARGES, EntryKind.BANK_CHARGE),
    MatchKind.INTEREST: (AccountType.FEE_INCOME, EntryKind.INTEREST_RECEIVED),
}


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The periods of the cash ledger that are closed."""

    periods: tuple[tuple[date, date], ...]
    today: date

    def posting_day(self, booked_on: date) -> date:
        """The line's own day, or today where the books of that day are closed."""
        return self.today if self.closes(booked_on) else booked_on

    def closes(self, day: date) -> bool:
        """Whether the books of a day take no entries any more."""
        return any(first <= day <= last for first, last in self.periods)


async def closed_days(tx: Tx) -> ClosedDays:
    """Which days of the cash ledger take no entries any more."""
    return ClosedDays(
        tuple(
            (period.first_on, period.last_on)
            for period in await ledger_queries.periods(tx, LedgerName.CASH)
            if period.closed_at is not None
        ),
        tx.today,
    )


async def book(tx: Tx, found: Sequence[Found], *, how: How, reason: str = "") -> None:
    """Post what was found, and note the matches; the lines must be locked and unexplained."""
    if not found:
        return
    days = await closed_days(tx)
    outgoing = [one for one in found if one.kind is MatchKind.PAYOUT]
    returned = [one for one in found if one.kind is MatchKind.RETURN]
    entries = await _entries(tx, found, days)
    posted = await ledger.post_many(tx, [entry for _, entry in entries])
    booked = [(one, post.entry_id) for (one, _), post in zip(entries, posted, strict=True)]
    booked += await _confirm(tx, outgoing, days)
    booked += await _return(tx, returned, days, reason)
    booked += [
        (one, await _receive(tx, one, days)) for one in found if one.kind is MatchKind.CREDIT
    ]
    await note_matches(tx, booked, how=how, reason=reason)


def match_key(one: Found) -> str:
    """The key of a match's entry: another one each time that a line is explained anew."""
    return f"line:{one.line.id}:match:{one.line.matches + 1}"


async def _confirm(tx: Tx, found: Sequence[Found], days: ClosedDays) -> list[tuple[Found, int]]:
    if not found:
        return []
    outcomes = await payouts.confirm_payouts(
        tx,
        [
            payouts.ConfirmPayout(
                payout_id=one.target_id,
                booked_on=one.line.booked_on,
                key=match_key(one),
                posted_on=days.posting_day(one.line.booked_on),
            )
            for one in found
        ],
    )
    return [(one, outcome.entry_id) for one, outcome in zip(found, outcomes, strict=True)]


async def _return(
    tx: Tx, found: Sequence[Found], days: ClosedDays, reason: str
) -> list[tuple[Found, int]]:
    if not found:
        return []
    outcomes = await payouts.return_payouts(
        tx,
        [
            payouts.ReturnPayout(
                payout_id=one.target_id,
                booked_on=one.line.booked_on,
                reason=(reason or one.line.remark or "returned by the bank")[:500],
                key=match_key(one),
                posted_on=days.posting_day(one.line.booked_on),
            )
            for one in found
        ],
    )
    return [(one, outcome.entry_id) for one, outcome in zip(found, outcomes, strict=True)]


async def _receive(tx: Tx, one: Found, days: ClosedDays) -> int:
    received = await credit.receive_credit(
        tx,
        credit.ReceiveCredit(
            line_id=one.target_id,
            amount_fen=one.line.amount_fen,
            received_on=one.line.booked_on,
            posted_on=days.posting_day(one.line.booked_on),
            key=match_key(one),
        ),
    )
    return received.entry_id


async def _entries(
    tx: Tx, found: Sequence[Found], days: ClosedDays
) -> list[tuple[Found, ledger.Entry]]:
    to_book = [one for one in found if one.kind in BOOKED_AS]
    if not to_book:
        return []
    suspense = await ledger.open_account(tx, ledger.OpenAccount(AccountType.BANK_SUSPENSE))
    accounts = await _accounts(tx, to_book)
    made = []
    for one in to_book:
        account = accounts[one.kind, one.target_id if one.kind is MatchKind.WALLET else None]
        money_in = one.line.amount_fen > 0
        entry = ledger.Entry(
            kind=BOOKED_AS[one.kind][1],
            effective_on=days.posting_day(one.line.booked_on),
            lines=ledger.transfer(
                debit=suspense if money_in else account,
                credit=account if money_in else suspense,
                amount_fen=abs(one.line.amount_fen),
            ),
            key=match_key(one),
            source_kind="statement_line",
            source_id=one.line.id,
            remark=one.line.remark,
        )
        made.append((one, entry))
    return made


async def _accounts(tx: Tx, found: Sequence[Found]) -> dict[tuple[MatchKind, int | None], int]:
    """Where the money goes, asked once for all wallets."""
    names = {(one.kind, one.target_id if one.kind is MatchKind.WALLET else None) for one in found}
    opened: dict[tuple[MatchKind, int | None], int] = {}
    if any(kind is MatchKind.WALLET for kind, _ in names):
        for wallet in await ledger_queries.balances(tx, AccountType.WALLET):
            opened[MatchKind.WALLET, wallet.owner_id] = wallet.id
    for kind, owner_id in sorted(names - opened.keys(), key=str):
        of_type = BOOKED_AS[kind][0]
        opened[kind, owner_id] = await ledger.open_account(
            tx, ledger.OpenAccount(of_type, owner_id)
        )
    return opened


_MATCH_COLUMNS = (
    "line_id",
    "amount_fen",
    "kind",
    "target_id",
    "reference",
    "how",
    "rule",
    "reason",
    "entry_id",
    "matched_by",
    "matched_at",
    "score",
)


async def note_matches(
    tx: Tx, booked: Sequence[tuple[Found, int | None]], *, how: How, reason: str
) -> None:
    """Write the matches and mark their lines."""
    connection = await tx.raw()
    await connection.copy_records_to_table(
        "line_match",
        records=[
            (
                one.line.id,
                one.line.amount_fen,
                str(one.kind),
                one.target_id,
                one.reference,
                str(how),
                one.rule,
                reason,
                entry_id,
                tx.actor.person_id,
                tx.now,
                one.score,
            )
            for one, entry_id in booked
        ],
        columns=_MATCH_COLUMNS,
    )
    await tx.execute(
        update(statement_line)
        .where(statement_line.c.id == any_(_ids([one.line.id for one, _ in booked])))
        .values(status=LineStatus.MATCHED, matches=statement_line.c.matches + 1, note="")
    )


def _ids(values: Sequence[int]) -> Any:
    return literal(list(values), ARRAY(BigInteger))
