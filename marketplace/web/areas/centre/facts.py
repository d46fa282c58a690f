"""Facts of beneficiaries: what an SME states of itself, looked up and verified by the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.use_cases import DecideFact, decide_fact
from marketplace.web.acting import act
from marketplace.web.areas.centre.who import READS_VOUCHERS
from marketplace.web.areas.finance.names import Names, names
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, label, told

HERE = "/ops/facts"
PAGE_SIZE = 30
STATES = ("stated", "verified", "rejected", "ended")
HEADS = (
    ("编号", "No."),
    ("企业", "SME"),
    ("事实", "Fact"),
    ("名称", "Name"),
    ("数值", "Number"),
    ("起", "From"),
    ("止", "Until"),
    ("可查于", "Source"),
    ("状态", "State"),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of facts, whose they are, and who stated and verified them."""

    rows: list[vouchers.BeneficiaryFact]
    total: int
    names: Names


async def desk(tx: Tx, search: vouchers.FactSearch) -> Desk:
    """The newest first."""
    found = await vouchers.beneficiary_facts(tx, search)
    people = [each.stated_by for each in found.rows]
    deciders = [each.decided_by for each in found.rows]
    who = await names(tx, (each.organisation_id for each in found.rows), [*people, *deciders])
    return Desk(found.rows, found.total, who)


def _search(form: Typed, page_size: int = PAGE_SIZE) -> vouchers.FactSearch:
    search = vouchers.FactSearch(
        organisation_id=form.whole("sme", least=1, most=2**62, needed=False),
        status=form.choice("status", STATES, needed=False) or None,
        page=vouchers.PageAsked(
            form.whole("page", least=1, most=10_000, needed=False) or 1, page_size
        ),
    )
    form.require()
    return search


@get(HERE, **members(*READS_VOUCHERS))
async def show_facts(request: PageRequest) -> Response[Any]:
    """What was stated, and whether it counts."""
    return await _shown(request)


@get(f"{HERE}/file", **members(*READS_VOUCHERS))
async def get_facts_file(request: PageRequest) -> Response[bytes]:
    """The same facts as CSV or Excel."""
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    found = await read(request, desk, _search(form, ROWS_MAX + 1))
    rows = []
    for each in found.rows:
        sme = found.names.organisations[each.organisation_id]
        kind, status = label("fact_kind", each.kind), label("beneficiary_fact", each.status)
        rows.append(
            [
                each.id,
                speech.either(sme.name, sme.name_en),
                speech.either(kind.chinese, kind.english),
                each.name,
                "" if each.number is None else each.number,
                each.starts_on.isoformat(),
                each.ends_on.isoformat() if each.ends_on else "",
                each.source,
                speech.either(status.chinese, status.english),
            ]
        )
    return await as_file(form, "beneficiary-facts", HEADS, rows)


@post(f"{HERE}/{{fact_id:int}}/decide", **members(Role.VOUCHER_OFFICER))
async def send_decision(request: PageRequest, fact_id: FromPath[int]) -> Response[Any]:
    """Verify what was stated, reject it, or end what was verified."""
    speech = visitor_of(request).speech
    await read(request, vouchers.beneficiary_fact, fact_id)
    form = await typed(request, speech)
    command = DecideFact(fact_id, form.choice("do", ("verify", "reject")) == "verify")
    try:
        form.require()
        said = ("已记录", "It is recorded.")
        return await act(request, form, decide_fact, command, to=f"{HERE}?status=stated", said=said)
    except DomainError as error:
        return await _shown(request, told(error, speech), error.status)


async def _shown(
    request: PageRequest, refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    search = _search(form)
    return page(
        request,
        "centre/facts.html",
        status=status,
        form=form,
        search=search,
        found=await read(request, desk, search),
        refusal=refusal,
        states=STATES,
        may_decide=visitor.has(Role.VOUCHER_OFFICER),
        me=visitor.actor.person_id,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_facts, get_facts_file, send_decision]
