"""From what is said about an instrument to what is stored of it; shared by forms and files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ARRAY, Text, cast, func

from marketplace.catalogue.errors import InstrumentMissing, InstrumentRefused
from marketplace.catalogue.rules.categories import middle_class
from marketplace.catalogue.rules.content import CONTENT_FIELDS, InstrumentContent, content_sha256
from marketplace.catalogue.rules.line import line_error
from marketplace.catalogue.rules.listing import check_open, listing_due_on
from marketplace.catalogue.rules.words import lexemes
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.parties.queries import Organisation, require_organisation
from marketplace.rulebook import rulebook
from marketplace.rulebook.terms import NoTermInForce

# Prose is found by what stands at its beginning: the words of whole pages would find everything,
# and make an index several times the size of what it points to.
PROSE_SEARCHED = 80


@dataclass(frozen=True, slots=True)
class ListingTerms:
    """The rulebook's numbers for listing, on the day of a transaction."""

    must_open_worth_fen: int
    province_region_code: str

    @classmethod
    def on(cls, day: date) -> ListingTerms:
        """The terms in force on `day`."""
        book = rulebook()
        return cls(
            must_open_worth_fen=book.catalogue.must_open_worth_fen.on(day),
            province_region_code=book.province.region_code,
        )


def due_on(accepted_on: date | None) -> date | None:
    """By when an instrument accepted on that day is listed; None where no rule held then."""
    if accepted_on is None:
        return None
    try:
        days = rulebook().catalogue.listing_working_days.on(accepted_on)
    except NoTermInForce:
        return None
    return listing_due_on(accepted_on, working_days=days)


def words_of(content: InstrumentContent, provider: Organisation) -> list[str]:
    """The words under which an instrument is found, in a stable order."""
    category = middle_class(content.category_code)
    return sorted(
        lexemes(
            (
                content.cname,
                content.ename,
                content.model,
                content.inner_id,
                content.manufacturer,
                # Every class of instruments ends in 仪器: as a word it would find everything.
                category.name.removesuffix("仪器"),
                category.name_en.removesuffix("instruments"),
                provider.name,
                provider.name_en,
                content.city,
                content.county,
                content.subjects[:PROSE_SEARCHED],
                content.service_content[:PROSE_SEARCHED],
                content.functions[:PROSE_SEARCHED],
                content.technical[:PROSE_SEARCHED],
            )
        )
    )


def stored_content(content: InstrumentContent, provider: Organisation) -> dict[str, Any]:
    """The columns that follow from the content."""
    values = {name: getattr(content, name) for name in CONTENT_FIELDS}
    return {
        **values,
        "region_code": provider.region_code,
        "listing_due_on": due_on(content.accepted_on),
        "content_sha256": content_sha256(values),
        "search": func.array_to_tsvector(cast(words_of(content, provider), ARRAY(Text))),
    }


async def require_provider(tx: Tx, provider_id: int) -> Organisation:
    """The caller's own provider, or any for the platform itself.

    Raises:
        InstrumentMissing: for somebody else's provider.
    """
    if provider_id != tx.actor.organisation_id and not tx.actor.has("system"):
        raise InstrumentMissing()
    return await require_organisation(tx, provider_id, "provider")


def require_content(values: dict[str, Any], *, today: date) -> InstrumentContent:
    """The description that `values` make.

    Raises:
        InstrumentRefused: with every reason: a field that does not fit, a day still to come, a
            public instrument that is not open. Policy: N.5a, J.2b, J.9
    """
    reasons = Reasons()
    try:
        content = InstrumentContent.model_validate(values)
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            name = ".".join(str(part) for part in error["loc"])
            told = line_error(0, name, "", error["type"], **error.get("ctx", {}))
            reasons.add(name, f"{told.message} ({told.message_en})")
        raise InstrumentRefused(
            "; ".join(f"{reason.rule}: {reason.message}" for reason in reasons.found),
            reasons=reasons.found,
        ) from refused
    for name in ("began_on", "accepted_on"):
        day: date | None = getattr(content, name)
        if day is not None and day > today:
            reasons.add(name, "this day is still to come", limit=today, asked=day)
    check_open(
        reasons,
        funds=content.funds,
        worth_fen=content.worth_fen,
        exemption=content.exemption,
        share_mode=content.share_mode,
        threshold_fen=ListingTerms.on(today).must_open_worth_fen,
    )
    reasons.raise_as(InstrumentRefused)
    return content
