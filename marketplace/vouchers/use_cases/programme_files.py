"""Draft a programme from its file, or read from one what changes of its terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.db import Tx
from marketplace.vouchers.queries import Programme
from marketplace.vouchers.rules.programme_file import ProgrammePlan, read_changes, read_programme
from marketplace.vouchers.use_cases.programmes import DraftProgramme, LayerPlan, draft_programme
from marketplace.vouchers.use_cases.versions import TermGiven


@dataclass(frozen=True, slots=True)
class ImportProgramme:
    """A programme's file as it was sent: TOML in UTF-8."""

    content: bytes


async def import_programme(tx: Tx, command: ImportProgramme) -> Programme:
    """Draft the programme that the file describes; a second person approves it as any other.

    Raises:
        ProgrammeRefused: with everything that is wrong with the file.
        ProgrammeExists: when a programme of that year has the name.
        ProgrammeCodeTaken: when a programme of that year was made from a file of this code.
        LayerTwice: when a funder has two layers for one region and year.

    Policy: J.22a, J.22b
    """
    return await draft_programme(tx, draft_of(read_programme(command.content)))


def draft_of(plan: ProgrammePlan) -> DraftProgramme:
    """The draft that a file asks for."""
    file = plan.file
    return DraftProgramme(
        name=file.name,
        name_en=file.name_en,
        year=file.year,
        opens_on=file.opens_on,
        closes_on=file.closes_on,
        layers=tuple(
            LayerPlan(
                layer.funder,
                layer.region_code,
                layer.budget_fen,
                layer.ratio_basis_points,
                layer.name,
                layer.budget_year,
            )
            for layer in file.layers
        ),
        code=file.code,
        source=file.source,
        terms=plan.terms,
    )


def changes_in(content: bytes, terms: Mapping[str, Any]) -> dict[str, TermGiven]:
    """What a file says otherwise than `terms`; layers with their ratios are no terms of it.

    Raises:
        ProgrammeRefused: with everything that is wrong with the file.
    """
    return {
        name: TermGiven(given["value"], given["source"], given["note"])
        for name, term in read_changes(content).items()
        if (given := term.model_dump(mode="json"))["value"] != terms.get(name, {}).get("value")
    }
