"""Legal entities: the list, and one with its organisations, its holders and whoever is behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.parties.rules.shareholding import DatedShareholding, Shareholding
from marketplace.parties.rules.states import LegalEntityKind
from marketplace.parties.use_cases import SetContact, set_contact, verify_legal_entity
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.centre.who import region_choices
from marketplace.web.files import ROWS_MAX, as_file
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, label, told
from marketplace.web.words.choices import named
from marketplace.web.words.regions import REGIONS, region

HERE = "/ops/entities"
READERS = (
    Role.ADMINISTRATOR,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.EVALUATOR,
    *SEES_EVERYTHING,
)
"""Whose work needs to find any legal entity: as the API has it."""
SEES_OWNERSHIP = (
    Role.ADMINISTRATOR,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_CHECKER,
    *SEES_EVERYTHING,
)
ASKS_FOR_TIES = (Role.ADMINISTRATOR, Role.VOUCHER_OFFICER, *SEES_EVERYTHING)
SEES_ORGANISATIONS = (Role.ADMINISTRATOR, *SEES_EVERYTHING)
PAGE_SIZE = 30
OTHERS_SHOWN = 10
ADDRESS_LENGTH_MAX = 300
PHONE_LENGTH_MAX = 40
VERIFIED = ("yes", "no")
HEADS = (
    ("名称", "Name"),
    ("统一社会信用代码", "Credit code"),
    ("类型", "Kind"),
    ("资金来源", "Capital"),
    ("地区", "Region"),
    ("法定代表人", "Legal representative"),
    ("单位", "Organisations"),
    ("登记人", "Registered by"),
    ("登记时间", "Registered at"),
    ("核验时间", "Verified at"),
)


@dataclass(frozen=True, slots=True)
class Register:
    """Legal entities with the names of their organisations and of who registered them."""

    found: parties.Found[parties.LegalEntity]
    organisations: dict[int, list[str]]
    registrars: dict[int, str]


async def register_of(tx: Tx, search: parties.Search) -> Register:
    """The legal entities that are asked for."""
    found = await parties.search_legal_entities(tx, search)
    return Register(
        found,
        await parties.organisations_of_entities(tx, [each.id for each in found.rows]),
        await parties.names_of_people(tx, {each.registered_by for each in found.rows}),
    )


def register_rows(register: Register, speech: Speech) -> list[list[Any]]:
    """The register as a file has it, under `HEADS`."""
    rows: list[list[Any]] = []
    for each in register.found.rows:
        kind, capital = label("legal_entity", each.kind), label("capital", each.capital)
        place = region(each.region_code)
        rows.append(
            [
                speech.either(each.name, each.name_en),
                each.uscc,
                speech.either(kind.chinese, kind.english),
                speech.either(capital.chinese, capital.english),
                speech.either(place.chinese, place.english),
                each.legal_representative,
                "; ".join(register.organisations.get(each.id, [])),
                register.registrars.get(each.registered_by, ""),
                each.registered_at,
                each.verified_at,
            ]
        )
    return rows


def _search(form: Typed, *, number: int, size: int) -> parties.Search:
    verified = form.choice("verified", VERIFIED, needed=False)
    search = parties.Search(
        text=form.text("text", length_max=100, needed=False),
        kind=form.choice("kind", list(LegalEntityKind), needed=False) or None,
        region_code=form.choice("region", list(REGIONS), needed=False) or None,
        page=number,
        page_size=size,
        verified=verified == "yes" if verified else None,
    )
    form.require()
    return search


@get(HERE, **members(*READERS))
async def show_entities(request: PageRequest) -> Response[Any]:
    """Every legal entity, by name."""
    visitor = visitor_of(request)
    form = Typed(request.query_params, visitor.speech)
    number = form.whole("page", least=1, most=10_000, needed=False) or 1
    search = _search(form, number=number, size=PAGE_SIZE)
    return page(
        request,
        "centre/entities.html",
        form=form,
        register=await read(request, register_of, search),
        may_register=visitor.has(Role.ADMINISTRATOR),
        page_number=number,
        page_size=PAGE_SIZE,
        kinds=named(visitor.speech, "legal_entity", list(LegalEntityKind)),
        verified=named(visitor.speech, "verified", VERIFIED),
        regions=region_choices(visitor.speech),
    )


@get(f"{HERE}/file", **members(*READERS))
async def get_entities_file(request: PageRequest) -> Response[bytes]:
    """The legal entities that the filters leave, as CSV or Excel."""
    form = Typed(request.query_params, visitor_of(request).speech)
    found = await read(request, register_of, _search(form, number=1, size=ROWS_MAX + 1))
    return await as_file(form, "legal-entities", HEADS, register_rows(found, form.speech))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A legal entity, and what the reader may know of who holds it."""

    entity: parties.LegalEntity
    organisations: list[parties.Organisation]
    people: dict[int, str]
    holders: list[Shareholding]
    history: list[DatedShareholding]
    ownership: parties.Ownership | None
    group: parties.ControllingGroup | None
    names: dict[int, parties.LegalEntity]
    """The legal entities that the page names: holders, those of the group."""
    others: list[parties.LegalEntity]
    """Those that fit what was asked about a tie; with one, `tie` tells of it."""
    tie: parties.Affiliation | None
    today: date


async def sheet(tx: Tx, asked: tuple[int, str]) -> Sheet:
    """Everything about a legal entity; `asked`: which, and with whom it may be tied.

    Raises:
        LegalEntityMissing: when there is none.
    """
    entity_id, other = asked
    entity = await parties.legal_entity(tx, entity_id)
    ownership, group, history = None, None, []
    if tx.actor.has(*SEES_OWNERSHIP):
        question = parties.OwnershipQuestion(entity_id)
        ownership = await parties.ownership(tx, question)
        group = await parties.visible_controlling_group(tx, question)
        history = await parties.shareholding_history(tx, entity_id)
    others, tie = await _tie(tx, entity_id, other)
    named_here = {each.holder_id for each in history if each.holder_id is not None}
    named_here |= set(group.legal_entity_ids) if group else set()
    registrars = {each for each in (entity.registered_by, entity.verified_by) if each}
    return Sheet(
        entity=entity,
        organisations=await parties.organisations_of(tx, entity_id),
        people=await parties.names_of_people(tx, registrars),
        holders=await parties.shareholdings(tx, entity_id),
        history=history,
        ownership=ownership,
        group=group,
        names=await parties.legal_entities(tx, named_here),
        others=others,
        tie=tie,
        today=tx.today,
    )


async def _tie(
    tx: Tx, entity_id: int, other: str
) -> tuple[list[parties.LegalEntity], parties.Affiliation | None]:
    if not other or not tx.actor.has(*ASKS_FOR_TIES):
        return [], None
    search = parties.Search(text=other, page_size=OTHERS_SHOWN)
    found = (await parties.search_legal_entities(tx, search)).rows
    others = [each for each in found if each.id != entity_id]
    if len(others) != 1:
        return others, None
    return others, await parties.affiliation_today(tx, parties.Pair(entity_id, others[0].id))


@get(f"{HERE}/{{legal_entity_id:int}}", **members(*READERS))
async def show_entity(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """One legal entity."""
    return await _sheet(request, legal_entity_id)


async def _sheet(
    request: PageRequest,
    legal_entity_id: int,
    typed_form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    visitor = visitor_of(request)
    asked = Typed(request.query_params, visitor.speech)
    other = asked.text("other", length_max=100, needed=False)
    found = await read(request, sheet, (legal_entity_id, other))
    contact = {"address": found.entity.address, "phone": found.entity.phone}
    return page(
        request,
        "centre/entity.html",
        status=status,
        sheet=found,
        asked=asked,
        form=typed_form or empty(visitor.speech, **contact),
        refusal=refusal,
        may_keep=visitor.has(Role.ADMINISTRATOR),
        may_ask=visitor.has(*ASKS_FOR_TIES),
        sees_organisations=visitor.has(*SEES_ORGANISATIONS),
        me=visitor.actor.person_id,
        key=new_key(),
    )


async def _step(
    request: PageRequest, legal_entity_id: int, asked: StepAsked, said: tuple[str, str]
) -> Response[Any]:
    await read(request, parties.legal_entity, legal_entity_id)

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        refusal = told(error, form.speech)
        return await _sheet(request, legal_entity_id, form, refusal, error.status)

    return await take(request, asked, to=f"{HERE}/{legal_entity_id}", said=said, again=again)


@post(f"{HERE}/{{legal_entity_id:int}}/verify", **members(Role.ADMINISTRATOR))
async def send_verify(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Compared with the public register by another person than the one who entered it."""
    said = ("已核验", "Verified.")
    return await _step(
        request, legal_entity_id, lambda _: (verify_legal_entity, legal_entity_id), said
    )


@post(f"{HERE}/{{legal_entity_id:int}}/contact", **members(Role.ADMINISTRATOR))
async def send_contact(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Where it sits and how it is reached."""
    said = ("联系方式已更新", "The contact is set.")

    def asked(form: Typed) -> Any:
        return set_contact, SetContact(legal_entity_id, contact_address(form), contact_phone(form))

    return await _step(request, legal_entity_id, asked, said)


def contact_address(form: Typed) -> str:
    """Where a legal entity sits."""
    return form.text("address", length_max=ADDRESS_LENGTH_MAX, needed=False)


def contact_phone(form: Typed) -> str:
    """Its telephone number, of what telephone numbers are written with."""
    phone = form.text("phone", length_max=PHONE_LENGTH_MAX, needed=False)
    if set(phone) - set("0123456789+() -"):
        form.wrong(
            "phone", "只能有数字、+、-、空格和括号", "Digits, +, -, blanks and brackets only"
        )
    return phone


routes: list[ControllerRouterHandler] = [
    show_entities,
    get_entities_file,
    show_entity,
    send_verify,
    send_contact,
]
