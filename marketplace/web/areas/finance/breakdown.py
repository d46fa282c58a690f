"""What a payout is made of: the claim's lines, the share of a reward, the services since."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.use_cases import EntryKind
from marketplace.billing.payouts import queries as payouts
from marketplace.billing.rewards import queries as rewards
from marketplace.billing.rewards.errors import RunMissing
from marketplace.kernel.db import Tx
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.errors import ClaimMissing
from marketplace.vouchers.queries.lines import ClaimLine, LineSearch, claim_lines
from marketplace.web.areas.finance.ledger import Journal, with_lines
from marketplace.web.areas.finance.names import Names, names

LINES_MAX = 200
MOVEMENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A payout, what it is for, and the entries that moved its money.

    `movements` are what a settlement pays: all that moved on the payee's account since the
    payout before.
    """

    payout: payouts.Payout
    batch: payouts.Batch | None
    account: payouts.BankAccount | None
    claim: vouchers.Claim | None
    claim_lines: list[ClaimLine]
    claim_lines_total: int
    share: rewards.RewardShare | None
    run: rewards.RewardRun | None
    movements: list[ledger.StatementLine]
    complete: bool
    journal: Journal
    names: Names


async def breakdown(tx: Tx, payout_id: int) -> Breakdown:
    """From the payout down to what it pays for."""
    payout = await payouts.payout_by_id(tx, payout_id)
    entries, total = await ledger.entries(
        tx, ledger.EntrySearch(source_kind="payout", source_id=payout.id, page_size=50)
    )
    journal = await with_lines(tx, entries, total)
    batch = await payouts.batch_by_id(tx, payout.batch_id) if payout.batch_id else None
    account = (
        await payouts.bank_account_by_id(tx, payout.bank_account_id)
        if payout.bank_account_id
        else None
    )
    claim, lines, lines_total = None, list[ClaimLine](), 0
    share = run = None
    movements, complete = list[ledger.StatementLine](), True
    if payout.source_kind == "claim":
        claim = await _claim(tx, payout)
        if claim is not None:
            found = await claim_lines(
                tx, LineSearch(claim.id, page=vouchers.PageAsked(1, LINES_MAX))
            )
            lines, lines_total = found.rows, found.total
    elif payout.source_kind == "reward":
        run, share = await _share(tx, payout)
    elif payout.source_kind == "settlement":
        movements, complete = await _settled(tx, payout, entries)
    people = [payout.instructed_by, payout.withdrawn_by]
    people += [batch.made_by, batch.approved_by] if batch else []
    people += [account.made_by, account.verified_by] if account else []
    return Breakdown(
        payout,
        batch,
        account,
        claim,
        lines,
        lines_total,
        share,
        run,
        movements,
        complete,
        journal,
        await names(tx, [payout.organisation_id], people),
    )


async def _claim(tx: Tx, payout: payouts.Payout) -> vouchers.Claim | None:
    try:
        return await vouchers.claim(tx, payout.source_id)
    except ClaimMissing:
        return None


async def _share(
    tx: Tx, payout: payouts.Payout
) -> tuple[rewards.RewardRun | None, rewards.RewardShare | None]:
    search = rewards.ShareSearch(
        run_id=payout.source_id, provider_id=payout.organisation_id, page_size=1
    )
    try:
        found = await rewards.shares(tx, search)
    except RunMissing:
        return None, None
    return await rewards.run(tx, payout.source_id), next(iter(found.results), None)


async def _settled(
    tx: Tx, payout: payouts.Payout, entries: list[ledger.PostedEntry]
) -> tuple[list[ledger.StatementLine], bool]:
    """What moved between the payout before and this one, and whether that is all of it."""
    own = [each.id for each in entries if each.kind == EntryKind.PAYOUT_INSTRUCTED]
    if not own:
        return [], False
    found, total = await ledger.statement(
        tx, ledger.AccountStatement(account_id=payout.debit_account_id, page_size=MOVEMENTS_MAX)
    )
    since: list[ledger.StatementLine] = []
    for each in found:
        if each.entry_id >= min(own):
            continue
        if each.kind == EntryKind.PAYOUT_INSTRUCTED:
            return since, True
        since.append(each)
    return since, total <= MOVEMENTS_MAX
