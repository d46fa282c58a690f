"""Terms of a programme between the snapshot that rules read and a form that people fill in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from marketplace.vouchers.use_cases import UNLIMITED_FEN, TermGiven
from marketplace.web.areas.centre.term_fields import (
    CELLS,
    STRUCTURED,
    TABLES,
    TERM_NAMES,
    Cell,
    Rows,
)
from marketplace.web.areas.centre.term_words import WORDS
from marketplace.web.areas.centre.terms_within import told_within
from marketplace.web.forms import Typed
from marketplace.web.words import Speech

ROWS_MAX = 60
EMPTY_ROWS = 2
JSON_LENGTH_MAX = 20_000
NEVER_EMPTY = frozenset({"ratio_steps", "excluded_services", "required_evidence"})
"""Terms that every programme has: without entries they are refused, not taken away."""


def term_name(speech: Speech, term: str) -> str:
    """What a term is called; a name that is not known is told as it is."""
    return speech.t(*TERM_NAMES.get(term, (term, term)))


def values_of(terms: Mapping[str, Any]) -> dict[str, Any]:
    """The bare values of a snapshot."""
    return {name: given["value"] for name, given in terms.items() if "value" in given}


def in_order(names: Iterable[str]) -> list[str]:
    """Names of terms as the form has them."""
    places = {name: place for place, name in enumerate(TERM_NAMES)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def typed_values(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as they stand in the fields of the form."""
    found: dict[str, str] = {}
    for name, cell in CELLS.items():
        found[name] = _typed(cell, values.get(name))
    if str(values.get("validity", "")).startswith("day-"):
        found |= {"validity": "day", "validity_day": values["validity"].removeprefix("day-")}
    for name, table in TABLES.items():
        for index, row in enumerate(_rows(table, values.get(name))):
            for cell in table.cells:
                found[f"{name}.{index}.{cell.name}"] = _typed(cell, row.get(cell.name))
    for name, _, _ in STRUCTURED:
        if name in values:
            found[name] = json.dumps(values[name], ensure_ascii=False, indent=1)
    return found


def row_count(form: Typed, table: Rows) -> int:
    """How many rows the form shows: those that are filled in, and some to add."""
    last = max((index for index in _places(form, table) if _filled(form, table, index)), default=-1)
    return 1 if table.single else min(last + 1 + EMPTY_ROWS, ROWS_MAX)


def changes_typed(form: Typed, terms: Mapping[str, Any], source: str) -> dict[str, TermGiven]:
    """What the form says otherwise than `terms`; an optional term left empty is taken away."""
    before = values_of(terms)
    after: dict[str, Any] = {
        **{name: _read(form, name, cell) for name, cell in CELLS.items()},
        **{
            name: _read_rows(form, table, before.get(name), source)
            for name, table in TABLES.items()
        },
        **{name: _read_json(form, name) for name, _, _ in STRUCTURED},
    }
    return {
        name: TermGiven(_given(value) if name not in NEVER_EMPTY else value, source)
        for name, value in after.items()
        if _given(value) != _given(before.get(name)) and name not in form.problems
    }


def told_value(speech: Speech, term: str, value: Any) -> str:
    """A term's value in words."""
    if value is None:
        return speech.t("未规定", "not said")
    if term in CELLS:
        return _told(speech, CELLS[term], value)
    if term in TABLES:
        table = TABLES[term]
        rows = [
            speech.t("，", ", ").join(
                f"{_bare(speech, cell)} {_told(speech, cell, row[cell.name])}"
                for cell in table.cells
                if row.get(cell.name) not in (None, [], "")
            )
            for row in _rows(table, value)
        ]
        return speech.t("；", "; ").join(rows)
    if term == "layers":
        return speech.t("，", ", ").join(
            f"{_choice(speech, TABLES['rates'].cells[1], row['funder'])}"
            f" {speech.percent(row['ratio_basis_points'])}"
            for row in value
        )
    if term == "redeemed_by":
        return (
            speech.t("企业", "the SME") if value == "sme" else speech.t("管理单位", "the provider")
        )
    told = told_within(speech, term, value)
    return json.dumps(value, ensure_ascii=False) if told is None else told


def _bare(speech: Speech, cell: Cell) -> str:
    """What a column is called, without the unit that its value says itself."""
    return speech.t(cell.chinese.partition("（")[0], cell.english.partition(", ")[0])


def _rows(table: Rows, value: Any) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    return [value] if table.single else list(value)


def _typed(cell: Cell, value: Any) -> str:
    if value is None or (cell.kind == "money" and value == UNLIMITED_FEN):
        return ""
    if cell.kind in ("money", "percent"):
        return f"{Decimal(value) / 100:f}"
    if cell.kind in ("words", "boxes"):
        return " ".join(value)
    if cell.kind == "flag":
        return "yes" if value else "no"
    return str(value)


def _told(speech: Speech, cell: Cell, value: Any) -> str:
    match cell.kind:
        case "money":
            return (
                speech.t("不封顶", "no cap") if value == UNLIMITED_FEN else speech.yuan(int(value))
            )
        case "percent":
            return speech.percent(int(value))
        case "count":
            return speech.number(int(value))
        case "words" | "boxes":
            names = WORDS | {each: (zh, en) for each, zh, en in cell.choices}
            told = [speech.t(*names.get(each, (each, each))) for each in value]
            return speech.t("、", ", ").join(told) or speech.t("不限", "any")
        case "day":
            return speech.day(date.fromisoformat(str(value)))
        case "flag":
            return _choice(speech, cell, "yes" if value else "no")
        case "validity" if str(value).startswith("day-"):
            day = speech.day(date.fromisoformat(value.removeprefix("day-")))
            return speech.t("至 {day}", "until {day}", day=day)
        case _:
            return _choice(speech, cell, str(value))


def _choice(speech: Speech, cell: Cell, value: str) -> str:
    names = {each: (chinese, english) for each, chinese, english in cell.choices}
    return speech.t(*names.get(value, (value, value)))


def _read(form: Typed, field: str, cell: Cell) -> Any:
    if cell.kind == "money" and cell.name in ("cap_per_order_fen", "cap_per_sme_year_fen"):
        amount = form.amount(field, needed=False)
        return UNLIMITED_FEN if amount is None and field not in form.problems else amount
    match cell.kind:
        case "money":
            return form.amount(field, needed=cell.needed)
        case "count":
            return form.whole(field, most=1_000_000, needed=cell.needed)
        case "percent":
            return form.percentage(field, needed=cell.needed)
        case "words":
            return _words(form, field, needed=cell.needed)
        case "boxes":
            known = [value for value, _, _ in cell.choices]
            return [each for each in known if each in form.all(field)]
        case "day":
            day = form.day(field, needed=cell.needed)
            return None if day is None else day.isoformat()
        case "flag":
            chosen = form.choice(field, ("yes", "no"), needed=cell.needed)
            return {"yes": True, "no": False}.get(chosen)
        case "validity":
            return _validity(form, field)
        case _:
            known = [value for value, _, _ in cell.choices]
            return form.choice(field, known, needed=cell.needed) or None


def _words(form: Typed, field: str, *, needed: bool) -> list[str]:
    found = [each for each in re.split(r"[\s,，、;；]+", form.text(field, needed=False)) if each]
    if needed and not found:
        form.wrong(field, "请填写", "Please fill this in")
    return found


def _validity(form: Typed, field: str) -> str | None:
    chosen = form.raw(field)
    if chosen == "day":
        day = form.day(f"{field}_day")
        return None if day is None else f"day-{day.isoformat()}"
    return chosen or None


def _places(form: Typed, table: Rows) -> Iterator[int]:
    first = f"{table.name}.{{}}.{table.cells[0].name}"
    return (index for index in range(ROWS_MAX) if first.format(index) in form.fields)


def _filled(form: Typed, table: Rows, index: int) -> bool:
    return any(form.raw(f"{table.name}.{index}.{cell.name}").strip() for cell in table.cells)


def _read_rows(form: Typed, table: Rows, before: Any, source: str) -> Any:
    known = {_plain(table, row): row for row in _rows(table, before)}
    rows: list[Any] = []
    for index in _places(form, table):
        if not _filled(form, table, index):
            continue
        read = {
            cell.name: _read(form, f"{table.name}.{index}.{cell.name}", cell)
            for cell in table.cells
        }
        if any(f"{table.name}.{index}.{cell.name}" in form.problems for cell in table.cells):
            form.problems.setdefault(
                table.name, form.speech.t("请检查这几行", "Please check these rows")
            )
        row = {name: value for name, value in read.items() if value is not None}
        if table.numbered:
            row[table.numbered] = len(rows) + 1
        if table.sourced and source:
            row["source"] = source
        # An entry that says what it said before keeps its own clause.
        rows.append(known.get(_plain(table, row), row))
    if table.single:
        return rows[0] if rows else None
    return rows


def _plain(table: Rows, row: Mapping[str, Any]) -> str:
    names = [*(cell.name for cell in table.cells), *filter(None, [table.numbered])]
    return json.dumps([_given(row.get(name)) for name in names], ensure_ascii=False)


def _given(value: Any) -> Any:
    """A value, or None for one that says nothing."""
    return None if value in ("", [], {}) else value


def _read_json(form: Typed, field: str) -> Any:
    text = form.text(field, length_max=JSON_LENGTH_MAX, needed=False)
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        form.wrong(field, "不是有效的 JSON", "This is no JSON")
        return None
