"""Personal data shown only as far as the reader needs it."""

from __future__ import annotations


def masked_email(address: str) -> str:
    """`li.ming@lab.cn` → `l***@lab.cn`: enough to recognise, too little to write to."""
    person, at, domain = address.partition("@")
    return f"{person[:1]}***{at}{domain}"


def masked_phone(number: str) -> str:
    """`13812345678` → `138****5678`; a shorter number keeps its last two digits."""
    if len(number) >= 11:
        return f"{number[:3]}****{number[-4:]}"
    return f"***{number[-2:]}" if number else ""
