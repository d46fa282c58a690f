"""The instruments of one's own organisation, for lists to choose from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marketplace.catalogue import queries as catalogue
from marketplace.kernel.db import Tx
from marketplace.parties import queries as parties
from marketplace.web.words import Speech

INSTRUMENTS_MAX = 500


async def own_list(tx: Tx, _: None = None) -> list[catalogue.Instrument]:
    """The actor's instruments, by name."""
    found, _total = await catalogue.own_instruments(
        tx, catalogue.OwnInstruments(tx.actor.organisation_id, page_size=INSTRUMENTS_MAX)
    )
    return sorted(found, key=lambda each: (each.cname, each.id))


def choices(instruments: Sequence[catalogue.Instrument], speech: Speech) -> list[tuple[int, str]]:
    """Instruments as a form offers them."""
    return [(each.id, speech.either(each.cname, each.ename)) for each in instruments]


def called(known: Iterable[parties.Organisation], text: str) -> list[parties.Organisation]:
    """Those whose name has the text in it, by name."""
    wanted = text.casefold()
    found = [each for each in known if wanted in f"{each.name}\n{each.name_en}".casefold()]
    return sorted(found, key=lambda each: (each.name, each.id))
