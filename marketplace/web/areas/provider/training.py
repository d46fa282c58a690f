"""Training and who may operate what: requests, dates, and grants with their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.booking import queries as booking
from marketplace.booking import use_cases as standing
from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError, Missing
from marketplace.kernel.http import read
from marketplace.kernel.time import shanghai_instant
from marketplace.parties import queries as parties
from marketplace.web.acting import StepAsked, take
from marketplace.web.areas.provider.own import choices, own_list
from marketplace.web.areas.provider.roles import STAFF
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

PAGE_SIZE = 30
ENDS_SOON_DAYS = 30
KNOWN_MAX = 500
STEPS = ("schedule", "pass", "fail", "decline")


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which instrument, and whether only what ends soon."""

    instrument_id: int | None = None
    soon: bool = False
    page: int = 1


@dataclass(frozen=True, slots=True)
class Training:
    """Open requests, grants in force, and the names on them."""

    requests: booking.TrainingPage
    grants: booking.QualificationPage
    instruments: list[catalogue.Instrument]
    people: dict[int, str]
    known: list[int]
    """Whom a grant may name without a request: colleagues, and who was met before."""

    @property
    def names(self) -> dict[int, catalogue.Instrument]:
        """Instruments by their numbers."""
        return {each.id: each for each in self.instruments}


async def training(tx: Tx, asked: Asked) -> Training:
    """Training on the actor's instruments."""
    own = await own_list(tx)
    ours = {each.id for each in own}
    requests = await booking.training_requests(
        tx,
        booking.TrainingSearch(asked.instrument_id, open_only=True, page_size=PAGE_SIZE),
    )
    grants = await booking.qualifications(
        tx,
        booking.QualificationSearch(
            asked.instrument_id,
            in_force=True,
            ends_within_days=ENDS_SOON_DAYS if asked.soon else None,
            page=asked.page,
            page_size=PAGE_SIZE,
        ),
    )
    shown = booking.TrainingPage(
        [each for each in requests.requests if each.instrument_id in ours], requests.total
    )
    colleagues = [each.person_id for each in await parties.members(tx, tx.actor.organisation_id)]
    known = list(dict.fromkeys([*colleagues, *await booking.people_met(tx, KNOWN_MAX)]))
    granted = [each for each in grants.qualifications if each.instrument_id in ours]
    return Training(
        shown,
        booking.QualificationPage(granted, grants.total),
        own,
        await parties.names_of_people(
            tx,
            {each.person_id for each in shown.requests}
            | {each.person_id for each in granted}
            | set(known),
        ),
        [each for each in known if each != tx.actor.person_id],
    )


@get("/provider/training", **members(*STAFF))
async def show_training(request: PageRequest) -> Response[Any]:
    """What was asked for, and who may operate what until when."""
    return await _shown(request)


@post("/provider/training/{training_request_id:int}", **members(*STAFF))
async def send_step(request: PageRequest, training_request_id: FromPath[int]) -> Response[Any]:
    """Name a date, or say how it went."""
    await read(request, own_request, training_request_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        step = form.choice("step", STEPS)
        if step == "schedule":
            held_at = form.moment("day", "clock")
            place = form.text("place", length_max=200)
            form.require()
            assert held_at is not None
            return standing.schedule_training, standing.ScheduleTraining(
                training_request_id, held_at, visitor_of(request).actor.person_id, place
            )
        answer = form.text("answer", length_max=500)
        if step == "pass":
            return standing.pass_training, standing.PassTraining(
                training_request_id, answer, _until(form)
            )
        if step == "fail":
            return standing.fail_training, standing.FailTraining(training_request_id, answer)
        return standing.decline_training, standing.DeclineTraining(training_request_id, answer)

    return await _do(request, asked, ("已答复培训申请", "The request is answered."))


@post("/provider/qualifications", **members(*STAFF))
async def send_grant(request: PageRequest) -> Response[Any]:
    """Let somebody operate an own instrument who needs no training here."""

    def asked(form: Typed) -> tuple[Any, Any]:
        command = standing.GrantQualification(
            form.whole("of_instrument", least=1, most=2**53) or 0,
            form.whole("person", least=1, most=2**53) or 0,
            form.text("reason", length_max=500),
            _until(form),
        )
        return standing.grant_qualification, command

    return await _do(request, asked, ("已授予操作资格", "They may operate it now."))


@post("/provider/qualifications/{qualification_id:int}", **members(*STAFF))
async def send_grant_step(request: PageRequest, qualification_id: FromPath[int]) -> Response[Any]:
    """Extend a grant, or take it back."""
    await read(request, own_grant, qualification_id)

    def asked(form: Typed) -> tuple[Any, Any]:
        step = form.choice("step", ("extend", "revoke"))
        reason = form.text("reason", length_max=500)
        if step == "extend":
            return standing.extend_qualification, standing.ExtendQualification(
                qualification_id, reason, _until(form)
            )
        return standing.revoke_qualification, standing.RevokeQualification(qualification_id, reason)

    return await _do(request, asked, ("资格已更新", "The grant is changed."))


async def own_request(tx: Tx, training_request_id: int) -> booking.TrainingRequest:
    """A request for training on an own instrument.

    Raises:
        Missing: otherwise.
    """
    found = await booking.visible_training(tx, training_request_id)
    if found.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such request.")
    return found


async def own_grant(tx: Tx, qualification_id: int) -> booking.Qualification:
    """A grant for an own instrument.

    Raises:
        Missing: otherwise.
    """
    found = await booking.visible_qualification(tx, qualification_id)
    if found.provider_id != tx.actor.organisation_id:
        raise Missing("There is no such qualification.")
    return found


def _until(form: Typed) -> datetime | None:
    day = form.day("until", needed=False)
    return None if day is None else shanghai_instant(day, 24 * 60)


async def _do(request: PageRequest, asked: StepAsked, said: tuple[str, str]) -> Response[Any]:
    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, told(error, form.speech), error.status, form)

    return await take(request, asked, to="/provider/training", said=said, again=again)


async def _shown(
    request: PageRequest,
    refusal: Told | None = None,
    status: int = 200,
    sent: Typed | None = None,
) -> Response[Any]:
    speech = visitor_of(request).speech
    form = Typed(request.query_params, speech)
    asked = Asked(
        form.whole("instrument", least=1, most=2**53, needed=False),
        form.ticked("soon"),
        form.whole("page", least=1, most=10_000, needed=False) or 1,
    )
    form.require()
    found = await read(request, training, asked)
    return page(
        request,
        "provider/training.html",
        status=status,
        form=form,
        asked=asked,
        found=found,
        page_size=PAGE_SIZE,
        instruments=choices(found.instruments, speech),
        sent=sent or empty(speech),
        refusal=refusal,
        key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_training, send_step, send_grant, send_grant_step]
