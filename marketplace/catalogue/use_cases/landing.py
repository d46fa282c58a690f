"""Lines of a file become rows of the catalogue, a chunk at a time, in sets and not one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Text, any_, cast, select, text

from marketplace.catalogue import tables
from marketplace.catalogue.rules.content import CONTENT_FIELDS, InstrumentContent, content_sha256
from marketplace.catalogue.rules.identifier import local_cstr
from marketplace.catalogue.rules.layout import PASSED_ON, Header
from marketplace.catalogue.rules.line import (
    InstrumentLine,
    LineError,
    line_error,
    read_line,
    wan_yuan,
)
from marketplace.catalogue.rules.listing import check_open
from marketplace.catalogue.rules.states import Exemption, Source, Status
from marketplace.catalogue.use_cases.storing import ListingTerms, due_on, words_of
from marketplace.kernel.db import Tx
from marketplace.kernel.errors import Reasons
from marketplace.kernel.spreadsheets import Row
from marketplace.parties.queries import Organisation

ERRORS_LISTED_MAX = 1_000
# The planner's figures are renewed when this many rows have landed, and each time there are four
# times as many: with those of an empty table it reads every row for each chunk.
ANALYZE_FROM = 1_000

_COLUMNS = (*CONTENT_FIELDS, "cstr", "listing_due_on", "content_sha256")
_CHANGED = [name for name in _COLUMNS if name not in ("inner_id", "cstr")]
_INCOMING = ", ".join(
    "further::text as further" if name == "further" else name for name in _COLUMNS
)
_CREATE = f"""
    create temporary table if not exists incoming on commit drop as
    select {_INCOMING}, ''::text as words from instrument with no data
"""  # noqa: S608  # our own column names
_SELECTED = ", ".join("further::jsonb" if name == "further" else name for name in _COLUMNS)
_SET = ", ".join(f"{name} = excluded.{name}" for name in (*_CHANGED, "region_code", "search"))
# What has not changed is not touched at all: no lock, no new row version.
_UPSERT = f"""
    with landed as (
      insert into instrument ({", ".join(_COLUMNS)}, provider_id, region_code, status,
                              registered_at, listed_at, changed_at, search)
      select {_SELECTED}, :provider_id, :region_code, 'listed',
             :now, :now, :now, array_to_tsvector(string_to_array(words, ' '))
      from incoming
      where not exists (
        select from instrument known
        where known.provider_id = :provider_id and known.inner_id = incoming.inner_id
          and known.content_sha256 = incoming.content_sha256)
      on conflict on constraint instrument_inner_id do update
        set {_SET}, changed_at = excluded.changed_at
      returning xmax = 0 as added)
    select count(*) filter (where added) as added, count(*) filter (where not added) as changed
    from landed
"""  # noqa: S608  # our own column names
_COMPARE = """
    select count(*) filter (where known.id is null) as added,
           count(*) filter (where known.content_sha256 <> line.digest) as changed
    from unnest(cast(:inner_ids as text[]), cast(:digests as bytea[])) line (inner_id, digest)
    left join instrument known
      on known.provider_id = :provider_id and known.inner_id = line.inner_id
"""


class Landing:
    """The state of one import: what was counted, what was said about bad lines.

    Memory stays bounded by the chunk, the errors listed, and one short entry per inner id.
    """

    def __init__(self, tx: Tx, *, provider: Organisation, terms: ListingTerms, dry: bool) -> None:
        self._tx = tx
        self._provider = provider
        self._terms = terms
        self._dry = dry
        self._first_lines: dict[str, int] = {}
        self._disposed: frozenset[str] = frozenset()
        self.lines = self.added = self.changed = self.unchanged = self.refused = 0
        self.errors: list[LineError] = []
        self.errors_total = 0
        self._analyze_at = ANALYZE_FROM

    async def prepare(self) -> None:
        """Look up what no line may bring back, and make room for incoming lines."""
        instrument = tables.instrument.c
        disposed = await self._tx.scalars(
            select(instrument.inner_id).where(
                instrument.provider_id == self._provider.id, instrument.status == Status.DISPOSED
            )
        )
        self._disposed = frozenset(disposed)
        if not self._dry:
            await self._tx.execute(text(_CREATE))

    async def land(self, header: Header, rows: Sequence[Row]) -> None:
        """Land the good lines among `rows` and note what is wrong with the others."""
        self.lines += len(rows)
        good = await asyncio.to_thread(self._read, header, rows)
        known = await self._known(header, good)
        records = await asyncio.to_thread(self._records, header, good, known)
        if not records:
            return
        counted = await (self._compare(records) if self._dry else self._write(records))
        self.added += counted.added
        self.changed += counted.changed
        self.unchanged += len(records) - counted.added - counted.changed
        if self.added + self.changed >= self._analyze_at:
            self._analyze_at *= 4
            await self._tx.execute(text("select analyze_instruments(false)"))

    async def finish(self) -> None:
        """Leave the planner's figures as searches need them."""
        if self.added + self.changed >= ANALYZE_FROM:
            await self._tx.execute(text("select analyze_instruments(true)"))

    def _refuse(self, errors: Sequence[LineError]) -> None:
        self.refused += 1
        self.errors_total += len(errors)
        self.errors.extend(errors[: ERRORS_LISTED_MAX - len(self.errors)])

    def _read(self, header: Header, rows: Sequence[Row]) -> list[tuple[int, InstrumentLine]]:
        good = []
        inner_id_column = header.columns["inner_id"][1]
        for row in rows:
            if row.broken:
                self._refuse([line_error(row.line, "", "", "line_broken")])
                continue
            read = read_line(row.line, row.cells, header, today=self._tx.today)
            if isinstance(read, list):
                self._refuse(read)
                continue
            first = self._first_lines.setdefault(read.inner_id, row.line)
            if first != row.line:
                self._refuse(
                    [
                        line_error(
                            row.line, inner_id_column, read.inner_id, "inner_id_twice", first=first
                        )
                    ]
                )
            elif read.inner_id in self._disposed:
                self._refuse([line_error(row.line, inner_id_column, read.inner_id, "disposed")])
            else:
                good.append((row.line, read))
        return good

    async def _known(
        self, header: Header, good: Sequence[tuple[int, InstrumentLine]]
    ) -> dict[str, dict[str, Any]]:
        """What is known of the columns that the file leaves out, by inner id."""
        absent = [name for name in CONTENT_FIELDS if name not in header.columns]
        instrument = tables.instrument.c
        rows = await self._tx.execute(
            select(instrument.inner_id, *(instrument[name] for name in absent)).where(
                instrument.provider_id == self._provider.id,
                instrument.inner_id == any_(cast([line.inner_id for _, line in good], ARRAY(Text))),
            )
        )
        return {row.inner_id: dict(row._mapping) for row in rows}

    def _records(
        self,
        header: Header,
        good: Sequence[tuple[int, InstrumentLine]],
        known: dict[str, dict[str, Any]],
    ) -> list[tuple[Any, ...]]:
        records = []
        passed_on_absent = [name for name in PASSED_ON if name not in header.columns]
        for number, line in good:
            before = known.get(line.inner_id)
            content = _completed(line, before, passed_on_absent) if before else line
            refused = self._not_open(number, header, content)
            if refused is not None:
                self._refuse([refused])
                continue
            records.append(self._record(content))
        return records

    def _not_open(
        self, number: int, header: Header, content: InstrumentContent
    ) -> LineError | None:
        """Why an instrument that must be open is not. Policy: N.5a, J.2b, J.9"""
        reasons = Reasons()
        threshold = self._terms.must_open_worth_fen
        check_open(
            reasons,
            funds=content.funds,
            worth_fen=content.worth_fen,
            exemption=content.exemption,
            share_mode=content.share_mode,
            threshold_fen=threshold,
        )
        if not reasons.found:
            return None
        column = header.columns["share_mode"][1]
        limit = wan_yuan(threshold)
        return line_error(number, column, content.share_mode, "must_be_open", limit=limit)

    def _record(self, content: InstrumentContent) -> tuple[Any, ...]:
        values = content.__dict__
        return (
            *(
                msgspec.json.encode(values[name], order="deterministic").decode()
                if name == "further"
                else values[name]
                for name in CONTENT_FIELDS
            ),
            local_cstr(
                province_region_code=self._terms.province_region_code,
                provider_id=self._provider.id,
                inner_id=content.inner_id,
            ),
            due_on(content.accepted_on),
            content_sha256(values),
            " ".join(words_of(content, self._provider)),
        )

    async def _write(self, records: list[tuple[Any, ...]]) -> Any:
        await self._tx.execute(text("truncate incoming"))
        connection = await self._tx.raw()
        await connection.copy_records_to_table(
            "incoming", records=records, columns=[*_COLUMNS, "words"]
        )
        counted = await self._tx.execute(
            text(_UPSERT),
            {
                "provider_id": self._provider.id,
                "region_code": self._provider.region_code,
                "now": self._tx.now,
            },
        )
        return counted.one()

    async def _compare(self, records: list[tuple[Any, ...]]) -> Any:
        digest = _COLUMNS.index("content_sha256")
        counted = await self._tx.execute(
            text(_COMPARE),
            {
                "provider_id": self._provider.id,
                "inner_ids": [record[0] for record in records],
                "digests": [record[digest] for record in records],
            },
        )
        return counted.one()


def _completed(
    line: InstrumentLine, before: dict[str, Any], passed_on_absent: Sequence[str]
) -> InstrumentContent:
    """`line` with what was known of the columns that its file leaves out."""
    update = dict(before)
    further = update.pop("further", {})
    kept = {name: further[name] for name in passed_on_absent if name in further}
    update["further"] = line.further | kept
    if update.get("exemption") is not None:
        update["exemption"] = Exemption(update["exemption"])
    if update.get("source") is not None:
        update["source"] = Source(update["source"])
    return line.model_copy(update=update)
