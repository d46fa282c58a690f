"""Tables that a phone shows as cards: every cell says its column's name, and keeps its role.

Below 640 pixels the style sheet lays rows out as blocks. Browsers then forget that they were a
table, so the roles are written out, and screen readers go on reading rows and columns.
"""

from __future__ import annotations

import re
from html import unescape

from markupsafe import Markup, escape

_TAG = re.compile(r"<(/?)(table|thead|tbody|tfoot|tr|th|td)\b([^>]*)>")
_ANY_TAG = re.compile(r"<[^>]+>")
_COLSPAN = re.compile(r'\bcolspan="(\d+)"')
_CLASS = re.compile(r'\bclass="')
_BLANK_CELL = re.compile(r"(<td\b[^>]*>)\s+(?=</td>)")
_GROUPS = {"thead", "tbody", "tfoot"}


def as_cards(table: str) -> Markup:
    """One table, its cells labelled by the heads of their columns."""
    heads: list[str] = []
    out: list[str] = []
    kept, column, head_from, in_head = 0, 0, 0, False
    source = _BLANK_CELL.sub(r"\1", str(table))
    for tag in _TAG.finditer(source):
        closing, name, inside = tag.groups()
        if closing:
            if name == "th" and in_head:
                heads.append(_text(source[head_from : tag.start()]))
            in_head = in_head and name != "thead"
            continue
        added = ""
        if name == "table":
            added, inside = ' role="table"', _CLASS.sub('class="cards ', inside, count=1)
        elif name in _GROUPS:
            added, in_head = ' role="rowgroup"', name == "thead"
        elif name == "tr":
            added, column = ' role="row"', 0
        elif in_head:
            added, head_from = ' role="columnheader"', tag.end()
        else:
            span = _COLSPAN.search(inside)
            label = "" if span or column >= len(heads) else heads[column]
            role = "rowheader" if name == "th" else "cell"
            added = f' role="{role}" data-label="{escape(label)}"'
            column += int(span[1]) if span else 1
        out.append(f"{source[kept : tag.start()]}<{name}{inside}{added}>")
        kept = tag.end()
    return Markup("".join(out) + source[kept:])  # noqa: S704 escaped by the template, and above


def _text(html: str) -> str:
    """What a head says; what only screen readers are told is no label."""
    if "sr-only" in html:
        return ""
    return unescape(_ANY_TAG.sub("", html)).strip(" ↑↓\n")
