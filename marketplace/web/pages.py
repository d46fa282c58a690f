"""The pages: for now the home page and the API browser; each renders facts and holds no rule."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response, get
from litestar.connection import Request
from litestar.datastructures import State
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from marketplace import __version__
from marketplace.kernel.actors import NOBODY
from marketplace.kernel.errors import Missing
from marketplace.kernel.http import ApiRequest, read, services
from marketplace.kernel.money import yuan
from marketplace.kernel.time import shanghai_day
from marketplace.rulebook import rulebook
from marketplace.web.figures import LARGE_UNIT_FEN, figures, money_rules, printable
from marketplace.web.texts import LANGUAGES, texts

_TEMPLATES = Environment(
    loader=PackageLoader("marketplace.web"), autoescape=True, undefined=StrictUndefined
)
_ASSETS = Path(str(files("marketplace.web"))) / "assets"
# The API browser's own files come from a package, so that the page needs no other host.
_BROWSER = Path(str(files("swagger_ui"))) / "static"
_FILES = {
    "site.css": (_ASSETS / "site.css", "text/css"),
    "api-browser.js": (_ASSETS / "api-browser.js", "text/javascript"),
    "swagger-ui-bundle.js": (_BROWSER / "swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": (_BROWSER / "swagger-ui.css", "text/css"),
}


def render(template: str, **facts: Any) -> str:
    """A page as HTML."""
    return _TEMPLATES.get_template(template).render(version=__version__, **facts)


@get("/", opt={"roles": "public"}, include_in_schema=False)
async def home(
    request: ApiRequest, lang: FromQuery[str | None] = None, text: FromQuery[str] = ""
) -> Response[str]:
    """What this place is, what it holds today, and where to begin; finds without JavaScript."""
    chosen = lang if lang in LANGUAGES else _preferred(request)
    wanted = printable(text)
    today = shanghai_day(services(request).database.clock.now())
    page = render(
        "home.html",
        lang=chosen,
        t=texts(chosen),
        text=wanted,
        numbers=await read(request, figures, wanted, actor=NOBODY),
        province=rulebook().province,
        rules=money_rules(rulebook(), today),
        yuan=yuan,
        large_unit_fen=LARGE_UNIT_FEN[chosen],
    )
    return Response(content=page, media_type="text/html", headers={"Vary": "Accept-Language"})


@get("/assets/{name:str}", opt={"roles": "public"}, include_in_schema=False, sync_to_thread=True)
def asset(name: FromPath[str]) -> Response[bytes]:
    """A style sheet or a script; only those listed exist."""
    if name not in _FILES:
        raise Missing()
    path, media_type = _FILES[name]
    return Response(
        content=path.read_bytes(),
        media_type=media_type,
        headers={"Cache-Control": "public, max-age=3600"},
    )


class ApiBrowserPlugin(OpenAPIRenderPlugin):
    """The page at /schema on which every operation can be read and tried."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, State], openapi_schema: dict[str, Any]) -> bytes:
        """The page; the document itself is fetched by its script."""
        return render("api.html", lang="en", title=openapi_schema["info"]["title"]).encode()


def _preferred(request: ApiRequest) -> str:
    """Chinese unless the browser asks for English first."""
    asked = request.headers.get("accept-language", "zh").split(",")[0].strip().lower()
    return "en" if asked.startswith("en") else "zh"


def pages() -> list[ControllerRouterHandler]:
    """The handlers of this module."""
    return [home, asset]
