"""A version of a programme's terms: what it changes, and the second person's decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import SEES_EVERYTHING, Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.use_cases import DecideVersion, approve_version, discard_version
from marketplace.web.acting import act
from marketplace.web.areas.centre.programme_editor import Change
from marketplace.web.areas.centre.terms import term_name, told_value
from marketplace.web.forms import new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

READERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER, Role.ADMINISTRATOR, *SEES_EVERYTHING)
DECIDERS = (Role.VOUCHER_OFFICER, Role.FINANCE_CHECKER)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A version, what it says otherwise than the one it follows, and who had a hand in it."""

    programme: vouchers.Programme
    version: vouchers.ProgrammeVersion
    follows: int
    compared: list[vouchers.TermCompared]
    names: dict[int, str]


async def sheet(tx: Tx, asked: tuple[int, int]) -> Sheet:
    """A version beside the one that was in force before it.

    Raises:
        ProgrammeMissing, ProgrammeVersionMissing: when there is none.
    """
    programme_id, number = asked
    found = await vouchers.version_of(tx, programme_id, number)
    earlier = await vouchers.versions(
        tx, vouchers.VersionsAsked(programme_id, vouchers.PageAsked(1, 500))
    )
    follows = max(
        (
            (each.starts_on, each.version)
            for each in earlier.rows
            if each.status == "approved" and each.starts_on < found.starts_on
        ),
        default=(None, 1),
    )[1]
    people = [each for each in (found.made_by, found.approved_by) if each is not None]
    return Sheet(
        await vouchers.programme(tx, programme_id),
        found,
        follows,
        await vouchers.compare_versions(tx, vouchers.VersionPair(programme_id, follows, number)),
        await parties.names_of_people(tx, people),
    )


@get("/ops/programmes/{programme_id:int}/versions/{version:int}", **members(*READERS))
async def show_version(
    request: PageRequest, programme_id: FromPath[int], version: FromPath[int]
) -> Response[Any]:
    """What a version changes, from when on, and who decides."""
    return await _shown(request, (programme_id, version))


@post("/ops/programmes/{programme_id:int}/versions/{version:int}/approve", **members(*DECIDERS))
async def send_approve(
    request: PageRequest, programme_id: FromPath[int], version: FromPath[int]
) -> Response[Any]:
    """Put it in force on its day; another person than the one who proposed it."""
    said = ("已批准，到日自动生效", "Approved: it comes into force on its day.")
    return await _decide(request, (programme_id, version), approve_version, said)


@post(
    "/ops/programmes/{programme_id:int}/versions/{version:int}/discard",
    **members(Role.VOUCHER_OFFICER),
)
async def send_discard(
    request: PageRequest, programme_id: FromPath[int], version: FromPath[int]
) -> Response[Any]:
    """Give it up."""
    said = ("草案已放弃", "The proposal is given up.")
    return await _decide(request, (programme_id, version), discard_version, said)


async def _decide(
    request: PageRequest, asked: tuple[int, int], use_case: Any, said: tuple[str, str]
) -> Response[Any]:
    speech = visitor_of(request).speech
    await read(request, sheet, asked)
    form = await typed(request, speech)
    address = f"/ops/programmes/{asked[0]}/versions/{asked[1]}"
    try:
        command = DecideVersion(*asked)
        return await act(request, form, use_case, command, to=address, said=said)
    except DomainError as error:
        return await _shown(request, asked, told(error, speech), error.status)


async def _shown(
    request: PageRequest, asked: tuple[int, int], refusal: Told | None = None, status: int = 200
) -> Response[Any]:
    visitor = visitor_of(request)
    speech = visitor.speech
    found = await read(request, sheet, asked)
    changes = [
        Change(
            term_name(speech, each.term),
            told_value(speech, each.term, each.first["value"] if each.first else None),
            told_value(speech, each.term, each.second["value"] if each.second else None),
            each.second.get("source", "") if each.second else "",
        )
        for each in found.compared
    ]
    own = visitor.actor.person_id == found.version.made_by
    return page(
        request,
        "centre/version.html",
        status=status,
        found=found,
        changes=changes,
        refusal=refusal,
        may_approve=visitor.has(*DECIDERS) and not own,
        own=own,
        may_discard=visitor.has(Role.VOUCHER_OFFICER),
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_version, send_approve, send_discard]
