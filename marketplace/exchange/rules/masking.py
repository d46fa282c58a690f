"""Personal fields as far as a record needs them.

Policy: F.289-17 (users' identities are protected).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


def masked(content: Mapping[str, str], fields: Collection[str]) -> dict[str, str]:
    """`content` with the personal fields named in `fields` masked."""
    masks = {"applicant": name, "applicantPhone": phone, "applicantEmail": email}
    return {
        field: masks[field](value) if field in fields and field in masks else value
        for field, value in content.items()
    }


def name(full: str) -> str:
    """The family name, and a star for each further character: 王**."""
    return full[:1] + "*" * (len(full) - 1)


def phone(number: str) -> str:
    """The first three and the last two digits: 138******01."""
    if len(number) < 7:
        return "*" * max(5, len(number)) if number else ""
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def email(address: str) -> str:
    """The first letter and the domain: w***@example.com."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}***{at}{domain}" if at else ""
