"""Files as they really come: what can be read lands, what cannot is listed or refused whole."""

from __future__ import annotations

import io
import itertools
import zipfile
from typing import Any

import httpx
import pytest
import pytest_asyncio

from marketplace.kernel.actors import Actor
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.parties.roles import Role
from tests.builders.catalogue import a_csv, a_line, an_xlsx, held, rows_of
from tests.builders.parties import an_actor, bearer
from tests.builders.reconciliation import BANK_ACCOUNT, a_file
from tests.builders.reconciliation import a_line as a_bank_line
from tests.http.refusals import nothing_changes, refused

API = "/api/v1"
GOOD = [a_line(innerId=f"A-{number:03d}") for number in range(5)]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
_keys = itertools.count()


class Sender:
    """Somebody who sends files, each under a new key."""

    def __init__(self, api: httpx.AsyncClient, services: Services, actor: Actor) -> None:
        self.api, self.services, self.actor = api, services, actor

    async def __call__(self, path: str, content: bytes, **params: Any) -> httpx.Response:
        headers = bearer(self.services, self.actor) | {"Idempotency-Key": f"file-{next(_keys)}"}
        return await self.api.post(f"{API}{path}", params=params, content=content, headers=headers)


@pytest_asyncio.fixture
async def manager(api: httpx.AsyncClient, services: Services, database: Database) -> Sender:
    return Sender(api, services, await an_actor(database, Role.PROVIDER_MANAGER))


@pytest_asyncio.fixture
async def cashier(api: httpx.AsyncClient, services: Services, database: Database) -> Sender:
    return Sender(api, services, await an_actor(database, Role.FINANCE_MAKER))


def zipped(parts: dict[str, bytes]) -> bytes:
    """A ZIP file, which is what a workbook is."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def a_bomb() -> bytes:
    """A small workbook whose only sheet unpacks to 300 MB of cells."""
    with zipfile.ZipFile(io.BytesIO(an_xlsx(rows_of(GOOD)))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    row = b"<row>" + b'<c t="inlineStr"><is><t>boom</t></is></c>' * 1_000 + b"</row>"
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    sheet = head + b"<sheetData>" + row * 7_500 + b"</sheetData></worksheet>"
    return zipped(parts | {"xl/worksheets/sheet1.xml": sheet})


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16"])
async def test_a_file_says_the_same_in_every_encoding(
    manager: Sender, database: Database, encoding: str
) -> None:
    answer = await manager("/instruments/imports", a_csv(GOOD, encoding=encoding))

    assert answer.status_code == 201, answer.text
    assert (answer.json()["added"], answer.json()["refused"]) == (5, 0)
    landed = await held(database, manager.actor.organisation_id)
    assert {one.cname for one in landed} == {"透射电子显微镜"}


def with_a_thousand_mistakes() -> bytes:
    """Every second line of 2,000 has one mistake; another one each time, of three kinds."""
    mistakes = ({"worth": "很多"}, {"instrCategory": "019901"}, {"beginDate": "2018-02-30"})
    bad = [a_line(innerId=f"B-{n}", **mistakes[n % 3]) for n in range(1_000)]
    good = [a_line(innerId=f"G-{n}") for n in range(1_000)]
    return a_csv([line for pair in zip(bad, good, strict=True) for line in pair])


async def test_good_lines_land_and_every_bad_one_is_named(
    manager: Sender, database: Database
) -> None:
    content = with_a_thousand_mistakes()

    async with nothing_changes(database, but=frozenset({"idempotency_key"})):
        dry = await manager("/instruments/imports", content, dry_run=True)
    answer = await manager("/instruments/imports", content)

    assert (dry.status_code, answer.status_code) == (200, 201)
    report = answer.json()
    assert (report["lines"], report["added"], report["refused"]) == (2_000, 1_000, 1_000)
    assert report["errors_total"] == 1_000
    assert [error["line"] for error in report["errors"]] == list(range(2, 2_002, 2))
    columns = [error["column"] for error in report["errors"][:3]]
    assert len(set(columns)) == 3
    assert all(
        error["column"] and error["rule"] and error["message"] and error["message_en"]
        for error in report["errors"]
    )
    assert report["errors"][0]["value"] == "很多"
    assert dry.json() | {"batch_id": 0, "dry_run": False} == report | {"batch_id": 0}
    assert (await manager("/instruments/imports", content)).json()["unchanged"] == 1_000


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "malformed"),
    "only line ends": (b"\r\n" * 50, "import-header-missing"),
    "half a workbook": (an_xlsx(rows_of(GOOD))[:3_000], "file-unreadable"),
    "a workbook without its end": (an_xlsx(rows_of(GOOD))[:-30], "file-unreadable"),
    "an image": (PNG, "file-unreadable"),
    "a picture in a ZIP file": (zipped({"a.png": PNG}), "file-unreadable"),
    "an empty ZIP file": (zipped({}), "import-header-missing"),
    "a workbook of nothing": (zipped({"xl/workbook.xml": b""}), "file-unreadable"),
    "a web page": (b"<!doctype html><title>Sign in</title>", "import-header-missing"),
    "JSON": (b'{"instruments": []}', "import-header-missing"),
    "odd bytes of UTF-16": (b"\xff\xfe" + "仪器".encode("utf-16-le") + b"\x00", "file-unreadable"),
}


async def test_a_file_that_cannot_be_read_is_refused_whole(
    manager: Sender, database: Database
) -> None:
    async with nothing_changes(database):
        for why, (content, code) in BAD_FILES.items():
            for dry_run in (False, True):
                answer = await manager(
                    "/instruments/imports", content, file_name="仪器.xlsx", dry_run=dry_run
                )
                assert refused(answer, 400, code)["title"], why


async def test_a_workbook_that_unpacks_without_end_is_refused(
    manager: Sender, database: Database
) -> None:
    bomb = a_bomb()
    assert len(bomb) < 1_500_000

    async with nothing_changes(database):
        answer = await manager("/instruments/imports", bomb)
        assert answer.status_code in (400, 413), answer.text
        refused(answer, answer.status_code)


async def test_a_form_with_no_file_or_two_is_malformed(manager: Sender, database: Database) -> None:
    headers = bearer(manager.services, manager.actor) | {"Idempotency-Key": "a-form"}
    good = ("a.csv", a_csv(GOOD))
    async with nothing_changes(database):
        for files in ({"a": good, "b": good}, {"a": ("a.csv", b"")}):
            answer = await manager.api.post(
                f"{API}/instruments/imports", files=files, headers=headers
            )
            refused(answer, 400, "malformed")
        for content in (
            b"",
            b"--x\r\n",
            b"--x\r\nContent-Disposition: form-data\r\n\r\n",
            b"no form",
        ):
            answer = await manager.api.post(
                f"{API}/instruments/imports",
                content=content,
                headers=headers | {"Content-Type": "multipart/form-data; boundary=x"},
            )
            refused(answer, 400, "malformed")
        no_boundary = await manager.api.post(
            f"{API}/instruments/imports",
            content=b"--x\r\n",
            headers=headers | {"Content-Type": "multipart/form-data"},
        )
        refused(no_boundary, 400, "malformed")


def a_statement() -> str:
    return a_file([a_bank_line(100_00), a_bank_line(-30_00), a_bank_line(5_00)]).decode("gb18030")


BAD_STATEMENTS: dict[str, bytes] = {
    "a balance that does not follow": a_statement().replace(",70.00,", ",71.00,").encode("gb18030"),
    "a line left out": "".join(
        a_statement().splitlines(keepends=True)[place] for place in (0, 1, 3)
    ).encode("gb18030"),
    "an amount that is none": a_statement().replace("100.00", "一百元", 1).encode("gb18030"),
    "a day that is none": a_statement().replace("20250303", "20250230", 1).encode("gb18030"),
    "an amount beyond the world's money": a_statement().replace("100.00", "9" * 30).encode(),
    "only its header": a_statement().splitlines(keepends=True)[0].encode("gb18030"),
    "empty": b"",
    "an image": PNG,
    "half a workbook": an_xlsx([["交易日期", "金额", "余额"]])[:2_000],
    "an old workbook of nothing": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
}


async def test_a_statement_that_does_not_add_up_is_refused_whole(
    cashier: Sender, database: Database
) -> None:
    async with nothing_changes(database):
        for why, content in BAD_STATEMENTS.items():
            answer = await cashier(
                "/bank-statements", content, account_number=BANK_ACCOUNT, file_name="三月.xls"
            )
            assert refused(answer, 400)["detail"], why

    taken = await cashier(
        "/bank-statements", a_statement().encode("gb18030"), account_number=BANK_ACCOUNT
    )
    assert (taken.status_code, taken.json()["closing_fen"]) == (201, 75_00)
