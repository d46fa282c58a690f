"""Machine-hours, statements and exports over HTTP: shapes, files, refusals."""

import csv
import io
import json
from datetime import date
from itertools import count
from typing import Any

import httpx
import pytest

from marketplace.booking.queries import Purpose
from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.spreadsheets import row_batches
from marketplace.kernel.time import SetClock, shanghai_instant
from marketplace.parties.roles import Role
from tests.builders.booking import a_bookable_instrument
from tests.builders.hours import a_session_in_history
from tests.builders.parties import an_actor, bearer

pytestmark = pytest.mark.asyncio

_keys = count()
MARCH = {"from": "2025-03-01", "until": "2025-04-01"}


class Caller:
    """Somebody with a token."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.services, self.actor = api, services, actor

    async def get(self, path: str, **params: Any) -> httpx.Response:
        headers = bearer(self.services, self.actor)
        return await self.api.get(f"/api/v1{path}", params=params, headers=headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        headers = bearer(self.services, self.actor)
        return await self.api.put(f"/api/v1{path}", json=body, headers=headers)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        headers = bearer(self.services, self.actor) | {"Idempotency-Key": f"hours-{next(_keys)}"}
        return await self.api.post(f"/api/v1{path}", json=body, headers=headers)


@pytest.fixture
async def technician(api: httpx.AsyncClient, services: Services, database: Database) -> Caller:
    return Caller(api, services, await an_actor(database, Role.TECHNICIAN))


@pytest.fixture
async def manager(technician: Caller, database: Database) -> Caller:
    actor = await an_actor(
        database, Role.PROVIDER_MANAGER, organisation_id=technician.actor.organisation_id
    )
    return Caller(technician.api, technician.services, actor)


@pytest.fixture
async def instrument_id(technician: Caller, database: Database, clock: SetClock) -> int:
    """An instrument that ran for an hour on the 5th and the 6th of March; it is 2 April."""
    made = await a_bookable_instrument(database, provider_id=technician.actor.organisation_id)
    for day, purpose in ((5, Purpose.TEACHING), (6, Purpose.OWN_RESEARCH)):
        await a_session_in_history(
            database,
            instrument_id=made,
            opened_at=shanghai_instant(date(2025, 3, day), 600),
            purpose=purpose,
            idle=5,
            samples=3,
        )
    clock.set(shanghai_instant(date(2025, 4, 2)))
    return made


async def test_machine_hours_say_what_they_are_sums_of(technician: Caller, instrument_id: int):
    answer = await technician.get(
        "/machine-hours", **MARCH, group_by=["instrument", "purpose"], grain="month"
    )
    whole = await technician.get("/machine-hours", **MARCH)

    rows = answer.json()["results"]
    assert [("own_research", 60), ("teaching", 60)] == [
        (row["keys"]["purpose"], row["figures"]["effective_minutes"]) for row in rows
    ]
    assert {"instrument": "场发射扫描电子显微镜"} == rows[0]["names"]
    assert "2025-03-01" == rows[0]["starts_on"]
    assert rows[0]["figures"]["quota_minutes"] is None
    everything = whole.json()["all"]
    assert (120, 130, 10, 6, 2, 0) == tuple(
        everything[name]
        for name in (
            "machine_minutes",
            "session_minutes",
            "idle_minutes",
            "samples",
            "sessions",
            "sharing_basis_points",
        )
    )
    # 29 of 365 days of 1,400 and of 1,600 hours.
    assert (6674, 7628) == (everything["quota_minutes"], everything["national_quota_minutes"])
    assert (180, 157) == (
        everything["utilisation_basis_points"],
        everything["national_utilisation_basis_points"],
    )


async def test_a_file_holds_the_same_rows_and_their_sum(technician: Caller, instrument_id: int):
    asked = MARCH | {"group_by": ["instrument", "purpose"], "grain": "month"}
    shown = (await technician.get("/machine-hours", **asked)).json()

    as_csv = await technician.get("/machine-hours/file", **asked)
    as_xlsx = await technician.get("/machine-hours/file", **asked, format="xlsx")

    table = list(csv.reader(io.StringIO(as_csv.content.decode("utf-8-sig"))))
    sheet = [row.cells async for batch in row_batches(as_xlsx.content) for row in batch]
    assert "attachment" in as_csv.headers["content-disposition"]
    effective = table[0].index("有效机时（分钟） effective minutes")
    assert ["60", "60", "120"] == [row[effective] for row in table[1:]]
    assert [str(row["figures"]["session_minutes"]) for row in shown["results"]] == [
        row[table[0].index("上机合计 session minutes")] for row in table[1:-1]
    ]
    assert table[0] == sheet[0][: len(table[0])]
    assert [row[effective] for row in table] == [row[effective] for row in sheet]


async def test_a_figure_leads_to_its_sessions(technician: Caller, instrument_id: int):
    answer = await technician.get(
        "/machine-hours/sessions", **MARCH, instrument_id=instrument_id, purpose="teaching"
    )

    (session,) = answer.json()["results"]
    assert (60, 65, 5, 3, 60) == (
        session["minutes"],
        session["session_minutes"],
        session["idle_minutes"],
        session["samples"],
        answer.json()["minutes"],
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"until": "2025-03-01"},
        {"until": "2036-01-01"},
        {"from": "1999-12-31"},
        {"from": "2100-12-31", "until": "2101-01-01"},
        {"from": "2020-01-01", "grain": "week"},
        {"grain": "fortnight"},
        {"group_by": ["instrument", "provider", "purpose", "city"]},
        {"group_by": "colour"},
        {"region": "jiangsu"},
        {"region": "3"},
        {"category": "0101011"},
        {"page": 0},
        {"instrument_id": 0},
        {"instrument_id": 2**60},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_malformed(technician: Caller, changes):
    answer = await technician.get("/machine-hours", **(MARCH | changes))

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_statement_is_drawn_up_read_and_confirmed(
    technician: Caller, manager: Caller, instrument_id: int
):
    drafted = await technician.post("/hours-statements", {"month": "2025-03"})
    statement_id = drafted.json()["id"]
    path = f"/hours-statements/{statement_id}"
    page = (await manager.get(path)).json()
    lines = (await manager.get(f"{path}/lines")).json()
    own = {"sha256": drafted.json()["sha256"]}
    spring = {"from": "2025-02-01", "until": "2025-04-30"}
    early = await technician.get("/hours-statements/missing", **spring)
    refused = await technician.post(f"{path}/confirm", own)
    changed = await manager.post(f"{path}/confirm", {"sha256": "0" * 64})
    confirmed = await manager.post(f"{path}/confirm", own)
    again = await manager.post(f"{path}/confirm", own)

    assert (201, "draft", "2025-03-01") == (
        drafted.status_code,
        drafted.json()["status"],
        drafted.json()["month"],
    )
    assert (120, 120, 0, []) == (
        page["stated"]["minutes"],
        page["live"]["minutes"],
        page["differing_lines"],
        page["checks"],
    )
    assert 2 == lines["total"]
    assert 60 == lines["results"][0]["counts"]["minutes"]
    assert [statement_id] == [row["draft_id"] for row in early.json()["results"]]
    assert [403, 409, 200, 409] == [
        answer.status_code for answer in (refused, changed, confirmed, again)
    ]
    assert "/problems/hours-statement-changed" == changed.json()["type"]
    assert "/problems/hours-statement-confirmed" == again.json()["type"]
    assert 0 == (await manager.get(f"{path}/differences")).json()["total"]
    compared = await manager.get("/hours-statements/compared", **MARCH)
    assert {False} == {row["differs"] for row in compared.json()["results"]}
    listed = await manager.get("/hours-statements", month="2025-03", status="confirmed")
    assert [statement_id] == [row["id"] for row in listed.json()["results"]]


async def test_what_cannot_be_stated_says_which_rule(technician: Caller, instrument_id: int):
    early = await technician.post("/hours-statements", {"month": "2025-04"})
    nonsense = await technician.post("/hours-statements", {"month": "2025-13"})
    many = await technician.get(
        "/hours-statements/compared", **{"from": "2020-01-01", "until": "2025-01-01"}
    )

    assert (422, "/problems/hours-statement-month") == (early.status_code, early.json()["type"])
    assert [400, 400] == [nonsense.status_code, many.status_code]


async def test_an_export_is_made_fetched_sent_and_answered(
    technician: Caller, manager: Caller, instrument_id: int
):
    assert (await manager.get("/national-unit")).json()["ins_code"] is None
    code = await manager.put("/national-unit", {"ins_code": "A" * 32})
    made = await technician.post("/national-exports", {"year": 2025, "quarter": 1})
    path = f"/national-exports/{made.json()['id']}"
    records = (await technician.get(f"{path}/records", refused=False)).json()
    lines = await technician.get(f"{path}/file", format="jsonl")
    table = await technician.get(f"{path}/file", format="csv")
    sheet = await technician.get(f"{path}/file")
    sent = await manager.post(f"{path}/send")
    answered = await manager.post(f"{path}/answer", {"code": 100, "note": "成功"})
    nothing = await technician.post("/national-exports", {"year": 2025, "quarter": 1})

    assert [200, 201, 200, 200] == [answer.status_code for answer in (code, made, sent, answered)]
    assert (2, 0, 0) == (
        made.json()["records"],
        made.json()["refused"],
        made.json()["report"]["minutes"]["unexplained"],
    )
    assert [one["content"] for one in records["results"]] == [
        json.loads(line) for line in lines.text.splitlines()
    ]
    assert 4 == len(table.content.decode("utf-8-sig").splitlines())
    rows = [row.cells async for batch in row_batches(sheet.content) for row in batch]
    assert ["仪器单位内部编号", "innerId"] == [row[0] for row in rows[:2]]
    assert "accepted" == answered.json()["status"]
    assert (409, "/problems/national-export-nothing") == (
        nothing.status_code,
        nothing.json()["type"],
    )
    assert 1 == (await manager.get("/national-exports", year=2025, quarter=1)).json()["total"]


async def test_a_refused_record_says_where_and_why(technician: Caller, instrument_id: int):
    made = await technician.post("/national-exports", {"year": 2025, "quarter": 1})
    path = f"/national-exports/{made.json()['id']}"

    refused = (await technician.get(f"{path}/records", refused=True)).json()

    assert 2 == refused["total"] == made.json()["refused"]
    assert {(2, "insCode", "单位编码")} == {
        (reason["column"], reason["field"], reason["header"])
        for one in refused["results"]
        for reason in one["reasons"]
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/national-exports", {"year": 2025, "quarter": 5}),
        ("/national-exports", {"year": 1999, "quarter": 1}),
        ("/national-exports/1/answer", {"code": 7}),
        ("/national-exports/1/withdraw", {"note": ""}),
    ],
)
async def test_a_body_that_does_not_fit_is_malformed(manager: Caller, path: str, body):
    assert 400 == (await manager.post(path, body)).status_code


async def test_the_layout_and_the_codes_are_there_for_everybody_signed_in(technician: Caller):
    layout = (await technician.get("/national-exports/layout")).json()

    assert ("innerId", "signAgreement", 25) == (
        layout["fields"][0]["name"],
        layout["fields"][-1]["name"],
        len(layout["fields"]),
    )
    assert {0, 1, 100, 101, 200, 201, 202, 203, 204, 301} == {
        code["code"] for code in layout["return_codes"]
    }
