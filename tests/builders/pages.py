"""A browser without scripts, for tests of pages: keeps cookies, follows links, sends forms."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, cast

import httpx
from litestar import Litestar

from marketplace.kernel.actors import Actor
from marketplace.kernel.observe import Observed
from marketplace.web.sessions import PageSession

SITE = "http://platform.test"
# What a browser says with a form of its own page.
OWN_PAGE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@dataclass(eq=False)
class Form:
    """A form as it stands on a page: where it goes, and what its fields hold."""

    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Shown(HTMLParser):
    """What of a page matters to whoever reads it."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.source = answer.text
        self.path = answer.url.raw_path.decode()
        self.lang: str | None = None
        self.title = ""
        self.text = ""
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self._inside: list[str] = []
        self._link: tuple[str, str] | None = None
        self._textarea: str | None = None
        self._select: str | None = None
        self.feed(answer.text)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of links and of the fields of forms."""
        found = {name: value or "" for name, value in attrs}
        self._inside.append(tag)
        if tag == "html":
            self.lang = found.get("lang")
        elif tag == "a" and "href" in found:
            self._link = (found["href"], "")
        elif tag == "form":
            self.forms.append(Form(found.get("action", self.path), found.get("method", "get")))
        elif self.forms and "name" in found:
            self._field(tag, found)
        elif tag == "option" and self._select is not None:
            self._option(self._select, found)

    def _field(self, tag: str, found: Mapping[str, str]) -> None:
        form, name = self.forms[-1], found["name"]
        if tag == "button":
            form.buttons.append((name, found.get("value", "")))
        elif tag == "textarea":
            self._textarea = name
            form.fields[name] = ""
        elif tag == "select":
            self._select = name
        elif found.get("type") in ("checkbox", "radio"):
            if "checked" in found:
                ticked = form.fields.get(name)
                value = found.get("value", "on")
                # Several boxes of one name are sent one after the other.
                form.fields[name] = value if ticked is None else [*_all(ticked), value]
        else:
            form.fields[name] = found.get("value", "")

    def _option(self, name: str, found: Mapping[str, str]) -> None:
        fields = self.forms[-1].fields
        if "selected" in found or name not in fields:
            fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Links and fields end."""
        if tag == "a" and self._link is not None:
            self.links[" ".join(self._link[1].split())] = self._link[0]
            self._link = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Text that people see."""
        if "script" in self._inside or "style" in self._inside:
            return
        if self._inside and self._inside[-1] == "title":
            self.title += data
            return
        if self._link is not None:
            self._link = (self._link[0], self._link[1] + data)
        if self._textarea is not None:
            self.forms[-1].fields[self._textarea] += data
        self.text += f" {data} "

    def form(self, action: str) -> Form:
        """The form that goes to `action`."""
        (found,) = [each for each in self.forms if each.action.partition("?")[0] == action]
        return found


def _all(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


class Browser:
    """Keeps cookies; `open` follows a link, `send` fills a form in and sends it."""

    def __init__(self, app: Observed) -> None:
        self._app = app
        transport = httpx.ASGITransport(
            app=cast(Any, app),
            raise_app_exceptions=False,
        )
        self.http = httpx.AsyncClient(transport=transport, base_url=SITE, follow_redirects=True)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the window."""
        await self.http.aclose()

    async def enter(self, actor: Actor) -> None:
        """Be signed in as `actor`."""
        sessions = cast("Litestar", self._app.app).state.page_sessions
        kept = PageSession(actor.person_id, actor.organisation_id, int(time.time()))
        self.http.cookies.set("sid", await sessions.begin(kept), domain="platform.test")

    async def open(self, path: str, **query: Any) -> Shown:
        """Open a page."""
        answer = await self.http.get(
            path, params=query or None, headers={**OWN_PAGE, "Sec-Fetch-Site": "none"}
        )
        return Shown(answer)

    async def post(self, path: str, fields: Mapping[str, Any], **files: Any) -> Shown:
        """Send a form that stands on one of our pages."""
        answer = await self.http.post(
            path, data=dict(fields), files=files or None, headers=OWN_PAGE
        )
        return Shown(answer)

    async def send(self, page: Shown, action: str, **changes: Any) -> Shown:
        """Fill in the form of `page` that goes to `action`, and send it."""
        form = page.form(action)
        fields = {**form.fields, **changes}
        if form.method == "post":
            return await self.post(action, fields)
        return await self.open(action, **fields)
