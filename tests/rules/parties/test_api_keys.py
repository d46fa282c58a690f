"""What a key of a system looks like, and what one may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.kernel.keys import KEY_WORD, is_key
from marketplace.parties.errors import ApiKeyRefused
from marketplace.parties.roles import Scope
from marketplace.parties.rules.api_keys import KeyParts, is_good, key_parts, require_key

NOW = datetime(2025, 3, 3, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
PARTS = KeyParts("ab12cd34ef", "x_-" * 14 + "y")


def test_a_key_is_taken_apart_as_it_was_put_together():
    assert key_parts(PARTS.text) == PARTS
    assert is_key(PARTS.text)
    assert PARTS.text.startswith(KEY_WORD)


@given(st.text(max_size=80))
def test_other_text_is_no_key(text: str):
    assert key_parts(text) is None
    assert key_parts(KEY_WORD + text) is None or text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        PARTS.text + "z",
        PARTS.text[:-1],
        PARTS.text.upper(),
        PARTS.text.replace("ab12", "AB12"),
        PARTS.text + "\n",
        " " + PARTS.text,
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "",
    ],
)
def test_a_key_that_is_nearly_one_is_none(text: str):
    assert key_parts(text) is None


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "rules"),
    [
        ("LIMS", {"readings:write"}, LATER, []),
        ("LIMS", set(Scope), NOW + timedelta(days=730), []),
        ("", {"readings:write"}, LATER, ["key-name"]),
        ("LIMS", set(), LATER, ["key-scopes"]),
        ("LIMS", {"readings:write", "money:move"}, LATER, ["key-scopes"]),
        ("LIMS", {"readings:write"}, NOW, ["key-lifetime"]),
        ("LIMS", {"readings:write"}, NOW + timedelta(days=731), ["key-lifetime"]),
        ("", set(), NOW, ["key-name", "key-scopes", "key-lifetime"]),
    ],
)
def test_a_key_has_a_name_scopes_that_exist_and_an_end_within_two_years(
    name: str, scopes: set[str], expires_at: datetime, rules: list[str]
):
    found: list[str] = []
    try:
        require_key(name, scopes, expires_at, at=NOW)
    except ApiKeyRefused as refused:
        found = [reason.rule for reason in refused.reasons]

    assert found == rules


@pytest.mark.parametrize(
    ("expires_at", "revoked_at", "suspended_at", "good"),
    [
        (LATER, None, None, True),
        (NOW, None, None, False),
        (NOW - timedelta(days=1), None, None, False),
        (LATER, NOW, None, False),
        (LATER, None, NOW, False),
    ],
)
def test_a_key_lets_in_until_it_ends_is_revoked_or_its_organisation_is_suspended(
    expires_at: datetime, revoked_at: datetime | None, suspended_at: datetime | None, good: bool
):
    assert (
        is_good(expires_at=expires_at, revoked_at=revoked_at, suspended_at=suspended_at, at=NOW)
        is good
    )
