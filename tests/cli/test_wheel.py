"""The wheel, built from the checkout without the network: what is in it, and that it serves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.builders.web_process import WebProcess

ROOT = Path(__file__).resolve().parents[2]
LINKED = re.compile(r'<(?:script|link)\b[^>]*?(?:src|href)="(/assets/[^"]+)"')


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as the locked builder makes it here."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        # Whoever asks for the network is told that there is none.
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"},
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the checkout with what the wheel holds, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()


def test_the_wheel_holds_the_package_with_its_assets_and_migrations_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}

    package = {f"marketplace/{name}" for name in _files(ROOT / "marketplace")}
    migrations = {f"marketplace/migrations/{name}" for name in _files(ROOT / "migrations")}
    assert names == package | migrations
    manifest = json.loads((ROOT / "marketplace/web/assets/built/manifest.json").read_bytes())
    assert {f"marketplace/web/assets/built/{built}" for built in manifest.values()} <= names
    # What is in the checkout because it was built or is not Python, by one example of each kind.
    for kind in (
        r"py\.typed",
        r"web/templates/base\.html",
        r"web/assets/built/manifest\.json",
        r"web/assets/built/main-[A-Z0-9]{8}\.js",
        r"web/assets/built/main-[A-Z0-9]{8}\.js\.gz",
        r"web/assets/built/site-[0-9a-f]{8}\.css",
        r"web/assets/icon\.svg",
        r"web/words/sentences/billing\.toml",
        r"web/words/refusals\.toml",
        r"rulebook/national\.toml",
        r"vouchers/programmes/jiangsu-2020\.toml",
        r"kernel/documents/fonts/\w+-Regular\.ttf",
        r"migrations/env\.py",
        r"migrations/versions/0001_\w+\.py",
    ):
        assert any(re.fullmatch(f"marketplace/{kind}", name) for name in names), kind


async def test_a_wheel_serves_pages_with_script_and_style(
    unpacked: Path, database_url: str, tmp_path: Path
):
    # Ready means that the wheel's own migrations end where this database stands.
    # Python finds what was unpacked, before the checkout and not in the folder it starts in.
    outside = {"PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    where = subprocess.run(  # noqa: ASYNC221 a moment, once
        [sys.executable, "-c", "import marketplace; print(*marketplace.__path__)"],
        env={**os.environ, **outside},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    web = WebProcess(database_url, str(tmp_path), settings=outside)
    await web.start()
    try:
        async with httpx.AsyncClient(base_url=web.address) as client:
            page = await client.get("/")
            linked = LINKED.findall(page.text)
            answers = [await client.get(address) for address in linked]
    finally:
        web.stop()

    assert where.strip() == str(unpacked / "marketplace")
    assert page.status_code == 200
    assert {answer.status_code for answer in answers} == {200}
    kinds = {answer.headers["content-type"].partition(";")[0] for answer in answers}
    assert kinds >= {"text/css", "text/javascript"}
    built = unpacked / "marketplace/web/assets/built"
    for address, answer in zip(linked, answers, strict=True):
        if "?v=" not in address:
            assert answer.text == (built / Path(address).name).read_text(encoding="utf-8")
