"""No other site can make a visitor's browser act here.

Browsers say with every request where it comes from (`Sec-Fetch-Site`); older ones name the origin
of a form. Requests that change something are taken from our own pages only; together with the
`SameSite` cookie this needs no token in forms (docs/adr/0013).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from marketplace.kernel.errors import Forbidden

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSite(Forbidden):
    """The request was made by a page of another site."""

    code = "cross-site"
    title = "This request came from another site"


def from_elsewhere(scope: Scope) -> bool:
    """Whether a browser says that another site made this request."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        # `none` is a person's own doing: the address bar, a bookmark.
        return site not in ("same-origin", "none")
    origin = headers.get(b"origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != headers.get(b"host", "")


class OwnPagesOnly(ASGIMiddleware):
    """What changes something must come from one of our pages."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Pass the request on, or refuse it.

        Raises:
            CrossSite: when another site made it.
        """
        if scope.get("method") not in _SAFE and from_elsewhere(scope):
            raise CrossSite("Open the page here and try again.")
        await next_app(scope, receive, send)
