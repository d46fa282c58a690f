"""Vouchers granted: what is left of each, and what the centre takes back, by two persons."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.ledger import queries as ledger
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.kernel.money import yuan
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.rules.states import GrantChangeKind
from marketplace.vouchers.use_cases import (
    DecideGrantChange,
    ProposeGrantChange,
    decide_grant_change,
    propose_grant_change,
)
from marketplace.web.acting import act
from marketplace.web.areas.centre.who import READS_VOUCHERS
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.areas.sme.roles import READERS as READS_ORDERS
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

HERE = "/ops/grants"
PAGE_SIZE = 30
LINES_SHOWN = 50
REASON_MAX = 2_000
STATES = ("active", "exhausted", "expired", "revoked")
PROPOSED = vouchers.GrantChangeSearch(status="proposed")
DECIDERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER)
HEADS = (
    ("券号", "Voucher"),
    ("企业", "SME"),
    ("计划", "Programme"),
    ("状态", "State"),
    ("发放", "Issued"),
    ("冻结", "Held"),
    ("已用", "Used"),
    ("可用", "Left"),
    ("已退回", "Given back"),
    ("有效期至", "Valid until"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of vouchers, and the changes that wait for a second person."""

    rows: list[vouchers.WalletVoucher]
    total: int
    proposed: vouchers.Listed[vouchers.GrantChange]
    names: Names


async def desk(tx: Tx, search: vouchers.GrantSearch) -> Desk:
    """The newest first."""
    found = await vouchers.grants(tx, search)
    proposed = await vouchers.grant_changes(tx, PROPOSED)
    who = await names(
        tx,
        (each.grant.organisation_id for each in found.rows),
        (each.proposed_by for each in proposed.rows),
    )
    return Desk(found.rows, found.total, proposed, who)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A voucher, its layers, what moved, what orders held, and what became of it."""

    voucher: vouchers.WalletVoucher
    parts: list[vouchers.PartBalance]
    lines: vouchers.Listed[ledger.StatementLine]
    holds: vouchers.Listed[vouchers.VoucherHold]
    changes: list[vouchers.GrantChange]
    names: Names

    @property
    def open_change(self) -> vouchers.GrantChange | None:
        """What waits for a second person."""
        return next((each for each in self.changes if each.status == "proposed"), None)


async def sheet(tx: Tx, asked: vouchers.OfGrant) -> Sheet:
    """One voucher from its grant to what is left of it.

    Raises:
        GrantMissing: when there is none.
    """
    found = await vouchers.voucher_of(tx, asked.grant_id)
    balances = await vouchers.balances_of_grants(tx, [asked.grant_id])
    changes = await vouchers.grant_changes(tx, vouchers.GrantChangeSearch(asked.grant_id))
    people = [each.proposed_by for each in changes.rows]
    decided = [each.decided_by for each in changes.rows]
    return Sheet(
        found,
        balances[asked.grant_id],
        await vouchers.movements(tx, asked),
        await vouchers.holds(tx, vouchers.OfGrant(asked.grant_id)),
        changes.rows,
        await names(tx, [found.grant.organisation_id], [found.grant.granted_by, *people, *decided]),
    )


def _search(form: Typed, page_size: int = PAGE_SIZE) -> vouchers.GrantSearch:
    search = vouchers.GrantSearch(
        programme_id=form.whole("programme", least=1, most=2**62, needed=False),
        organisation_id=form.whole("sme", least=1, most=2**62, needed=False),
        status=form.choice("status", STATES, needed=False) or None,
        ends_by=form.day("ends_by", needed=False),
        page=vouchers.PageAsked(_page_of(form), page_size),
    )
    form.require()
    return search


def _page_of(form: Typed) -> int:
    return form.whole("page", least=1, most=10_000, needed=False) or 1


@get(HERE, **members(*READS_VOUCHERS))
async def show_grants(request: PageRequest) -> Response[Any]:
    """Every voucher: issued, held, used, left, given back."""
    form = Typed(request.query_params, visitor_of(request).speech)
    search = _search(form)
    return page(
        request,
        "centre/grants.html",
        form=form,
        search=search,
        found=await read(request, desk, search),
        states=STATES,
    )


@get(f"{HERE}/file", **members(*READS_VOUCHERS))
async def get_grants_file(request: PageRequest) -> Response[bytes]:
    """The same vouchers as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        sme = found.names.organisations[each.grant.organisation_id]
        status = label("grant", each.grant.status)
        rows.append(
            [
                each.grant.id,
                speech.either(sme.name, sme.name_en),
                speech.either(each.programme_name, each.programme_name_en),
                speech.either(status.chinese, status.english),
                yuan(each.issued_fen),
                yuan(each.frozen_fen),
                yuan(each.used_fen),
                yuan(each.left_fen),
                yuan(each.returned_fen),
                each.grant.valid_until.isoformat(),
            ]
        )
    return await as_file(form, "voucher-grants", HEADS, rows)


@get(f"{HERE}/{{grant_id:int}}", **members(*READS_VOUCHERS))
async def show_grant(request: PageRequest, grant_id: FromPath[int]) -> Response[Any]:
    """One voucher with its layers, movements, orders and changes."""
    return await _shown(request, grant_id, empty(visitor_of(request).speech))


async def _step(
    request: PageRequest,
    form: Typed,
    grant_id: int,
    use_case: Callable[[Tx, Any], Awaitable[Any]],
    command: Any,
    said: tuple[str, str],
) -> Response[Any]:
    try:
        form.require()
        return await act(request, form, use_case, command, to=f"{HERE}/{grant_id}", said=said)
    except DomainError as error:
        refusal = told(error, visitor_of(request).speech)
        return await _shown(request, grant_id, form, refusal, error.status)


@post(f"{HERE}/{{grant_id:int}}/propose", **members(Role.VOUCHER_OFFICER))
async def send_proposal(request: PageRequest, grant_id: FromPath[int]) -> Response[Any]:
    """Take unused quota back, or revoke the voucher; nothing moves before another agrees."""
    await read(request, vouchers.grant, grant_id)
    form = await typed(request, visitor_of(request).speech)
    kinds: Mapping[str, GrantChangeKind] = {
        each.value: each for each in (GrantChangeKind.WITHDRAWAL, GrantChangeKind.REVOCATION)
    }
    kind = kinds.get(form.choice("kind", list(kinds)), GrantChangeKind.WITHDRAWAL)
    amount = form.amount("amount", needed=False)
    command = ProposeGrantChange(
        grant_id,
        kind,
        form.text("reason", length_max=REASON_MAX),
        amount if kind is GrantChangeKind.WITHDRAWAL else None,
    )
    said = ("已提出，待另一人同意", "It is proposed; another person has to agree.")
    return await _step(request, form, grant_id, propose_grant_change, command, said)


@post(f"{HERE}/changes/{{change_id:int}}/decide", **members(*DECIDERS))
async def send_decision(request: PageRequest, change_id: FromPath[int]) -> Response[Any]:
    """Agree to a proposed change, or decline it; another person than the one who proposed it."""
    change = await read(request, vouchers.grant_change, change_id)
    form = await typed(request, visitor_of(request).speech)
    agreed = form.choice("do", ("agree", "decline")) == "agree"
    command = DecideGrantChange(
        change_id, agreed, form.text("decision", length_max=REASON_MAX, needed=not agreed)
    )
    said = ("已执行", "It is carried out.") if agreed else ("已否决", "It is declined.")
    return await _step(request, form, change.grant_id, decide_grant_change, command, said)


async def _shown(
    request: PageRequest,
    grant_id: int,
    form: Typed,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    filters = Typed(request.query_params, visitor.speech)
    number = _page_of(filters)
    filters.require()
    asked = vouchers.OfGrant(grant_id, vouchers.PageAsked(number, LINES_SHOWN))
    return page(
        request,
        "centre/grant.html",
        status=status,
        found=await read(request, sheet, asked),
        form=form,
        refusal=refusal,
        may_propose=visitor.has(Role.VOUCHER_OFFICER),
        may_decide=visitor.has(*DECIDERS),
        reads_orders=visitor.has(*READS_ORDERS),
        me=visitor.actor.person_id,
        page_number=number,
        page_size=LINES_SHOWN,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [
    show_grants,
    get_grants_file,
    show_grant,
    send_proposal,
    send_decision,
]
