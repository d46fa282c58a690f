"""Scripts, style sheets and icons: built once, named by their content, kept by browsers for ever.

Pages also work where nothing was built: they are plain, and their forms do the same.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from marketplace import __version__
from marketplace.kernel.errors import Missing
from marketplace.web.visitor import PageRequest

_ASSETS = Path(str(files("marketplace.web"))) / "assets"
_BUILT = _ASSETS / "built"
# The API browser's own files come from a package, so that the page needs no other host.
_BROWSER = Path(str(files("swagger_ui"))) / "static"
_PLAIN = {
    "api-browser.css": _ASSETS / "api-browser.css",
    "api-browser.js": _ASSETS / "api-browser.js",
    "icon.svg": _ASSETS / "icon.svg",
    "swagger-ui-bundle.js": _BROWSER / "swagger-ui-bundle.js",
    "swagger-ui.css": _BROWSER / "swagger-ui.css",
}
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@lru_cache(maxsize=1)
def manifest() -> dict[str, str]:
    """File names by what they are for; empty where nothing was built."""
    try:
        found: dict[str, str] = json.loads((_BUILT / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def asset_address(name: str) -> str | None:
    """Where a page finds `name`; None for what was not built."""
    if name in _PLAIN:
        return f"/assets/{name}?v={__version__}"
    built = manifest().get(name)
    return None if built is None else f"/assets/{built}"


@lru_cache(maxsize=128)
def _content(name: str, packed: bool) -> bytes:
    path = _PLAIN.get(name, _BUILT / f"{name}.gz" if packed else _BUILT / name)
    return path.read_bytes()


@lru_cache(maxsize=1)
def _built_names() -> frozenset[str]:
    # Asked for once: what a running process serves does not change under it.
    return frozenset(path.name for path in _BUILT.glob("*") if path.suffix in _MEDIA_TYPES)


@get("/assets/{name:str}", opt={"roles": "public"}, include_in_schema=False, sync_to_thread=True)
def asset(request: PageRequest, name: FromPath[str]) -> Response[bytes]:
    """A file by its name; only those that exist here, never a path."""
    built = name in _built_names()
    if not built and name not in _PLAIN:
        raise Missing()
    packed = built and "gzip" in request.headers.get("accept-encoding", "")
    age = "31536000, immutable" if built else "3600"
    headers = {"Cache-Control": f"public, max-age={age}", "Vary": "Accept-Encoding"}
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(
        content=_content(name, packed),
        media_type=_MEDIA_TYPES[Path(name).suffix],
        headers=headers,
    )
