"""What leads where: the areas of the site, and the links that a visitor's roles open.

Every area package offers `AREA`: a name in both languages and its links. A link names the roles
that its page takes; `tests/http` holds both against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marketplace.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Link:
    """A page that the menu leads to; without roles for everybody who is signed in."""

    path: str
    chinese: str
    english: str
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Area:
    """A group of pages for one kind of work."""

    chinese: str
    english: str
    links: Sequence[Link]


def link(path: str, chinese: str, english: str, *roles: str) -> Link:
    """A link for those who hold one of `roles`."""
    return Link(path, chinese, english, frozenset(map(str, roles)))


def shown_areas(areas: Sequence[Area], visitor: Visitor) -> list[Area]:
    """The areas with the links that this visitor may follow."""
    if visitor.signed_in is None:
        return []
    shown = [
        Area(
            area.chinese,
            area.english,
            [each for each in area.links if not each.roles or visitor.has(*each.roles)],
        )
        for area in sorted(areas, key=lambda area: _distance(area, visitor))
    ]
    return [area for area in shown if area.links]


def _distance(area: Area, visitor: Visitor) -> int:
    """How near an area is to a visitor's work: whose desk they may open, then where they help,
    then what is for everybody.
    """
    desk = area.links[0]
    if not any(each.roles for each in area.links):
        return 2
    return 0 if not desk.roles or visitor.has(*desk.roles) else 1


def current_link(areas: Sequence[Area], path: str) -> str:
    """The link of the menu under which `path` stands: the one that names most of it."""
    links = [each.path for area in areas for each in area.links]
    above = [each for each in links if path == each or path.startswith(f"{each}/")]
    return max(above, key=len, default="")


def start_page(areas: Sequence[Area], visitor: Visitor) -> str:
    """Where somebody begins who has just signed in: the first page of their own work."""
    shown = shown_areas(areas, visitor)
    return shown[0].links[0].path if shown else "/"
