"""From facts to HTML: one environment of templates, and what every page has around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup

from marketplace import __version__
from marketplace.rulebook import rulebook
from marketplace.web.assets import asset_address
from marketplace.web.cards import as_cards
from marketplace.web.navigation import current_link, shown_areas
from marketplace.web.visitor import PageRequest, Visitor, visitor_of
from marketplace.web.words import label
from marketplace.web.words.regions import region

FLASH_COOKIE = "flash"
FLASH_SECONDS = 60
FLASH_LENGTH_MAX = 500
# Longer ones are no address of ours; they are not repeated on the page.
ADDRESS_LENGTH_MAX = 2_000


def _json_data(value: object) -> Markup:
    """`value` inside a script element of data: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 escaped here


TEMPLATES = Environment(
    loader=PackageLoader("marketplace.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.globals |= {
    "version": __version__,
    "asset": asset_address,
    "label": label,
    "region": region,
}
TEMPLATES.filters["json_data"] = _json_data
TEMPLATES.filters["instant"] = datetime.fromisoformat
TEMPLATES.filters["as_cards"] = as_cards
TEMPLATES.filters["facts"] = lambda facts: json.dumps(facts, ensure_ascii=False, default=str)


def page(request: PageRequest, template: str, *, status: int = 200, **facts: Any) -> Response[str]:
    """The page that `template` makes of `facts`, in the visitor's language and theme."""
    visitor = visitor_of(request)
    speech = visitor.speech
    flash = request.cookies.get(FLASH_COOKIE)
    areas = shown_areas(request.app.state.areas, visitor)
    body = TEMPLATES.get_template(template).render(
        visitor=visitor,
        speech=speech,
        t=speech.t,
        lang=speech.language,
        province=rulebook().province,
        areas=areas,
        current_link=current_link(areas, request.url.path),
        path=request.url.path,
        here=_here(request),
        query=request.query_params,
        link=lambda **changes: _link(request, changes),
        flash=_flash_read(flash),
        partial=request.headers.get("hx-request") == "true",
        **facts,
    )
    response = Response(
        content=body,
        status_code=status,
        media_type="text/html",
        headers={"Vary": "Accept-Language, Cookie", "Cache-Control": "no-store"},
    )
    if flash is not None:
        response.delete_cookie(FLASH_COOKIE)
    return response


def go(to: str, *, said: tuple[str, str] | None = None, visitor: Visitor | None = None) -> Redirect:
    """Send the browser on with GET, and tell `said` (Chinese, English) on the page it comes to."""
    response = Redirect(path=to, status_code=303)
    if said is not None:
        text = said[0] if visitor is None or visitor.speech.language == "zh" else said[1]
        response.set_cookie(
            key=FLASH_COOKIE,
            value=quote(text[:FLASH_LENGTH_MAX]),
            max_age=FLASH_SECONDS,
            httponly=True,
            samesite="lax",
        )
    return response


def _flash_read(value: str | None) -> str | None:
    if value is None:
        return None
    text = unquote(value)[:FLASH_LENGTH_MAX]
    return text if text.isprintable() else None


def _here(request: PageRequest) -> str:
    url = request.url
    address = url.path + (f"?{url.query}" if url.query else "")
    return address if len(address) <= ADDRESS_LENGTH_MAX else url.path


def _link(request: PageRequest, changes: Mapping[str, Any]) -> str:
    """This page with other parameters; None takes one away."""
    names = set(request.query_params) | set(changes)
    pairs: list[tuple[str, str]] = []
    for name in sorted(names):
        if name in changes:
            value = changes[name]
            values = value if isinstance(value, list | tuple) else [value]
            pairs += [(name, str(each)) for each in values if each is not None and each != ""]
        else:
            pairs += [(name, each) for each in request.query_params.getall(name)]
    text = urlencode(pairs)
    return f"{request.url.path}?{text}" if text else request.url.path
