"""An export as a whole: which records are new, what is left out, and one digest over the rest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.exchange.rules.layout import FIELDS, NAMES, FieldReason, wrong_fields
from marketplace.exchange.rules.masking import masked
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.service_record import ServiceRecord

GONE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class CheckedRecord:
    """A record as it would be sent, its digest, and every reason why it is not."""

    line: int
    record: ServiceRecord
    content: dict[str, str]
    sha256: str
    reasons: tuple[FieldReason, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What an export holds (`new`), what it leaves out, and what is known there already.

    `gone` was accepted once and is no longer a record: the layout knows no way to take it back, so
    somebody has to ask for it.
    """

    new: tuple[CheckedRecord, ...]
    refused: tuple[CheckedRecord, ...]
    unchanged: tuple[CheckedRecord, ...]
    gone: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """SHA-256 over the records that are sent, as JSON lines."""
        return hashlib.sha256(json_lines(one.content for one in self.new)).hexdigest()

    @property
    def reasons(self) -> dict[str, int]:
        """How many records were left out for what, by field and reason."""
        found = Counter(
            f"{reason.field}: {reason.message}" for one in self.refused for reason in one.reasons
        )
        return dict(sorted(found.items()))


def run_of(
    records: Iterable[ServiceRecord],
    quarter: Quarter,
    *,
    accepted: Mapping[str, str],
    masks: Collection[str],
) -> Run:
    """Check the records of a quarter; `accepted` are the digests known there, by record number.

    Lines count every record of the quarter from 1, in a stable order, whether it is sent or not.

    Policy: F.record, F.289-15, F.289-17.
    """
    new, refused, unchanged = [], [], []
    numbers = set()
    for line, record in enumerate(records, start=1):
        content = masked(record.content, masks)
        found = {(one.field, one.message): one for one in record.objections}
        # What we object to is the reason for an empty field, not that it is empty.
        objected = {one.field for one in record.objections}
        wrong = wrong_fields(content, first_on=quarter.first_on, ends_before=quarter.ends_before)
        found |= {(one.field, one.message): one for one in wrong if one.field not in objected}
        reasons = tuple(sorted(found.values(), key=lambda one: one.column))
        checked = CheckedRecord(line, record, content, digest(content), reasons)
        numbers.add(record.record_inner_id)
        if reasons:
            refused.append(checked)
        elif accepted.get(record.record_inner_id) == checked.sha256:
            unchanged.append(checked)
        else:
            new.append(checked)
    gone = tuple(sorted(accepted.keys() - numbers))
    return Run(tuple(new), tuple(refused), tuple(unchanged), gone)


def digest(content: Mapping[str, str]) -> str:
    """SHA-256 over one record in its canonical form."""
    return hashlib.sha256(_canonical(content)).hexdigest()


def json_lines(contents: Iterable[Mapping[str, Any]]) -> bytes:
    """Records as the wire has them: a JSON object a line, fields in the order of the layout."""
    return b"".join(_canonical(content) + b"\n" for content in contents)


def table(contents: Iterable[Mapping[str, str]]) -> list[Sequence[str]]:
    """Records as rows under two headers, the Chinese one and that of the wire."""
    rows: list[Sequence[str]] = [[field.header for field in FIELDS], NAMES]
    rows += [[content[name] for name in NAMES] for content in contents]
    return rows


def _canonical(content: Mapping[str, Any]) -> bytes:
    ordered = {name: content[name] for name in NAMES}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()
