"""Matching the lines of a statement by rules, stage by stage, each stage set by set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, column, func, update

from marketplace.billing.credit import queries as credit_queries
from marketplace.billing.ledger import queries as ledger_queries
from marketplace.billing.ledger.use_cases import AccountType
from marketplace.billing.payouts import queries as payout_queries
from marketplace.billing.reconciliation import queries
from marketplace.billing.reconciliation.rules.cells import clean
from marketplace.billing.reconciliation.rules.matching import (
    OpenLine,
    Payment,
    Result,
    SentPayment,
    of_the_bank,
    payments_by_account,
    payments_by_reference,
    receipts,
    said,
)
from marketplace.billing.reconciliation.rules.states import How, MatchKind
from marketplace.billing.reconciliation.tables import statement_line
from marketplace.billing.reconciliation.use_cases.booking import book
from marketplace.billing.reconciliation.use_cases.turns import explain_lines
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties

# So many payers whose name is not that of the wallet's owner are looked up in one run.
PAYERS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MatchStatement:
    """Explain the lines of this statement as far as that is certain."""

    statement_id: int


@dataclass(frozen=True, slots=True)
class MatchReport:
    """How many lines were explained as what, and how many are left to a person."""

    statement_id: int
    matched: dict[str, int]
    left: int


async def match_statement(tx: Tx, command: MatchStatement) -> MatchReport:
    """Match payments by reference or account, then receipts, then the bank's own lines.

    Can be run again: it looks at what is unexplained then.

    Raises:
        StatementMissing: when there is no such statement.
        PayoutNotReady: when a payment was rejected in the same moment; run it again.
    """
    await queries.statement_by_id(tx, command.statement_id)
    await explain_lines(tx)
    lines = await queries.open_lines(tx, command.statement_id)
    matched: Counter[str] = Counter()
    notes: dict[int, str] = {}
    for stage in (_by_reference, _by_account, _came_back, _receipts, _of_the_bank):
        result = await stage(tx, lines)
        await book(tx, result.found, how=How.AUTO)
        matched.update(str(one.kind) for one in result.found)
        notes.update(result.notes)
        done = {one.line.id for one in result.found} | result.notes.keys()
        lines = [line for line in lines if line.id not in done]
    await _note(tx, notes)
    tx.audit(
        "match",
        subject="bank_statement",
        subject_id=command.statement_id,
        matched=dict(matched),
        left=len(lines) + len(notes),
    )
    return MatchReport(command.statement_id, dict(matched), len(lines) + len(notes))


async def _by_reference(tx: Tx, lines: Sequence[OpenLine]) -> Result:
    out = [line for line in lines if line.amount_fen < 0]
    return payments_by_reference(out, await _payments(tx, out), MatchKind.PAYOUT)


async def _came_back(tx: Tx, lines: Sequence[OpenLine]) -> Result:
    into = [line for line in lines if line.amount_fen > 0]
    return payments_by_reference(into, await _payments(tx, into), MatchKind.RETURN)


async def _payments(tx: Tx, lines: Sequence[OpenLine]) -> Mapping[str, Payment]:
    named = {reference for line in lines for reference in said(line).payouts}
    found = await payout_queries.payouts_by_reference(tx, sorted(named)) if named else {}
    return {
        reference: Payment(one.id, reference, one.amount_fen, one.status, one.confirmed_on)
        for reference, one in found.items()
    }


async def _by_account(tx: Tx, lines: Sequence[OpenLine]) -> Result:
    out = [line for line in lines if line.amount_fen < 0 and line.counterparty_account]
    accounts = sorted({line.counterparty_account for line in out})
    sent = await payout_queries.payments_sent(tx, accounts) if accounts else []
    return payments_by_account(
        out,
        await queries.alike_lines(tx) if sent else [],
        [
            SentPayment(
                one.payout_id, one.end_to_end_id, one.amount_fen, one.account_number, one.sent_on
            )
            for one in sent
        ],
    )


async def _receipts(tx: Tx, lines: Sequence[OpenLine]) -> Result:
    into = [line for line in lines if line.amount_fen > 0]
    named = {one for line in into for one in said(line).credit_lines}
    owed = await credit_queries.owed_on(tx, sorted(named)) if named else {}
    return receipts(into, await _unfit_wallets(tx, into), owed)


async def _of_the_bank(tx: Tx, lines: Sequence[OpenLine]) -> Result:
    return of_the_bank(lines)


async def _unfit_wallets(
    tx: Tx, lines: Sequence[OpenLine]
) -> Callable[[OpenLine, int], str | None]:
    """Why a wallet cannot be meant: there is none, it is closed, or the payer is somebody else.

    The last catches a number that a bank has cut short: `SC-W-123` in a field too narrow.
    """
    named = {organisation_id for line in lines for organisation_id in said(line).wallets}
    organisations = await parties.organisations(tx, named)
    smes = {one.id: one for one in organisations.values() if one.kind == "sme"}
    entities = await parties.legal_entities(tx, [one.legal_entity_id for one in smes.values()])
    own_names = {
        one.id: {clean(one.name), clean(entities[one.legal_entity_id].name)}
        for one in smes.values()
    }
    closed = {
        wallet.owner_id
        for wallet in await ledger_queries.balances(tx, AccountType.WALLET)
        if wallet.closed_at is not None
    }
    # Most SMEs pay in their own name; only who does not is looked up.
    others = {
        line.counterparty_name
        for line in lines
        for organisation_id in said(line).wallets
        if line.counterparty_name not in own_names.get(organisation_id, ())
    }
    registered = {name: await _registered(tx, name) for name in sorted(others)[:PAYERS_AT_ONCE]}

    def unfit(line: OpenLine, organisation_id: int) -> str | None:
        sme = smes.get(organisation_id)
        if sme is None:
            return f"SC-W-{organisation_id} is no SME"
        if organisation_id in closed:
            return "the wallet is closed"
        payer = line.counterparty_name
        if payer in own_names[organisation_id]:
            return None
        if payer not in registered:
            return "too many payers in other names at once; match again"
        owners = registered[payer]
        if owners and sme.legal_entity_id not in owners:
            return f"SC-W-{organisation_id} is {sme.name}, and another organisation is the payer"
        return None

    return unfit


async def _registered(tx: Tx, name: str) -> frozenset[int]:
    """The legal entities of exactly this name, or behind an organisation of this name."""
    if not name:
        return frozenset()
    asked = parties.Search(text=name, page_size=20)
    entities = await parties.search_legal_entities(tx, asked)
    organisations = await parties.search_organisations(tx, asked)
    return frozenset(
        {one.id for one in entities.rows if clean(one.name) == name}
        | {one.legal_entity_id for one in organisations.rows if clean(one.name) == name}
    )


_noted = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("notes", type_=ARRAY(Text)))
    .table_valued(column("id", BigInteger), column("note", Text))
    .render_derived(name="noted")
)


async def _note(tx: Tx, notes: Mapping[int, str]) -> None:
    """Tell whoever looks at what is left why a rule did not dare."""
    if notes:
        await tx.execute(
            update(statement_line)
            .where(statement_line.c.id == _noted.c.id)
            .values(note=_noted.c.note),
            {"ids": list(notes), "notes": [note[:500] for note in notes.values()]},
        )
