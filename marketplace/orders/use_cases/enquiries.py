"""Asking a provider, writing to each other, and ending it: declined, withdrawn, lapsed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, insert, select, update

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.orders.enquiry_errors import (
    EnquiryMissing,
    EnquiryRefused,
    EnquiryStepNotOpen,
    ThreadFull,
)
from marketplace.orders.events import EnquiryAsked, EnquiryWritten
from marketplace.orders.queries.enquiries import Enquiry
from marketplace.orders.queries.enquiry_thread import EnquiryMessage
from marketplace.orders.rules.enquiries import (
    ENDS,
    MESSAGES_MAX,
    EnquiryStatus,
    EnquiryStep,
    answer_until,
    require_clear,
    require_live,
)
from marketplace.orders.rules.rescheduling import Side
from marketplace.orders.tables import enquiry, enquiry_instrument, enquiry_message
from marketplace.orders.use_cases.enquiry_steps import (
    lock_enquiry,
    lock_in_time,
    note,
    take_step,
)
from marketplace.orders.use_cases.make_quote import require_good_standing
from marketplace.parties import queries as parties
from marketplace.parties.errors import OrganisationMissing
from marketplace.parties.roles import Role
from marketplace.rulebook import rulebook

EVERYBODY = (Side.BUYER, Side.AGENT, Side.PROVIDER)


@dataclass(frozen=True, slots=True)
class AskProvider:
    """What a buyer would like of a provider; `buyer_id` is for a station's agent to fill in.

    Without instruments it is asked in words which would do.
    """

    provider_id: int
    subject: str
    need: str
    instrument_ids: tuple[int, ...] = ()
    wished_from: date | None = None
    wished_until: date | None = None
    samples: int | None = None
    budget_fen: int | None = None
    buyer_id: int | None = None


async def ask_provider(tx: Tx, command: AskProvider) -> Enquiry:
    """Ask a provider about some of its instruments, or for a need told in words (询价).

    Policy: J.15

    Raises:
        OrganisationMissing: when the one asked is no provider.
        EnquiryMissing: when somebody who is no agent asks for another.
        PartySuspended: when either side is.
        EnquiryRefused: with every reason.
    """
    provider = await parties.organisation(tx, command.provider_id)
    if provider.kind != "provider":
        # Who is no provider is not public: it does not exist for those who ask.
        raise OrganisationMissing()
    buyer_id, agent_id = _buyer_of(tx, command)
    buyer = await parties.organisation(tx, buyer_id)
    require_good_standing(buyer, provider)
    instrument_ids = sorted(set(command.instrument_ids))
    require_clear(
        today=tx.today,
        wished_from=command.wished_from,
        wished_until=command.wished_until,
        instruments=len(instrument_ids),
        own=provider.id in (buyer_id, agent_id),
    )
    await _require_on_offer(tx, provider.id, instrument_ids)
    until = answer_until(
        tx.now, working_days=rulebook().orders.enquiry_answer_working_days.on(tx.today)
    )
    enquiry_id: int = await tx.scalar(
        insert(enquiry)
        .values(
            buyer_id=buyer_id,
            provider_id=provider.id,
            agent_id=agent_id,
            status=EnquiryStatus.OPEN,
            subject=command.subject,
            need=command.need,
            wished_from=command.wished_from,
            wished_until=command.wished_until,
            samples=command.samples,
            budget_fen=command.budget_fen,
            asked_by=tx.actor.person_id,
            asked_at=tx.now,
            answer_until=until,
            due_at=until,
            changed_at=tx.now,
        )
        .returning(enquiry.c.id)
    )
    if instrument_ids:
        await tx.execute(
            insert(enquiry_instrument),
            [{"enquiry_id": enquiry_id, "instrument_id": each} for each in instrument_ids],
        )
    await note(tx, enquiry_id, "ask", answer_until=until.isoformat(), agent_id=agent_id)
    tx.record(EnquiryAsked(enquiry_id, buyer_id, provider.id, until))
    return await lock_enquiry(tx, enquiry_id)


def _buyer_of(tx: Tx, command: AskProvider) -> tuple[int, int | None]:
    """Who asks, and the station that asks for it, if one does."""
    own = tx.actor.organisation_id
    if command.buyer_id is None or command.buyer_id == own:
        return own, None
    if tx.actor.has(Role.STATION_AGENT):
        return command.buyer_id, own
    raise EnquiryMissing("A buyer asks for itself, or a station's agent for it.")


async def _require_on_offer(tx: Tx, provider_id: int, instrument_ids: list[int]) -> None:
    """Every instrument is listed and the provider's own."""
    found = await catalogue.instruments(tx, instrument_ids)
    reasons = Reasons()
    for each in instrument_ids:
        known = found.get(each)
        if known is None or known.provider_id != provider_id:
            reasons.add("own-instruments", "The provider has no such instrument.", asked=each)
        elif not known.is_listed:
            reasons.add("listed-instruments", f"It is {known.status}.", asked=each)
    reasons.raise_as(EnquiryRefused)


@dataclass(frozen=True, slots=True)
class WriteMessage:
    """A side has something to say."""

    enquiry_id: int
    text: str


async def write_message(tx: Tx, command: WriteMessage) -> EnquiryMessage:
    """Write in the thread, for the other side to read; the provider's first answers the enquiry.

    Raises:
        EnquiryMissing: for those whom it does not concern.
        EnquiryStepNotOpen: when the enquiry has ended or its time is over.
        ThreadFull: when nothing more goes in.
    """
    found, side = await lock_in_time(tx, command.enquiry_id, *EVERYBODY)
    require_live(EnquiryStatus(found.status))
    table = enquiry_message
    written = await tx.scalar(
        select(func.count()).select_from(table).where(table.c.enquiry_id == found.id)
    )
    if written >= MESSAGES_MAX:
        raise ThreadFull(f"It has {MESSAGES_MAX} messages; ask anew.", limit=MESSAGES_MAX)
    message = await tx.one(
        EnquiryMessage,
        insert(table)
        .values(
            enquiry_id=found.id,
            side=side,
            text=command.text,
            written_by=tx.actor.person_id,
            written_at=tx.now,
        )
        .returning(*(table.c[name] for name in EnquiryMessage.__dataclass_fields__)),
    )
    await note(tx, found.id, "write", message_id=message.id, side=str(side))
    tx.record(EnquiryWritten(found.id, found.buyer_id, found.provider_id, side))
    if side is Side.PROVIDER and found.status == EnquiryStatus.OPEN:
        await take_step(tx, found, EnquiryStep.ANSWER, answered=True)
    elif found.status == EnquiryStatus.ANSWERED:
        await _keep_going(tx, found)
    return message


async def _keep_going(tx: Tx, found: Enquiry) -> None:
    """Who writes wants to go on: the days after which it lapses begin anew."""
    idle = timedelta(days=rulebook().orders.enquiry_idle_days.on(tx.today))
    await tx.execute(
        update(enquiry)
        .where(enquiry.c.id == found.id)
        .values(changed_at=tx.now, due_at=tx.now + idle)
    )


@dataclass(frozen=True, slots=True)
class EndEnquiry:
    """A side ends it, and says why."""

    enquiry_id: int
    reason: str


async def decline_enquiry(tx: Tx, command: EndEnquiry) -> Enquiry:
    """The provider cannot do it; that is an answer too.

    Raises:
        EnquiryMissing: for everybody but the provider.
        EnquiryStepNotOpen: when an offer stands, or the enquiry has ended.
    """
    found, _ = await lock_in_time(tx, command.enquiry_id, Side.PROVIDER)
    if found.status == EnquiryStatus.OFFERED:
        raise EnquiryStepNotOpen(
            "An offer stands; take it back first.",
            enquiry_status=found.status,
            asked=str(EnquiryStep.DECLINE),
            open_steps=[str(EnquiryStep.RETRACT), str(EnquiryStep.OFFER)],
        )
    return await take_step(
        tx, found, EnquiryStep.DECLINE, because=command.reason, answered=True, side="provider"
    )


async def withdraw_enquiry(tx: Tx, command: EndEnquiry) -> Enquiry:
    """The buyer, or the agent who asked for it, does not ask any more.

    Raises:
        EnquiryMissing: for everybody else.
        EnquiryStepNotOpen: when it has ended.
    """
    found, side = await lock_in_time(tx, command.enquiry_id, Side.BUYER, Side.AGENT)
    return await take_step(tx, found, EnquiryStep.WITHDRAW, because=command.reason, side=str(side))


@dataclass(frozen=True, slots=True)
class LapseEnquiry:
    """Nobody went on with it in time."""

    enquiry_id: int


async def lapse_enquiry(tx: Tx, command: LapseEnquiry) -> Enquiry:
    """End an enquiry whose time is over; one that went on meanwhile stays as it is."""
    found = await lock_enquiry(tx, command.enquiry_id)
    if found.status in ENDS or found.due_at is None or found.due_at > tx.now:
        return found
    because = {
        EnquiryStatus.OPEN: "The provider did not answer in time.",
        EnquiryStatus.ANSWERED: "Nobody went on with it.",
        EnquiryStatus.OFFERED: "The offer's time was over.",
    }[EnquiryStatus(found.status)]
    return await take_step(tx, found, EnquiryStep.LAPSE, because=because)
