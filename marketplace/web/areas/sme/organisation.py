"""One's own organisation: its people and their roles, its bank account, an SME's yearly profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.billing.payouts import queries as payouts
from marketplace.billing.payouts.errors import BankAccountMissing
from marketplace.billing.payouts.use_cases import (
    CloseBankAccount,
    RegisterBankAccount,
    close_bank_account,
    register_bank_account,
)
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import ROLES_BY_ORGANISATION_KIND, Role
from marketplace.parties.use_cases import (
    AddMember,
    FileSmeProfile,
    GrantRole,
    RegisterPerson,
    RevokeRole,
    add_member,
    file_sme_profile,
    grant_role,
    revoke_role,
)
from marketplace.web.acting import StepAsked, take
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

INSIDERS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
KEEPERS = (Role.SME_ADMINISTRATOR, Role.PROVIDER_MANAGER)
"""Who keeps the people and the bank account of a company, or of a provider."""
FILER = (Role.SME_ADMINISTRATOR,)


@dataclass(frozen=True, slots=True)
class Own:
    """What is known of the actor's organisation."""

    organisation: parties.Organisation
    legal_entity: parties.LegalEntity
    profiles: list[parties.SmeProfile]
    members: list[parties.Member]
    accounts: list[payouts.BankAccount]
    year: int

    @property
    def roles(self) -> list[Role]:
        """What its people may be."""
        fitting = ROLES_BY_ORGANISATION_KIND[self.organisation.kind]
        return [each for each in Role if each in fitting]

    @property
    def people(self) -> dict[int, list[parties.Member]]:
        """A line for each role, by person."""
        found: dict[int, list[parties.Member]] = {}
        for each in self.members:
            found.setdefault(each.person_id, []).append(each)
        return found

    @property
    def profile(self) -> parties.SmeProfile | None:
        """That of this year."""
        return next((each for each in self.profiles if each.year == self.year), None)


async def own(tx: Tx, _: None = None) -> Own:
    """The actor's organisation with its people, profiles and bank accounts."""
    mine = tx.actor.organisation_id
    found = await parties.organisation(tx, mine)
    keeper = tx.actor.has(*KEEPERS)
    return Own(
        organisation=found,
        legal_entity=await parties.legal_entity(tx, found.legal_entity_id),
        profiles=await parties.sme_profiles(tx, mine) if found.kind == "sme" else [],
        members=await parties.members(tx, mine) if keeper else [],
        accounts=await payouts.bank_accounts(tx, mine) if keeper else [],
        year=tx.today.year,
    )


@get("/org", **members(*INSIDERS))
async def show_organisation(request: PageRequest) -> Response[Any]:
    """Profile, people, bank account; the administrator changes them."""
    return await _page(request, None, None, 200)


async def _page(
    request: PageRequest, form: Typed | None, refusal: Told | None, status: int
) -> Response[Any]:
    visitor = visitor_of(request)
    found = await read(request, own, None)
    latest = found.profile or (found.profiles[0] if found.profiles else None)
    shown = form or empty(
        visitor.speech,
        year=found.year,
        staff=latest.staff if latest else None,
        sales=f"{latest.sales_fen / 100:.2f}" if latest else None,
        assets=f"{latest.assets_fen / 100:.2f}" if latest else None,
        registration=found.profile.registration_number if found.profile else None,
        holder=found.legal_entity.name,
    )
    return page(
        request,
        "sme/organisation.html",
        status=status,
        own=found,
        may_keep=visitor.has(*KEEPERS),
        me=visitor.actor.person_id,
        form=shown,
        refusal=refusal,
        key=new_key(),
    )


async def _step(request: PageRequest, asked: StepAsked, said: tuple[str, str]) -> Response[Any]:
    async def again(form: Typed, error: DomainError) -> Response[Any]:
        if isinstance(error, Missing):
            raise error
        return await _page(request, form, told(error, form.speech), error.status)

    return await take(request, asked, to="/org", said=said, again=again)


def _mine(request: PageRequest) -> int:
    return visitor_of(request).actor.organisation_id


@post("/org/profile", **members(*FILER))
async def send_profile(request: PageRequest) -> Response[Any]:
    """File or correct the profile of a year: staff, sales, assets, register number.

    Policy: J.22b
    """
    return await _step(
        request,
        lambda form: (
            file_sme_profile,
            FileSmeProfile(
                _mine(request),
                form.whole("year", least=2000, most=2100) or 0,
                form.whole("staff", most=1_000_000) or 0,
                form.amount("sales") or 0,
                form.amount("assets") or 0,
                form.text("registration", length_max=50, needed=False),
            ),
        ),
        ("企业信息已保存", "The profile is filed."),
    )


@post("/org/members", **members(*KEEPERS))
async def send_member(request: PageRequest) -> Response[Any]:
    """Add a person with a first role; they change their password after signing in."""
    return await _step(
        request,
        lambda form: (
            add_member,
            AddMember(
                _mine(request),
                form.choice("role", list(Role)),
                RegisterPerson(
                    form.text("email", length_max=320),
                    form.text("name", length_max=100),
                    form.raw("password"),
                    form.text("phone", length_max=30, needed=False),
                ),
            ),
        ),
        ("成员已添加", "The person is added."),
    )


async def _colleague(tx: Tx, person_id: int) -> None:
    """A person of the actor's own organisation.

    Raises:
        Missing: for anybody else.
    """
    found = await parties.members(tx, tx.actor.organisation_id)
    if all(each.person_id != person_id for each in found):
        raise Missing()


@post("/org/members/{person_id:int}/grant", **members(*KEEPERS))
async def send_grant(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """Give a colleague another role."""
    await read(request, _colleague, person_id)
    return await _step(
        request,
        lambda form: (
            grant_role,
            GrantRole(person_id, _mine(request), form.choice("role", list(Role))),
        ),
        ("角色已授予", "The role is granted."),
    )


@post("/org/members/{person_id:int}/revoke", **members(*KEEPERS))
async def send_revoke(request: PageRequest, person_id: FromPath[int]) -> Response[Any]:
    """Take a role from a colleague; it is gone at once."""
    await read(request, _colleague, person_id)
    return await _step(
        request,
        lambda form: (
            revoke_role,
            RevokeRole(person_id, _mine(request), form.choice("role", list(Role))),
        ),
        ("角色已收回", "The role is taken."),
    )


@post("/org/bank-accounts", **members(*KEEPERS))
async def send_bank_account(request: PageRequest) -> Response[Any]:
    """Say where money is paid to; the centre verifies it before anything goes there."""
    return await _step(
        request,
        lambda form: (
            register_bank_account,
            RegisterBankAccount(
                form.text("bank_name", length_max=100),
                form.text("cnaps", length_max=12),
                form.text("number", length_max=32),
                form.text("holder", length_max=100),
            ),
        ),
        ("账户已登记，待核验", "The account is registered; the centre verifies it."),
    )


async def _own_account(tx: Tx, account_id: int) -> None:
    found = await payouts.bank_accounts(tx, tx.actor.organisation_id)
    if all(each.id != account_id for each in found):
        raise BankAccountMissing()


@post("/org/bank-accounts/{account_id:int}/close", **members(*KEEPERS))
async def send_close(request: PageRequest, account_id: FromPath[int]) -> Response[Any]:
    """Let no more money go there."""
    await read(request, _own_account, account_id)
    return await _step(
        request,
        lambda _: (close_bank_account, CloseBankAccount(account_id)),
        ("账户已关闭", "The account is closed."),
    )


routes: list[ControllerRouterHandler] = [
    show_organisation,
    send_profile,
    send_member,
    send_grant,
    send_revoke,
    send_bank_account,
    send_close,
]
