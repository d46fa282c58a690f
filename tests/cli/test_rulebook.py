"""`marketplace rulebook`: a province's own file is checked, and what is in force is shown."""

from __future__ import annotations

import json

import pytest

from marketplace.rulebook import rulebook_path

CAP = "cap_per_legal_entity_fen = [{ value = 50_000_000, since = 2020-10-01"
OURS = ["jiangsu", "hunan", "national"]


@pytest.fixture
def own_file(tmp_path):
    """Jiangsu's rulebook with other lines in it, as a file of the province's own."""

    def with_changes(*changes: tuple[str, str]) -> str:
        content = rulebook_path("jiangsu").read_text(encoding="utf-8")
        for old, new in changes:
            assert content.count(old) == 1
            content = content.replace(old, new)
        path = tmp_path / "own.toml"
        path.write_text(content, encoding="utf-8")
        return str(path)

    return with_changes


async def checked(marketplace, file):
    told = await marketplace("rulebook", "check", file, "--json")
    document = json.loads(told.stdout)
    assert {"file", "ok", "problems"} == set(document)
    assert (0 if document["ok"] else 1) == told.exit_code
    return {problem["where"]: problem["what"] for problem in document["problems"]}


@pytest.mark.parametrize("name", OURS)
async def test_our_rulebooks_are_valid(marketplace, name):
    told = await marketplace("rulebook", "check", name)

    assert (0, f"{rulebook_path(name)}: valid\n") == (told.exit_code, told.stdout)


async def test_a_file_of_the_provinces_own_is_valid(marketplace, own_file):
    assert {} == await checked(marketplace, own_file())


async def test_every_problem_of_a_file_is_said_at_once(marketplace, own_file):
    file = own_file(
        (CAP, CAP.replace("50_000_000", "-1")),
        ("share_cap_basis_points = [{ value = 500", "share_cap_basis_points = [{ value = 10_001"),
        ('source = "J.A1"', 'source = "hearsay"'),
        ("quote_valid_days =", "quote_valid_weeks ="),
        (
            "notice_minutes = [{ value = 1440, since = 2020-10-01",
            'notice_minutes = [{ value = 60, since = 2019-01-01, source = "J.gap" },'
            " { value = 1440, since = 2020-10-01",
        ),
    )
    found = await checked(marketplace, file)

    assert {
        "reward.cap_per_legal_entity_fen.0.value": "greater than or equal to 0",
        "reward.share_cap_basis_points.0.value": "less than or equal to 10000",
        "evaluation.weights.0.source": "should match pattern",
        "orders.quote_valid_weeks": "not permitted",
        "orders.quote_valid_days": "required",
        "booking.notice_minutes": "the terms since 2019-01-01 and 2020-10-01 overlap",
    }.keys() == found.keys()
    assert "less than or equal to 10000" in found["reward.share_cap_basis_points.0.value"]
    assert "overlap" in found["booking.notice_minutes"]


async def test_problems_are_for_people_too(marketplace, own_file):
    file = own_file((CAP, CAP.replace("50_000_000", "-1")))
    told = await marketplace("rulebook", "check", file)

    assert (1, f"{file}: 1 problem(s)\n") == (told.exit_code, told.stdout)
    assert told.stderr.startswith("reward.cap_per_legal_entity_fen.0.value: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "there is no such file"),
        (b"[province\n", "not TOML"),
        (b"\xff\xfe\x00\x00", "not UTF-8"),
        ('name = "江苏"'.encode("gb18030"), "not UTF-8"),
        (b"#" * 1_000_001, "larger than a rulebook can be"),
    ],
)
async def test_what_is_no_rulebook_is_said_in_a_line(marketplace, tmp_path, content, problem):
    path = tmp_path / "own.toml"
    if content is not None:
        path.write_bytes(content)
    (what,) = (await checked(marketplace, path)).values()

    assert problem in what


async def test_a_folder_is_no_rulebook(marketplace, tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()

    assert {str(folder): "Is a directory"} == await checked(marketplace, folder)


async def test_an_empty_file_lacks_every_section(marketplace, tmp_path):
    path = tmp_path / "own.toml"
    path.touch()

    assert {"province", "booking", "reward"} < set(await checked(marketplace, path))


async def shown(marketplace, *more, **how):
    told = await marketplace("rulebook", "show", "--json", *more, **how)
    assert told.exit_code == 0
    return json.loads(told.stdout)


async def test_what_is_in_force_on_a_day_is_shown_with_its_clause(marketplace, own_file):
    file = own_file(
        (CAP, CAP + ', until = 2025-12-31, source = "J.30b" }, { value = 1, since = 2026-01-01')
    )
    old, new, every = [
        await shown(marketplace, *asked, MARKETPLACE_PROVINCE=file)
        for asked in (["--on", "2025-12-31"], ["--on", "2026-01-01"], ["--all"])
    ]

    def caps(document):
        return [
            (term["value"], term["source"], term["until"])
            for term in document["terms"]
            if term["term"] == "reward.cap_per_legal_entity_fen"
        ]

    assert [(50_000_000, "J.30b", "2025-12-31")] == caps(old)
    assert [(1, "J.30b", None)] == caps(new)
    assert 2 == len(caps(every))
    assert ("jiangsu", "2025-12-31") == (old["province"]["code"], old["on"])


async def test_before_the_policy_nothing_is_in_force(marketplace):
    assert [] == (await shown(marketplace, "--on", "1999-12-31"))["terms"]


@pytest.mark.parametrize("name", OURS)
async def test_the_rulebook_is_shown_as_a_table(marketplace, name):
    told = await marketplace("rulebook", "show", MARKETPLACE_PROVINCE=name)

    assert 0 == told.exit_code
    assert "reward.cap_per_legal_entity_fen" in told.stdout
