"""The next version of a programme's terms: edited, checked, tried on past orders, proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties.roles import Role
from marketplace.vouchers import queries as vouchers
from marketplace.vouchers.queries.dry_runs import StoredDryRun, stored_dry_run
from marketplace.vouchers.use_cases import (
    FILE_BYTES_MAX,
    AskDryRun,
    DraftVersion,
    TermGiven,
    ask_dry_run,
    changes_in,
    draft_version,
)
from marketplace.web.acting import act, rehearse
from marketplace.web.areas.centre.term_fields import GROUPS, STRUCTURED, TABLES, TERM_NAMES
from marketplace.web.areas.centre.terms import (
    changes_typed,
    in_order,
    row_count,
    term_name,
    told_value,
    typed_values,
    values_of,
)
from marketplace.web.forms import FormWrong, Typed, empty, new_key, typed
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Speech, Told, told
from marketplace.web.words.told import reason_told

REASON_LENGTH_MAX = 2_000
SOURCE_LENGTH_MAX = 300
ASKED = ("check", "dry-run", "propose")


@dataclass(frozen=True, slots=True)
class Draft:
    """The programme whose terms are edited, the newest of them, and a run to go on from."""

    programme: vouchers.Programme
    newest: vouchers.NewestTerms
    run: StoredDryRun | None


async def draft(tx: Tx, asked: tuple[int, int | None]) -> Draft:
    """What the editor starts from.

    Raises:
        ProgrammeMissing, DryRunMissing: when there is none.
    """
    programme_id, run_id = asked
    of = await vouchers.programme(tx, programme_id)
    run = None if run_id is None else await stored_dry_run(tx, run_id)
    return Draft(of, await vouchers.newest_terms(tx, of), run)


@dataclass(frozen=True, slots=True)
class Change:
    """A term that changes, in words."""

    name: str
    before: str
    after: str
    source: str


def changes_told(
    request: PageRequest, terms: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[Change]:
    """What becomes of each term; `changes` holds what was given, by name."""
    speech = visitor_of(request).speech
    before = values_of(terms)
    return [
        Change(
            term_name(speech, name),
            told_value(speech, name, before.get(name)),
            told_value(speech, name, changes[name]["value"]),
            changes[name]["source"],
        )
        for name in in_order(changes)
    ]


@get("/ops/programmes/{programme_id:int}/edit", **members(Role.VOUCHER_OFFICER))
async def show_editor(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """The newest terms as a form, with what a dry run changed of them if one is named."""
    speech = visitor_of(request).speech
    asked = Typed(request.query_params, speech)
    run_id = asked.whole("run", least=1, most=2**62, needed=False)
    asked.require()
    found = await read(request, draft, (programme_id, run_id))
    values = values_of(found.newest.terms)
    source = ""
    if found.run is not None:
        values |= {name: given["value"] for name, given in found.run.changes.items()}
        source = next((given["source"] for given in found.run.changes.values()), "")
    form = empty(speech, source=source, **typed_values(values))
    return _editor(request, found, form)


@post("/ops/programmes/{programme_id:int}/edit", **members(Role.VOUCHER_OFFICER))
async def send_editor(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """Check what was typed, try it on past orders, or propose it."""
    speech = visitor_of(request).speech
    found = await read(request, draft, (programme_id, None))
    form = await typed(request, speech)
    wanted = form.choice("do", ASKED)
    source = form.text("source", length_max=SOURCE_LENGTH_MAX)
    changes = changes_typed(form, found.newest.terms, source)
    try:
        if wanted == "propose":
            command = version_asked(form, programme_id, changes)
            return await propose(request, form, command)
        run = _run_asked(form, programme_id, changes)
        if wanted == "dry-run":
            return await _try(request, form, run)
        await rehearse(request, ask_dry_run, run)
    except DomainError as error:
        _beside_fields(form, error)
        return _editor(request, found, form, _named(error, speech), status=error.status)
    given = {name: {"value": each.value, "source": each.source} for name, each in changes.items()}
    return _editor(request, found, form, checked=changes_told(request, found.newest.terms, given))


@post(
    "/ops/programmes/{programme_id:int}/edit/file",
    request_max_body_size=FILE_BYTES_MAX + 100_000,
    **members(Role.VOUCHER_OFFICER),
)
async def send_file(request: PageRequest, programme_id: FromPath[int]) -> Response[Any]:
    """Try the terms of a TOML file on past orders; each keeps the clause that the file names."""
    speech = visitor_of(request).speech
    found = await read(request, draft, (programme_id, None))
    form = await typed(request, speech)
    file = await form.file("file", bytes_max=FILE_BYTES_MAX)
    try:
        form.require()
        changes = changes_in(file[1] if file else b"", found.newest.terms)
        return await _try(request, form, _run_asked(form, programme_id, changes))
    except DomainError as error:
        shown = empty(speech, **typed_values(values_of(found.newest.terms)))
        shown.problems |= form.problems
        return _editor(request, found, shown, told(error, speech), status=error.status)


def version_asked(form: Typed, programme_id: int, changes: Mapping[str, TermGiven]) -> DraftVersion:
    """The version that is proposed.

    Raises:
        FormWrong: with every field that cannot be read.
    """
    starts_on = form.day("starts_on")
    reason = form.text("reason", length_max=REASON_LENGTH_MAX)
    form.require()
    return DraftVersion(programme_id, starts_on or date.max, reason, changes)


async def propose(request: PageRequest, form: Typed, command: DraftVersion) -> Response[Any]:
    """Write the version down; another person puts it in force."""
    said = ("已提出，待另一人批准后生效", "Proposed: another person puts it in force.")
    return await act(
        request,
        form,
        draft_version,
        command,
        to=lambda made: f"/ops/programmes/{made.programme_id}/versions/{made.version}",
        said=said,
    )


def _run_asked(form: Typed, programme_id: int, changes: Mapping[str, TermGiven]) -> AskDryRun:
    first, last = form.day("from_on", needed=False), form.day("until_on", needed=False)
    if not changes:
        form.wrong("changes", "没有任何改动", "Nothing changes")
    form.require()
    return AskDryRun(programme_id, changes, first, last)


async def _try(request: PageRequest, form: Typed, command: AskDryRun) -> Response[Any]:
    said = ("试算已排队，稍后自动显示结果", "The dry run waits its turn; its result shows here.")
    return await act(
        request, form, ask_dry_run, command, to=lambda run: f"/ops/dry-runs/{run.id}", said=said
    )


def _named(error: DomainError, speech: Speech) -> Told:
    """The refusal; where fields do not read, each is named, for the form is long."""
    found = told(error, speech)
    if not isinstance(error, FormWrong):
        return found
    reasons = (
        f"{term_name(speech, reason.rule.partition('.')[0])}{speech.t('：', ': ')}{reason.message}"
        if reason.rule.partition(".")[0] in TERM_NAMES
        else reason.message
        for reason in error.reasons
    )
    return replace(found, reasons=tuple(reasons))


def _beside_fields(form: Typed, error: DomainError) -> None:
    """Say each reason against a term at its field, too."""
    for reason in error.reasons:
        if reason.rule.startswith("terms."):
            field = reason.rule.removeprefix("terms.").partition(".")[0]
            form.problems.setdefault(field, reason_told(reason, error.code, form.speech))


def _editor(
    request: PageRequest,
    found: Draft,
    form: Typed,
    refusal: Told | None = None,
    *,
    checked: list[Change] | None = None,
    status: int = 200,
) -> Response[Any]:
    return page(
        request,
        "centre/programme_editor.html",
        status=status,
        found=found,
        form=form,
        refusal=refusal,
        checked=checked,
        groups=GROUPS,
        structured=STRUCTURED,
        choices_of=lambda cell: [(each, form.speech.t(*names)) for each, *names in cell.choices],
        row_counts={name: row_count(form, table) for name, table in TABLES.items()},
        key=new_key(),
        file_key=new_key(),
    )


routes: list[ControllerRouterHandler] = [show_editor, send_editor, send_file]
