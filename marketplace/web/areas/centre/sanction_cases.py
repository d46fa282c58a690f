"""What pages tell of sanctions: lists, one with its evidence, what waits and what holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.claim_errors import SanctionMissing
from marketplace.vouchers.queries import anomalies
from marketplace.vouchers.queries.sanctions import Sanction, SanctionSearch, sanction, sanctions
from marketplace.vouchers.use_cases import AnomalyStatus, SanctionStatus
from marketplace.web.areas.finance.names import Names, names

HITS_MAX = 30
SHORT = 5
PROGRAMMES_MAX = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """A page of sanctions, whom they are about, and from which programmes."""

    found: vouchers.Listed[Sanction]
    names: Names
    programmes: dict[int, vouchers.Programme]
    today: date


async def desk(tx: Tx, search: SanctionSearch) -> Desk:
    """A party's own, everybody's for the centre; the newest first."""
    found = await sanctions(tx, search)
    return Desk(
        found,
        await names(tx, [each.organisation_id for each in found.rows]),
        await _programmes(tx),
        tx.today,
    )


async def _programmes(tx: Tx) -> dict[int, vouchers.Programme]:
    asked = vouchers.ProgrammeSearch(page=vouchers.PageAsked(1, PROGRAMMES_MAX))
    return {each.id: each for each in (await vouchers.programmes(tx, asked)).rows}


async def standing_sanctions(tx: Tx) -> list[Sanction]:
    """Sanctions of one's own organisation that are to be answered, or hold today."""
    mine = tx.actor.organisation_id
    search = SanctionSearch(organisation_id=mine, page=vouchers.PageAsked(1, 50))
    found = (await sanctions(tx, search)).rows
    return [
        each for each in found if each.status == SanctionStatus.PROPOSED or each.bars_on(tx.today)
    ]


async def to_decide(tx: Tx) -> dict[str, int]:
    """How many sanctions wait for their second person, and how many appeals for a third."""
    one = vouchers.PageAsked(1, 1)
    return {
        status: (await sanctions(tx, SanctionSearch(status=status, page=one))).total
        for status in (SanctionStatus.PROPOSED, SanctionStatus.APPEALED)
    }


@dataclass(frozen=True, slots=True)
class Case:
    """A sanction with what speaks for it: anomalies about the party that people confirmed."""

    sanction: Sanction
    names: Names
    programme: vouchers.Programme | None
    confirmed: list[anomalies.Anomaly]
    findings: list[anomalies.ConfirmedFinding]
    today: date


async def case(tx: Tx, sanction_id: int) -> Case:
    """One sanction; the party sees what was confirmed about it, and never what is only suspected.

    Raises:
        SanctionMissing: when it is another party's.
    """
    found = await sanction(tx, sanction_id)
    own = found.organisation_id == tx.actor.organisation_id
    people = [found.proposed_by, found.stated_by, found.decided_by]
    people += [found.appealed_by, found.appeal_decided_by]
    programmes = await _programmes(tx) if found.programme_id else {}
    confirmed = anomalies.AnomalySearch(
        organisation_id=found.organisation_id,
        status=AnomalyStatus.CONFIRMED,
        page=vouchers.PageAsked(1, SHORT),
    )
    return Case(
        found,
        await names(tx, [found.organisation_id], people),
        programmes.get(found.programme_id or 0),
        [] if own else (await anomalies.anomalies(tx, confirmed)).rows,
        (await anomalies.findings(tx, vouchers.PageAsked(1, SHORT))).rows if own else [],
        tx.today,
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """Whom to sanction: the one that was chosen, or those whose name fits."""

    party: parties.Organisation | None
    hits: list[parties.Organisation]
    programmes: list[vouchers.Programme]
    suspicions: list[anomalies.Anomaly]
    today: date


@dataclass(frozen=True, slots=True)
class DraftAsked:
    """A party by its number, or words of its name."""

    organisation_id: int | None
    text: str


async def draft(tx: Tx, asked: DraftAsked) -> Draft:
    """What a proposal needs to know.

    Raises:
        OrganisationMissing: for a number that is nobody's.
    """
    party, hits, suspicions = None, [], []
    if asked.organisation_id is not None:
        party = await parties.organisation(tx, asked.organisation_id)
        about = anomalies.AnomalySearch(organisation_id=party.id, page=vouchers.PageAsked(1, SHORT))
        suspicions = (await anomalies.anomalies(tx, about)).rows
    elif asked.text:
        search = parties.Search(text=asked.text, page_size=HITS_MAX)
        found = (await parties.search_organisations(tx, search)).rows
        hits = [each for each in found if each.kind in ("sme", "provider")]
    return Draft(party, hits, list((await _programmes(tx)).values()), suspicions, tx.today)


async def own_case(tx: Tx, sanction_id: int) -> Sanction:
    """A sanction of one's own organisation.

    Raises:
        SanctionMissing: for any other.
    """
    found = await sanction(tx, sanction_id)
    if found.organisation_id != tx.actor.organisation_id:
        raise SanctionMissing()
    return found
